/* SPDX-License-Identifier: MIT */
/*
 * guestlog.c - see guestlog.h. Source: xen/domctl.h (shadow_op), xen/memory.h (machphys_mfn_list).
 */
#include "guestlog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hv_internal.h"
#include <xen/memory.h>

#define FRAME 4096u
#define FRAMES 512u /* looked at: the extent in which a small guest is populated */
#define PAGES 4096u /* bits of an answer: more than any guest here has */
#define M2P_EXTENT (2u << 20)
#define EXTENTS_MAX 64
#define NO_PFN UINT64_MAX

struct guestlog {
	struct hv *hv;
	uint16_t domid;
	uint64_t first; /* mfn */
	const uint64_t *m2p; /* of FRAMES frames; its page is mapped */
	uint8_t *told; /* the answer, where hypercalls may write */
	struct {
		uint64_t pfn; /* NO_PFN: not the guest's, or not known */
		/* changed untold: by another domain after the answer; the next one tells it */
		bool is_late;
		uint8_t bytes[FRAME];
	} seen[FRAMES];
	unsigned int nr_questions, nr_told, nr_changed;
	char wrong[200];
};

static int shadow_op(struct guestlog *l, uint32_t what)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op, .domain = l->domid };
	int err;

	op.u.shadow_op.op = what;
	op.u.shadow_op.pages = PAGES;
	set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, l->told);
	err = hv_domctl(l->hv, &op);
	if (!err && what == XEN_DOMCTL_SHADOW_OP_CLEAN && op.u.shadow_op.pages != PAGES)
		return -EPROTO;
	return err;
}

/* The page of the machine-to-physical table that says of frames l->first and on. */
static int map_m2p(struct guestlog *l)
{
	struct xen_machphys_mfn_list in = { .max_extents = EXTENTS_MAX }, *op;
	uint64_t at = l->first * sizeof(uint64_t), mfn = 0;
	xen_pfn_t *list = hv_buf(l->hv, NULL, EXTENTS_MAX * sizeof(*list));
	int err = -ENOMEM;

	if (!list)
		return err;
	set_xen_guest_handle(in.extent_start, list);
	op = hv_buf(l->hv, &in, sizeof(in));
	if (op)
		err = hv_op(l->hv, __HYPERVISOR_memory_op, XENMEM_machphys_mfn_list, op);
	if (!err && at / M2P_EXTENT >= op->nr_extents)
		err = -ERANGE;
	if (!err)
		mfn = list[at / M2P_EXTENT] + at % M2P_EXTENT / FRAME;
	hv_buf_free(l->hv, op);
	hv_buf_free(l->hv, list);
	if (err)
		return err;
	l->m2p = xenforeignmemory_map(l->hv->fmem, DOMID_XEN, PROT_READ, 1, &mfn, NULL);
	return l->m2p ? 0 : -errno;
}

struct guestlog *guestlog_begin(struct hv *hv, uint16_t domid, uint64_t mfn)
{
	struct guestlog *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return NULL;
	*l = (struct guestlog){ .hv = hv, .domid = domid, .first = mfn / FRAMES * FRAMES };
	for (unsigned int i = 0; i < FRAMES; i++)
		l->seen[i].pfn = NO_PFN;
	l->told = hv_buf(hv, NULL, PAGES / 8);
	err = l->told ? map_m2p(l) : -ENOMEM;
	if (!err)
		err = shadow_op(l, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
	if (!err)
		return l;
	guestlog_free(l);
	errno = -err;
	return NULL;
}

static bool is_told(const struct guestlog *l, uint64_t pfn)
{
	return l->told[pfn / 8] >> pfn % 8 & 1;
}

static void compare(struct guestlog *l, unsigned int i, const void *bytes)
{
	uint64_t pfn = l->m2p[i];
	bool is_new = l->seen[i].pfn == NO_PFN, has_moved = l->seen[i].pfn != pfn;
	bool differs = has_moved || memcmp(l->seen[i].bytes, bytes, FRAME);

	if (pfn >= PAGES)
		return;
	l->nr_told += is_told(l, pfn);
	l->nr_changed += !is_new && differs;
	if (l->seen[i].is_late && !has_moved && !is_told(l, pfn) && !l->wrong[0])
		snprintf(l->wrong, sizeof(l->wrong),
			 "question %u: frame %#llx, page %#llx (was %#llx), %s and is not told",
			 l->nr_questions, (unsigned long long)(l->first + i),
			 (unsigned long long)pfn, (unsigned long long)l->seen[i].pfn,
			 has_moved ? "is another page" : "was written");
	l->seen[i].is_late = !is_new && differs && !is_told(l, pfn);
	l->seen[i].pfn = pfn;
	memcpy(l->seen[i].bytes, bytes, FRAME);
}

/* The guest's frames as they are; those that are not its own, or not any more, are forgotten. */
static int compare_all(struct guestlog *l)
{
	uint64_t mfn[FRAMES];
	int err[FRAMES];
	uint8_t *map;

	for (unsigned int i = 0; i < FRAMES; i++)
		mfn[i] = l->first + i;
	map = xenforeignmemory_map(l->hv->fmem, l->domid, PROT_READ, FRAMES, mfn, err);
	if (!map)
		return -errno;
	for (unsigned int i = 0; i < FRAMES; i++)
		if (err[i])
			l->seen[i].pfn = NO_PFN;
		else
			compare(l, i, map + (size_t)i * FRAME);
	xenforeignmemory_unmap(l->hv->fmem, map, FRAMES);
	return 0;
}

int guestlog_look(struct guestlog *l)
{
	int err = hv_domain_pause(l->hv, l->domid), err2;

	if (err)
		return err;
	l->nr_questions++;
	err = shadow_op(l, XEN_DOMCTL_SHADOW_OP_CLEAN);
	if (!err)
		err = compare_all(l);
	err2 = hv_domain_unpause(l->hv, l->domid);
	return err ? err : err2;
}

int guestlog_off(struct guestlog *l)
{
	return shadow_op(l, XEN_DOMCTL_SHADOW_OP_OFF);
}

bool guestlog_judge(const struct guestlog *l, const char *name)
{
	printf("# %s: %u questions, %u pages told, %u had changed\n", name, l->nr_questions,
	       l->nr_told, l->nr_changed);
	if (l->wrong[0])
		printf("# %s: %s\n", name, l->wrong);
	return !l->wrong[0];
}

void guestlog_free(struct guestlog *l)
{
	if (l->m2p)
		xenforeignmemory_unmap(l->hv->fmem, (void *)(uintptr_t)l->m2p, 1);
	hv_buf_free(l->hv, l->told);
	free(l);
}
