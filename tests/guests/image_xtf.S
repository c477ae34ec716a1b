/* SPDX-License-Identifier: MIT */
/* XTF: notes that no program header names. Linked at 1 MiB, physical and virtual. */
#include "guest/note.h"

	.section .note.apart, "a", @note
	note XEN_ELFNOTE_GUEST_OS, .asciz, "hostile tests"
	note XEN_ELFNOTE_GUEST_VERSION, .asciz, "0"
	note XEN_ELFNOTE_LOADER, .asciz, "generic"
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
	note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
	note XEN_ELFNOTE_FEATURES, .asciz, "!writable_page_tables|pae_pgdir_above_4gb"
	note XEN_ELFNOTE_PAE_MODE, .asciz, "yes"
	.section .note.GNU-stack, "", @progbits
