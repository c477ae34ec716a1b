/* SPDX-License-Identifier: MIT */
/* again.c - see again.h. Linked through struct conn. */
#include "again.h"

#include <stddef.h>

#include "conn.h"
#include "server.h"

void conn_again(struct conn *c)
{
	struct server *srv = c->srv;

	if (c->again_queued || c->dead)
		return;
	c->again_queued = true;
	c->again_next = NULL;
	if (srv->wire.again_last)
		srv->wire.again_last->again_next = c;
	else
		srv->wire.again_list = c;
	srv->wire.again_last = c;
}

bool conns_ask_again(const struct server *srv)
{
	return srv->wire.again_list != NULL;
}

void conns_serve_again(struct server *srv)
{
	struct conn *last = srv->wire.again_last;
	bool more = last != NULL;

	/* One round: who asks for another turn meanwhile is behind the last one. */
	while (more && srv->wire.again_list) {
		struct conn *c = srv->wire.again_list;

		more = c != last;
		srv->wire.again_list = c->again_next;
		if (!srv->wire.again_list)
			srv->wire.again_last = NULL;
		c->again_queued = false;
		if (!c->dead)
			c->ops->serve(c);
	}
}

void conns_forget_again(struct server *srv)
{
	struct conn **at = &srv->wire.again_list;

	srv->wire.again_last = NULL;
	while (*at) {
		struct conn *c = *at;

		if (c->dead) {
			*at = c->again_next;
			c->again_queued = false;
		} else {
			srv->wire.again_last = c;
			at = &c->again_next;
		}
	}
}
