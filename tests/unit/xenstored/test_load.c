/* SPDX-License-Identifier: MIT */
/*
 * test_load.c - the daemon's side of the worker's pair, spoken to by the test: what a load that is
 * not whole, a disk that is another store's, and a worker that comes back leave behind. Claims: a
 * part of the persistent part is never taken for all of it, and never written over the disk. What
 * is to last otherwise than before: test_lasting.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "change.h"
#include "last_rule.h"
#include "lasting.h"
#include "load_kit.h"
#include "people.h"
#include "queue.h"
#include "store.h"
#include "store_priv.h"

/* Of one persistent part. */
#define MANY 50000u

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

/*
 * What mending has left of the part, for the sake of what is below it, is as the disk has it then.
 */
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

/*
 * What asks for what somebody else is still waiting for waits, too: OK would say that the disk has
 * it.
 */
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

#define T(name) cmocka_unit_test_setup_teardown(name, load_setup, load_teardown)

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
		T(test_the_queue_says_what_its_last_revision_is),
		T(test_what_the_disk_has_needs_no_room),
		T(test_a_large_part_can_be_written_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
