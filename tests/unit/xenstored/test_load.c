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
#include "last_rule.h"
#include "lasting.h"
#include "packed_perms.h"
#include "path_key.h"
#include "people.h"
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

/* What is told stays in the pair, for a start that waits for it. */
static bool in_pair;

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

static void tell(enum worker_op op, int err, uint64_t rev)
{
	const struct worker_msg msg = {
		.op = op, .err = err, .rev = rev, .room = { .free_bytes = 1u << 30 },
	};

	take(&msg, NULL, 0);
	store_commit(srv->tree.store);
}

/* What the nodes that are sent have: domain 0's, and one more who may read; 0: none. */
static unsigned int owner, reader;

/* One node of the disk, as of revision 5. */
static void send_node(const char *path, const char *value, size_t len)
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

/* Who watches something below cannot know that it is there now. */
static void test_who_watches_what_comes_late_is_told(void **state)
{
	struct conn *one = t_client(srv, 0), *two = t_client(srv, 0), *top = t_client(srv, 0);

	assert_int_equal(t_watch(one, "/config/domain", "all"), 0);
	t_expect_event(one, "/config/domain", "all");
	assert_int_equal(t_watch(two, "/config/domain/a/power", "a"), 0);
	t_expect_event(two, "/config/domain/a/power", "a");
	assert_int_equal(t_watch(two, "/local/domain", "b"), 0);
	t_expect_event(two, "/local/domain", "b");
	assert_int_equal(t_watch(top, "/", "top"), 0);
	t_expect_event(top, "/", "top");
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	send_node("/config/domain", "", 0);
	send_node("/config/domain/a", "", 0);
	send_node("/config/domain/a/power", "on", 2);
	t_expect_quiet(one);
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
	t_expect_event(one, "/config/domain", "all");
	t_expect_quiet(one);
	t_expect_event(two, "/config/domain/a/power", "a");
	t_expect_quiet(two);
	t_expect_event(top, "/config", "top");
	t_expect_event(top, "/history", "top");
	t_expect_quiet(top);
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

static void send_nodes_that_name_7(void)
{
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	owner = 7;
	send_node("/config/of7", "", 0);
	owner = 0;
	send_node("/config/of7/below", "", 0);
	reader = 7;
	send_node("/config/for7", "", 0);
	reader = 0;
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
}

/* Whoever has the number now has come while the disk was not there yet. */
static void test_rights_of_an_earlier_boot_are_not_who_has_the_number_now(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	t_client(srv, 7);
	assert_int_equal(t_write(c, 0, "/local/domain/7/x", "1"), 0);
	assert_int_equal(t_call(c, XS_SET_PERMS, NULL, "/local/domain/7/x", "n7", NULL), 0);
	send_nodes_that_name_7();
	assert_int_equal(t_read(c, 0, "/config/of7", out), ENOENT);
	assert_int_equal(t_read(c, 0, "/config/of7/below", out), ENOENT);
	assert_int_equal(t_call(c, XS_GET_PERMS, out, "/config/for7", NULL), 0);
	assert_string_equal(out, "n0");
	/* What it has of its own is its own; and the disk is to hear of the rest. */
	assert_int_equal(t_read(c, 0, "/local/domain/7/x", out), 0);
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), 2);
	assert_false(domain_had(srv, 7, 5));
	assert_true(domain_had(srv, 7, srv->tree.rev));
}

/* Not so what comes again, because the live part was damaged. */
static void test_rights_of_this_boot_stay(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	srv->durable.known = true;
	t_client(srv, 7);
	send_nodes_that_name_7();
	assert_int_equal(t_read(c, 0, "/config/of7/below", out), 0);
	assert_int_equal(t_call(c, XS_GET_PERMS, out, "/config/for7", NULL), 0);
	assert_string_equal(out, "n0 r7");
}

/* What mending has left of the part, for the sake of what is below it, is as the disk has it then. */
static void test_what_comes_takes_the_place_of_what_was_left(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	assert_int_equal(t_read(c, 0, "/config", out), 0);
	tell(WORKER_READY, 0, 5);
	send_node("/config", "value", 5);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	assert_int_equal(t_read(c, 0, "/config", out), 0);
	assert_string_equal(out, "value");
}

