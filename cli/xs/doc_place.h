/* SPDX-License-Identifier: MIT */
/*
 * doc_place.h - where in a document something is, and what is wrong there: for doc_read.c,
 * doc_take.c and doc_exact.c only. A problem is counted in the document, and told unless it is
 * quiet, as FILE:LINE:COLUMN and how one comes there.
 */
#ifndef STOREVISOR_XS_DOC_PLACE_H
#define STOREVISOR_XS_DOC_PLACE_H

#include "doc.h"
#include "json_pos.h"

/* One value of the document, and how it was reached. */
struct place {
	const struct place *up;
	const char *key;	    /* of the member; NULL: an item, or the document itself */
	size_t index;		    /* of an item */
	const struct json_pos *pos;
	const char *path;	    /* of the node it is about */
	int depth;
};

/* What is wrong with the value at @p. */
void doc_problem(struct doc *d, const struct place *p, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What is wrong with the text. */
void doc_problem_in(struct doc *d, const struct json_problem *why);

#endif
