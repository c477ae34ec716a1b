/* SPDX-License-Identifier: MIT */
/* fake_guest.c - the guest of a fake domain: what it sees, and what it does to be suspended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "fake_hv_priv.h"
#include "make_elf.h"

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

/* Linux does when it boots. */
static struct shared_info *say_where_p2m_is(int domid)
{
	struct fake_domain *d = fake_hv_find(domid);
	const struct start_info *si = (void *)fake_hv_guest_memory(domid, d->ctx.user_regs.rsi);
	struct shared_info *shared = (void *)the_hv->frame[d->info.shared_info_mfn];

	shared->arch.max_pfn = si->nr_pages;
	shared->arch.p2m_vaddr = si->mfn_list;
	shared->arch.p2m_cr3 = d->ctx.ctrlreg[3];
	return shared;
}

void fake_hv_suspend(int domid)
{
	struct fake_domain *d = fake_hv_find(domid);
	uint64_t start = d->ctx.user_regs.rsi;
	struct start_info *si = (void *)fake_hv_guest_memory(domid, start);
	struct shared_info *shared = say_where_p2m_is(domid);

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

bool fake_hv_has_msrs(int domid)
{
	return fake_hv_find(domid)->has_msrs;
}

/* ---- what it writes ---- */

unsigned int fake_hv_writes, fake_hv_looks;
bool fake_hv_calms;

static const struct start_info *start_of(int domid)
{
	return (const void *)fake_hv_guest_memory(domid, fake_hv_find(domid)->ctx.user_regs.rsi);
}

/* Bits of pfns whose frames are not what they were. */
static uint64_t look(int domid, uint8_t *bits, uint64_t nr_pfns)
{
	const struct start_info *si = start_of(domid);
	struct fake_domain *d = fake_hv_find(domid);
	uint64_t nr = 0;

	for (uint64_t pfn = 0; pfn < nr_pfns && pfn < si->nr_pages; pfn++) {
		uint64_t mfn = mfn_of_pfn(domid, si, pfn);
		uint32_t now = crc32c(0, the_hv->frame[mfn], PAGE);

		if (bits && now != d->seen[mfn]) {
			bits[pfn / 8] |= (uint8_t)(1u << pfn % 8);
			nr++;
		}
		d->seen[mfn] = now;
	}
	return nr;
}

static void run(int domid)
{
	unsigned int nr = fake_hv_calms ? fake_hv_writes >> fake_hv_looks : fake_hv_writes;

	for (unsigned int i = 0; !fake_hv_find(domid)->info.shutdown && i < nr; i++)
		fake_hv_guest_memory(domid, make_elf_linux.vbase + make_elf_linux.paddr +
						    i * PAGE)[100] += (uint8_t)(i + 1);
}

int hv_dirty_begin(struct hv *hv, uint16_t domid)
{
	if (fake_hv_failing("dirty_begin"))
		return fake_hv_failing("dirty_begin");
	if (fake_hv_find(domid)->noted)
		return -EINVAL;
	fake_hv_find(domid)->noted = true;
	say_where_p2m_is(domid);
	fake_hv_looks = 0;
	look(domid, NULL, UINT64_MAX);
	run(domid);
	return 0;
}

int hv_dirty_take(struct hv *hv, uint16_t domid, uint8_t *bits, uint64_t nr_pfns, uint64_t *nr)
{
	struct fake_domain *d = fake_hv_find(domid);

	if (!d->noted)
		return -EINVAL;
	memset(bits, 0, (nr_pfns + 63) / 64 * 8);
	*nr = look(domid, bits, nr_pfns);
	fake_hv_looks++;
	run(domid);
	return fake_hv_failing("dirty_take");
}

int hv_dirty_end(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = fake_hv_find(domid);

	if (d)
		d->noted = false;
	return 0;
}