/* A start of before has begun to fetch what was left, and /config did not last until then. */
static void go_on_fetching(void)
{
	unsigned char rec[STORE_HEAD + 8];

	memset(rec, 0xff, sizeof(rec));
	assert_int_equal(store_room(srv->tree.store, 1, sizeof(rec), true), 0);
	store_put(srv->tree.store, STORE_META, "lasting", 7, rec, sizeof(rec));
	srv->durable.settling = SETTLE_FETCH;
	lasting_go_on(srv);
}

/* It was kept while it was not to last. What is there goes before it; nobody of an earlier boot comes. */
static void test_what_was_left_on_the_disk_comes_without_rights(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	t_client(srv, 7);
	assert_int_equal(t_write(c, 0, "/config/there", "now"), HELD);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	assert_non_null(t_next(c));
	go_on_fetching();
	assert_true(was_told(WORKER_LOAD));
	send_node("/config/there", "once", 4);
	send_node("/config/left/below", "1", 1);
	owner = 7;
	send_node("/config/of7", "", 0);
	owner = 0;
	reader = 7;
	send_node("/config/for7", "", 0);
	reader = 0;
	tell(WORKER_LOADED, 0, 5);
	assert_int_equal(srv->durable.settling, SETTLED);
	assert_int_equal(t_read(c, 0, "/config/left/below", out), 0);
	assert_string_equal(out, "1");
	assert_int_equal(t_read(c, 0, "/config/of7", out), ENOENT);
	assert_int_equal(t_call(c, XS_GET_PERMS, out, "/config/for7", NULL), 0);
	assert_string_equal(out, "n0");
	assert_int_equal(t_read(c, 0, "/config/there", out), 0);
	assert_string_equal(out, "now");
}

static struct change reset;

static void note_reset(void *arg, const struct change *change)
{
	if (change->op == CHANGE_RESET)
		reset = *change;
}

/* It is not to last any more, as the administrator has it now: that is said, and it is left there. */
static void test_what_is_not_to_last_any_more_stays_on_the_disk(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	assert_int_equal(lasting_volatile("/config/v"), 0);
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	send_node("/config/v", "1", 1);
	send_node("/config/v/below", "2", 1);
	send_node("/once", "3", 1);
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
	assert_int_equal(srv->durable.not_served, 2);
	assert_int_equal(t_read(c, 0, "/config/v", out), ENOENT);
	assert_int_equal(t_read(c, 0, "/once", out), ENOENT);
	assert_int_equal(durable_reset(srv), 0);
	queue_each(srv->tree.store, 0, note_reset, NULL);
	assert_true(last_rule(reset.value, reset.value_len, "/config/w", 9));
	assert_false(last_rule(reset.value, reset.value_len, "/config/v/below", 15));
	assert_false(last_rule(reset.value, reset.value_len, "/once", 5));
	lasting_forget();
}

/* --- what is to last is said otherwise in the same boot --- */

/* Another start of the daemon, to which what is in the pair is told: --persist @top, or none. */
static int start_with(const char *top)
{
	in_pair = false;
	lasting_forget();
	if (top)
		assert_int_equal(lasting_persist(top), 0);
	srv->durable.ready = false;
	lasting_read_kept(srv);
	return lasting_settle(srv, false);
}

static void load_nothing(void)
{
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
}

/* What asks for what somebody else is still waiting for waits, too: OK would say that the disk has it. */
static void test_what_is_there_already_is_acknowledged_with_it(void **state)
{
	struct conn *same, *dir, *gone, *txn, *other = t_client(srv, 0);
	char text[XENSTORE_PAYLOAD_MAX + 1];
	uint32_t t;

	load_nothing();
	assert_int_equal(t_write(c, 0, "/config/x", "1"), HELD);
	same = t_client(srv, 0);
	assert_int_equal(t_write(same, 0, "/config/x", "1"), HELD);
	dir = t_client(srv, 0);
	assert_int_equal(t_mkdir(dir, 0, "/config/x"), HELD);
	txn = t_client(srv, 0);
	t = t_begin(txn);
	assert_int_equal(t_write(txn, t, "/config/x", "1"), 0);
	assert_int_equal(t_end(txn, t, true), HELD);
	dir = t_client(srv, 0);
	t = t_begin(dir);
	assert_int_equal(t_mkdir(dir, t, "/config/x"), 0);
	assert_int_equal(t_end(dir, t, true), HELD);
	/* Who only reads does not, nor who asks for something else, or what the disk has. */
	assert_int_equal(t_mkdir(other, 0, "/config"), 0);
	assert_int_equal(t_write(other, 0, "/config", ""), 0);
	assert_int_equal(t_rm(other, 0, "/history/none"), 0);
	assert_int_equal(t_read(other, 0, "/config/x", text), 0);
	assert_int_equal(t_write(other, 0, "/tool/x", "1"), 0);
	assert_int_equal(t_write(other, 0, "/tool/x", "1"), 0);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	assert_string_equal(t_next(same)->data, "OK");
	assert_string_equal(t_next(dir)->data, "OK");
	assert_string_equal(t_next(txn)->data, "OK");
	assert_int_equal(t_write(same, 0, "/config/x", "1"), 0);
	assert_int_equal(t_rm(c, 0, "/config/x"), HELD);
	gone = t_client(srv, 0);
	assert_int_equal(t_rm(gone, 0, "/config/x"), HELD);
	txn = t_client(srv, 0);
	t = t_begin(txn);
	assert_int_equal(t_rm(txn, t, "/config/x"), 0);
	assert_int_equal(t_end(txn, t, true), HELD);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	assert_string_equal(t_next(gone)->data, "OK");
	assert_string_equal(t_next(txn)->data, "OK");
	assert_int_equal(t_rm(gone, 0, "/config/x"), 0);
}

