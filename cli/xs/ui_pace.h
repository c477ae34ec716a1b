/* SPDX-License-Identifier: MIT */
/*
 * ui_pace.h - how often a screen is drawn: at once for the user, but for what changes by itself at
 * most once a period, however much of it there is. Pure.
 */
#ifndef STOREVISOR_XS_UI_PACE_H
#define STOREVISOR_XS_UI_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct ui_pace {
	int64_t period_ms, last_ms;
	bool wanted;
};

/* Something changed by itself. */
static inline void pace_want(struct ui_pace *p)
{
	p->wanted = true;
}

/* Whether to draw at @now_ms (monotonic). True begins the next period. */
static inline bool pace_due(struct ui_pace *p, int64_t now_ms)
{
	if (!p->wanted || now_ms - p->last_ms < p->period_ms)
		return false;
	p->wanted = false;
	p->last_ms = now_ms;
	return true;
}

/* How long to sleep, in ms; -1: until something happens. */
static inline int pace_wait(const struct ui_pace *p, int64_t now_ms)
{
	int64_t left = p->last_ms + p->period_ms - now_ms;

	return !p->wanted ? -1 : left > 0 ? (int)left : 0;
}

#endif
