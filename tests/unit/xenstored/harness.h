/* SPDX-License-Identifier: MIT */
/*
 * harness.h - a whole store daemon inside the test, without sockets: requests go in as bytes,
 * replies and events are read from the connection's output.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "check.h"
#include "conn.h"
#include "domain.h"
#include "fake_hv.h"
#include "server.h"
#include "xs_wire.h"

struct t_msg {
	uint32_t type, req_id, tx_id, len;
	char data[XENSTORE_PAYLOAD_MAX + 1];	/* NUL behind the end */
};

/* True while the daemon carries out a request. */
extern bool t_dispatching;

/* A daemon without any disk, on a fake machine in a new directory. */
struct server *t_start(void);
/* Verifies every invariant, then frees everything. */
void t_stop(struct server *srv);

/* A client of domain @domid; an unprivileged domain is introduced, without a ring. */
struct conn *t_client(struct server *srv, unsigned int domid);
void t_hang_up(struct conn *c);

/* One request. The reply is in *t_reply(); events that came with it stay queued. */
const struct t_msg *t_req(struct conn *c, uint32_t type, uint32_t tx, const void *data,
			  size_t len);
/* The next queued event or reply, or NULL. */
const struct t_msg *t_next(struct conn *c);
/* Asserts that the next message is an event of @path and @token. */
void t_expect_event(struct conn *c, const char *path, const char *token);
void t_expect_quiet(struct conn *c);

/* Requests by name; they answer 0 or the errno of the reply. @t: transaction, 0 for none. */
int t_write(struct conn *c, uint32_t t, const char *path, const char *value);
int t_mkdir(struct conn *c, uint32_t t, const char *path);
int t_rm(struct conn *c, uint32_t t, const char *path);
int t_read(struct conn *c, uint32_t t, const char *path, char *value);
int t_ls(struct conn *c, uint32_t t, const char *path, char *names);	/* joined by ' ' */
int t_setp(struct conn *c, uint32_t t, const char *path, const char *perms); /* "n0 r1" */
int t_getp(struct conn *c, uint32_t t, const char *path, char *perms);
int t_watch(struct conn *c, const char *path, const char *token);
int t_unwatch(struct conn *c, const char *path, const char *token);
uint32_t t_begin(struct conn *c);
int t_end(struct conn *c, uint32_t t, bool commit);
/* A request whose payload is strings, each ended by NUL: @args up to NULL. Text in @out. */
int t_call(struct conn *c, uint32_t type, char *out, const char *arg, ...);

#endif
