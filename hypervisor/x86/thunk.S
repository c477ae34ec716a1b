/* SPDX-License-Identifier: MIT */
/*
 * thunk.S - the compiler's indirect branches come here, one thunk a register (-mindirect-
 * branch=thunk-extern). What stands here is a retpoline: the return's prediction leads into a loop
 * that goes nowhere, never to where somebody else's branches went. INT3 behind what takes its place
 * ends a wrong path that goes straight on. Source: Intel, "Retpoline: A
 * Branch Target Injection Mitigation".
 */
#include "x86/alt.h"

	.section .text.thunk, "ax", @progbits

	.macro THUNK reg
	.globl	__x86_indirect_thunk_\reg
	.balign	32
__x86_indirect_thunk_\reg:
771:	call	2f
1:	pause
	lfence
	jmp	1b
2:	mov	%\reg, (%rsp)
	ret
774:
	.pushsection .alt_code, "a"
772:	jmp	*%\reg
	int3
773:
	.popsection
	ALT_ROW	ALT_THUNK_JMP, 0
	.pushsection .alt_code, "a"
772:	lfence
	jmp	*%\reg
	int3
773:
	.popsection
	ALT_ROW	ALT_THUNK_LFENCE, 0
	.endm

	.irp	reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	THUNK	\reg
	.endr

	.section .note.GNU-stack, "", @progbits
