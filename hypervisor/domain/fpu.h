/* SPDX-License-Identifier: MIT */
/* fpu.h - floating point and vector state of vcpus. */
#ifndef HV_DOMAIN_FPU_H
#define HV_DOMAIN_FPU_H

#include "lib/types.h"

struct vcpu;

/* On every CPU, after cpu_init(): what guests may use. */
void fpu_init(void);
int fpu_vcpu_init(struct vcpu *v); /* 0, -ENOMEM */
void fpu_vcpu_fini(struct vcpu *v);
/* On switch-out: saves if used, sets CR0.TS. */
void fpu_switch_out(struct vcpu *v);
/* #NM from a guest whose own TS is clear: loads the state, clears TS. */
void fpu_load(struct vcpu *v);
/*
 * CR0.TS keeps nobody from the registers: this CPU's wrong paths see them, or its XSAVE does. Then
 * fpu_load_early() is due at each switch. Since fpu_init().
 */
extern bool fpu_is_eager;
/*
 * fpu_load() on switch-in: what the registers hold is @v's own from here on. The guest's own TS
 * stays.
 */
void fpu_load_early(struct vcpu *v);
/* On switch-in: loads the vcpu's XCR0. Its registers come with the first #NM. */
void fpu_switch_in(struct vcpu *v);
/* XSETBV 0 of a guest; @value: guest-controlled. -EINVAL: not allowed (#GP). */
int fpu_set_xcr0(struct vcpu *v, u64 value);
/*
 * Takes an FXSAVE @image of 512 bytes, guest-controlled, as the state of @v, which is on no CPU.
 * Bits of MXCSR that this CPU has not are dropped, as Xen does.
 */
void fpu_take_fxsave(struct vcpu *v, const void *image);
/* The x87 and SSE state of @v, which is on no CPU, as an FXSAVE image. */
void fpu_give_fxsave(const struct vcpu *v, void *image);
/*
 * Takes a whole state: XCR0, all it ever was, and an XSAVE area of @len bytes (standard format);
 * all three come from a file. @v is on no CPU. -EINVAL: not one that this CPU's XSAVE could have
 * made.
 */
int fpu_take_xsave(struct vcpu *v, u64 xcr0, u64 xcr0_ever, const void *area, size_t len);
/* Enabled XSAVE features the hypervisor manages (0: FXSAVE only). */
u64 fpu_xcr0_mask(void);
size_t fpu_area_size(void);

#endif
