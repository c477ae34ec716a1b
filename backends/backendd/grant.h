/* SPDX-License-Identifier: MIT */
/*
 * grant.h - hands a device's process a new connection to the store when it lost its own.
 *
 * The supervisor's half of store_ask.h. Trust: the process may be its guest's. What it sends is
 * counted, not read; what it gets is confined to its device; it is answered twice a second at most,
 * and not before it has taken the last answer; nothing here waits for it.
 */
#ifndef BACKENDS_GRANT_H
#define BACKENDS_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "store_confined.h"

struct grant {
	struct store_scope scope;
	int fd;			/* where it asks; -1: nowhere */
	struct event *question; /* on fd */
	struct event *later;	/* the store cannot be reached, or it was answered just now */
	uint64_t answered_ns;
	bool refused;		/* said already that the store refuses */
};

/* No process yet. @g->scope is the caller's to fill in. */
void grant_init(struct grant *g);

/* Listens at @fd, which is @g's from now on. 0, or -ENOMEM with @fd closed. */
int grant_listen(struct grant *g, struct event_base *base, int fd);

/*
 * The same for a running process that an earlier supervisor started: takes a copy of the
 * descriptor that it keeps for this. 0 or -errno.
 */
int grant_adopt(struct grant *g, struct event_base *base, int pidfd);

/* The process ended. May be called twice. */
void grant_end(struct grant *g);

/* Makes the pair for a new process: *@ours for grant_listen(), @theirs for grant_child(). */
int grant_pair(int *ours, int *theirs);
/* In the child: puts both ends where the process looks for them. */
int grant_child(int ours, int theirs);

#endif
