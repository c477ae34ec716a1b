/* SPDX-License-Identifier: MIT */
/*
 * pace.h - how often somebody else may have us do something: so many times without waiting, then
 * once an interval. Pure.
 */
#ifndef BACKENDS_PACE_H
#define BACKENDS_PACE_H

#include <stdint.h>

/* Zeroes: nothing was done yet. */
struct pace {
	uint64_t until_ns; /* when what was done would end if each time took an interval */
};

/*
 * May it be done at @now_ns (any clock that does not go back)? 0: yes, and it is counted; else when
 * to ask again. @at_once times of @interval_ns are not waited for.
 */
static inline uint64_t pace_take(struct pace *p, uint64_t now_ns, unsigned int at_once,
				 uint64_t interval_ns)
{
	const uint64_t slack = at_once * interval_ns;
	const uint64_t from = p->until_ns > now_ns ? p->until_ns : now_ns;

	if (from - now_ns >= slack)
		return from - slack + 1;
	p->until_ns = from + interval_ns;
	return 0;
}

#endif
