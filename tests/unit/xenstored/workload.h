/* SPDX-License-Identifier: MIT */
/*
 * workload.h - random changes of the persistent part, each of which is one request or one
 * transaction, and what the store must look like after each.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "server.h"

#define CHANGE_REQS 8

struct change_req {
	uint32_t type, len;
	char data[4096];
};

/* One change: @nr requests; more than one are a transaction. */
struct edit {
	unsigned int nr;
	struct change_req req[CHANGE_REQS];
};

/* Makes the next change from @rnd. */
void change_make(struct edit *c, unsigned int (*rnd)(unsigned int n));

/* Applies it to a daemon inside the test (harness.h), as its client @dom0. */
struct conn;
void change_model(struct conn *dom0, const struct edit *c);

/* A digest of /config and /history: paths, values, permissions, order. */
uint64_t digest_of_tree(struct server *srv);
/* The same, asked of a daemon over its socket. 0: it did not answer. */
uint64_t digest_of_daemon(int fd);

#endif
