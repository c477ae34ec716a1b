/* SPDX-License-Identifier: MIT */
/*
 * fpu_insn.h - the instructions that move floating point and vector state. Those that fault on what
 * they load have a row in the exception table and say so. CR0.TS must be clear. Source: Intel SDM
 * vol. 1, chapter 13; AMD64 APM vol. 2, chapter 11.
 */
#ifndef HV_X86_FPU_INSN_H
#define HV_X86_FPU_INSN_H

#include "lib/errno.h"
#include "lib/types.h"

/* @insn, and -EFAULT in @rc where it faults. */
#define FPU_INSN_SAFE(insn, rc, ...)                                                               \
	__asm__ volatile("1: " insn "\n"                                                           \
			 "2:\n"                                                                    \
			 ".pushsection .fixup, \"ax\"\n"                                           \
			 "3: mov %[fault], %k[rc]\n"                                               \
			 "   jmp 2b\n"                                                             \
			 ".popsection\n"                                                           \
			 ".pushsection .ex_table, \"a\"\n"                                         \
			 ".quad 1b, 3b\n"                                                          \
			 ".popsection\n"                                                           \
			 : [rc] "+r"(rc)                                                           \
			 : [fault] "i"(-EFAULT), __VA_ARGS__                                       \
			 : "memory")

/* XCR0 = @value. 0; -EFAULT: the CPU refuses it. */
static inline int xsetbv_safe(u64 value)
{
	int rc = 0;

	FPU_INSN_SAFE("xsetbv", rc, "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
	return rc;
}

/*
 * Loads all of the state that XCR0 enables from @area. -EFAULT: its header or MXCSR is not valid.
 */
static inline int xrstor_safe(const void *area)
{
	int rc = 0;

	FPU_INSN_SAFE("xrstor64 (%[area])", rc, [area] "r"(area), "a"(~0u), "d"(~0u));
	return rc;
}

/* -EFAULT: MXCSR in @area has bits that the CPU has not. */
static inline int fxrstor_safe(const void *area)
{
	int rc = 0;

	FPU_INSN_SAFE("fxrstor64 (%[area])", rc, [area] "r"(area));
	return rc;
}

/* As xsave(), whatever CR0.TS is. -EFAULT: it is set, and the CPU says so as it should. */
static inline int xsave_safe(void *area, u64 states)
{
	int rc = 0;

	FPU_INSN_SAFE("xsave64 (%[area])", rc, [area] "r"(area), "a"((u32)states),
		      "d"((u32)(states >> 32)));
	return rc;
}

/* Into @area (64-byte aligned; standard format): those of @states that XCR0 enables. */
static inline void xsave(void *area, u64 states)
{
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"((u32)states), "d"((u32)(states >> 32))
			 : "memory");
}

static inline void fxsave(void *area)
{
	__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

/* The last x87 instruction, and its operand, become the ones here. The x87 registers are lost. */
static inline void x87_pointers_clear(void)
{
	static const u32 zero;

	__asm__ volatile("fnclex; emms; fildl %0" ::"m"(zero));
}

#endif
