/* SPDX-License-Identifier: MIT */
/* note.h - one Xen note, for assembly. Use: note TYPE, .asciz, "text"; note TYPE, .quad, value. */
#ifndef KIT_NOTE_H
#define KIT_NOTE_H

#define __ASSEMBLY__
#include <xen/xen.h>
#include <xen/elfnote.h>
#include <xen/features.h>

/* clang-format off */
.macro note type, kind, value:vararg
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\kind \value
2:	.p2align 2
.endm
/* clang-format on */

#endif
