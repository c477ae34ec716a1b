/* SPDX-License-Identifier: MIT */
/*
 * wire.h - what the floor of connections keeps: a part of struct server, and changed by files of
 * wire/ alone, but for their start and end (server.c). Lists are linked through struct conn.
 */
#ifndef XENSTORED_WIRE_H
#define XENSTORED_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "session.h"

struct listener;
struct user;

struct wire {
	struct conn *conns;
	unsigned int nr_conns;
	uint64_t next_conn_id;
	struct user *users;			/* who have connections: user.h */
	struct conn *flush_list, *flush_last;	/* who has output, first come first */
	struct conn *again_list, *again_last;
	struct conn *dead_list;
	struct conn *held_list;
	bool awaited[CONN_WAITS];		/* some connection is parked for it */
	bool short_of_room;			/* some ring could not put its record: conns_flush() */
	struct conn **by_port;			/* local event channel port -> ring */
	size_t nr_ports;
	char *scratch;				/* where sockets are read into */
	struct listener *listener, *ro_listener;
	struct sessions sessions;
};

#endif
