/* SPDX-License-Identifier: MIT */
/*
 * hc_cpu_policy.c - CPUID as the toolstack reads it. What a guest sees is pv/cpuid.c's decision;
 * a toolstack's own policy is taken note of but does not widen it. ABI: xen/arch-x86/xen.h.
 */
#include "hypercall/hc_cpu_policy.h"

#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/guest_access.h"

#define LEAVES_MAX 128
#define MSRS_MAX 2
#define MSR_PLATFORM_INFO 0xce /* the one of the guest policy's MSRs every CPU type has */
#define BASIC_LEAF_MAX 0xd
#define EXTENDED_LEAF_MAX 0x80000021

static void leaf_read(const struct domain *d, u32 leaf, u32 sub, u32 r[4])
{
	if (d)
		pv_cpuid(d, leaf, sub, &r[0], &r[1], &r[2], &r[3]);
	else
		cpuid(leaf, sub, &r[0], &r[1], &r[2], &r[3]);
}

struct leaf_writer {
	const struct domain *d;
	u64 va;
	u32 nr, capacity;
};

static long leaf_write(struct leaf_writer *w, u32 leaf, u32 sub)
{
	u32 r[4];
	xen_cpuid_leaf_t out = { .leaf = leaf, .subleaf = sub };

	if (w->nr == w->capacity)
		return -ENOBUFS;
	leaf_read(w->d, leaf, sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub, r);
	out.a = r[0];
	out.b = r[1];
	out.c = r[2];
	out.d = r[3];
	if (copy_to_guest(w->va + (u64)w->nr * sizeof(out), &out, sizeof(out)))
		return -EFAULT;
	w->nr++;
	return 0;
}

/* How many subleaves the reader takes of a leaf; 0: it has none. */
static u32 subleaves(u32 leaf)
{
	switch (leaf) {
	case 0x4:
		return 6;
	case 0x7:
		return 2;
	case 0xb:
		return 2;
	case 0xd:
		return 10;
	default:
		return 0;
	}
}

static long leaf_write_all(struct leaf_writer *w, u32 leaf)
{
	u32 nr = subleaves(leaf);
	long rc = nr ? 0 : leaf_write(w, leaf, XEN_CPUID_NO_SUBLEAF);

	for (u32 sub = 0; sub < nr && !rc; sub++)
		rc = leaf_write(w, leaf, sub);
	return rc;
}

long cpu_policy_write_leaves(const struct domain *d, u64 leaves_va, u32 *nr)
{
	struct leaf_writer w = { .d = d, .va = leaves_va, .capacity = *nr };
	u32 r[4];
	long rc = 0;

	if (!leaves_va) {
		*nr = LEAVES_MAX;
		return 0;
	}
	leaf_read(d, 0, 0, r);
	for (u32 leaf = 0; leaf <= MIN(r[0], (u32)BASIC_LEAF_MAX) && !rc; leaf++)
		rc = leaf_write_all(&w, leaf);
	leaf_read(d, 0x80000000, 0, r);
	for (u32 leaf = 0x80000000; leaf <= MIN(r[0], EXTENDED_LEAF_MAX) && !rc; leaf++)
		rc = leaf_write(&w, leaf, XEN_CPUID_NO_SUBLEAF);
	*nr = w.nr;
	return rc;
}

long cpu_policy_write_msrs(u64 msrs_va, u32 *nr)
{
	xen_msr_entry_t out = { .idx = MSR_PLATFORM_INFO };

	if (!msrs_va) {
		*nr = MSRS_MAX;
		return 0;
	}
	if (*nr < 1)
		return -ENOBUFS;
	*nr = 1;
	return copy_to_guest(msrs_va, &out, sizeof(out));
}

void cpu_policy_featureset(const struct domain *d, u32 words[FEATURE_WORDS])
{
	/* Where each word is: leaf, subleaf, register. */
	static const struct {
		u32 leaf, sub, reg;
	} place[FEATURE_WORDS] = {
		{ 1, 0, 3 },	      { 1, 0, 2 },	{ 0x80000001, 0, 3 },
		{ 0x80000001, 0, 2 }, { 0xd, 1, 0 },	{ 7, 0, 1 },
		{ 7, 0, 2 },	      { 0x80000007, 0, 3 }, { 0x80000008, 0, 1 },
		{ 7, 0, 3 },	      { 7, 1, 0 },	{ 0x80000021, 0, 0 },
		{ 7, 1, 1 },
	};
	u32 basic[4], extended[4], r[4];

	leaf_read(d, 0, 0, basic);
	leaf_read(d, 0x80000000, 0, extended);
	for (u32 i = 0; i < FEATURE_WORDS; i++) {
		u32 max = place[i].leaf & 0x80000000 ? extended[0] : basic[0];

		words[i] = 0;
		if (place[i].leaf > max)
			continue;
		leaf_read(d, place[i].leaf, place[i].sub, r);
		words[i] = r[place[i].reg];
	}
}
