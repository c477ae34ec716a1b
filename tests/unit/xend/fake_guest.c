/* SPDX-License-Identifier: MIT */
/* fake_guest.c - the guest of a fake domain: what it sees, and what it does to be suspended. */
#include <stdlib.h>
#include <string.h>

#include "fake_hv_priv.h"

/* The mfn behind a guest's virtual address; 0: not mapped. */
static uint64_t mfn_at(int domid, uint64_t vaddr)
{
	uint64_t mfn = fake_hv_find(domid)->ctx.ctrlreg[3] >> 12;

	for (int level = 4; level >= 1; level--) {
		uint64_t e = ((uint64_t *)the_hv->frame[mfn])[vaddr >> (3 + 9 * level) & 511];

		if (!(e & 1))
			return 0;
		mfn = e >> 12 & 0xffffffffff;
	}
	return mfn;
}

static uint64_t pfn_of_mfn(int domid, const struct start_info *si, uint64_t mfn)
{
	for (uint64_t pfn = 0; pfn < si->nr_pages; pfn++) {
		if (*(uint64_t *)fake_hv_guest_memory(domid, si->mfn_list + pfn * 8) == mfn)
			return pfn;
	}
	abort();
}

static uint64_t mfn_of_pfn(int domid, const struct start_info *si, uint64_t pfn)
{
	return *(uint64_t *)fake_hv_guest_memory(domid, si->mfn_list + pfn * 8);
}

void fake_hv_suspend(int domid)
{
	struct fake_domain *d = fake_hv_find(domid);
	uint64_t start = d->ctx.user_regs.rsi;
	struct start_info *si = (void *)fake_hv_guest_memory(domid, start);
	struct shared_info *shared = (void *)the_hv->frame[d->info.shared_info_mfn];

	shared->arch.max_pfn = si->nr_pages;
	shared->arch.p2m_vaddr = si->mfn_list;
	shared->arch.p2m_cr3 = d->ctx.ctrlreg[3];
	shared->evtchn_pending[0] = 6;
	si->store_mfn = pfn_of_mfn(domid, si, si->store_mfn);
	si->console.domU.mfn = pfn_of_mfn(domid, si, si->console.domU.mfn);
	d->ctx.user_regs.rdx = mfn_at(domid, start);
	fake_hv_shutdown(domid, HV_SHUTDOWN_SUSPEND);
}

int hv_domain_resume(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = fake_hv_find(domid);

	struct start_info *si = (void *)fake_hv_guest_memory(domid, d->ctx.user_regs.rsi);

	/* What Linux does when it has not been away. */
	si->store_mfn = mfn_of_pfn(domid, si, si->store_mfn);
	si->console.domU.mfn = mfn_of_pfn(domid, si, si->console.domU.mfn);
	d->ctx.user_regs.rax = 1;
	d->info.shutdown = false;
	return fake_hv_failing("domain_resume");
}

uint8_t *fake_hv_guest_memory(int domid, uint64_t vaddr)
{
	uint64_t mfn = mfn_at(domid, vaddr);

	return mfn ? the_hv->frame[mfn] + vaddr % PAGE : NULL;
}

const struct shared_info *fake_hv_shared_info(int domid)
{
	return (const void *)the_hv->frame[fake_hv_find(domid)->info.shared_info_mfn];
}

uint64_t fake_hv_guest_reg(int domid, const char *name)
{
	const struct vcpu_guest_context *c = &fake_hv_find(domid)->ctx;

	if (!strcmp(name, "rip"))
		return c->user_regs.rip;
	if (!strcmp(name, "rsp"))
		return c->user_regs.rsp;
	if (!strcmp(name, "rax"))
		return c->user_regs.rax;
	return !strcmp(name, "rsi") ? c->user_regs.rsi : c->ctrlreg[3];
}

bool fake_hv_granted(int domid, uint32_t ref, uint64_t mfn)
{
	return fake_hv_find(domid)->grant[ref] == mfn;
}

bool fake_hv_pinned(int domid)
{
	return fake_hv_find(domid)->pinned;
}
