/* SPDX-License-Identifier: MIT */
/*
 * again.h - connections that are served once more at the end of the turn: in rounds, so that each
 * has its budget before any has another one.
 */
#ifndef XENSTORED_AGAIN_H
#define XENSTORED_AGAIN_H

#include <stdbool.h>

struct conn;
struct server;

/* Serves the connection again at the end of the turn. */
void conn_again(struct conn *c);
/* Whether some connection asked for that. */
bool conns_ask_again(const struct server *srv);
/* One round over the connections that asked for it. */
void conns_serve_again(struct server *srv);
/* Takes the dead off the list. */
void conns_forget_again(struct server *srv);

#endif
