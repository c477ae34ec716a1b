/* SPDX-License-Identifier: MIT */
/*
 * save_p2m.c - a guest's own list of frames, found by its own page tables. Both are a claim: a
 * frame counts as the guest's when the hypervisor maps it for us.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "save_priv.h"

#define P2M_FLAGS (3ull << 62)		/* Linux: a foreign frame, or none of the p2m's */
#define P2M_PER_PAGE (PAGE / 8)
#define MAX_PFN (1ull << 30)
#define NO_PFN UINT32_MAX

/* The table page @mfn of @level, read unless it is the one read last. */
static const struct table *load_table(struct save *s, unsigned int level, uint64_t mfn)
{
	struct table *t = &s->walk[level];
	const void *page;

	if (t->mfn == mfn)
		return t;
	page = hv_map_read(s->hv, s->domid, &mfn, 1);
	if (!page)
		return NULL;
	memcpy(t->entry, page, sizeof(t->entry));
	t->mfn = mfn;
	hv_unmap(s->hv, (void *)page, 1);
	return t;
}

/* What the guest's tables from @top show at @va; PV_NO_FRAME: nothing. */
static uint64_t walk(struct save *s, uint64_t top, uint64_t va)
{
	uint64_t mfn = top;

	for (unsigned int level = LEVELS; level >= 1 && mfn != PV_NO_FRAME; level--) {
		const struct table *t = load_table(s, level, mfn);

		if (!t)
			return PV_NO_FRAME;
		mfn = pv_entry_frame(t->entry[va >> (3 + 9 * level) & (PV_TABLE_ENTRIES - 1)]);
	}
	return mfn;
}

static int damaged(struct save *s)
{
	return worker_fail(&s->worker, -EFAULT, "its list of frames is damaged");
}

static int read_p2m_page(struct save *s, uint64_t n, uint64_t mfn)
{
	const uint64_t *list = hv_map_read(s->hv, s->domid, &mfn, 1);

	if (!list)
		return damaged(s);
	for (uint64_t i = 0, pfn = n * P2M_PER_PAGE; i < P2M_PER_PAGE && pfn < s->nr_pfns;
	     i++, pfn++) {
		/* Once: it may be running. */
		uint64_t frame = __atomic_load_n(&list[i], __ATOMIC_RELAXED);

		/*
		 * One that is named twice is written once: the file is no longer than its memory.
		 * Whose it is may be another one's when the other has let go of it.
		 */
		if (frame & P2M_FLAGS || frame > s->max_mfn)
			continue;
		if (s->pfn_of[frame] != NO_PFN) {
			s->p2m_stale[n] = true;
			continue;
		}
		s->p2m[pfn] = ~frame;
		s->pfn_of[frame] = (uint32_t)pfn;
	}
	s->p2m_mfn[n] = mfn;
	hv_unmap(s->hv, (void *)list, 1);
	return 0;
}

static void forget_walk(struct save *s)
{
	for (unsigned int level = 1; level <= LEVELS; level++)
		s->walk[level].mfn = PV_NO_FRAME;
}

static int make_maps(struct save *s)
{
	int err = hv_max_page(s->hv, &s->max_mfn);

	if (err)
		return save_fail(s, err, "the hypervisor does not say how many frames there are");
	s->nr_p2m_frames = (s->nr_pfns + P2M_PER_PAGE - 1) / P2M_PER_PAGE;
	s->p2m = calloc(s->nr_pfns, sizeof(*s->p2m));
	s->p2m_frame = calloc(s->nr_p2m_frames, sizeof(*s->p2m_frame));
	s->p2m_mfn = calloc(s->nr_p2m_frames, sizeof(*s->p2m_mfn));
	s->p2m_stale = calloc(s->nr_p2m_frames, sizeof(*s->p2m_stale));
	s->pfn_of = malloc((s->max_mfn + 1) * sizeof(*s->pfn_of));
	if (!s->p2m || !s->p2m_frame || !s->p2m_mfn || !s->p2m_stale || !s->pfn_of)
		return save_fail(s, -ENOMEM, "dom0 has not enough memory to save a domain");
	memset(s->pfn_of, 0xff, (s->max_mfn + 1) * sizeof(*s->pfn_of));
	forget_walk(s);
	return 0;
}

