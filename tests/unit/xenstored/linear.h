/* SPDX-License-Identifier: MIT */
/*
 * linear.h - is there one order of these operations, each at a moment between its request and its
 * answer, in which every answer is right? Search after Wing and Gong, with Lowe's memory of what
 * has been tried. The store is a few keys of one directory; an operation is a list of steps that
 * happen together: one for a plain request, several for a transaction.
 */
#ifndef LINEAR_H
#define LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINEAR_KEYS	4
#define LINEAR_STEPS	6
#define LINEAR_OPS	1024

#define LINEAR_ABSENT	0	/* as a value: there is no such node */

enum linear_kind {
	LINEAR_READ,	/* value: what was answered */
	LINEAR_WRITE,	/* value: what was written */
	LINEAR_RM,
	LINEAR_LIST,	/* value: bit i: key i was there */
};

struct linear_step {
	enum linear_kind kind;
	unsigned int key;
	uint16_t value;
};

struct linear_op {
	unsigned int begin, end;	/* moments; no two are the same */
	bool unknown;			/* no answer: it happened before @end, or not at all */
	unsigned int nr;
	struct linear_step step[LINEAR_STEPS];
};

/* Whether such an order exists, from a directory with no keys. @op may be in any order. */
bool linear_check(const struct linear_op *op, unsigned int nr);

#endif
