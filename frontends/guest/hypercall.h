/* SPDX-License-Identifier: MIT */
/*
 * hypercall.h - one raw call, and a typed wrapper for each hypercall a program may make. All return
 * what the hypervisor said: 0 or positive, or a negative errno of xen/errno.h. Pointers go to the
 * hypervisor as they are: tests pass bad ones on purpose.
 */
#ifndef KIT_HYPERCALL_H
#define KIT_HYPERCALL_H

#include "lib/types.h"

#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

/* By the `syscall` instruction, as Linux does it. */
static inline long hypercall6(u64 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6)
{
	register u64 r10 __asm__("r10") = a4;
	register u64 r8 __asm__("r8") = a5;
	register u64 r9 __asm__("r9") = a6;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "0"(nr)
			 : "rcx", "r11", "memory");
	return result;
}

#define HYPERCALL_PICK(_1, _2, _3, _4, _5, _6, NAME, ...) NAME
#define HYPERCALL_1(n, a) hypercall6(n, (u64)(a), 0, 0, 0, 0, 0)
#define HYPERCALL_2(n, a, b) hypercall6(n, (u64)(a), (u64)(b), 0, 0, 0, 0)
#define HYPERCALL_3(n, a, b, c) hypercall6(n, (u64)(a), (u64)(b), (u64)(c), 0, 0, 0)
#define HYPERCALL_4(n, a, b, c, d) hypercall6(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)
#define HYPERCALL_5(n, a, b, c, d, e) \
	hypercall6(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), 0)
/* hypercall(name, argument...): __HYPERVISOR_name with one to five arguments. */
#define hypercall(name, ...)                                                                       \
	HYPERCALL_PICK(__VA_ARGS__, HYPERCALL_6, HYPERCALL_5, HYPERCALL_4, HYPERCALL_3,            \
		       HYPERCALL_2, HYPERCALL_1)(__HYPERVISOR_##name, __VA_ARGS__)

static inline long hc_evtchn(unsigned int op, void *arg)
{
	return hypercall(event_channel_op, op, arg);
}

static inline long hc_sched(unsigned int op, void *arg)
{
	return hypercall(sched_op, op, arg);
}

static inline long hc_memory(unsigned int op, void *arg)
{
	return hypercall(memory_op, op, arg);
}

static inline long hc_version(unsigned int op, void *arg)
{
	return hypercall(xen_version, op, arg);
}

static inline long hc_vcpu(unsigned int op, unsigned int vcpu, void *arg)
{
	return hypercall(vcpu_op, op, vcpu, arg);
}

static inline long hc_gnttab(unsigned int op, void *arg, unsigned int count)
{
	return hypercall(grant_table_op, op, arg, count);
}

static inline long hc_physdev(unsigned int op, void *arg)
{
	return hypercall(physdev_op, op, arg);
}

static inline long hc_callback(unsigned int op, void *arg)
{
	return hypercall(callback_op, op, arg);
}

/* One operation on the caller's own tables. */
static inline long hc_mmuext(unsigned int cmd, u64 arg1, u64 arg2)
{
	struct mmuext_op op = { .cmd = cmd };

	op.arg1.mfn = arg1;
	op.arg2.src_mfn = arg2;
	return hypercall(mmuext_op, &op, 1, 0, DOMID_SELF);
}

/* One page-table entry; @ptr: machine address of it | MMU_*. */
static inline long hc_mmu_update(u64 ptr, u64 val)
{
	struct mmu_update req = { ptr, val };

	return hypercall(mmu_update, &req, 1, 0, DOMID_SELF);
}

static inline long hc_update_va(const void *va, u64 pte, unsigned int flags)
{
	return hypercall(update_va_mapping, va, pte, flags);
}

#endif
