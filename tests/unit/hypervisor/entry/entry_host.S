/* SPDX-License-Identifier: MIT */
/*
 * entry_host.S - the real entry.S and thunk.S, between the ends of code and of the table of sites,
 * which the image's linker script names.
 */
	.section .alt_sites, "a"
	.globl	alt_sites_start
alt_sites_start:
	.section .text.entry, "ax", @progbits
	.globl	entry_text_start
	.balign	4096
entry_text_start:

#include "entry/entry.S"
#include "x86/thunk.S"

	.section .alt_sites, "a"
	.globl	alt_sites_end
alt_sites_end:
	.section .text.entry, "ax", @progbits
	.globl	entry_text_end
	.balign	4096
entry_text_end:

	.section .note.GNU-stack, "", @progbits
