/* SPDX-License-Identifier: MIT */
/* past_diff.h - how two states of the store differ, path by path. */
#ifndef STOREVISOR_XS_PAST_DIFF_H
#define STOREVISOR_XS_PAST_DIFF_H

#include "cmd.h"

/* `xs diff PATH@REV [PATH[@REV]]`; whether that is what was typed. */
bool past_diff_asked(const struct cli_args *a);
/* Shows what has come (+), gone (-), changed (~). Status 1: something, 0: nothing. */
int past_diff(const struct cli_args *a);

#endif
