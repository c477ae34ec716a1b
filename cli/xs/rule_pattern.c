/* SPDX-License-Identifier: MIT */
/*
 * rule_pattern.c - see rule_pattern.h. libpcre2's own limit counts how often it goes back, from
 * each byte on anew, and not what a repeat runs over in one go: "^.*a+[@x]" goes back a million
 * times over half a million bytes each in a text of 1 MiB, and "a+[@x]" begins as often. So each
 * item of the pattern calls back, and what lies between two calls is counted, too. What an item
 * looks at before it fails nobody calls back for: "a{60000}c" does at each byte, and so does what
 * was found before, \1. That is counted when such an item is begun.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rule_pattern.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "die.h"

#define STEPS_MAX 5000000 /* a tenth of a second */
#define STEPS_A_BYTE 32
#define HEAP_MAX_KIB (128 << 10)

/* What one item takes before it may fail. */
struct item {
	uint16_t least; /* n of {n} */
	bool back;	/* as often as this: what a group has found */
};

struct rule_pattern {
	pcre2_code *code;
	struct item *item; /* by where it stands */
	const char *text;  /* while it is read */
};

struct steps {
	const struct rule_pattern *p;
	uint64_t nr, max;
	size_t at;
};

static bool is_back(const char *s, size_t len)
{
	return len > 1 && ((s[0] == '\\' && ((s[1] >= '1' && s[1] <= '9') || s[1] == 'k' || s[1] == 'g')) ||
			   (len > 4 && memcmp(s, "(?P=", 4) == 0));
}

/* Of each place that calls back, the end too. */
static int note_item(pcre2_callout_enumerate_block *b, void *arg)
{
	struct rule_pattern *p = arg;
	const char *s = p->text + b->pattern_position;
	size_t len = b->next_item_length, open = len;
	struct item *i = &p->item[b->pattern_position];

	while (open > 0 && s[open - 1] != '{')
		open--;
	*i = (struct item){ 1, is_back(s, len) };
	/* behind a group it is of what is in there, which calls back itself */
	if (open > 1 && open < len && s[0] != ')' && (s[0] != '[' || s[open - 2] == ']'))
		i->least = (uint16_t)strtoul(s + open, NULL, 10);
	return 0;
}

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
	if (p->code) {
		p->item = must(calloc(strlen(text) + 1, sizeof(*p->item)));
		p->text = text;
		pcre2_callout_enumerate(p->code, note_item, p);
		p->text = NULL;
		return p;
	}
	free(p);
	if (pcre2_get_error_message(rc, words, sizeof(words)) < 0)
		*words = '\0';
	snprintf(why, RULE_PATTERN_WHY, "is no pattern: %s, at byte %zu of it", (char *)words, (size_t)at);
	return NULL;
}

void rule_pattern_free(struct rule_pattern *p)
{
	if (!p)
		return;
	pcre2_code_free(p->code);
	free(p->item);
	free(p);
}

/* The most that some group has found; how many were looked at is added. */
static uint64_t longest_found(const pcre2_callout_block *b)
{
	uint64_t most = 0;

	for (uint32_t i = 1; i < b->capture_top; i++) {
		size_t from = b->offset_vector[2 * i], to = b->offset_vector[2 * i + 1];

		if (from != PCRE2_UNSET && to != PCRE2_UNSET && to > from && to - from > most)
			most = to - from;
	}
	return most + b->capture_top;
}

static int step(pcre2_callout_block *b, void *arg)
{
	struct steps *s = arg;
	const struct item *i = &s->p->item[b->pattern_position];
	size_t at = b->current_position, rest = b->subject_length - at;
	uint64_t ahead = i->least > 1 || i->back ? (uint64_t)i->least * (i->back ? longest_found(b) : 1) : 0;

	s->nr += 1 + (ahead < rest ? ahead : rest) + (at > s->at ? at - s->at : s->at - at);
	s->at = at;
	return s->nr > s->max ? PCRE2_ERROR_MATCHLIMIT : 0;
}

enum rule_match rule_pattern_match(const struct rule_pattern *p, const char *text, size_t len, uint64_t *left)
{
	struct steps s = { .p = p, .max = STEPS_MAX + (uint64_t)STEPS_A_BYTE * len };
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
