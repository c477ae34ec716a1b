/* SPDX-License-Identifier: MIT */
/*
 * smap.h - for assembly: the way to guests' pages and back, where the CPU keeps the hypervisor off.
 */
#ifndef HV_X86_SMAP_H
#define HV_X86_SMAP_H

#include "x86/alt.h"

/* clang-format off */
	/*
	 * SMAP: the hypervisor reaches guest's pages only between STAC and CLAC. What stands here
	 * is chosen at boot (x86/alt.h).
	 */
	.macro STAC
	ALT	ALT_SMAP, ".byte 0x0f, 0x01, 0xcb"
	.endm
	.macro CLAC
	ALT	ALT_SMAP, ".byte 0x0f, 0x01, 0xca"
	.endm
/* clang-format on */

#endif
