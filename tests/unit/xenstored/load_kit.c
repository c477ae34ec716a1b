/* SPDX-License-Identifier: MIT */
/* load_kit.c - see load_kit.h. */
#include "load_kit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "packed_perms.h"
#include "path_key.h"
#include "store.h"
#include "store_priv.h"
#include "stored_node.h"

struct server *srv;
struct conn *c;
bool in_pair;
unsigned int owner, reader;
/* The other end of the daemon's pair. */
static int worker;

int load_setup(void **state)
{
	int fds[2];

	srv = t_start();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	worker = fds[1];
	srv->durable = (struct durable){ .loading = true, .io = { .fd = fds[0] } };
	srv->durable.room = (struct disk_room){ .free_bytes = 1u << 30 };
	store_still(srv->tree.store, STORE_UNLOADED);
	c = t_client(srv, 0);
	return 0;
}

int load_teardown(void **state)
{
	close(worker);
	close(srv->durable.io.fd);
	srv->durable.off = true;
	t_stop(srv);
	return 0;
}

static void take(const struct worker_msg *msg, const void *data, size_t len)
{
	static unsigned char packet[sizeof(*msg) + WORKER_PACKET];

	memcpy(packet, msg, sizeof(*msg));
	if (len)
		memcpy(packet + sizeof(*msg), data, len);
	len += sizeof(*msg);
	if (in_pair)
		assert_int_equal(send(worker, packet, len, 0), len);
	else
		durable_take(srv, msg, (char *)packet + sizeof(*msg), len - sizeof(*msg));
}

void tell(enum worker_op op, int err, uint64_t rev)
{
	const struct worker_msg msg = {
		.op = op, .err = err, .rev = rev, .room = { .free_bytes = 1u << 30 },
	};

	take(&msg, NULL, 0);
	store_commit(srv->tree.store);
}

void send_node(const char *path, const char *value, size_t len)
{
	static unsigned char perms[2 * PACKED_PERM], data[WORKER_PACKET];
	const struct worker_msg msg = { .op = WORKER_NODE };
	const struct stored_node n = {
		.rev = 5, .made_rev = 5, .path = path, .path_len = (uint16_t)strlen(path),
		.perms = perms, .nr_perms = reader ? 2 : 1, .value = value,
		.value_len = (uint32_t)len,
	};
	unsigned char key[PATH_KEY_MAX];
	size_t key_len = path_key(path, n.path_len, key);
	uint32_t all = (uint32_t)(2 + n.path_len + stored_node_len(&n));

	packed_perm_put(perms, 0, &(struct xs_perm){ .domid = (uint16_t)owner });
	packed_perm_put(perms, 1, &(struct xs_perm){ .domid = (uint16_t)reader, .access = 1 });
	memcpy(data, &all, 4);
	memcpy(data + 4, &n.path_len, 2);
	memcpy(data + 6, path, n.path_len);
	stored_node_write(&n, WORKER_NODE_DB, key, key_len, data + 6 + n.path_len);
	take(&msg, data, 4 + all);
}

bool was_told(enum worker_op op)
{
	struct worker_msg msg;
	bool found = false;

	while (recv(worker, &msg, sizeof(msg), MSG_DONTWAIT) == sizeof(msg))
		found |= msg.op == op;
	return found;
}

bool is_loaded(void)
{
	struct store_bytes rec;

	return !srv->durable.loading &&
	       !store_get(srv->tree.store, STORE_META, STORE_STILL, strlen(STORE_STILL), &rec);
}

void load_nothing(void)
{
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
}
