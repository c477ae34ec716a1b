/* SPDX-License-Identifier: MIT */
/*
 * start.c - from the first instruction to guest_main(), and the end. Owns the order of
 * initialisation.
 */
#include "guest/guest.h"

#include <stdarg.h>

#include "guest/events.h"
#include "guest/hypercall.h"
#include "guest/mm.h"
#include "guest/traps.h"

#define LINE_MAX 256

struct start_info *start_info;
struct shared_info *shared_info;

void guest_start(struct start_info *si);

/* The shared page takes the place of one of the guest's own in its address space. */
static struct shared_info *map_shared_info(void)
{
	static char place[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

	if (hc_update_va(place, start_info->shared_info | PTE_DATA, UVMF_INVLPG))
		hypercall(sched_op, SCHEDOP_shutdown, &(struct sched_shutdown){ SHUTDOWN_crash });
	return (struct shared_info *)place;
}

void guest_start(struct start_info *si)
{
	start_info = si;
	shared_info = map_shared_info();
	console_init();
	traps_init_vcpu();
	mm_init();
	events_init();
	guest_main();
	guest_exit(SHUTDOWN_poweroff);
}

void guest_exit(unsigned int reason)
{
	struct sched_shutdown how = { reason };

	console_flush();
	for (;;)
		hc_sched(SCHEDOP_shutdown, &how);
}

void guest_panic(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	say("panic: %s\n", line);
	guest_exit(SHUTDOWN_crash);
}

void say(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	console_write(line, MIN((size_t)len, sizeof(line) - 1));
}
