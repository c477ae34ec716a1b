/* SPDX-License-Identifier: MIT */
/*
 * hypercall.h - the trust edge: one table of hypercalls, one dispatcher, copies in and out.
 */
#ifndef HV_HYPERCALL_HYPERCALL_H
#define HV_HYPERCALL_HYPERCALL_H

#include "lib/types.h"

#include <xen/xen.h>

/*
 * The six argument registers, guest-controlled. A handler that must be preempted updates them so
 * that the call goes on where it stopped, and returns -ERESTART: the dispatcher writes them back
 * and rewinds RIP (multicall: the entry). Nothing else survives a restart; everything is
 * validated again.
 */
struct hc_args {
	u64 a[6];
	long value; /* what a call that succeeds tells beside that: any number, 0 at first */
};

/*
 * 0, or a negative errno. A number that the guest gets goes to args->value: returned, it could be
 * taken for -ERESTART or HC_REGS_SET, and a guest may choose it. Checked builds stop at one.
 */
typedef long (*hc_handler_t)(struct hc_args *args);

/* From entry.S: `syscall` in guest kernel mode. regs->rax = number. */
void hypercall_entry(struct cpu_user_regs *regs);
/* True when a long operation should return -ERESTART now: softirq or event work is pending. */
bool hypercall_should_preempt(void);

/* No errno is larger. */
#define HC_ERRNO_MAX 4095L
/*
 * A hypercall that sets the guest's whole register state (iret, or a crash) returns this: the
 * dispatcher then leaves RAX and the rest alone.
 */
#define HC_REGS_SET (-0x10000L)

/* The page a guest's HYPERCALL_PAGE note or domctl hypercall_init asks for: 128 32-byte stubs. */
void hypercall_page_fill(u8 *page);

/* --- guest memory through the current page tables (x86/guest_access.c) --- */
/*
 * True when [va, va+n*size) is canonical, does not overflow, and stays outside the hypervisor's
 * hole.
 */
bool guest_range_ok(u64 va, u64 n, u64 size);
/* Fault-safe copies; 0 or -EFAULT (range or fault; a partial copy may have happened). */
int must_check copy_from_guest(void *dst, u64 va, size_t len);
int must_check copy_to_guest(u64 va, const void *src, size_t len);
int must_check clear_guest(u64 va, size_t len);
/* Typed: @handle is an XEN_GUEST_HANDLE, element @idx. */
#define handle_va(h) ((u64)(uintptr_t)(h).p)
#define copy_elem_from_handle(dst, h, idx)                                                         \
	copy_from_guest((dst), handle_va(h) + (u64)(idx) * sizeof(*(h).p), sizeof(*(h).p))
#define copy_elem_to_handle(h, idx, src)                                                           \
	copy_to_guest(handle_va(h) + (u64)(idx) * sizeof(*(h).p), (src), sizeof(*(h).p))

#endif
