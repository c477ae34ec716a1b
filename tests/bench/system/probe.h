/* SPDX-License-Identifier: MIT */
/*
 * probe.h - measuring a turn of something, for the halves of the probe: what any Linux has, and
 * what only a Xen guest has.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stdint.h>

/* Two descriptors, and the event channel's port where they are one. */
struct pair {
	int in, out;
	unsigned int in_port;
};

/* One turn of a measured thing; arg is the measurement's own. */
typedef void (*turn_fn)(void *arg);

/* Nanoseconds a turn, after a warm-up of a few. */
double measure(turn_fn turn, void *arg, unsigned int turns);
/* Prints "NAME VALUE". */
void report(const char *name, double value);
/* perror and the end. */
void fail(const char *what) __attribute__((noreturn));

/*
 * Null hypercall, event-channel round trip, grant map and unmap; nothing where /dev/xen is
 * missing.
 */
void xen_costs(void);

#endif
