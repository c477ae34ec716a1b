/* SPDX-License-Identifier: MIT */
/* ports.h - which ring a local event channel port is of. */
#ifndef XENSTORED_PORTS_H
#define XENSTORED_PORTS_H

#include <stdint.h>

struct conn;
struct server;

/* Events on the local port @port are @c's from now on (0 or -ENOMEM), or not any more. */
int port_bound(struct server *srv, uint32_t port, struct conn *c);
void port_unbound(struct server *srv, uint32_t port, const struct conn *c);
/* Whose they are; NULL: nobody's. */
struct conn *port_conn(const struct server *srv, uint32_t port);
void ports_fini(struct server *srv);

#endif
