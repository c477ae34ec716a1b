/* SPDX-License-Identifier: MIT */
/*
 * test_load.c - the daemon's side of the worker's pair, spoken to by the test: what a load that is
 * not whole, a disk that is another store's, and a worker that comes back leave behind. Claims: a
 * part of the persistent part is never taken for all of it, and never written over the disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "change.h"
#include "durable_priv.h"
#include "harness.h"
#include "path_key.h"
#include "queue.h"
#include "store.h"
#include "store_priv.h"
#include "stored_node.h"

/* t_write(): it was accepted, and its reply waits for the disk. */
#define HELD (-1)
/* More than what is set aside for a turn has room for. */
#define NODES 3000u
/* Of one persistent part. */
#define MANY 50000u

static struct server *srv;
static struct conn *c;
static int worker;

static int setup(void **state)
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

static int teardown(void **state)
{
	close(worker);
	close(srv->durable.io.fd);
	srv->durable.off = true;
	t_stop(srv);
	return 0;
}

static void tell(enum worker_op op, int err, uint64_t rev)
{
	const struct worker_msg msg = {
		.op = op, .err = err, .rev = rev, .room = { .free_bytes = 1u << 30 },
	};

	durable_take(srv, &msg, "", 0);
	store_commit(srv->tree.store);
}

/* One node of the disk, as of revision 5. */
static void send_node(const char *path, const char *value, size_t len)
{
	static unsigned char perms[3], data[WORKER_PACKET];
	const struct worker_msg msg = { .op = WORKER_NODE };
	const struct stored_node n = {
		.rev = 5, .made_rev = 5, .path = path, .path_len = (uint16_t)strlen(path),
		.perms = perms, .nr_perms = 1, .value = value, .value_len = (uint32_t)len,
	};
	unsigned char key[PATH_KEY_MAX];
	size_t key_len = path_key(path, n.path_len, key);
	uint32_t all = (uint32_t)(2 + n.path_len + stored_node_len(&n));

	memcpy(data, &all, 4);
	memcpy(data + 4, &n.path_len, 2);
	memcpy(data + 6, path, n.path_len);
	stored_node_write(&n, WORKER_NODE_DB, key, key_len, data + 6 + n.path_len);
	durable_take(srv, &msg, (const char *)data, 4 + all);
}

/* What the daemon has said since the last time. */
static bool was_told(enum worker_op op)
{
	struct worker_msg msg;
	bool found = false;

	while (recv(worker, &msg, sizeof(msg), MSG_DONTWAIT) == sizeof(msg))
		found |= msg.op == op;
	return found;
}

static bool is_loaded(void)
{
	struct store_bytes rec;

	return !srv->durable.loading &&
	       !store_get(srv->tree.store, STORE_META, STORE_STILL, strlen(STORE_STILL), &rec);
}

/* No room for a node in the middle: all of it is asked for again, and nothing is queued. */
static void test_a_load_without_room_is_no_load(void **state)
{
	uint64_t limit = srv->tree.store->limit;
	char path[64], value[4000] = "", read[XENSTORE_PAYLOAD_MAX + 1];

	tell(WORKER_READY, 0, 5);
	srv->tree.store->limit = srv->tree.store->size;
	send_node("/config", "", 0);
	for (unsigned int i = 0; i < NODES; i++) {
		snprintf(path, sizeof(path), "/config/%u", i);
		send_node(path, value, sizeof(value));
	}
	srv->tree.store->limit = limit;
	srv->tree.store->refused_ns = 0;
	send_node("/config/last", "", 0);
	tell(WORKER_LOADED, 0, 5);
	assert_false(is_loaded());
	assert_int_equal(t_write(c, 0, "/config/last", "2"), ENOSPC);
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), 0);
	assert_false(was_told(WORKER_LOAD));
	srv->durable.load_again_ns = 1;
	durable_tick(srv);
	assert_true(was_told(WORKER_LOAD));
	send_node("/config", "", 0);
	for (unsigned int i = 0; i < NODES; i++) {
		snprintf(path, sizeof(path), "/config/%u", i);
		send_node(path, value, sizeof(value));
	}
	send_node("/config/last", "1", 1);
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
	assert_int_equal(t_read(c, 0, "/config/2999", read), 0);
	assert_int_equal(t_write(c, 0, "/config/last", "2"), HELD);
}

static void test_a_disk_that_could_not_be_read_is_asked_again(void **state)
{
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	tell(WORKER_LOADED, -EIO, 5);
	assert_false(is_loaded());
	assert_int_equal(t_write(c, 0, "/config/x", "2"), EIO);
	/* What refuses something else meanwhile queues nothing of what there is. */
	tell(WORKER_REFUSED, -ESTALE, 5);
	tell(WORKER_REFUSED, -EBADMSG, 5);
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), 0);
	srv->durable.load_again_ns = 1;
	durable_tick(srv);
	assert_true(was_told(WORKER_LOAD));
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
	assert_int_equal(t_write(c, 0, "/config/x", "2"), HELD);
}

/* The change behind what was loaded follows on it, whatever was queued before. */
static void test_the_next_change_follows_on_what_was_loaded(void **state)
{
	struct store_bytes key, rec;
	struct change change;

	tell(WORKER_READY, 0, 5);
	tell(WORKER_DURABLE, 0, 7);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 7);
	assert_int_equal(t_write(c, 0, "/config/x", "2"), HELD);
	assert_true(store_seek(srv->tree.store, STORE_QUEUE, "", 1, &key, &rec));
	assert_int_equal(change_read(key.data, (const char *)rec.data - STORE_HEAD,
				     rec.len + STORE_HEAD, &change), 0);
	assert_int_equal(change.prev, 7);
}

