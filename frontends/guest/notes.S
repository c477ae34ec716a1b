/* SPDX-License-Identifier: MIT */
/* notes.S - by what a loader knows a program of the kit as a PV kernel: everything it can say. */
#include "guest/note.h"

#define INIT_P2M 0x8000000000
#define FEATURES (1 << XENFEAT_pae_pgdir_above_4gb) | (1 << XENFEAT_dom0)

	.section .note.Xen, "a", @note
	note XEN_ELFNOTE_GUEST_OS, .asciz, "storevisor-kit"
	note XEN_ELFNOTE_GUEST_VERSION, .asciz, "1"
	note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
	note XEN_ELFNOTE_LOADER, .asciz, "generic"
	note XEN_ELFNOTE_PAE_MODE, .asciz, "yes"
	note XEN_ELFNOTE_VIRT_BASE, .quad, guest_virt_base
	note XEN_ELFNOTE_PADDR_OFFSET, .quad, 0
	note XEN_ELFNOTE_INIT_P2M, .quad, INIT_P2M
	note XEN_ELFNOTE_MOD_START_PFN, .long, 1
	note XEN_ELFNOTE_HV_START_LOW, .quad, HYPERVISOR_VIRT_START
	note XEN_ELFNOTE_ENTRY, .quad, guest_entry
	note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
	note XEN_ELFNOTE_SUPPORTED_FEATURES, .long, FEATURES
	.section .note.GNU-stack, "", @progbits
