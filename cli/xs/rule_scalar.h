/* SPDX-License-Identifier: MIT */
/*
 * rule_scalar.h - a text, a flag, a number behind a keyword of a schema; what is none is told at
 * its place.
 */
#ifndef STOREVISOR_XS_RULE_SCALAR_H
#define STOREVISOR_XS_RULE_SCALAR_H

#include "doc_place.h"
#include "rule.h"

/*
 * The text that @v is; NULL: it is none, or one with a NUL in it, behind which nobody would look.
 */
const char *scalar_word(const json_t *v);
/* False: it is no such text. @to may be NULL; else the caller owns what is put there. */
bool scalar_text(struct doc *d, const struct place *p, char **to);
bool scalar_bool(struct doc *d, const struct place *p);
void scalar_number(struct doc *d, const struct place *p, struct rule_bound *b);
/* One without sign, fraction and exponent, up to a milliard. */
void scalar_count(struct doc *d, const struct place *p, struct rule_bound *b);

#endif
