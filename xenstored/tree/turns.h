/* SPDX-License-Identifier: MIT */
/*
 * turns.h - who waits for whom over nodes and transactions: a part of struct server. lease.c has
 * turns on single nodes, precedence.c the two for clients that lose always.
 */
#ifndef XENSTORED_TURNS_H
#define XENSTORED_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "lease.h"
#include "loop.h"
#include "precedence.h"

struct server;

struct turns {
	struct leases leases;
	bool contended;			/* some node may be hot */
	uint16_t heat[LEASE_HEATS];	/* lost transactions lately, by node id */
	struct precedence precedence[2];	/* of domain 0's clients, of the others */
	struct loop_fd timer;		/* when the next one is over, if */
	uint64_t timer_ns;		/* and when that is; 0: nobody is waited for */
};

void turns_init(struct turns *t);
/* The loop is about to run. 0 or -ENOMEM. */
int turns_up(struct server *srv);
/* At the end of each turn of the loop: ends what is over time, and is called again in time. */
void turns_tick(struct server *srv);

#endif