static unsigned int nr_resets;
static bool reset_has_left;

static void note_what_a_reset_has(void *arg, const struct change *change)
{
	nr_resets += change->op == CHANGE_RESET;
	reset_has_left |= change->op == CHANGE_PUT && change->path_len == 7 &&
			  memcmp(change->path, "/mine/a", 7) == 0;
}

static void look_at_queue(void)
{
	nr_resets = 0;
	reset_has_left = false;
	queue_each(srv->tree.store, 0, note_what_a_reset_has, NULL);
}

static void send_left(uint64_t rev)
{
	send_node("/mine", "", 0);
	send_node("/mine/a", "1", 1);
	tell(WORKER_LOADED, 0, rev);
}

/* The part is written anew because the disk is an older one: not over what was left there. */
static void test_what_was_left_on_a_disk_that_is_older_comes(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	load_nothing();
	in_pair = true;
	tell(WORKER_READY, 0, 3);
	tell(WORKER_DURABLE, 0, 3);
	send_left(3);
	assert_int_equal(start_with("/mine"), 0);
	assert_int_equal(t_read(c, 0, "/mine/a", out), 0);
	look_at_queue();
	assert_int_equal(nr_resets, 1);
	assert_true(reset_has_left);
	lasting_forget();
}

/* Nor is a gap in the queue a reason to. What fails is tried again while it serves. */
static void test_what_was_left_comes_before_a_gap_is_closed(void **state)
{
	load_nothing();
	assert_int_equal(t_write(c, 0, "/config/x", "1"), HELD);
	in_pair = true;
	tell(WORKER_READY, 0, 3);
	tell(WORKER_REFUSED, -ESTALE, 3);
	tell(WORKER_LOADED, -EMFILE, 3);
	assert_int_equal(start_with("/mine"), -EIO);
	look_at_queue();
	assert_int_equal(nr_resets, 0);
	was_told(WORKER_LOAD);
	srv->durable.settle_again_ns = 1;
	durable_tick(srv);
	assert_true(was_told(WORKER_LOAD));
	send_left(3);
	look_at_queue();
	assert_int_equal(nr_resets, 1);
	assert_true(reset_has_left);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	assert_int_equal(t_write(t_client(srv, 0), 0, "/mine/a", "2"), HELD);
	lasting_forget();
}

/* A start that could not fetch what was left; it serves, and has asked again. */
static void serve_while_it_is_fetched(void)
{
	load_nothing();
	in_pair = true;
	tell(WORKER_READY, 0, 5);
	tell(WORKER_LOADED, -EMFILE, 5);
	assert_int_equal(start_with("/mine"), -EIO);
	was_told(WORKER_LOAD);
	srv->durable.settle_again_ns = 1;
	durable_tick(srv);
	assert_true(was_told(WORKER_LOAD));
}

