/* SPDX-License-Identifier: MIT */
/*
 * copy.S - accesses that may fault: to guests' memory, to registers that a CPU may lack. A fault
 * goes on at the address that .ex_table names (entry/traps.c).
 */
#include "x86/smap.h"

#define EFAULT 14

	.section .text.copy, "ax", @progbits

	/* int guest_copy(void *dst, const void *src, size_t len): fault-safe. 0, or -EFAULT when a
	 * byte could not be read or written. */
	.globl	guest_copy
	.balign	16
guest_copy:
	mov	%rdx, %rcx
	xor	%eax, %eax
	shr	$3, %rcx
	STAC
1:	rep movsq
	and	$7, %edx
	jnz	3f
	CLAC
	ret
3:	mov	%edx, %ecx
2:	rep movsb
	CLAC
	ret
guest_copy_fault:
	CLAC
	mov	$-EFAULT, %eax
	ret
	.pushsection .ex_table, "a"
	.quad	1b, guest_copy_fault
	.quad	2b, guest_copy_fault
	.popsection

	/* int guest_zero(void *dst, size_t len) */
	.globl	guest_zero
	.balign	16
guest_zero:
	mov	%rsi, %rcx
	xor	%eax, %eax
	shr	$3, %rcx
	STAC
1:	rep stosq
	and	$7, %esi
	mov	%esi, %ecx
2:	rep stosb
	CLAC
	ret
guest_zero_fault:
	CLAC
	mov	$-EFAULT, %eax
	ret
	.pushsection .ex_table, "a"
	.quad	1b, guest_zero_fault
	.quad	2b, guest_zero_fault
	.popsection

	/* int msr_read_safe(u32 msr, u64 *val), int msr_write_safe(u32 msr, u64 val) */
	.globl	msr_read_safe
msr_read_safe:
	mov	%edi, %ecx
1:	rdmsr
	mov	%eax, (%rsi)
	mov	%edx, 4(%rsi)
	xor	%eax, %eax
	ret
	.globl	msr_write_safe
msr_write_safe:
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
2:	wrmsr
	xor	%eax, %eax
	ret
msr_fault:
	mov	$-1, %eax
	ret
	.pushsection .ex_table, "a"
	.quad	1b, msr_fault
	.quad	2b, msr_fault
	.popsection

	.section .note.GNU-stack, "", @progbits
