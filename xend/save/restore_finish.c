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

/* The frame of a page of data, by pfn; PV_NO_FRAME after saying why. */
static uint64_t data_frame(struct restore *r, uint64_t pfn, const char *what)
{
	uint64_t mfn = restore_mfn_of(r, pfn);

	if (mfn != PV_NO_FRAME && !PAGE_LEVEL(restore_frames_kind(&r->frames, pfn)))
		return mfn;
	restore_damaged(r, what);
	return PV_NO_FRAME;
}

/* window->page[0] to frame @mfn. */
static int write_page(struct restore *r, uint64_t mfn, const char *what)
{
	int err;

	r->window->frame[0] = mfn;
	err = restore_ask_write(r, 1);
	return err ? restore_fail(r, err, what) : 0;
}

static int write_start_info(struct restore *r)
{
	static const char what[] = "the start page";
	struct start_info *si = (struct start_info *)r->window->page[0];
	uint64_t mfn;
	int err;

	if (!r->vcpu[0].has_context)
		return restore_damaged(r, "virtual CPU 0 is missing");
	mfn = data_frame(r, r->vcpu[0].ctx.user_regs.rdx, what);
	if (mfn == PV_NO_FRAME)
		return -EINVAL;
	err = restore_ask_read(r, mfn);
	if (err)
		return restore_fail(r, err, "its memory cannot be read");
	/* The guest left pfns in place of these two. */
	r->made.store_mfn = restore_mfn_of(r, si->store_mfn);
	r->made.console_mfn = restore_mfn_of(r, si->console.domU.mfn);
	if (r->made.store_mfn == PV_NO_FRAME || r->made.console_mfn == PV_NO_FRAME)
		return restore_damaged(r, what);
	si->shared_info = r->shared_info_mfn << 12;
	si->flags = SIF_VIRT_P2M_4TOOLS;
	si->store_mfn = r->made.store_mfn;
	si->store_evtchn = r->made.store_port;
	si->console.domU.mfn = r->made.console_mfn;
	si->console.domU.evtchn = r->made.console_port;
	return write_page(r, mfn, "its memory cannot be written");
}

/* No event is pending, every channel is masked: the guest makes its channels anew. */
static int write_shared_info(struct restore *r)
{
	const struct shared_info *old = (const struct shared_info *)r->shared_info;
	struct shared_info *si = (struct shared_info *)r->window->page[0];

	if (!r->has_shared_info)
		return restore_damaged(r, "the shared page is missing");
	memset(si, 0, PAGE);
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
		si->vcpu_info[i].evtchn_upcall_mask = old->vcpu_info[i].evtchn_upcall_mask;
		si->vcpu_info[i].arch = old->vcpu_info[i].arch;
	}
	memset(si->evtchn_mask, 0xff, sizeof(si->evtchn_mask));
	si->arch.max_pfn = old->arch.max_pfn;
	return write_page(r, r->shared_info_mfn, "its shared page cannot be written");
}

/* The guest stands still for it: as many pages at once as the window holds. */
static int write_p2m(struct restore *r)
{
	size_t nr = 0;
	int err = 0;

	for (uint64_t n = 0; !err && n < r->nr_p2m_frames; n++) {
		uint64_t mfn = data_frame(r, r->p2m_frame[n], "the guest's list of frames");
		uint64_t *list = (uint64_t *)r->window->page[nr];

		if (mfn == PV_NO_FRAME)
			return -EINVAL;
		for (uint64_t i = 0; i < P2M_PER_PAGE; i++)
			list[i] = restore_mfn_of(r, n * P2M_PER_PAGE + i);
		r->window->frame[nr++] = mfn;
		if (nr < STREAM_BATCH && n + 1 < r->nr_p2m_frames)
			continue;
		err = restore_ask_write(r, nr);
		nr = 0;
	}
	return err ? restore_fail(r, err, "its memory cannot be written") : 0;
}

static int pin_tables(struct restore *r)
{
	for (uint64_t pfn = 0; pfn < r->frames.nr_pfns; pfn++) {
		unsigned int kind = restore_frames_kind(&r->frames, pfn), level = PAGE_LEVEL(kind);
		int err;

		if (!level || !(kind & PAGE_PINNED))
			continue;
		err = restore_ask_pin(r, level, restore_mfn_of(r, pfn));
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
	err = restore_ask_vcpu(r, i, &v->ctx);
	if (!err && v->has_callbacks)
		err = restore_ask_callbacks(r, i, v->callbacks);
	if (!err && v->fpu)
		err = restore_ask_fpu(r, i, v->fpu, v->fpu_len);
	if (!err && v->msrs_len)
		err = restore_ask_msrs(r, i, v->msrs, v->msrs_len);
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
