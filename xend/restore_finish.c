/* SPDX-License-Identifier: MIT */
/*
 * restore_finish.c - what a restored guest's hypervisor decides anew: its rings, its shared page,
 * the mfns in its list of frames. Then its page tables are pinned and its vcpus set: from there the
 * hypervisor checks everything itself.
 */
#include <errno.h>
#include <string.h>

#include "pv_tables.h"
#include "restore_priv.h"
#include "stream.h"

/* One page of the guest's, by pfn, for writing; NULL after saying why. */
static void *map_page(struct restore *r, uint64_t pfn, const char *what)
{
	uint64_t mfn = restore_mfn_of(r, pfn);
	void *page;

	if (mfn == PV_NO_FRAME || PAGE_LEVEL(r->type[pfn])) {
		restore_damaged(r, what);
		return NULL;
	}
	page = hv_map(r->hv, r->domid, &mfn, 1);
	if (!page)
		restore_fail(r, errno ? -errno : -EFAULT, "its memory cannot be written");
	return page;
}

static int write_start_info(struct restore *r)
{
	static const char what[] = "the start page";
	struct start_info *si;
	int err = 0;

	if (!r->vcpu[0].has_context)
		return restore_damaged(r, "virtual CPU 0 is missing");
	si = map_page(r, r->vcpu[0].ctx.user_regs.rdx, what);
	if (!si)
		return -EINVAL;
	/* The guest left pfns in place of these two. */
	r->made.store_mfn = restore_mfn_of(r, si->store_mfn);
	r->made.console_mfn = restore_mfn_of(r, si->console.domU.mfn);
	if (r->made.store_mfn == PV_NO_FRAME || r->made.console_mfn == PV_NO_FRAME)
		err = restore_damaged(r, what);
	si->shared_info = r->shared_info_mfn << 12;
	si->flags = SIF_VIRT_P2M_4TOOLS;
	si->store_mfn = r->made.store_mfn;
	si->store_evtchn = r->made.store_port;
	si->console.domU.mfn = r->made.console_mfn;
	si->console.domU.evtchn = r->made.console_port;
	hv_unmap(r->hv, si, 1);
	return err;
}

/* No event is pending, every channel is masked: the guest makes its channels anew. */
static int write_shared_info(struct restore *r)
{
	const struct shared_info *old = (const struct shared_info *)r->shared_info;
	struct shared_info *si;

	if (!r->has_shared_info)
		return restore_damaged(r, "the shared page is missing");
	si = hv_map(r->hv, r->domid, &r->shared_info_mfn, 1);
	if (!si)
		return restore_fail(r, errno ? -errno : -EFAULT, "its shared page cannot be written");
	memset(si, 0, sizeof(*si));
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
		si->vcpu_info[i].evtchn_upcall_mask = old->vcpu_info[i].evtchn_upcall_mask;
		si->vcpu_info[i].arch = old->vcpu_info[i].arch;
	}
	memset(si->evtchn_mask, 0xff, sizeof(si->evtchn_mask));
	si->arch.max_pfn = old->arch.max_pfn;
	hv_unmap(r->hv, si, 1);
	return 0;
}

static int write_p2m(struct restore *r)
{
	for (uint64_t n = 0; n < r->nr_p2m_frames; n++) {
		uint64_t *list = map_page(r, r->p2m_frame[n], "the guest's list of frames");

		if (!list)
			return -EINVAL;
		for (uint64_t i = 0; i < P2M_PER_PAGE; i++)
			list[i] = restore_mfn_of(r, n * P2M_PER_PAGE + i);
		hv_unmap(r->hv, list, 1);
	}
	return 0;
}

static int pin_tables(struct restore *r)
{
	for (uint64_t pfn = 0; pfn < r->nr_pfns; pfn++) {
		unsigned int level = PAGE_LEVEL(r->type[pfn]);
		int err;

		if (!level || !(r->type[pfn] & PAGE_PINNED))
			continue;
		err = hv_pin(r->hv, r->domid, level, r->p2m[pfn]);
		if (err)
			return restore_fail(r, err, "the hypervisor refuses its page tables");
	}
	return 0;
}

/* From pfns to mfns, all that a context names. */
static int translate_context(struct restore *r, struct vcpu_guest_context *c)
{
	uint64_t top = restore_mfn_of(r, xen_cr3_to_pfn(c->ctrlreg[3]));
	uint64_t user = c->ctrlreg[1] & 1 ? restore_mfn_of(r, c->ctrlreg[1] >> 12) : 0;

	if (top == PV_NO_FRAME || user == PV_NO_FRAME)
		return -EINVAL;
	c->ctrlreg[3] = xen_pfn_to_cr3(top);
	c->ctrlreg[1] = c->ctrlreg[1] & 1 ? xen_pfn_to_cr3(user) : 0;
	for (unsigned int i = 0; i * 512 < c->gdt_ents && i < 16; i++) {
		c->gdt_frames[i] = restore_mfn_of(r, c->gdt_frames[i]);
		if (c->gdt_frames[i] == PV_NO_FRAME)
			return -EINVAL;
	}
	return 0;
}

static int set_vcpu(struct restore *r, unsigned int i)
{
	struct saved_vcpu *v = &r->vcpu[i];
	int err = translate_context(r, &v->ctx);

	if (err)
		return restore_damaged(r, "a virtual CPU uses pages that there are not");
	v->ctx.flags |= VGCF_online;
	err = hv_domain_set_vcpu(r->hv, r->domid, i, &v->ctx);
	if (!err && v->has_callbacks)
		err = hv_vcpu_set_callbacks(r->hv, r->domid, i, v->callbacks);
	if (!err && v->fpu)
		err = hv_vcpu_set_fpu(r->hv, r->domid, i, v->fpu, v->fpu_len);
	return err ? restore_fail(r, err, "the hypervisor refuses a virtual CPU of it") : 0;
}

int restore_finish(struct restore *r)
{
	int err = write_start_info(r);

	if (!err)
		err = write_shared_info(r);
	if (!err)
		err = write_p2m(r);
	if (!err)
		err = pin_tables(r);
	for (unsigned int i = 0; !err && i < r->head.nr_vcpus; i++) {
		if (r->vcpu[i].has_context)
			err = set_vcpu(r, i);
	}
	return err;
}
