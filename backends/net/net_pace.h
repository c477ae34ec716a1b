/* SPDX-License-Identifier: MIT */
/*
 * net_pace.h - what a guest may send in a time: a share of bytes for each interval. Pure.
 *
 * A packet goes while anything is left of the share; what it is longer comes off the next ones.
 * What is not used is lost, so that no burst is longer than a share and a packet.
 */
#ifndef BACKENDS_NET_PACE_H
#define BACKENDS_NET_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct net_pace {
	uint64_t share;		/* bytes an interval; 0: no limit */
	uint64_t interval_ns;
	int64_t left;		/* of this interval; below 0: owed */
	uint64_t next_ns;	/* when the next begins */
};

/* By the store's words "BYTES,MICROSECONDS"; "": no limit. 0; -EINVAL: another form. */
int net_pace_init(struct net_pace *p, const char *words);

/* 0: a packet may go now; else when to ask again. @now_ns: CLOCK_MONOTONIC. */
uint64_t net_pace_wait(struct net_pace *p, uint64_t now_ns);

/* A packet of @len bytes goes. */
void net_pace_take(struct net_pace *p, uint32_t len);

#endif
