/* SPDX-License-Identifier: MIT */
/*
 * spec_options.h - `spec-ctrl=`, `xpti=` and `pv-l1tf=` of the command line, with Xen's words as
 * far as they apply to what is here.
 */
#ifndef HV_LIB_SPEC_OPTIONS_H
#define HV_LIB_SPEC_OPTIONS_H

#include "lib/types.h"

enum option_choice { OPTION_DEFAULT, OPTION_ON, OPTION_OFF };

/* How the hypervisor's own indirect branches are made. */
enum spec_thunk { THUNK_DEFAULT, THUNK_RETPOLINE, THUNK_LFENCE, THUNK_JMP, THUNK_NR };

struct spec_options {
	enum spec_thunk thunk;
	enum option_choice ibrs, ibpb, ssbd, rsb, bhb, md_clear, eager_fpu, ibpb_entry, div_scrub,
		zenbleed;
	enum option_choice xpti, l1tf;
};

/*
 * Takes the list behind `spec-ctrl=`: words, separated by commas, the last of a kind counts. `no`
 * alone turns all off, `yes` or nothing leaves the choice to the hypervisor. False: a word is
 * unknown; @o stays as it was.
 */
bool spec_options_parse(struct spec_options *o, const char *list);

/* 1, on, yes, true or nothing; 0, off, no, false. False: neither. */
bool option_choice_parse(const char *value, enum option_choice *choice);

#endif
