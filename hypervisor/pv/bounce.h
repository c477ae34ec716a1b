/* SPDX-License-Identifier: MIT */
/* bounce.h - entering the guest kernel: the frame on its stack, the registers at its handler. */
#ifndef HV_PV_BOUNCE_H
#define HV_PV_BOUNCE_H

#include "domain/domain.h"

/*
 * Makes current resume at @address in its kernel, with the interrupted state as a frame on its
 * stack (as the ABI says: rcx, r11, [error code], rip, cs + saved upcall mask, rflags, rsp, ss).
 * @masks_events: the handler starts with events masked. A kernel stack that cannot be written, or
 * no handler (0), crashes the domain.
 */
void pv_bounce(struct cpu_user_regs *regs, u64 address, bool masks_events);
void pv_bounce_error(struct cpu_user_regs *regs, u64 address, bool masks_events, u32 error_code);

/*
 * Delivers exception @vector by current's trap table. Vectors that push an error code: @error_code.
 */
void pv_inject_trap(struct cpu_user_regs *regs, unsigned int vector, u32 error_code);
/* Sets the guest-visible CR2 first. */
void pv_inject_page_fault(struct cpu_user_regs *regs, u64 va, u32 error_code);

#endif
