/* SPDX-License-Identifier: MIT */
/* net_pace.c - see net_pace.h. */
#include "net_pace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHARE_MAX (1ULL << 50)	/* bytes; what is owed never comes near the end of an int64_t */
#define INTERVAL_MAX 10000000u	/* microseconds, as in a record (record/names/card.h) */

int net_pace_init(struct net_pace *p, const char *words)
{
	unsigned long long bytes;
	unsigned int us;
	char more;

	memset(p, 0, sizeof(*p));
	if (!*words)
		return 0;
	if (sscanf(words, "%llu,%u%c", &bytes, &us, &more) != 2 || !bytes || !us ||
	    bytes > SHARE_MAX || us > INTERVAL_MAX)
		return -EINVAL;
	p->share = bytes;
	p->interval_ns = us * 1000ULL;
	return 0;
}

/* The shares of all intervals that began meanwhile pay what is owed; of the rest one is left. */
static void refill(struct net_pace *p, uint64_t now_ns)
{
	uint64_t begun = 1 + (now_ns - p->next_ns) / p->interval_ns;
	uint64_t owed = p->left < 0 ? (uint64_t)-p->left : 0;

	if (begun >= owed / p->share + 2)
		p->left = (int64_t)p->share;
	else
		p->left = (int64_t)(begun * p->share) - (int64_t)owed;
	p->next_ns += begun * p->interval_ns;
}

uint64_t net_pace_wait(struct net_pace *p, uint64_t now_ns)
{
	if (!p->share)
		return 0;
	if (!p->next_ns)
		p->next_ns = now_ns;
	if (now_ns >= p->next_ns)
		refill(p, now_ns);
	return p->left > 0 ? 0 : p->next_ns;
}

void net_pace_take(struct net_pace *p, uint32_t len)
{
	if (p->share)
		p->left -= len;
}
