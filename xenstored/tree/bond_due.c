/* SPDX-License-Identifier: MIT */
/* bond_due.c - see bond_due.h. */
#include "bond_due.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

int due_reserve(struct due_heap *h, unsigned int nr)
{
	unsigned int room = h->room ? h->room : 16;
	struct due **e;

	while (room < nr)
		room *= 2;
	if (room == h->room)
		return 0;
	e = reallocarray(h->e, room, sizeof(struct due *));
	if (!e)
		return -ENOMEM;
	h->e = e;
	h->room = room;
	return 0;
}

static void put(struct due_heap *h, struct due *d, unsigned int at)
{
	h->e[at] = d;
	d->at = at;
}

/* The place @at is free: puts @d there, or where it belongs above or below. */
static void settle(struct due_heap *h, struct due *d, unsigned int at)
{
	unsigned int below;

	for (; at > 0 && h->e[(at - 1) / 2]->ns > d->ns; at = (at - 1) / 2)
		put(h, h->e[(at - 1) / 2], at);
	while ((below = 2 * at + 1) < h->nr) {
		if (below + 1 < h->nr && h->e[below + 1]->ns < h->e[below]->ns)
			below++;
		if (h->e[below]->ns >= d->ns)
			break;
		put(h, h->e[below], at);
		at = below;
	}
	put(h, d, at);
}

void due_set(struct due_heap *h, struct due *d, uint64_t ns)
{
	uint64_t was = d->ns;

	d->ns = ns;
	if (!was && ns) {
		h->nr++;
		settle(h, d, h->nr - 1);
	} else if (was && ns) {
		settle(h, d, d->at);
	} else if (was) {
		struct due *last = h->e[--h->nr];

		if (last != d)
			settle(h, last, d->at);
	}
}

struct due *due_first(const struct due_heap *h)
{
	return h->nr ? h->e[0] : NULL;
}

void due_fini(struct due_heap *h)
{
	free(h->e);
	*h = (struct due_heap){ 0 };
}
