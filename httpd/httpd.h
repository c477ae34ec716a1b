/* SPDX-License-Identifier: MIT */
/*
 * httpd.h - what every part of xs-httpd is passed: one thread, one loop, one person of the store.
 */
#ifndef STOREVISOR_HTTPD_H
#define STOREVISOR_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "changes.h"
#include "../xenstored/storage/sha256.h"

struct event_base;
struct evconnlistener;
struct event;
struct conn;
struct feed;
struct stream;

/* Who may come by the unix socket, besides root and the program's own user. */
struct allowed {
	struct allowed *next;
	bool group;
	unsigned int id;
};

struct httpd {
	struct event_base *base;
	struct evconnlistener *listener;
	bool local;		/* a unix socket; else a port of this machine */
	struct conn *conns;
	unsigned int nr_conns, max_conns;
	size_t body_max;
	bool read_only;
	bool has_token;
	unsigned char token[SHA256_LEN]; /* the token's digest */
	struct allowed *allowed;
	struct changes changes;
	struct feed *feed;	/* where changes come from */
	struct stream *streams;	/* who is told of them */
	struct event *heartbeat;
};

#endif
