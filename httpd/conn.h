/* SPDX-License-Identifier: MIT */
/*
 * conn.h - one HTTP connection: a request at a time is read, within limits of bytes and time, and
 * answered. Nobody is let wait for anybody: what a peer does not send or take in time ends it.
 */
#ifndef STOREVISOR_HTTPD_CONN_H
#define STOREVISOR_HTTPD_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <jansson.h>

#include "head.h"

#define CONN_TYPE_JSON "application/json"
#define STREAM_BYTES_MAX 65536 /* of events that wait for a slow reader */

struct httpd;
struct bufferevent;
struct event;
struct stream;
struct route;

enum conn_state { CONN_HEAD, CONN_BODY, CONN_ANSWER, CONN_STREAM, CONN_LINGER };

struct conn {
	struct httpd *srv;
	struct conn *next, **prev;
	struct bufferevent *bev;
	struct event *deadline;
	enum conn_state state;
	bool at_end;		/* the peer sends no more */
	bool known;		/* it was let in; a stranger makes room for who comes */
	struct ucred peer;	/* of a unix socket */
	char *text;		/* of the head */
	struct head head;
	const struct route *route;
	char *body;		/* head.body_len bytes and a NUL */
	size_t body_got;
	struct stream *stream;
};

/* Takes @fd over, which was just accepted. */
void conn_create(struct httpd *srv, int fd);
/* Ends the connection at once. */
void conn_destroy(struct conn *c);
/* It was let in: from here on its place is its own. */
void conn_let_in(struct conn *c);

/*
 * Answers the request. @fields: lines of the head with their ends, or NULL. The body is copied; of
 * a HEAD it is only counted. One call a request.
 */
void conn_answer(struct conn *c, int status, const char *type, const char *fields,
		 const void *body, size_t len);
/* The same, and @len bytes at @body, malloc'd, are given away. */
void conn_answer_own(struct conn *c, int status, const char *type, const char *fields, char *body,
		     size_t len);
/* {"error", "where", "cure"}: what is wrong in what, and what helps. NULL is left out. */
void conn_error(struct conn *c, int status, const char *where, const char *cure,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* A text for an error as JSON, whatever bytes it has: a cut one may end in half a character. */
json_t *conn_text(const char *text);
/* Bytes of answers that nobody has taken yet, of all connections. */
size_t conns_waiting(const struct httpd *srv);

/* Begins an answer without an end, of server-sent events. */
void conn_stream_begin(struct conn *c, struct stream *s);
/* Whether a stream's peer has taken enough to be told more. */
bool conn_stream_ready(const struct conn *c);
void conn_stream_send(struct conn *c, const char *text, size_t len);

#endif
