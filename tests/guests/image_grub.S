/* SPDX-License-Identifier: MIT */
/* GRUB's PV image: mapped from 0, notes that no program header names, a module by address. */
#include "guest/note.h"

	.section .note.apart, "a", @note
	note XEN_ELFNOTE_GUEST_OS, .asciz, "GRUB"
	note XEN_ELFNOTE_LOADER, .asciz, "generic"
	note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
	note XEN_ELFNOTE_ENTRY, .quad, guest_entry
	note XEN_ELFNOTE_VIRT_BASE, .quad, 0
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
	.section .note.GNU-stack, "", @progbits
