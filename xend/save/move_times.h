/* SPDX-License-Identifier: MIT */
/*
 * move_times.h - when what happened while a moving guest stood still, for the log: of each host by
 * its own clock, which is the loop's.
 */
#ifndef XEND_MOVE_TIMES_H
#define XEND_MOVE_TIMES_H

#include <stdint.h>
#include <time.h>

/* On the source. */
struct move_out_times {
	uint64_t sent_ns, sent_bytes;	/* the last of its memory */
	uint64_t ready_ns;		/* READY was heard */
	uint64_t handed_ns;		/* HANDOVER was said */
};

/* On the target. */
struct move_in_times {
	uint64_t read_ns;		/* the last of its memory was read: the worker's */
	uint64_t ready_ns;		/* READY was said */
	uint64_t handed_ns;		/* HANDOVER was heard */
};

static inline uint64_t move_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Milliseconds from @from to @to; 0 when they are not in that order. */
static inline unsigned long long move_ms(uint64_t from, uint64_t to)
{
	return to > from ? (to - from) / 1000000u : 0;
}

#endif
