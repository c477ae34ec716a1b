/* SPDX-License-Identifier: MIT */
/*
 * Before ELF notes: one string. HYPERCALL_PAGE counts pages from VIRT_BASE; the page is the image's
 * second from there, for the program is linked to begin with it (guest.lds, image_offset).
 */
	.section __xen_guest, "a", @progbits
	.ascii	"GUEST_OS=old,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,"
	.ascii	"HYPERCALL_PAGE=0x2,PAE=yes,LOADER=generic"
	.byte	0
	.section .note.GNU-stack, "", @progbits
