/* SPDX-License-Identifier: MIT */
/* ports.c - see ports.h: a table by port, as long as the highest one. */
#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

int port_bound(struct server *srv, uint32_t port, struct conn *c)
{
	if (port >= srv->wire.nr_ports) {
		size_t nr = srv->wire.nr_ports ? srv->wire.nr_ports : 64;
		struct conn **by_port;

		while (nr <= port)
			nr *= 2;
		by_port = realloc(srv->wire.by_port, nr * sizeof(*by_port));
		if (!by_port)
			return -ENOMEM;
		memset(by_port + srv->wire.nr_ports, 0, (nr - srv->wire.nr_ports) * sizeof(*by_port));
		srv->wire.by_port = by_port;
		srv->wire.nr_ports = nr;
	}
	srv->wire.by_port[port] = c;
	return 0;
}

void port_unbound(struct server *srv, uint32_t port, const struct conn *c)
{
	if (port < srv->wire.nr_ports && srv->wire.by_port[port] == c)
		srv->wire.by_port[port] = NULL;
}

struct conn *port_conn(const struct server *srv, uint32_t port)
{
	return port < srv->wire.nr_ports ? srv->wire.by_port[port] : NULL;
}

void ports_fini(struct server *srv)
{
	free(srv->wire.by_port);
	srv->wire.by_port = NULL;
	srv->wire.nr_ports = 0;
}
