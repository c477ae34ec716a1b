/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ring.c - a hostile guest: the input says what it does to its ring page, step by step.
 * Afterwards the daemon's state must be sound and another client must be served.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "again.h"
#include "check.h"
#include "conn.h"
#include "conn_ring.h"
#include "fuzz.h"
#include "fuzz_server.h"

/* One byte says what, the next ones with which argument. Returns how many bytes it took. */
static size_t step(struct server *srv, struct xenstore_domain_interface *page,
		   const uint8_t *data, size_t size)
{
	struct domain *d = domain_find(&srv->domains, 1);
	uint32_t arg = 0;
	size_t n;

	memcpy(&arg, data + 1, size - 1 < 4 ? size - 1 : 4);
	switch (data[0] & 7) {
	case 0:
		page->req_prod = arg;
		return 5;
	case 1:
		page->req_cons = arg;
		return 5;
	case 2:
		page->rsp_cons = arg;
		return 5;
	case 3:
		page->rsp_prod = arg;
		return 5;
	case 4:
		page->connection = arg & 3;
		return 2;
	case 5:	/* reads everything */
		page->rsp_cons = page->rsp_prod;
		break;
	default: /* bytes into the request ring */
		n = data[0] >> 1 < (int)size - 1 ? data[0] >> 1 : size - 1;
		for (size_t i = 0; i < n; i++)
			page->req[MASK_XENSTORE_IDX(page->req_prod + i)] = (char)data[1 + i];
		page->req_prod += (uint32_t)n;
		if (d && d->conn)
			conn_ring_serve(d->conn);
		return n + 1;
	}
	if (d && d->conn)
		conn_ring_serve(d->conn);
	return 1;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct server *srv = fuzz_server_start();
	struct xenstore_domain_interface *page = fuzz_server_ring(srv);
	size_t at = 0;

	while (at < size) {
		at += step(srv, page, data + at, size - at);
		conns_serve_again(srv);
		server_turn(srv);
	}
	fuzz_server_stop(srv);
	return 0;
}
