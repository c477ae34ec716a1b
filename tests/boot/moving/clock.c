/* SPDX-License-Identifier: MIT */
/*
 * clock.c - clock [KIB]: a guest's program that looks at the clock every millisecond, and says how
 * long it stood still whenever that was longer than 20 ms: by the clock that stands still with it
 * ("ran") and by the one that does not ("was"), and what the time stamp counters of the machines
 * that it was on said before and after ("from", "to"), in us. Ten times a second a line "tick
 * NUMBER MS", of the former. With KIB it writes to each page of so much memory meanwhile, over and
 * over, two pages a look.
 *
 * clock pair, in dom0: "pair US NS", what the counter and the clock of its log say, for stops.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <x86intrin.h>

#define LONG_NS 20000000ll
#define PAGE 4096
#define PAGES 2				/* 8 MiB in a second */
#define PER_US 1000			/* QEMU's counter, where instructions are its clock: 1 GHz */

static long long at(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static unsigned long long counter(void)
{
	return __rdtsc() / PER_US;
}

int main(int argc, char **argv)
{
	const struct timespec look = { .tv_nsec = 1000000 };
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) * 1024 : 0, next = 0;
	char *mem = size ? malloc(size) : NULL;
	long long ran = at(CLOCK_MONOTONIC), was = at(CLOCK_BOOTTIME), told = ran;
	unsigned long long count = counter();
	unsigned long ticks = 0;

	if (argc > 1 && !strcmp(argv[1], "pair")) {
		printf("pair %llu %lld\n", counter(), at(CLOCK_MONOTONIC));
		return 0;
	}
	for (;;) {
		long long ran_now, was_now;
		unsigned long long count_now;

		nanosleep(&look, NULL);
		count_now = counter();
		ran_now = at(CLOCK_MONOTONIC);
		was_now = at(CLOCK_BOOTTIME);
		/* On another machine the counter is another one, whatever the clocks say. */
		if (was_now - was > LONG_NS || ran_now - ran > LONG_NS || ran_now < ran || count_now < count ||
		    count_now - count > LONG_NS / 1000)
			printf("stood %lld ms by ran, %lld by was, from %llu to %llu\n", (ran_now - ran) / 1000000,
			       (was_now - was) / 1000000, count, count_now);
		if (ran_now - told >= 100000000) {
			printf("tick %lu %lld\n", ++ticks, ran_now / 1000000);
			told = ran_now;
		}
		fflush(stdout);
		ran = ran_now;
		was = was_now;
		count = counter();
		for (int i = 0; mem && i < PAGES; i++) {
			mem[next]++;
			next = (next + PAGE) % size;
		}
	}
}
