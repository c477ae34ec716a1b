/* SPDX-License-Identifier: MIT */
/*
 * live.h - the real daemon as a process of its own on the fake machine: start, kill, and a client
 * on its socket. One daemon a test at a time; its directories are new for each test.
 */
#ifndef LIVE_H
#define LIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "fake_hv.h"
#include "xs_wire.h"

struct live {
	const char *program;	/* the daemon built with the fake machine */
	const char *extra_arg;	/* one more option for it, or NULL */
	char dir[64];		/* RUN, on tmpfs */
	char state_dir[64];	/* STATE */
	char fake[80], sock[80];
	struct hv *hv;
	pid_t pid;
	unsigned int seed;	/* of live_rnd(); printed, set by STOREVISOR_SEED */
};

extern struct live live;

/* The seed is not printed; what the daemon says goes to RUN/log. */
extern bool live_quiet;
/* STATE is in memory too: for what asks nothing of the disk. Set before live_make(). */
extern bool live_fast;
/* live.pid is who watches the daemon, not the daemon. */
extern bool live_traced;

/* main()'s: the daemon is the first argument. 0; 2 after saying that it is missing. */
int live_init(int argc, char **argv);

/* A number below @n from live.seed. */
unsigned int live_rnd(unsigned int n);
/* @ci normally, @more with STOREVISOR_LONG. */
unsigned int live_count(unsigned int ci, unsigned int more);
/* Seconds, monotonic. */
double live_now(void);
#define LIVE_PATIENCE_S 240		/* for what comes, on a machine where nobody comes to run for long */

/* Makes the directories and the fake machine; prints the seed. 0 or -1. */
int live_make(void);
/* Ends the daemon and removes everything. */
int live_remove(void);
/* For cmocka: live_make() and live_start(); live_remove(). */
int live_setup(void **state);
int live_teardown(void **state);

/* Starts the daemon; does not wait for it. */
void live_start(void);
/* The process that writes to the disk for it. */
pid_t live_worker(void);
/* Sends @sig and waits until it is gone. Its worker may live a moment longer. */
void live_kill(int sig);
/* Memory of the daemon's own, and what of tmpfs its environment takes; bytes. */
size_t live_own_bytes(void);
size_t live_file_bytes(void);

/* Waits until everything that a dead daemon has left running has ended. */
void live_settle(void);
/* live_kill(SIGKILL) and live_settle(). */
void live_end(void);

/* A connection, or -1 when nobody listens. */
int live_try_open(void);
/* A connection; waits up to 10 s for the daemon, fails the test without one. */
int live_open(void);
bool live_send(int fd, uint32_t type, uint32_t tx, const void *data, uint32_t len);
/* The same with a number of the client's own. */
bool live_send_as(int fd, uint32_t id, uint32_t type, uint32_t tx, const void *data, uint32_t len);
/*
 * The next message's payload in @out (NULL, or XENSTORE_PAYLOAD_MAX + 1 bytes; NUL behind it).
 * 0, the errno of the reply, or -1 when the connection went away.
 */
int live_await(int fd, char *out);
/* The same; *@len: its length. */
int live_await_len(int fd, char *out, uint32_t *len);
int live_request(int fd, uint32_t type, const void *data, uint32_t len, char *out);
int live_write_number(int fd, const char *path, unsigned long value);
/* Whether something has come to be read. */
bool live_is_answered(int fd);
/* 0 when it cannot be read. */
unsigned long live_read_number(int fd, const char *path);

#endif