/* The disk has sent what it had before it heard of that. */
static void test_what_is_removed_while_it_is_fetched_stays_removed(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	serve_while_it_is_fetched();
	send_node("/mine", "", 0);
	send_node("/mine/b", "", 0);
	send_node("/mine/b/1", "1", 1);
	assert_int_equal(t_write(c, 0, "/mine/a", "2"), HELD);
	assert_int_equal(t_call(t_client(srv, 0), XS_RM, NULL, "/mine/a", NULL), HELD);
	assert_int_equal(t_call(t_client(srv, 0), XS_RM, NULL, "/mine/b", NULL), HELD);
	send_node("/mine/b/2", "1", 1);
	assert_int_equal(t_write(t_client(srv, 0), 0, "/mine/c", "2"), HELD);
	send_node("/mine/c", "1", 1);
	send_node("/mine/d", "1", 1);
	send_left(5);
	assert_int_equal(srv->durable.settling, SETTLED);
	c = t_client(srv, 0);
	assert_int_equal(t_read(c, 0, "/mine/a", out), ENOENT);
	assert_int_equal(t_read(c, 0, "/mine/b", out), ENOENT);
	assert_int_equal(t_read(c, 0, "/mine/c", out), 0);
	assert_string_equal(out, "2");
	assert_int_equal(t_read(c, 0, "/mine/d", out), 0);
	lasting_forget();
}

/* So many that they are not remembered: the disk is asked again behind them. */
static void test_any_number_may_be_removed_while_it_is_fetched(void **state)
{
	char path[64], out[XENSTORE_PAYLOAD_MAX + 1];

	serve_while_it_is_fetched();
	for (unsigned int i = 0; i < NODES; i++) {
		snprintf(path, sizeof(path), "/mine/%u", i);
		send_node(path, "1", 1);
	}
	for (unsigned int i = 0; i < NODES; i++) {
		snprintf(path, sizeof(path), "/mine/%u", i);
		assert_int_equal(change_remove_at(srv, path, strlen(path)), 0);
		server_publish(srv);
	}
	send_left(5);
	assert_int_equal(srv->durable.settling, SETTLE_FETCH);
	assert_int_equal(t_read(c, 0, "/mine/a", out), ENOENT);
	srv->durable.settle_again_ns = 1;
	durable_tick(srv);
	assert_true(was_told(WORKER_LOAD));
	send_left(srv->durable.last);
	assert_int_equal(srv->durable.settling, SETTLED);
	assert_int_equal(t_read(c, 0, "/mine/a", out), 0);
	lasting_forget();
}

/* Rows of the table of people that lasts again are felt at once, too. */
static void test_people_that_are_fetched_have_their_rights_at_once(void **state)
{
	load_nothing();
	people_refresh(srv);
	go_on_fetching();
	send_node("/config/other", "", 0);
	assert_false(srv->rights_stale);
	send_node("/config/access/user/1000", "none", 4);
	assert_true(srv->rights_stale);
	tell(WORKER_LOADED, 0, 5);
}

/* What is removed while it is not to last goes from the disk when it is to last again. */
static void test_what_a_start_did_not_settle_the_next_one_does(void **state)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	load_nothing();
	in_pair = true;
	tell(WORKER_READY, 0, 5);
	tell(WORKER_LOADED, 0, 5);
	assert_int_equal(start_with("/mine"), 0);
	assert_int_equal(t_write(c, 0, "/mine/a", "1"), HELD);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	/* It is not, but the disk cannot be told. */
	in_pair = true;
	tell(WORKER_READY, 0, srv->durable.last);
	tell(WORKER_LOADED, -EIO, srv->durable.last);
	assert_int_equal(start_with(NULL), -EIO);
	c = t_client(srv, 0);
	assert_int_equal(t_call(c, XS_RM, NULL, "/mine/a", NULL), HELD);
	/* It is again. */
	in_pair = true;
	tell(WORKER_READY, 0, srv->durable.last);
	send_left(srv->durable.last);
	assert_int_equal(start_with("/mine"), 0);
	assert_int_equal(t_read(c, 0, "/mine/a", out), ENOENT);
	durable_turn(srv);
	look_at_queue();
	assert_int_equal(nr_resets, 1);
	assert_false(reset_has_left);
	/* From then on nothing is left to do. */
	assert_int_equal(start_with("/mine"), 0);
	lasting_forget();
}

/* --- what is removed while it does not last --- */

/* What the disk would have: the last change of /mine/a that is queued, since revision @since. */
static bool removal_is_queued;

static void note_removal(void *arg, const struct change *change)
{
	if (change->path_len == 7 && memcmp(change->path, "/mine/a", 7) == 0)
		removal_is_queued = change->op == CHANGE_REMOVE;
}

static bool disk_heard_of_removal(void)
{
	removal_is_queued = false;
	queue_each(srv->tree.store, 0, note_removal, NULL);
	return removal_is_queued;
}

