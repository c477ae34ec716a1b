/* SPDX-License-Identifier: MIT */
/*
 * bond_due.h - which bond's time is over next: a heap, so that thousands of clients that are lost
 * at once cost each what one costs. Of bond.c.
 */
#ifndef XENSTORED_BOND_DUE_H
#define XENSTORED_BOND_DUE_H

#include <stdint.h>

struct bond;

/* Where a bond is in the heap; of bond.c's record of it. */
struct due {
	uint64_t ns;		/* when; 0: not while its client is there, and not in the heap */
	unsigned int at;
	struct bond *bond;
};

struct due_heap {
	struct due **e;
	unsigned int nr, room;
};

/* There is to be room for @nr. 0 or -ENOMEM. */
int due_reserve(struct due_heap *h, unsigned int nr);
/* From now on it is due at @ns; 0: never. There is room. */
void due_set(struct due_heap *h, struct due *d, uint64_t ns);
/* The first one, or NULL. */
struct due *due_first(const struct due_heap *h);
void due_fini(struct due_heap *h);

#endif
