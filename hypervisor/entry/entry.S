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
#include "x86/alt.h"
#include "x86/cpu_bits.h"
#include "x86/layout.h"
#include "x86/offsets.h"
#include "x86/smap.h"

	/*
	 * Each entry, in this order: registers saved, then emptied, so that nothing a guest chose
	 * is left for a wrong path to compute with; the hypervisor's tables; what keeps a guest's
	 * branches from steering the hypervisor's. RSP: struct cpu_info of a frame from ring 3.
	 * Clobbers RAX, RCX, RDX.
	 */
	.macro CLEAR_GPRS
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	.endm

	/* Names for code in strings, where the preprocessor does not look. */
	.set	info_hv_cr3, CPU_INFO_HV_CR3
	.set	info_guest_cr3, CPU_INFO_GUEST_CR3
	.set	info_hv_spec_ctrl, CPU_INFO_HV_SPEC_CTRL
	.set	info_guest_spec_ctrl, CPU_INFO_GUEST_SPEC_CTRL
	.set	info_verw, CPU_INFO_VERW
	.set	info_size, CPU_INFO_SIZE
	.set	stack_size, STACK_SIZE_ASM
	.set	msr_spec_ctrl, 0x48
	.set	msr_pred_cmd, 0x49
	.set	bhb_branches, 256

	.macro HV_TABLES
	ALT	ALT_XPTI, "mov info_hv_cr3(%rsp), %rax; mov %rax, %cr3"
	.endm

	.macro ENTER_FROM_GUEST
	HV_TABLES
	ALT	ALT_SPEC_CTRL, "mov $msr_spec_ctrl, %ecx; xor %edx, %edx; \
		mov info_hv_spec_ctrl(%rsp), %eax; cmp info_guest_spec_ctrl(%rsp), %eax; je 1f; \
		wrmsr; 1: lfence"
	FORGET_PREDICTIONS
	.endm

	.pushsection .alt_code, "a"
empty_predictor:
	mov	$msr_pred_cmd, %ecx
	xor	%edx, %edx
	mov	$1, %eax
	wrmsr
empty_predictor_end:
	/*
	 * Each call that never returns leaves a harmless prediction for one return. A loop would be
	 * as many instructions again, on each entry.
	 */
overwrite_rsb:
	.rept	RSB_DEPTH
	call	1f
2:	pause
	lfence
	jmp	2b
1:
	.endr
	add	$(RSB_DEPTH * 8), %rsp
overwrite_rsb_end:
	/* More taken branches than the history of any CPU holds. */
overwrite_bhb:
	mov	$(bhb_branches / 2), %ecx
1:	jmp	2f
	nop
2:	sub	$1, %ecx
	jnz	1b
	lfence
overwrite_bhb_end:
	.popsection

	.macro FORGET_PREDICTIONS
	ALT_SHARED ALT_IBPB, empty_predictor, empty_predictor_end
	ALT_SHARED ALT_RSB, overwrite_rsb, overwrite_rsb_end
	ALT_SHARED ALT_BHB, overwrite_bhb, overwrite_bhb_end
	.endm

	/*
	 * The same for what interrupted the hypervisor, perhaps on its first or last instructions,
	 * with a guest's registers loaded; of this CPU, whose struct cpu_info its stack finds. They are
	 * kept in RBX and R12, which C code keeps.
	 */
	.macro ENTER_FROM_HV
	ALT	ALT_XPTI, "mov %cr3, %rbx; mov %rsp, %rax; or $(stack_size - 1), %rax; \
		mov (info_hv_cr3 - info_size + 1)(%rax), %rax; mov %rax, %cr3"
	ALT	ALT_SPEC_CTRL, "mov $msr_spec_ctrl, %ecx; rdmsr; mov %eax, %r12d; \
		mov %rsp, %rax; or $(stack_size - 1), %rax; xor %edx, %edx; \
		mov (info_hv_spec_ctrl - info_size + 1)(%rax), %eax; wrmsr; lfence"
	FORGET_PREDICTIONS
	.endm

	.macro LEAVE_TO_HV
	ALT	ALT_DIV, "xor %eax, %eax; xor %edx, %edx; mov $1, %ecx; div %ecx"
	ALT	ALT_SPEC_CTRL, "mov $msr_spec_ctrl, %ecx; xor %edx, %edx; mov %r12d, %eax; wrmsr"
	ALT	ALT_XPTI, "mov %rbx, %cr3"
	ALT	ALT_VERW, "mov %rsp, %rax; or $(stack_size - 1), %rax; \
		verw (info_verw - info_size + 1)(%rax)"
	.endm

	/*
	 * ENTER_FROM_GUEST backwards. The buffers are emptied last, see CLEAR_BUFFERS: little may be
	 * loaded behind it.
	 */
	.macro LEAVE_TO_GUEST
	ALT	ALT_DIV, "xor %eax, %eax; xor %edx, %edx; mov $1, %ecx; div %ecx"
	ALT	ALT_SPEC_CTRL, "mov $msr_spec_ctrl, %ecx; xor %edx, %edx; \
		mov info_guest_spec_ctrl(%rsp), %eax; cmp info_hv_spec_ctrl(%rsp), %eax; je 1f; \
		btr $31, %eax; wrmsr; 1:"
	ALT	ALT_XPTI, "mov info_guest_cr3(%rsp), %rax; mov %rax, %cr3"
	.endm

	/* @at: bytes of the frame that RSP is past. */
	.macro CLEAR_BUFFERS at
	ALT	ALT_VERW, "verw (info_verw - \at)(%rsp)"
	.endm

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
	CLEAR_GPRS
	ENTER_FROM_GUEST
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
	LEAVE_TO_GUEST
	RESTORE_GPRS_BUT_RCX_R11
	mov	8(%rsp), %rcx
	mov	24(%rsp), %r11
	CLEAR_BUFFERS	REGS_ERROR_CODE
	mov	32(%rsp), %rsp
	sysretq

exit_by_iret:
	LEAVE_TO_GUEST
	RESTORE_GPRS
	CLEAR_BUFFERS	REGS_ERROR_CODE
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
	CLEAR_GPRS
	cld
	CLAC
	testb	$3, REGS_CS(%rsp)
	jz	trap_in_hv
	ENTER_FROM_GUEST
	mov	%rsp, %rdi
	call	guest_trap
	jmp	exit_to_guest

	.balign	16
trap_in_hv:
	ENTER_FROM_HV
	mov	%rsp, %rdi
	call	hv_trap
	LEAVE_TO_HV
	RESTORE_GPRS
	add	$8, %rsp
	iretq

	/* The same on an interrupt stack: a guest's frame moves to the CPU stack first, because
	 * handling it may switch to another vcpu. */
	.balign	16
trap_common_ist:
	SAVE_GPRS
	CLEAR_GPRS
	cld
	CLAC
	testb	$3, REGS_CS(%rsp)
	jz	trap_in_hv
	mov	%rsp, %rsi
	mov	%rsp, %rdi
	CPU_FRAME %rdi
	mov	%rdi, %rsp
	mov	$(REGS_ES / 8), %ecx
	rep movsq
	ENTER_FROM_GUEST
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

	/* void nmi_unblock(void) */
	.globl	nmi_unblock
nmi_unblock:
	pop	%rax
	mov	%rsp, %rcx
	mov	%ss, %edx
	push	%rdx
	push	%rcx
	pushfq
	mov	%cs, %edx
	push	%rdx
	push	%rax
	iretq

	.section .note.GNU-stack, "", @progbits