/* The same rule again: the disk sends what it has by then. */
static void assert_gone_when_it_lasts_again(void)
{
	bool heard = disk_heard_of_removal();
	char out[XENSTORE_PAYLOAD_MAX + 1];

	in_pair = true;
	tell(WORKER_READY, 0, srv->durable.last);
	send_node("/mine", "", 0);
	if (!heard)
		send_node("/mine/a", "1", 1);
	send_node("/mine/b", "1", 1);
	tell(WORKER_LOADED, 0, srv->durable.last);
	assert_int_equal(start_with("/mine"), 0);
	c = t_client(srv, 0);
	assert_int_equal(t_read(c, 0, "/mine/a", out), ENOENT);
	/* What nobody has removed is there. */
	assert_int_equal(t_read(c, 0, "/mine/b", out), 0);
	lasting_forget();
}

static void start_with_another_rule(void)
{
	in_pair = true;
	tell(WORKER_READY, 0, srv->durable.last);
	tell(WORKER_LOADED, 0, srv->durable.last);
	assert_int_equal(start_with("/other"), 0);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	c = t_client(srv, 0);
}

/* A start that is killed when some of what was left has come. */
static void test_a_removal_wins_over_a_rule_that_was_partly_fetched(void **state)
{
	load_nothing();
	in_pair = true;
	tell(WORKER_READY, 0, 5);
	send_node("/mine", "", 0);
	send_node("/mine/a", "1", 1);
	tell(WORKER_LOADED, -EMFILE, 5);
	assert_int_equal(start_with("/mine"), -EIO);
	start_with_another_rule();
	t_call(c, XS_RM, NULL, "/mine/a", NULL);
	assert_gone_when_it_lasts_again();
}

/* What has been made by it meanwhile the disk has, too. */
static void test_a_removal_wins_over_what_a_rule_that_was_never_settled_made(void **state)
{
	serve_while_it_is_fetched();
	assert_int_equal(t_write(c, 0, "/mine/a", "1"), HELD);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	start_with_another_rule();
	t_call(c, XS_RM, NULL, "/mine/a", NULL);
	assert_gone_when_it_lasts_again();
}

/* Nobody has seen what is left there; but what had its name has been removed. */
static void test_a_removal_wins_over_what_is_left_on_the_disk(void **state)
{
	tell(WORKER_READY, 0, 5);
	send_node("/config", "", 0);
	send_node("/history", "", 0);
	send_node("/mine", "", 0);
	send_node("/mine/a", "1", 1);
	tell(WORKER_LOADED, 0, 5);
	assert_true(is_loaded());
	assert_int_equal(t_write(c, 0, "/mine/a", "2"), 0);
	/* Also behind a start. */
	in_pair = true;
	tell(WORKER_READY, 0, 5);
	assert_int_equal(start_with(NULL), 0);
	was_told(WORKER_LOAD);
	t_call(c, XS_RM, NULL, "/mine/a", NULL);
	assert_gone_when_it_lasts_again();
}

/* That the disk is written anew meanwhile is no reason to forget it. */
static void test_a_removal_of_what_does_not_last_stays_queued(void **state)
{
	load_nothing();
	in_pair = true;
	tell(WORKER_READY, 0, 5);
	send_left(5);
	assert_int_equal(start_with("/mine"), 0);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	start_with_another_rule();
	assert_int_equal(t_call(c, XS_RM, NULL, "/mine/a", NULL), HELD);
	assert_true(disk_heard_of_removal());
	tell(WORKER_REFUSED, -ESTALE, 5);
	look_at_queue();
	assert_int_equal(nr_resets, 1);
	assert_true(disk_heard_of_removal());
	assert_int_equal(srv->durable.nr_queued, store_count(srv->tree.store, STORE_QUEUE));
	lasting_forget();
}

/* Nor to forget what a removal of what lasts takes along. */
static void test_a_removal_of_what_is_above_stays_queued(void **state)
{
	assert_int_equal(lasting_persist("/mine"), 0);
	assert_int_equal(lasting_volatile("/mine/a"), 0);
	load_nothing();
	assert_int_equal(t_write(c, 0, "/mine", "1"), HELD);
	tell(WORKER_DURABLE, 0, srv->durable.last);
	assert_non_null(t_next(c));
	assert_int_equal(t_call(c, XS_RM, NULL, "/mine", NULL), HELD);
	tell(WORKER_REFUSED, -ESTALE, 5);
	look_at_queue();
	assert_int_equal(nr_resets, 1);
	assert_true(disk_heard_of_removal());
	assert_int_equal(srv->durable.nr_queued, store_count(srv->tree.store, STORE_QUEUE));
	lasting_forget();
}

