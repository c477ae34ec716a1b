/* SPDX-License-Identifier: MIT */
/*
 * store_ask.h - how a process that may open nothing gets a store connection again.
 *
 * A store daemon that was killed takes every socket with it. The supervisor gives each process
 * both ends of a socket pair: at one the process asks with a byte and is handed a connection that
 * is confined already; the other is there for a supervisor that was started later, to be copied
 * with pidfd_getfd(). So a question outlives the one it was put to, and nobody needs a name in
 * the file system that a process without rights would have to be let at.
 */
#ifndef BACKENDS_STORE_ASK_H
#define BACKENDS_STORE_ASK_H

#include <stdbool.h>

#include "store_confined.h"

#define STORE_ASK_FD 3	  /* the process's end */
#define STORE_ANSWER_FD 4 /* the supervisor's, kept open for the next one */

/* Where a process's connections come from. Used by one thread at a time. */
struct store_source {
	struct store_scope scope;
	bool supervised;  /* there is somebody to ask */
	bool may_connect; /* still has the rights to do it itself */
	bool asked;	  /* a question is out */
};

/*
 * An xs_connect_fn (libxs/xs.h) with a struct store_source: connects by itself while it may, and
 * asks afterwards. Returns a descriptor or -errno: -EAGAIN: asked, not answered yet. A process
 * without a supervisor ends here with BACKEND_EXIT_RETRY: a successor can connect.
 */
int store_source_connect(void *source);

/* Did a supervisor leave a pair at the two numbers? The process's first question; no child of
 * the process gets them. */
bool store_ask_possible(void);

/* The most questions that are taken at a time. */
#define STORE_ASK_TAKE 64

/*
 * Supervisor: takes questions waiting at @fd, at most STORE_ASK_TAKE. True: there was one.
 * @*closed: no more come.
 */
bool store_ask_take(int fd, bool *closed);
/* Supervisor: answers with connection @conn, which stays the caller's. Returns 0 or -errno. */
int store_ask_answer(int fd, int conn);

#endif
