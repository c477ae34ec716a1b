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
#include "precedence.h"

struct turns {
	struct leases leases;
	bool contended;			/* some node may be hot */
	uint16_t heat[LEASE_HEATS];	/* lost transactions lately, by node id */
	struct precedence precedence[2];	/* of domain 0's clients, of the others */
};

#endif
