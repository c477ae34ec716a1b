/* SPDX-License-Identifier: MIT */
/*
 * cost.c - does N requests of one kind inside one process, for cost.sh to count what each takes.
 * Arguments: KIND N.
 */
#include <stdlib.h>

#include "harness.h"

#define PATH "/local/domain/0/device/vbd/51712/state"

static struct server *srv;
static struct conn *client;

/* One request, its commit, and its reply. */
__attribute__((noinline)) static void turn(const char *msg, size_t len)
{
	if (conn_input(client, msg, len, 1) != len)
		abort();
	conns_flush(srv);
}

static uint32_t request(uint32_t type, uint32_t tx, const char *payload, size_t len)
{
	char msg[256];

	xs_wire_put_hdr(msg, type, 1, tx, (uint32_t)len);
	memcpy(msg + XS_WIRE_HDR_LEN, payload, len);
	turn(msg, XS_WIRE_HDR_LEN + len);
	memcpy(msg, buf_front(&client->out) + XS_WIRE_HDR_LEN, 16);
	buf_take(&client->out, buf_len(&client->out));
	return (uint32_t)strtoul(msg, NULL, 10);
}

static void read_one(unsigned int i)
{
	request(XS_READ, 0, PATH, sizeof(PATH));
}

static void write_one(unsigned int i)
{
	request(XS_WRITE, 0, i & 1 ? PATH "\0odd." : PATH "\0even", sizeof(PATH) + 4);
}

/* The watcher is the same client. */
static void event_one(unsigned int i)
{
	if (i == 0)
		request(XS_WATCH, 0, PATH "\0token", sizeof(PATH) + 6);
	write_one(i);
}

static void transaction_one(unsigned int i)
{
	uint32_t tx = request(XS_TRANSACTION_START, 0, "", 1);

	request(XS_READ, tx, PATH, sizeof(PATH));
	request(XS_WRITE, tx, i & 1 ? PATH "\0odd." : PATH "\0even", sizeof(PATH) + 4);
	request(XS_TRANSACTION_END, tx, "T", 2);
}

/* A directory of fourteen, as a device's is. @perms: whose; NULL: domain 0's, as what is above. */
static void create_device(unsigned int i, const char *perms)
{
	uint32_t tx = request(XS_TRANSACTION_START, 0, "", 1);
	char payload[80];

	if (perms) {
		int n = snprintf(payload, sizeof(payload), "/local/domain/0/device/made/%05u", i);

		request(XS_MKDIR, tx, payload, (size_t)n + 1);
		n += 1 + snprintf(payload + n + 1, sizeof(payload) - (size_t)n - 1, "%s", perms);
		request(XS_SET_PERMS, tx, payload, (size_t)n + 1);
	}
	for (unsigned int k = 0; k < 14; k++) {
		int n = snprintf(payload, sizeof(payload), "/local/domain/0/device/made/%05u/key-%02u", i, k);

		memcpy(payload + n + 1, "value", 5);
		request(XS_WRITE, tx, payload, (size_t)n + 6);
	}
	request(XS_TRANSACTION_END, tx, "T", 2);
}

static void create_one(unsigned int i)
{
	create_device(i, NULL);
}

/* What a guest is named in. */
static void device_one(unsigned int i)
{
	create_device(i, "n1");
}

static const struct kind {
	const char *name;
	void (*one)(unsigned int i);
} kinds[] = {
	{ "read", read_one },
	{ "write", write_one },
	{ "event", event_one },
	{ "transaction", transaction_one },
	{ "create", create_one },
	{ "device", device_one },
};

int main(int argc, char **argv)
{
	unsigned int n = argc == 3 ? (unsigned int)atoi(argv[2]) : 0;
	const struct kind *kind = NULL;

	for (size_t i = 0; n && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, argv[1]) == 0)
			kind = &kinds[i];
	}
	if (!kind)
		return 2;
	srv = t_start();
	client = t_client(srv, 0);
	t_client(srv, 1);
	if (t_write(client, 0, PATH, "0") != 0)
		return 1;
	for (unsigned int i = 0; i < n; i++)
		kind->one(i);
	t_stop(srv);
	return 0;
}
