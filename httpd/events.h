/* SPDX-License-Identifier: MIT */
/*
 * events.h - server-sent events (the HTML standard, 9.2): the changes at and below a path. A stream
 * has a place in the changes and no queue: a slow reader costs nothing, and falls behind.
 */
#ifndef STOREVISOR_HTTPD_EVENTS_H
#define STOREVISOR_HTTPD_EVENTS_H

#include <stdbool.h>

struct conn;
struct httpd;
struct stream;

/* The route /v1/events/PATH. */
void events_begin(struct conn *c, const char *rest);
/* Sends what the reader has room for. */
void stream_pump(struct stream *s);
/* Forgets it; its connection is ending. */
void stream_destroy(struct stream *s);

/* There are changes. */
void streams_wake(struct httpd *srv);
/* The store is back, or away. */
void streams_link(struct httpd *srv, bool up);
/* Says where each stream is, so that who is not there any more is noticed. */
void streams_beat(struct httpd *srv);

#endif
