/* SPDX-License-Identifier: MIT */
/* stream_pack.c - see stream_pack.h. Sources: zstd(1), zstd.h. */
#include "stream_pack.h"

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "move_times.h"

#define MIB (1u << 20)
#define LEVEL 1
#define AGAIN 16			/* records until one that did not pay is tried again */
#define NS_PER_S 1000000000ull

void stream_pack_limit(struct stream_pack *p, uint64_t kib_s)
{
	p->limit_ns = kib_s ? 1024 * NS_PER_S / kib_s : 0;
}

void stream_pack_measure(struct stream_pack *p, size_t len, uint64_t ns)
{
	uint64_t now;

	/* What fits into the socket's buffer says nothing of the link. */
	if (len < MIB)
		return;
	now = ns / (len / 1024) * 1024;
	p->link_ns = p->link_ns ? (p->link_ns * 3 + now) / 4 : now;
}

static bool make_room(struct stream_pack *p, size_t len)
{
	if (p->room >= len)
		return true;
	free(p->to);
	p->to = malloc(len);
	p->room = p->to ? len : 0;
	return p->to;
}

size_t stream_pack(struct stream_pack *p, const void *data, size_t len)
{
	uint64_t before = move_clock_ns(), took;
	const uint64_t link_ns = p->link_ns > p->limit_ns ? p->link_ns : p->limit_ns, whole = len;
	size_t n;

	if (!p->is_wanted || !link_ns || (!p->pays && p->plain++ % AGAIN))
		return 0;
	if (!make_room(p, sizeof(whole) + ZSTD_compressBound(len)))
		return 0;
	n = ZSTD_compress((uint8_t *)p->to + sizeof(whole), p->room - sizeof(whole), data, len, LEVEL);
	took = move_clock_ns() - before;
	p->pays = !ZSTD_isError(n) && n + sizeof(whole) < len &&
		  took < (len - n) / 1024 * link_ns / 1024;
	if (!p->pays)
		return 0;
	memcpy(p->to, &whole, sizeof(whole));
	p->in += len;
	p->out += n;
	p->plain = 0;
	return sizeof(whole) + n;
}

void stream_pack_fini(struct stream_pack *p)
{
	free(p->to);
	*p = (struct stream_pack){ 0 };
}

size_t stream_unpacked_len(const void *data, size_t len, size_t most)
{
	uint64_t whole;

	if (len <= sizeof(whole))
		return 0;
	memcpy(&whole, data, sizeof(whole));
	return whole > most ? 0 : (size_t)whole;
}

bool stream_unpack(const void *data, size_t len, void *out, size_t out_len)
{
	return ZSTD_decompress(out, out_len, (const uint8_t *)data + sizeof(uint64_t), len - sizeof(uint64_t)) ==
	       out_len;
}
