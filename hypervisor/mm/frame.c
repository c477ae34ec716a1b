/* SPDX-License-Identifier: MIT */
/*
 * frame.c - the frame table as such, and the machine-to-physical one. References are
 * domain/frame_ref.c's, types pv/ptval.c's, the free lists page_alloc.c's. Rules: security.md D1.
 */
#include "mm/frame.h"

#include "lib/string.h"
#include "mm/page_alloc.h"
#include "x86/layout.h"

struct frame *frame_table;
u64 frame_table_nr;
u64 *m2p_table;
static u64 m2p_frames;
unsigned int frame_chunk_shift;

#define CHUNK_SHIFT_MIN 9
#define CHUNKS_MAX 2048

void frame_table_init(struct frame *table, u64 *m2p, u64 m2p_len, u64 nr_frames)
{
	frame_table = table;
	frame_table_nr = nr_frames;
	m2p_table = m2p;
	m2p_frames = PFN_UP(m2p_len);
	frame_chunk_shift = CHUNK_SHIFT_MIN;
	while (frame_chunks() > CHUNKS_MAX)
		frame_chunk_shift++;
	for (u64 i = 0; i < nr_frames; i++)
		table[i].owner = DOMID_IO;
	memset(m2p, 0xff, m2p_len);
	page_alloc_init();
}

void frame_mark_xen(mfn_t start, mfn_t end)
{
	for (u64 i = mfn_x(start); i < mfn_x(end); i++)
		frame_table[i].owner = DOMID_XEN;
}

bool mfn_is_ram(mfn_t mfn)
{
	return mfn_x(mfn) < frame_table_nr && mfn_to_frame(mfn)->owner != DOMID_IO;
}

bool mfn_is_m2p(mfn_t mfn)
{
	u64 first = mfn_x(virt_to_mfn(m2p_table));

	return mfn_x(mfn) - first < m2p_frames;
}
