/* SPDX-License-Identifier: MIT */
/*
 * test_lasting.c - what lasts is said otherwise than it was: the daemon's side of the worker's
 * pair, spoken to by the test. Claims: what was left on the disk comes when it is to last, without
 * rights of an earlier boot, and over a start that is cut off or a disk that is older; a removal
 * wins over all of it.
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

/*
 * It was kept while it was not to last. What is there goes before it; nobody of an earlier boot
 * comes.
 */
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

/*
 * It is not to last any more, as the administrator has it now: that is said, and it is left there.
 */
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

#define T(name) cmocka_unit_test_setup_teardown(name, load_setup, load_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
