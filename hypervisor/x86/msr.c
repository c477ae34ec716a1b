/* SPDX-License-Identifier: MIT */
/* msr.c - model-specific registers that this CPU may not have (asm.h). */
#include "lib/errno.h"
#include "x86/asm.h"

/* copy.S: not 0 when the access faulted. */
int msr_read_safe(u32 msr, u64 *val);
int msr_write_safe(u32 msr, u64 val);

int rdmsr_safe(u32 msr, u64 *val)
{
	return msr_read_safe(msr, val) ? -EFAULT : 0;
}

int wrmsr_safe(u32 msr, u64 val)
{
	return msr_write_safe(msr, val) ? -EFAULT : 0;
}
