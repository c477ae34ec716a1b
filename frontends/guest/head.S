/* SPDX-License-Identifier: MIT */
/*
 * head.S - the first instructions, and every way in from the hypervisor: traps, events, system calls
 * from user mode, the failsafe callback; and back out by the iret hypercall. Frames:
 * xen/arch-x86/xen-x86_64.h; C side: traps.c, vcpu.c.
 */
#define __ASSEMBLY__
#include <xen/xen.h>

	.text
	.globl guest_entry
guest_entry:
	cld
	lea	boot_stack_end(%rip), %rsp
	xor	%ebp, %ebp
	mov	%rsi, %rdi
	call	guest_start
	ud2

/* A second vcpu begins here on its own stack, its argument in rdi. */
	.globl vcpu_entry
vcpu_entry:
	cld
	xor	%ebp, %ebp
	call	vcpu_start
	ud2

	.section .text.hypercall_page, "ax", @progbits
	.p2align 12
	.globl hypercall_page
hypercall_page:
	.skip	4096
	.text

/* The hypervisor pushed rcx and r11 below the hardware's frame. */
.macro entry nr, has_error=0
	.globl entry_\nr
entry_\nr:
	pop	%rcx
	pop	%r11
	.if !\has_error
	push	$0
	.endif
	push	$\nr
	jmp	entry_common
.endm

	.altmacro
.macro plain first, last
	.set	i, \first
	.rept	\last - \first + 1
	plain_one %i
	.set	i, i + 1
	.endr
.endm
.macro plain_one nr
	entry \nr
.endm
	plain 0, 7
	entry 8, 1
	plain 9, 9
	entry 10, 1
	entry 11, 1
	entry 12, 1
	entry 13, 1
	entry 14, 1
	plain 15, 16
	entry 17, 1
	plain 18, 19
	entry 32	/* ENTRY_EVENT */
	entry 33	/* ENTRY_SYSCALL */
	entry 34	/* ENTRY_INT: the vector tests open to user mode */
	entry 36	/* ENTRY_NMI */
	.noaltmacro

/* The failsafe callback: rcx, r11, ds, es, fs, gs, then the frame that could not be used. */
	.globl entry_failsafe
entry_failsafe:
	pop	%rcx
	pop	%r11
	add	$32, %rsp
	push	$0
	push	$35	/* ENTRY_FAILSAFE */
entry_common:
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%rax
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	cld
	call	trap_entry
	.globl trap_return
trap_return:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	add	$16, %rsp
	push	$0
	push	%rcx
	push	%r11
	push	%rax
	mov	$__HYPERVISOR_iret, %eax
	syscall
	ud2

/* int guard_enter(struct guard *g, void (*fn)(void *), void *arg) */
	.globl guard_enter
guard_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	mov	%rsp, (%rdi)
	mov	%rdx, %rdi
	call	*%rsi
	xor	%eax, %eax
guard_out:
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
/* Where trap_entry sends a fault under a guard, rsp restored by it. */
	.globl guard_resume
guard_resume:
	mov	$1, %eax
	jmp	guard_out
/* void guard_leave(struct guard *g): the same without a fault. */
	.globl guard_leave
guard_leave:
	mov	(%rdi), %rsp
	xor	%eax, %eax
	jmp	guard_out

	.section .bss.stack, "aw", @nobits
	.p2align 12
	.skip	16384
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
