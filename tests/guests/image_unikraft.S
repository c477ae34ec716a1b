/* SPDX-License-Identifier: MIT */
/* Unikraft: somebody else's note before Xen's in one segment. Mapped from 0. */
#include "guest/note.h"

	.section .note.Xen, "a", @note
	.long	4, 16, 1
	.asciz	"GNU"
	.long	0, 3, 2, 0
	note XEN_ELFNOTE_GUEST_OS, .asciz, "Unikraft"
	note XEN_ELFNOTE_GUEST_VERSION, .asciz, "0"
	note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
	note XEN_ELFNOTE_LOADER, .asciz, "generic"
	note XEN_ELFNOTE_VIRT_BASE, .quad, 0
	note XEN_ELFNOTE_PADDR_OFFSET, .quad, 0
	note XEN_ELFNOTE_HV_START_LOW, .quad, HYPERVISOR_VIRT_START
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
	note XEN_ELFNOTE_PAE_MODE, .asciz, "yes"
	note XEN_ELFNOTE_SUSPEND_CANCEL, .long, 1
	.section .note.GNU-stack, "", @progbits
