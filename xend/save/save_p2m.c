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

static int read_p2m_page(struct save *s, uint64_t n, uint64_t mfn)
{
	const uint64_t *list = hv_map_read(s->hv, s->domid, &mfn, 1);

	if (!list)
		return worker_fail(&s->worker, -EFAULT, "its list of frames is damaged");
	for (uint64_t i = 0, pfn = n * P2M_PER_PAGE; i < P2M_PER_PAGE && pfn < s->nr_pfns;
	     i++, pfn++) {
		/* Once: it may be running. */
		uint64_t frame = __atomic_load_n(&list[i], __ATOMIC_RELAXED);

		/*
		 * One that is named twice is written once: the file is no longer than its memory.
		 */
		if (frame & P2M_FLAGS || frame > s->max_mfn || s->pfn_of[frame] != NO_PFN)
			continue;
		s->p2m[pfn] = ~frame;
		s->pfn_of[frame] = (uint32_t)pfn;
	}
	s->p2m_frame[n] = mfn;
	hv_unmap(s->hv, (void *)list, 1);
	return 0;
}

static int make_maps(struct save *s)
{
	int err = hv_max_page(s->hv, &s->max_mfn);

	if (err)
		return save_fail(s, err, "the hypervisor does not say how many frames there are");
	s->nr_p2m_frames = (s->nr_pfns + P2M_PER_PAGE - 1) / P2M_PER_PAGE;
	s->p2m = calloc(s->nr_pfns, sizeof(*s->p2m));
	s->p2m_frame = calloc(s->nr_p2m_frames, sizeof(*s->p2m_frame));
	s->pfn_of = malloc((s->max_mfn + 1) * sizeof(*s->pfn_of));
	if (!s->p2m || !s->p2m_frame || !s->pfn_of)
		return save_fail(s, -ENOMEM, "dom0 has not enough memory to save a domain");
	memset(s->pfn_of, 0xff, (s->max_mfn + 1) * sizeof(*s->pfn_of));
	for (unsigned int level = 1; level <= LEVELS; level++)
		s->walk[level].mfn = PV_NO_FRAME;
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
			return worker_fail(&s->worker, -EFAULT, "its list of frames is damaged");
		err = read_p2m_page(s, n, mfn);
	}
	return err;
}

/* An mfn of the guest's as a pfn: only what its own list agrees with. */
uint64_t save_pfn_of(void *arg, uint64_t mfn)
{
	const struct save *s = arg;

	if (mfn > s->max_mfn || s->pfn_of[mfn] == NO_PFN)
		return PV_NO_FRAME;
	return s->pfn_of[mfn];
}
