/* SPDX-License-Identifier: MIT */
/*
 * hold.h - a node that one of several has at a time and that goes with its holder (CONTROL bind of
 * our daemon): with the connection, at once when that ends, or after a time without a sign of life.
 */
#ifndef STOREVISOR_XS_HOLD_H
#define STOREVISOR_XS_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"

#define HOLD_MS_MIN 100
#define HOLD_MS_MAX (24 * 3600000l)
#define HOLD_NAME_MAX 200
#define HOLD_VALUE_MAX (HOLD_NAME_MAX + 20)

struct hold {
	char *path;
	char value[HOLD_VALUE_MAX]; /* the name, and what tells it from others of that name */
	long ttl_ms;  /* 0: bound to the connection */
	long held_ms; /* when it was asked for what was last found to be ours; 0: it is not */
	long timeout_ms; /* how long to wait for it; <0: for ever */
	bool no_wait, changed, lost;
	bool asking;   /* whether it is still ours: the answer is not here */
	long asked_ms; /* when */
};

/* The option @name, a time that a bond may have; 0: it is not given. Ends the program otherwise. */
long hold_time(const struct cli_args *a, const char *name);

/*
 * @name: at most HOLD_NAME_MAX bytes without NUL. From then on the store's client tells @h when its
 * connection is lost.
 */
void hold_init(struct hold *h, char *path, const char *name, long ttl_ms);
/* Until it is ours. Ends the program when the time is over, or the store refuses. */
void hold_take(struct hold *h);
/*
 * Runs the command while it is; with a lease the command has ended, or is killed, before that is
 * over, whether the store answers or not, unless this process was kept from running: then at once.
 * Returns its status, with h->lost: it was ended because the node is not ours any more, or nobody
 * knows; its status is of no use then.
 */
int hold_run(struct hold *h, char **argv);
/* The node goes if it is ours. */
void hold_release(struct hold *h);

/*
 * CONTROL bind: @value of @path goes with this connection (@ttl_ms 0) or after @ttl_ms. 1: the node
 * has that value, 0: not (yet); -errno. Not from a callback.
 */
int hold_bind(const char *path, const char *value, long ttl_ms);
/*
 * Takes that back if there is such a bond; @unless_held: and the node has not that value. Not from
 * a callback.
 */
void hold_unbind(const char *path, const char *value, bool unless_held);
/* Removes @path in @tx if it has @value. 0: it is not @value's any more; -errno. */
int hold_remove(uint32_t tx, const char *path, const char *value);
/* Ends the program with what hold_bind() said about @path. */
_Noreturn void hold_bind_failed(const char *path, int rc);

#endif
