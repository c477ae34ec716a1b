/* SPDX-License-Identifier: MIT */
/*
 * fuzz_requests.c - sequences of requests of two clients: byte by byte {client, type, transaction,
 * length, payload}. All invariants are recounted at the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "fuzz.h"
#include "fuzz_server.h"

static size_t request(struct conn **c, const uint8_t *data, size_t size)
{
	struct xsd_sockmsg hdr = { .type = data[1] % 30u, .req_id = 1, .tx_id = data[2] & 3 };
	struct conn *to = c[data[0] & 1];
	char msg[XS_WIRE_HDR_LEN + 256];

	hdr.len = data[3] < size - 4 ? data[3] : (uint32_t)(size - 4);
	/* Files named by the input would be written. */
	if (hdr.type == XS_CONTROL)
		hdr.type = XS_READ;
	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), data + 4, hdr.len);
	conn_input(to, msg, sizeof(hdr) + hdr.len, 1);
	to->parked = false;
	to->park_bypass = true;
	buf_take(&to->out, buf_len(&to->out));
	to->nr_outstanding = 0;
	return 4 + hdr.len;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct server *srv = fuzz_server_start();
	struct conn *c[2] = { fuzz_server_client(srv, 0), fuzz_server_client(srv, 2) };
	size_t at = 0;

	while (size - at > 4 && !c[0]->dead && !c[1]->dead)
		at += request(c, data + at, size - at);
	fuzz_server_stop(srv);
	return 0;
}
