/* SPDX-License-Identifier: MIT */
/*
 * entry.S - the only ways into and out of the hypervisor after boot: `syscall`, exceptions and
 * interrupts, and the return to the guest. It saves, calls one C function, restores; every
 * decision is in traps.c. Interrupts are off throughout; FS and GS bases always stay the guest's.
 *
 * Frames are struct cpu_user_regs. One that came from ring 3 is always at the top of this CPU's
 * stack, in its struct cpu_info (x86/percpu.h).
 * Source: AMD64 APM vol. 2 chapters 6.1 and 8.9, Intel SDM vol. 3 chapter 6.
 */
#include "x86/layout.h"
#include "x86/offsets.h"

	/*
	 * SMAP: the hypervisor reaches guest's pages only between STAC and CLAC. Three-byte no-ops
	 * until cpu_init() finds that this machine has it.
	 */
	.macro SMAP_SITE last
771:	nopl	(%rax)
	.pushsection .smap_sites, "a"
	.quad	771b
	.quad	0x00010f | (\last << 16)
	.popsection
	.endm
	.macro STAC
	SMAP_SITE 0xcb
	.endm
	.macro CLAC
	SMAP_SITE 0xca
	.endm

#define EFAULT 14
#define FLAT_RING3_CS32 0xe023
#define FLAT_RING3_SS 0xe02b
#define FLAT_RING3_CS64 0xe033

	.macro SAVE_GPRS
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
	.endm

	.macro RESTORE_GPRS_BUT_RCX_R11
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	add	$8, %rsp
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rax
	add	$8, %rsp
	pop	%rdx
	pop	%rsi
	pop	%rdi
	.endm

	.macro RESTORE_GPRS
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
	.endm

	/* Offset from cpu_stacks to a field of CPU @n's struct cpu_user_regs. */
#define FRAME_OF(n, field) ((n) + 1) * STACK_SIZE_ASM - CPU_INFO_SIZE + (field)

	/*
	 * Each CPU has entries of its own, because none of its registers says which it is. The
	 * user's stack pointer goes straight to its place in the frame.
	 */
	.macro SYSCALL_STUBS name, cs
	.globl	\name
	.balign	64
\name:
	cpu = 0
	.rept	NR_CPUS
	.balign	64
	mov	%rsp, cpu_stacks + FRAME_OF(cpu, REGS_RSP)(%rip)
	lea	cpu_stacks + FRAME_OF(cpu, REGS_RSP)(%rip), %rsp
	movq	$FLAT_RING3_SS, 8(%rsp)
	push	%r11
	push	$\cs
	jmp	\name\()_common
	cpu = cpu + 1
	.endr
	.endm

	.macro SYSCALL_FRAME
	push	%rcx
	push	$0
	movl	$TRAP_SYSCALL, 4(%rsp)
	SAVE_GPRS
	mov	%rsp, %rdi
	.endm

	/* The guest's frame of this CPU: every stack pointer of it lies in its area. */
	.macro CPU_FRAME reg
	or	$(STACK_SIZE_ASM - 1), \reg
	sub	$(CPU_INFO_SIZE - 1), \reg
	.endm

	.section .text.entry, "ax", @progbits

	.balign	64
syscall_entry_common:
	SYSCALL_FRAME
	call	guest_syscall
	/* al: the frame can go back by sysret */
exit_to_guest:
	test	%al, %al
	jz	exit_by_iret
	RESTORE_GPRS_BUT_RCX_R11
	mov	8(%rsp), %rcx
	mov	24(%rsp), %r11
	mov	32(%rsp), %rsp
	sysretq

exit_by_iret:
	RESTORE_GPRS
	add	$8, %rsp
	.globl	guest_iret
guest_iret:
	iretq		/* may fault on a guest's selectors: hv_trap() knows this address */

	.balign	16
syscall32_entry_common:
	SYSCALL_FRAME
	call	guest_syscall32
	jmp	exit_to_guest

	/* void return_to_guest(void): abandons the C stack. */
	.globl	return_to_guest
return_to_guest:
	mov	%rsp, %rax
	CPU_FRAME %rax
	mov	%rax, %rsp
	mov	%rsp, %rdi
	call	guest_exit_work
	jmp	exit_to_guest

	/* Exceptions and interrupts: error code and vector are on the stack. */
	.balign	16
trap_common:
	SAVE_GPRS
	cld
	CLAC
	mov	%rsp, %rdi
	testb	$3, REGS_CS(%rsp)
	jz	1f
	call	guest_trap
	jmp	exit_to_guest
1:	call	hv_trap
	RESTORE_GPRS
	add	$8, %rsp
	iretq

	/* The same on an interrupt stack: a guest's frame moves to the CPU stack first, because
	 * handling it may switch to another vcpu. */
	.balign	16
trap_common_ist:
	SAVE_GPRS
	cld
	CLAC
	mov	%rsp, %rdi
	testb	$3, REGS_CS(%rsp)
	jz	1b
	mov	%rsp, %rsi
	mov	%rsp, %rdi
	CPU_FRAME %rdi
	mov	%rdi, %rsp
	mov	$(REGS_ES / 8), %ecx
	rep movsq
	mov	%rsp, %rdi
	call	guest_trap
	jmp	exit_to_guest

	SYSCALL_STUBS syscall_entry, FLAT_RING3_CS64
	SYSCALL_STUBS syscall32_entry, FLAT_RING3_CS32

	/* 256 stubs of 16 bytes; vectors 8, 10-14, 17, 21, 29, 30 come with an error code. */
	.globl	trap_stubs
	.balign	16
trap_stubs:
	vector = 0
	.rept	256
	.balign	16
	has_code = (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
	has_code = has_code || (vector == 21) || (vector == 29) || (vector == 30)
	.if	!has_code
	push	$0
	.endif
	movl	$vector, 4(%rsp)
	.if	(vector == 1) || (vector == 2) || (vector == 8) || (vector == 18)
	jmp	trap_common_ist
	.else
	jmp	trap_common
	.endif
	vector = vector + 1
	.endr

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

	.section .bss.stack, "aw", @nobits
	.balign	STACK_SIZE_ASM
	.globl	cpu_stack
cpu_stack:
	.skip	STACK_SIZE_ASM
	.globl	cpu_stack_end
cpu_stack_end:

	.section .note.GNU-stack, "", @progbits