/* Where the list is, the kernel said in the shared page: Linux does from 4.4 on. */
int save_read_p2m(struct save *s, const struct shared_info *si)
{
	uint64_t va = si->arch.p2m_vaddr, top = xen_cr3_to_pfn(si->arch.p2m_cr3);
	int err;

	s->nr_pfns = __atomic_load_n(&si->arch.max_pfn, __ATOMIC_RELAXED);
	if (!s->nr_pfns || s->nr_pfns > MAX_PFN || !si->arch.p2m_cr3 || va % PAGE)
		return worker_fail(&s->worker, -EOPNOTSUPP,
				   "its kernel does not say where its list of frames is");
	err = make_maps(s);
	for (uint64_t n = 0; !err && n < s->nr_p2m_frames; n++) {
		uint64_t mfn = walk(s, top, va + n * PAGE);

		if (atomic_load(&s->worker.stop))
			return -EINTR;
		if (mfn == PV_NO_FRAME)
			return damaged(s);
		err = read_p2m_page(s, n, mfn);
	}
	for (uint64_t n = 0; !err && n < s->nr_p2m_frames; n++) {
		s->p2m_frame[n] = save_pfn_of(s, s->p2m_mfn[n]);
		if (s->p2m_frame[n] == PV_NO_FRAME)
			err = damaged(s);
	}
	return err;
}

/* --- once more --- */

void save_note_p2m(struct save *s)
{
	for (uint64_t n = 0; n < s->nr_p2m_frames; n++) {
		uint64_t pfn = s->p2m_frame[n];

		if (s->live.dirty[pfn / 8] >> pfn % 8 & 1)
			s->p2m_stale[n] = true;
	}
}

/* Where the list is by now; a page of it that is elsewhere is to be read. *@any: some page is. */
static int find_again(struct save *s, const struct shared_info *si, bool *any)
{
	uint64_t va = si->arch.p2m_vaddr, top = xen_cr3_to_pfn(si->arch.p2m_cr3);

	*any = false;
	if (si->arch.max_pfn != s->nr_pfns || !si->arch.p2m_cr3 || va % PAGE)
		return worker_fail(&s->worker, -EAGAIN, "its list of frames moved meanwhile");
	forget_walk(s);
	for (uint64_t n = 0; n < s->nr_p2m_frames; n++) {
		uint64_t mfn = walk(s, top, va + n * PAGE);

		if (mfn == PV_NO_FRAME)
			return damaged(s);
		s->p2m_stale[n] |= mfn != s->p2m_mfn[n];
		s->p2m_mfn[n] = mfn;
		*any |= s->p2m_stale[n];
	}
	return 0;
}

/* What page @n of the list says is not said any more. */
static void forget_page(struct save *s, uint64_t n)
{
	for (uint64_t pfn = n * P2M_PER_PAGE; pfn < s->nr_pfns && pfn < (n + 1) * P2M_PER_PAGE; pfn++) {
		if (s->p2m[pfn])
			s->pfn_of[save_mfn_of(s, pfn)] = NO_PFN;
		s->p2m[pfn] = 0;
	}
}

static int read_stale(struct save *s)
{
	int err = 0;

	/* All of them first: a frame may have gone from one to another. */
	for (uint64_t n = 0; n < s->nr_p2m_frames; n++) {
		if (s->p2m_stale[n])
			forget_page(s, n);
	}
	for (uint64_t n = 0; !err && n < s->nr_p2m_frames; n++) {
		if (s->p2m_stale[n])
			err = read_p2m_page(s, n, s->p2m_mfn[n]);
	}
	for (uint64_t n = 0; !err && n < s->nr_p2m_frames; n++) {
		if (save_pfn_of(s, s->p2m_mfn[n]) != s->p2m_frame[n])
			err = worker_fail(&s->worker, -EAGAIN, "its list of frames moved meanwhile");
	}
	return err;
}

int save_reread_p2m(struct save *s, const struct shared_info *si, uint64_t **before)
{
	bool any;
	int err = find_again(s, si, &any);

	*before = NULL;
	if (err || !any)
		return err;
	*before = malloc(s->nr_pfns * sizeof(**before));
	if (!*before)
		return save_fail(s, -ENOMEM, "dom0 has not enough memory to move a domain");
	memcpy(*before, s->p2m, s->nr_pfns * sizeof(**before));
	return read_stale(s);
}

/* An mfn of the guest's as a pfn: only what its own list agrees with. */
uint64_t save_pfn_of(void *arg, uint64_t mfn)
{
	const struct save *s = arg;

	if (mfn > s->max_mfn || s->pfn_of[mfn] == NO_PFN)
		return PV_NO_FRAME;
	return s->pfn_of[mfn];
}
