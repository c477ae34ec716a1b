/* SPDX-License-Identifier: MIT */
/* Mini-OS: what Xen insists on, and a name. Linked from 0, as its VIRT_BASE is by default. */
#include "guest/note.h"

	.section .note.Xen, "a", @note
	note XEN_ELFNOTE_GUEST_OS, .asciz, "Mini-OS-x86_64"
	note XEN_ELFNOTE_LOADER, .asciz, "generic"
	note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
	.section .note.GNU-stack, "", @progbits
