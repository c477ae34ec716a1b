/* SPDX-License-Identifier: MIT */
/*
 * debugreg.c - a guest's debug registers. The CPU holds DR0-3 and DR7 while the guest that armed
 * them runs. DR6 is the guest's only in memory: the CPU's says nothing between two exceptions, so
 * that none is told what happened to another. Source: Intel SDM vol. 3, chapter 17.2.
 */
#include "domain/hc_args.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "pv/context.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/segment.h"

/* What a guest may set, or an exception say, in DR6: breakpoints 0-3, BD, BS, BT. */
#define DR6_STATUS 0xe00fULL
/*
 * DR7 bits for data and instruction breakpoints; general detect (bit 13) would stop the hypervisor.
 */
#define DR7_RESERVED_ZERO 0xffffffff0000fc00ULL
#define DR7_ENABLE 0xffULL

static bool is_armed(const struct pv_vcpu *pv)
{
	return pv->debugreg[7] & DR7_ENABLE;
}

void pv_debug_init(struct pv_vcpu *pv)
{
	pv->debugreg[6] = X86_DR6_DEFAULT;
	pv->debugreg[7] = X86_DR7_DEFAULT;
}

void pv_debug_load(const struct pv_vcpu *pv)
{
	if (!is_armed(pv))
		return;
	for (int i = 0; i < 4; i++)
		debugreg_write(i, pv->debugreg[i]);
	debugreg_write(7, pv->debugreg[7]);
}

void pv_debug_unload(const struct pv_vcpu *pv)
{
	if (is_armed(pv))
		debugreg_write(7, X86_DR7_DEFAULT);
}

void pv_debug_trap(struct pv_vcpu *pv)
{
	/* the status bits stay until the guest clears them, as on a CPU */
	pv->debugreg[6] |= debugreg_read_dr6() & DR6_STATUS;
	debugreg_write(6, X86_DR6_DEFAULT);
}

/* I/O breakpoints (R/W = 2) are not given. */
static bool dr7_ok(u64 val)
{
	if (val >> 32)
		return false;
	for (unsigned int i = 0; i < 4; i++)
		if ((val & 3ULL << (i * 2)) && ((val >> (16 + i * 4)) & 3) == 2)
			return false;
	return true;
}

static void dr7_set(struct pv_vcpu *pv, u64 val)
{
	pv_debug_unload(pv);
	pv->debugreg[7] = (val & ~DR7_RESERVED_ZERO) | X86_DR7_DEFAULT;
	pv_debug_load(pv);
}

long hc_set_debugreg(struct hc_args *a)
{
	struct pv_vcpu *pv = &current->pv;
	u64 val = a->a[1];

	switch (a->a[0]) {
	case 0:
	case 1:
	case 2:
	case 3:
		/* C51: never an address in the hypervisor */
		if (!guest_address_ok(val))
			return -EPERM;
		pv->debugreg[index_nospec(a->a[0], 4)] = val;
		pv_debug_load(pv);
		return 0;
	case 4:
	case 6:
		pv->debugreg[6] = (val & DR6_STATUS) | X86_DR6_DEFAULT;
		return 0;
	case 5:
	case 7:
		if (!dr7_ok(val))
			return -EPERM;
		dr7_set(pv, val);
		return 0;
	default:
		return -ENODEV;
	}
}

long hc_get_debugreg(struct hc_args *a)
{
	u64 nr = a->a[0];

	if (nr > 7)
		return -ENODEV;
	nr = nr == 4 ? 6 : nr == 5 ? 7 : nr;
	a->value = (long)current->pv.debugreg[index_nospec(nr, 8)];
	return 0;
}
