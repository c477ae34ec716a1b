/* SPDX-License-Identifier: MIT */
/*
 * alt.h - code that is chosen at boot: sites of no-ops in entry.S that become instructions where
 * this CPU needs them, so that one that needs nothing pays nothing. Also read by the assembler.
 */
#ifndef HV_X86_ALT_H
#define HV_X86_ALT_H

#define ALT_SMAP 0	   /* STAC and CLAC */
#define ALT_XPTI 1	   /* tables are changed on the way in and out */
#define ALT_SPEC_CTRL 2	   /* SPEC_CTRL is written on the way in and out */
#define ALT_IBPB 3	   /* the branch predictor is emptied on the way in */
#define ALT_RSB 4	   /* the return predictor is overwritten on the way in */
#define ALT_BHB 5	   /* the branch history is overwritten on the way in */
#define ALT_VERW 6	   /* the CPU's buffers are emptied on the way out */
#define ALT_DIV 7	   /* the divider is overwritten on the way out */
#define ALT_THUNK_JMP 8	   /* indirect branches as they are */
#define ALT_THUNK_LFENCE 9 /* indirect branches behind a fence */

#ifdef __ASSEMBLY__
/* clang-format off */
	/*
	 * From 771: to 774: is what became something, from @code to @end what is to stand there for
	 * @feature.
	 */
	.macro ALT_ROW feature, is_nops, code=772b, end=773b
	.pushsection .alt_sites, "a"
	.quad	771b, \code
	.long	774b - 771b, \end - \code
	.long	\feature, \is_nops
	.popsection
	.endm
	/*
	 * No-ops, or @code where @feature is on. @code may be moved: it jumps within itself only.
	 */
	.macro ALT feature, code
771:	.skip	773f - 772f, 0x90
774:
	.pushsection .alt_code, "a"
772:	\code
773:
	.popsection
	ALT_ROW	\feature, 1
	.endm
	/* The same for many sites, with one copy of the code: from @code to @end in .alt_code. */
	.macro ALT_SHARED feature, code, end
771:	.skip	\end - \code, 0x90
774:
	ALT_ROW	\feature, 1, \code, \end
	.endm
/* clang-format on */
#else
#include "lib/types.h"

/* One site, as ALT makes it. */
struct alt_site {
	u64 address, code;  /* where, and what for */
	u32 len, code_len;  /* code_len <= len */
	u32 feature;	    /* ALT_*, below 32 */
	u32 is_nops;	    /* what stands there without the feature is nothing but no-ops */
};

/*
 * Fills the sites [@start, @end) whose bit of @features is set; the rest of a site, and every
 * other site of no-ops, becomes as few no-ops as possible. Boot CPU only, while the text can be
 * written.
 */
void alt_apply(const struct alt_site *start, const struct alt_site *end, u32 features);
#endif
#endif
