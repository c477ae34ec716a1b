/* SPDX-License-Identifier: MIT */
/*
 * hypercall.h - the trust edge: one table of hypercalls, one dispatcher.
 */
#ifndef HV_HYPERCALL_HYPERCALL_H
#define HV_HYPERCALL_HYPERCALL_H

#include <xen/xen.h>

#include "domain/hc_args.h"

/* From entry.S: `syscall` in guest kernel mode. regs->rax = number. */
void hypercall_entry(struct cpu_user_regs *regs);

/* The page a guest's HYPERCALL_PAGE note or domctl hypercall_init asks for: 128 32-byte stubs. */
void hypercall_page_fill(u8 *page);

#endif
