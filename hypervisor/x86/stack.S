/* SPDX-License-Identifier: MIT */
/* stack.S - the boot CPU's stack area (layout.h). */
#include "x86/layout.h"

	.section .bss.stack, "aw", @nobits
	.balign	STACK_SIZE_ASM
	.globl	cpu_stack
cpu_stack:
	.skip	STACK_SIZE_ASM
	.globl	cpu_stack_end
cpu_stack_end:

	.section .note.GNU-stack, "", @progbits
