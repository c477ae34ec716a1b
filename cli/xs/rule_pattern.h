/* SPDX-License-Identifier: MIT */
/*
 * rule_pattern.h - a regular expression of a schema (libpcre2's, in UTF-8), of which anybody who
 * may write schemas is the author: the time and the memory of a match are bounded.
 */
#ifndef STOREVISOR_XS_RULE_PATTERN_H
#define STOREVISOR_XS_RULE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define RULE_PATTERN_MAX 4096 /* bytes */
#define RULE_PATTERN_WHY 160
/*
 * Steps of all matches that are asked for one value: a second, and always more than one may take.
 */
#define RULE_PATTERN_STEPS 50000000

struct rule_pattern;

enum rule_match { RULE_MATCH_NO, RULE_MATCH_YES, RULE_MATCH_UNKNOWN };

/* NULL and a sentence in @why: it is none, or too large. Exits when out of memory. */
struct rule_pattern *rule_pattern_read(const char *text, char why[RULE_PATTERN_WHY]);
void rule_pattern_free(struct rule_pattern *p);
/*
 * Whether it matches anywhere in @len bytes at @text, any bytes. RULE_MATCH_UNKNOWN: to say so
 * takes more than 5 million steps and 32 for each byte, or 128 MiB, or more than *@left, from which
 * the steps that were taken go: names lead to the same pattern as often as an author likes.
 */
enum rule_match rule_pattern_match(const struct rule_pattern *p, const char *text, size_t len, uint64_t *left);

#endif
