/* SPDX-License-Identifier: MIT */
/* rule_scalar.c - see rule_scalar.h. */
#include "rule_scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"

#define COUNT_MAX 1000000000

const char *scalar_word(const json_t *v)
{
	const char *s = json_string_value(v);

	return s && strlen(s) == json_string_length(v) ? s : NULL;
}

bool scalar_text(struct doc *d, const struct place *p, char **to)
{
	const char *s = scalar_word(p->pos->v);

	if (!s)
		doc_problem(d, p, json_is_string(p->pos->v) ? "is a text without NUL" : "is a text");
	if (s && to)
		*to = must(strdup(s));
	return s;
}

bool scalar_bool(struct doc *d, const struct place *p)
{
	if (!json_is_boolean(p->pos->v))
		doc_problem(d, p, "is true or false");
	return json_is_true(p->pos->v);
}

void scalar_number(struct doc *d, const struct place *p, struct rule_bound *b)
{
	if (!json_is_number(p->pos->v)) {
		doc_problem(d, p, "is a number");
		return;
	}
	b->text = must(strndup(p->pos->text, p->pos->len));
	b->at = strtold(b->text, NULL);
	b->set = true;
	if (isinf(b->at))
		doc_problem(d, p, "is larger than numbers can be");
}

void scalar_count(struct doc *d, const struct place *p, struct rule_bound *b)
{
	bool plain = json_is_number(p->pos->v) && strspn(p->pos->text, "0123456789") >= p->pos->len;

	if (!plain || json_number_value(p->pos->v) > COUNT_MAX)
		doc_problem(d, p, "is a number from 0 to %d without fraction", COUNT_MAX);
	else
		scalar_number(d, p, b);
}
