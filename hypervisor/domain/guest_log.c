/* SPDX-License-Identifier: MIT */
/*
 * guest_log.c - lines of the log that a guest causes: each domain has so many a second, and all
 * together, whatever their level. The rest is counted and told with the next. No other line of the
 * log may be a guest's doing (docs/security-sites.md, "Log lines").
 */
#include <stdarg.h>

#include "domain/domain.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/clock.h"
#include "x86/lock.h"

#define WINDOW_NS 1000000000
#define LINES_OF_ONE 5
#define LINES_OF_ALL 20
#define LINE_MAX 200

/* Hypervisor lock. */
static struct log_budget all;

static bool has_room(struct log_budget *b, unsigned int lines, s_time_t now)
{
	if (now - b->since >= WINDOW_NS) {
		b->since = now;
		b->used = 0;
	}
	return b->used < lines;
}

static bool take(struct domain *d)
{
	s_time_t now = now_ns();

	if (!has_room(&d->log, LINES_OF_ONE, now) || !has_room(&all, LINES_OF_ALL, now)) {
		d->log.left_out++;
		return false;
	}
	d->log.used++;
	all.used++;
	return true;
}

void domain_log(struct domain *d, enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	hv_lock(); /* some faults are handled without it */
	if (take(d)) {
		if (d->log.left_out)
			hv_log(level, "d%u: %u lines left out", d->domain_id, d->log.left_out);
		d->log.left_out = 0;
		hv_log(level, "%s", line);
	}
	hv_unlock();
}
