/* SPDX-License-Identifier: MIT */
/*
 * rule_judge.h - between rule_judge.c, which finds the way, and rule_value.c, which judges what is
 * at its end.
 */
#ifndef STOREVISOR_XS_RULE_JUDGE_H
#define STOREVISOR_XS_RULE_JUDGE_H

#include <stdint.h>

#include "rule.h"

/* Of several faults the one that came furthest is told, of these the first. Returns false. */
bool rule_fail(struct rule_fault *f, size_t depth, const char *keyword, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * Whether @v is what @r, without its alternatives and references, says. @left:
 * rule_pattern_match()'s.
 */
bool rule_value_fits(const struct rule *r, const struct rule_value *v, size_t depth, uint64_t *left,
		     struct rule_fault *fault);

#endif