/* Nothing of what it says is about this store's changes, and nothing is to be written there. */
static void test_a_disk_of_another_store_is_not_believed(void **state)
{
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
	tell(WORKER_READY, 0, srv->tree.rev + 1000);
	assert_int_equal(srv->durable.rev, 5);
	assert_int_equal(t_write(c, 0, "/config/x", "2"), EIO);
	tell(WORKER_DURABLE, 0, srv->tree.rev + 1000);
	assert_int_equal(srv->durable.rev, 5);
	assert_int_equal(t_write(c, 0, "/config/x", "2"), EIO);
	tell(WORKER_REFUSED, -EBADMSG, srv->tree.rev + 1000);
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), 0);
	/* The right one is there again. */
	tell(WORKER_READY, 0, 5);
	tell(WORKER_DURABLE, 0, 5);
	assert_int_equal(t_write(c, 0, "/config/x", "2"), HELD);
}

static unsigned int nr_resets;

static void count_reset(void *arg, const struct change *change)
{
	nr_resets += change->op == CHANGE_RESET;
}

/* Makes revisions until there are more than @rev: of what does not last. */
static void go_beyond(uint64_t rev)
{
	for (unsigned int i = 0; srv->tree.rev <= rev; i++)
		assert_int_equal(t_write(c, 0, "/tool/x", i % 2 ? "1" : "2"), 0);
}

static void assert_never_reset(uint64_t rev)
{
	assert_int_equal(srv->durable.rev, 5);
	tell(WORKER_REFUSED, -ESTALE, rev);
	tell(WORKER_REFUSED, -EBADMSG, rev);
	assert_int_equal(durable_reset(srv), -EIO);
	nr_resets = 0;
	queue_each(srv->tree.store, 0, count_reset, NULL);
	assert_int_equal(nr_resets, 0);
	assert_int_equal(t_write(c, 0, "/config/x", "2"), EIO);
}

/* Also when this store's own revisions, which nothing of that disk is among, have come that far. */
static void test_a_disk_of_another_store_is_never_written_anew(void **state)
{
	uint64_t theirs;

	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/config/gone", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	/* Before the worker that comes back says what it has found. */
	theirs = srv->tree.rev + 10;
	go_beyond(theirs);
	assert_int_equal(t_write(c, 0, "/config/x", "1"), HELD);
	assert_true(srv->durable.last > theirs);
	tell(WORKER_READY, 0, theirs);
	assert_never_reset(theirs);
	/* What has to go, with a domain that ended, goes; not from there. */
	assert_int_equal(change_forget_at(srv, "/config/gone", 12), 0);
	server_publish(srv);
	assert_never_reset(theirs);
	tell(WORKER_READY, 0, theirs);
	assert_never_reset(theirs);
	/* The right one lacks what was made meanwhile, and nothing else. */
	tell(WORKER_READY, 0, 5);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	assert_int_equal(t_write(c, 0, "/config/x", "3"), HELD);
}

/* Also when the commit that has it was made in the middle of the revision. */
static void test_the_queue_says_what_its_last_revision_is(void **state)
{
	const struct change change = {
		.op = CHANGE_REMOVE, .prev = 7, .path = "/config/x", .path_len = 9,
	};
	struct queue_extent queued;

	assert_false(queue_extent(srv->tree.store, &queued));
	assert_int_equal(queued.last, 0);
	queue_add(srv->tree.store, 8, 0, &change);
	queue_add(srv->tree.store, 9, 0, &change);
	assert_true(queue_extent(srv->tree.store, &queued));
	assert_int_equal(queued.before, 7);
	assert_int_equal(queued.last, 9);
	assert_int_equal(queued.bytes, 2 * change_len(&change));
}

/* Never a moment in which the disk has all: what it has is not counted as still to come. */
static void test_what_the_disk_has_needs_no_room(void **state)
{
	char path[64];

	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	for (unsigned int i = 0; i < 20000; i++) {
		uint64_t before = srv->durable.last;

		snprintf(path, sizeof(path), "/config/%u", i % 10);
		assert_int_equal(t_write(c, 0, path, i % 20 < 10 ? "1" : "2"), HELD);
		tell(WORKER_DURABLE, 0, before);
		durable_turn(srv);
		assert_true(srv->durable.nr_queued <= 600);
	}
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), srv->durable.nr_queued);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	for (int i = 0; i < 1000 && srv->durable.trim; i++)
		durable_turn(srv);
	assert_int_equal(srv->durable.nr_queued, 0);
	assert_int_equal(srv->durable.bytes_queued, 0);
}

/* Large parts, too; and what was queued before is not queued any more. */
static void test_a_large_part_can_be_written_anew(void **state)
{
	char path[64];

	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	srv->durable.off = true;
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/config/%u/%u", i % 100, i);
		assert_int_equal(t_write(c, 0, path, "value"), 0);
	}
	srv->durable.off = false;
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(t_write(c, 0, "/config/x", i % 2 ? "1" : "2"), HELD);
	tell(WORKER_REFUSED, -ESTALE, 5);
	assert_int_equal(srv->durable.refused, 0);
	/* RESET, and those that there are. */
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), 1 + 2 + 100 + MANY + 1);
	assert_int_equal(store_overdrawn(srv->tree.store), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_load_without_room_is_no_load),
		T(test_a_disk_that_could_not_be_read_is_asked_again),
		T(test_the_next_change_follows_on_what_was_loaded),
		T(test_a_disk_of_another_store_is_not_believed),
		T(test_a_disk_of_another_store_is_never_written_anew),
		T(test_the_queue_says_what_its_last_revision_is),
		T(test_what_the_disk_has_needs_no_room),
		T(test_a_large_part_can_be_written_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