/* A rule that nobody else tries, of 2,000 bytes. */
static const char *long_rule(unsigned int i)
{
	static char top[2048];

	snprintf(top, sizeof(top), "/%u-", i);
	memset(top + strlen(top), 'x', 2000 - strlen(top));
	return top;
}

/* Of more rules than can be remembered: the disk hears of every removal. */
static void test_any_number_of_rules_may_be_tried(void **state)
{
	load_nothing();
	lasting_left("/config/x", 9);
	assert_true(lasting_may_be_kept("/config/x/y", 11));
	assert_false(lasting_may_be_kept("/anything", 9));
	lasting_left("/of-another-boot/x", 18);
	lasting_left("/vm/1", 5);
	assert_true(lasting_may_be_kept("/anything", 9));
	assert_true(lasting_may_be_kept("/vm/2", 5));
	assert_false(lasting_may_be_kept("/local/domain/1", 15));
	for (unsigned int i = 0; i < 40; i++) {
		in_pair = true;
		tell(WORKER_READY, 0, srv->durable.last);
		tell(WORKER_LOADED, 0, srv->durable.last);
		assert_int_equal(start_with(long_rule(i)), 0);
		was_told(WORKER_LOAD);
		tell(WORKER_DURABLE, 0, srv->durable.last);
	}
	for (unsigned int i = 0; i < 40; i++)
		assert_true(lasting_may_be_kept(long_rule(i), 2000));
	assert_true(lasting_may_be_kept("/local/domain/1", 15));
	/* Also behind a start. */
	lasting_forget();
	assert_false(lasting_may_be_kept("/local/domain/1", 15));
	lasting_read_kept(srv);
	assert_true(lasting_may_be_kept("/local/domain/1", 15));
	lasting_forget();
}

/* A disk that was slow to come: what it had was to last by the rule of that start. */
static void test_what_is_loaded_late_is_settled_then(void **state)
{
	srv->durable.settling = SETTLED;
	lasting_forget();
	assert_int_equal(lasting_persist("/mine"), 0);
	assert_int_equal(lasting_settle(srv, true), 0);
	assert_int_equal(srv->durable.settling, SETTLE_NOTE);
	load_nothing();
	assert_int_equal(srv->durable.settling, SETTLED);
	look_at_queue();
	assert_int_equal(nr_resets, 0);
	assert_int_equal(start_with("/mine"), 0);
	assert_int_equal(srv->durable.settling, SETTLED);
	lasting_forget();
}


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
		T(test_who_watches_what_comes_late_is_told),
		T(test_what_is_there_already_is_acknowledged_with_it),
		T(test_the_next_change_follows_on_what_was_loaded),
		T(test_a_disk_of_another_store_is_not_believed),
		T(test_a_disk_of_another_store_is_never_written_anew),
		T(test_rights_of_an_earlier_boot_are_not_who_has_the_number_now),
		T(test_rights_of_this_boot_stay),
		T(test_what_comes_takes_the_place_of_what_was_left),
		T(test_what_was_left_on_the_disk_comes_without_rights),
		T(test_what_is_not_to_last_any_more_stays_on_the_disk),
		T(test_what_was_left_on_a_disk_that_is_older_comes),
		T(test_what_was_left_comes_before_a_gap_is_closed),
		T(test_what_is_removed_while_it_is_fetched_stays_removed),
		T(test_any_number_may_be_removed_while_it_is_fetched),
		T(test_people_that_are_fetched_have_their_rights_at_once),
		T(test_what_a_start_did_not_settle_the_next_one_does),
		T(test_a_removal_wins_over_a_rule_that_was_partly_fetched),
		T(test_a_removal_wins_over_what_a_rule_that_was_never_settled_made),
		T(test_a_removal_wins_over_what_is_left_on_the_disk),
		T(test_a_removal_of_what_does_not_last_stays_queued),
		T(test_a_removal_of_what_is_above_stays_queued),
		T(test_any_number_of_rules_may_be_tried),
		T(test_what_is_loaded_late_is_settled_then),
		T(test_the_queue_says_what_its_last_revision_is),
		T(test_what_the_disk_has_needs_no_room),
		T(test_a_large_part_can_be_written_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
