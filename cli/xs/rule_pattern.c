/* SPDX-License-Identifier: MIT */
/*
 * rule_pattern.c - see rule_pattern.h. libpcre2's own limit counts how often it goes back, from each
 * byte on anew, and not what a repeat runs over in one go: "^.*a+[@x]" goes back a million times over
 * half a million bytes each in a text of 1 MiB, and "a+[@x]" begins as often. So each item of the
 * pattern calls back, and what lies between two calls is counted, too.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule_pattern.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "die.h"

#define STEPS_MAX 5000000 /* a tenth of a second */
#define STEPS_A_BYTE 32
#define HEAP_MAX_KIB (128 << 10)

struct rule_pattern {
	pcre2_code *code;
};

struct steps {
	uint64_t nr, max;
	size_t at;
};

struct rule_pattern *rule_pattern_read(const char *text, char why[RULE_PATTERN_WHY])
{
	/* as JSON Schema's authors know them (ECMA 262): $ is the end, \u0041 is A */
	static const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
					PCRE2_ALT_BSUX | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
	struct rule_pattern *p;
	PCRE2_UCHAR words[RULE_PATTERN_WHY - 40];
	PCRE2_SIZE at;
	int rc;

	if (strlen(text) > RULE_PATTERN_MAX) {
		snprintf(why, RULE_PATTERN_WHY, "a pattern has at most %d bytes", RULE_PATTERN_MAX);
		return NULL;
	}
	p = must(calloc(1, sizeof(*p)));
	p->code = pcre2_compile((PCRE2_SPTR)text, strlen(text), options, &rc, &at, NULL);
	if (p->code)
		return p;
	free(p);
	if (pcre2_get_error_message(rc, words, sizeof(words)) < 0)
		*words = '\0';
	snprintf(why, RULE_PATTERN_WHY, "is no pattern: %s, at byte %zu of it", (char *)words, (size_t)at);
	return NULL;
}

void rule_pattern_free(struct rule_pattern *p)
{
	if (p)
		pcre2_code_free(p->code);
	free(p);
}

static int step(pcre2_callout_block *b, void *arg)
{
	struct steps *s = arg;
	size_t at = b->current_position;

	s->nr += 1 + (at > s->at ? at - s->at : s->at - at);
	s->at = at;
	return s->nr > s->max ? PCRE2_ERROR_MATCHLIMIT : 0;
}

enum rule_match rule_pattern_match(const struct rule_pattern *p, const char *text, size_t len, uint64_t *left)
{
	struct steps s = { .max = STEPS_MAX + (uint64_t)STEPS_A_BYTE * len };
	pcre2_match_context *limits;
	pcre2_match_data *found;
	int rc;

	if (!*left)
		return RULE_MATCH_UNKNOWN;
	if (s.max > *left)
		s.max = *left;
	limits = must(pcre2_match_context_create(NULL));
	found = must(pcre2_match_data_create(1, NULL));
	pcre2_set_callout(limits, step, &s);
	pcre2_set_match_limit(limits, UINT32_MAX); /* ours counts all that it does */
	pcre2_set_heap_limit(limits, HEAP_MAX_KIB);
	rc = pcre2_match(p->code, (PCRE2_SPTR)text, len, 0, 0, found, limits);
	pcre2_match_data_free(found);
	pcre2_match_context_free(limits);
	*left -= s.nr < *left ? s.nr : *left;
	return rc >= 0 ? RULE_MATCH_YES : rc == PCRE2_ERROR_NOMATCH ? RULE_MATCH_NO : RULE_MATCH_UNKNOWN;
}
