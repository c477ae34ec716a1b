/* SPDX-License-Identifier: MIT */
/*
 * test_backend.c - the xenbus handshake: every state of the frontend, taking over, removal, and
 * nothing left mapped or bound at the end of any of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <log.h>

#include "backend.h"
#include "backend_exit.h"
#include "fake_xen.h"

#define BACK "/local/domain/0/backend/vbd/7/51712"
#define FRONT "/local/domain/7/device/vbd/51712"
#define SECOND 1000000000ULL

static struct backend be;
static char dir[] = "/tmp/test-backend-XXXXXX";
static int prepare_rc, work_rc;
static unsigned int connects, disconnects, looks;
static const uint32_t refs[2] = { 8, 9 };
static unsigned int nr_refs, nr_queues;
static unsigned int left[JOURNAL_QUEUES]; /* rounds of work that each queue has */
static char order[64];			  /* which were worked on */

static int dev_prepare(struct backend *b)
{
	return prepare_rc;
}

static int dev_offer(struct backend *b, xs_transaction_t t)
{
	return store_write(b->xs, t, b->path, "feature-x", "1");
}

static int dev_connect(struct backend *b)
{
	uint64_t ref, port;
	struct backend_queue mine[JOURNAL_QUEUES];
	int rc = store_read_num(b->xs, b->frontend, "ring-ref", UINT32_MAX, &ref);

	if (rc == 0)
		rc = store_read_num(b->xs, b->frontend, "event-channel", UINT32_MAX, &port);
	if (rc < 0)
		return rc;
	connects++;
	for (unsigned int q = 0; q < nr_queues; q++)
		mine[q] = (struct backend_queue){ { (uint32_t)ref + 2 * q, refs[1] + 2 * q },
						  (uint32_t)port + q };
	return backend_attach(b, mine, nr_queues, nr_refs);
}

static void dev_disconnect(struct backend *b)
{
	disconnects++;
}

static int dev_work(struct backend *b, unsigned int queue)
{
	size_t len = strlen(order);

	if (len < sizeof(order) - 1)
		order[len] = (char)('0' + queue);
	if (left[queue])
		left[queue]--;
	return left[queue] ? 1 : work_rc;
}

static void dev_look(struct backend *b)
{
	looks++;
}

static const struct backend_ops ops = {
	.name = "testback",
	.type = "vbd",
	.has_frontend = true,
	.prepare = dev_prepare,
	.offer = dev_offer,
	.connect = dev_connect,
	.disconnect = dev_disconnect,
	.work = dev_work,
	.look = dev_look,
};

static void write_device(void)
{
	fake_store_set(BACK "/frontend", FRONT);
	fake_store_set(BACK "/frontend-id", "7");
	fake_store_set(BACK "/online", "1");
	fake_store_set(BACK "/state", "1");
	fake_store_set(FRONT "/state", "1");
	fake_store_set(FRONT "/backend", BACK);
}

static void new_process(void)
{
	memset(&be, 0, sizeof(be));
	be.xs = xs_open(0);
	be.gnt = xengnttab_open(NULL, 0);
	be.evt = xenevtchn_open(NULL, 0);
	connects = disconnects = looks = 0;
	assert_int_equal(backend_init(&be, &ops, BACK), 0);
}

static int set_up(void **state)
{
	fake_reset();
	write_device();
	prepare_rc = work_rc = 0;
	nr_refs = nr_queues = 1;
	memset(left, 0, sizeof(left));
	new_process();
	assert_int_equal(backend_start(&be), 0);
	return 0;
}

static int tear_down(void **state)
{
	backend_fini(&be, false);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	unlink(be.journal_path);
	return 0;
}

static int look(uint64_t now_ns)
{
	uint64_t again;

	return backend_poll(&be, now_ns, &again);
}

static void state_is(const char *state)
{
	assert_string_equal(fake_store_get(BACK "/state"), state);
}

static void frontend(const char *state)
{
	fake_store_set(FRONT "/state", state);
}

static void connect_frontend(void)
{
	fake_store_set(FRONT "/ring-ref", "8");
	fake_store_set(FRONT "/event-channel", "5");
	frontend("3");
	assert_int_equal(look(1), 0);
	state_is("4");
	assert_true(be.connected);
}

/* --- the straight way ---------------------------------------------------------------------- */

static void test_an_offer_that_lost_its_connection_is_made_again(void **state)
{
	fake_store_set(BACK "/state", "1");
	fake.lost_txns = 2;
	assert_int_equal(backend_start(&be), 0);
	assert_int_equal(fake.lost_txns, 0);
	state_is("2");
}

static void test_the_stores_errors_are_worth_another_start(void **state)
{
	static const int errs[] = { EAGAIN, EIO, ENOMEM, EBUSY, ENOTRECOVERABLE };

	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		assert_int_equal(backend_exit_of(-errs[i]), BACKEND_EXIT_RETRY);
	assert_int_equal(backend_exit_of(-ENOENT), BACKEND_EXIT_DONE);
	assert_int_equal(backend_exit_of(-EINVAL), BACKEND_EXIT_CONFIG);
}

static void test_start_offers_the_device(void **state)
{
	state_is("2");
	assert_string_equal(fake_store_get(BACK "/hotplug-status"), "connected");
	assert_string_equal(fake_store_get(BACK "/feature-x"), "1");
}

static void test_frontend_ready_connects_once(void **state)
{
	connect_frontend();
	frontend("4");
	assert_int_equal(look(2), 0);
	assert_int_equal(connects, 1);
	assert_int_equal(fake.mapped, 1);
	assert_int_equal(fake.bound, 1);
}

static void test_frontend_closing_and_closed_is_followed(void **state)
{
	connect_frontend();
	frontend("5");
	assert_int_equal(look(2), 0);
	state_is("5");
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	frontend("6");
	assert_int_equal(look(3), 0);
	state_is("6");
}

static void test_frontend_may_come_again(void **state)
{
	/* What PV GRUB does before it starts its guest's kernel. */
	connect_frontend();
	frontend("6");
	assert_int_equal(look(2), 0);
	state_is("6");
	frontend("1");
	assert_int_equal(look(3), 0);
	state_is("2");
	connect_frontend();
	assert_int_equal(connects, 2);
	assert_false(be.resumed);
}

static void test_every_pair_of_frontend_states_is_survived(void **state)
{
	char from[2] = "0", to[2] = "0";
	uint64_t now = 0;

	fake_store_set(FRONT "/ring-ref", "8");
	fake_store_set(FRONT "/event-channel", "5");
	for (from[0] = '0'; from[0] <= '9'; from[0]++)
		for (to[0] = '0'; to[0] <= '9'; to[0]++) {
			frontend(from);
			assert_int_equal(look(now += SECOND), 0);
			frontend(to);
			assert_int_equal(look(now += SECOND), 0);
			assert_int_equal(fake.mapped, be.connected);
			assert_int_equal(fake.bound, be.connected);
		}
}

#define MS 1000000ULL

/* Each time is dozens of requests to the store, with dom0's rights. */
static void test_a_frontend_that_begins_over_and_over_is_made_to_wait(void **state)
{
	static const char *const states[] = { "6", "1", "3" };
	uint64_t again, now = SECOND;

	fake_store_set(FRONT "/ring-ref", "8");
	fake_store_set(FRONT "/event-channel", "5");
	for (unsigned int i = 0; i < 600; i++) {
		frontend(states[i % 3]);
		assert_int_equal(look(now += 5 * MS), 0);
	}
	assert_in_range(connects, 8, 40);
	/* It is told nothing; the process is told when to go on. */
	be.rounds.until_ns = now + 10 * SECOND;
	frontend("6");
	assert_int_equal(look(now), 0);
	frontend("1");
	assert_int_equal(backend_poll(&be, now, &again), 0);
	state_is("6");
	assert_true(again > now);
	assert_int_equal(look(again), 0);
	state_is("2");
	frontend("3");
	assert_int_equal(backend_poll(&be, again, &again), 0);
	assert_false(be.connected);
	assert_int_equal(look(again), 0);
	assert_true(be.connected);
}

/* Without being offered anew: its state is nothing for a moment. */
static void test_a_frontend_that_comes_and_goes_is_made_to_wait(void **state)
{
	uint64_t now = SECOND;

	connect_frontend();
	for (unsigned int i = 0; i < 300; i++) {
		frontend("nothing");
		assert_int_equal(look(now += 5 * MS), 0);
		frontend("4");
		assert_int_equal(look(now += 5 * MS), 0);
	}
	assert_in_range(connects, 16, 60);
	assert_int_equal(look(now += SECOND), 0);
	assert_true(be.connected);
}

/* A guest may write its state as fast as it likes, and below it, too. */
static void test_a_storm_of_writes_is_looked_at_now_and_then(void **state)
{
	uint64_t again;

	connect_frontend();
	frontend("4");
	looks = 0;
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(backend_poll(&be, SECOND, &again), 0);
	assert_in_range(looks, 8, 100);
	/* Nothing of it is forgotten. */
	assert_in_range(again, SECOND + 1, SECOND + 10 * MS);
	frontend("6");
	assert_int_equal(look(again), 0);
	state_is("6");
}

/* --- hostile frontends ---------------------------------------------------------------------- */

static void refused(const char *ring_ref, const char *port)
{
	if (ring_ref)
		fake_store_set(FRONT "/ring-ref", ring_ref);
	if (port)
		fake_store_set(FRONT "/event-channel", port);
	frontend("3");
	assert_int_equal(look(1), 0);
	assert_false(be.connected);
	state_is("5");
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	/* It stays stopped, without trying again, until the frontend starts over. */
	assert_int_equal(look(2), 0);
	state_is("5");
	frontend("6");
	look(3);
	frontend("1");
	look(4);
	connect_frontend();
}

static void test_missing_keys_are_refused(void **state)
{
	refused(NULL, NULL);
}

static void test_ring_ref_out_of_the_table_is_refused(void **state)
{
	refused("4294967295", "5");
}

static void test_ring_ref_too_large_is_refused(void **state)
{
	refused("4294967296", "5");
}

static void test_negative_ring_ref_is_refused(void **state)
{
	refused("-1", "5");
}

static void test_ring_ref_with_rubbish_is_refused(void **state)
{
	refused("8 ", "5");
}

static void test_empty_ring_ref_is_refused(void **state)
{
	refused("", "5");
}

static void test_ring_ref_of_many_digits_is_refused(void **state)
{
	refused("00000000000000000000000000000000000000000000000008", "5");
}

static void test_bad_port_is_refused_and_unmaps(void **state)
{
	refused("8", "99999");
}

static void test_readonly_ring_is_refused(void **state)
{
	fake.grant[8].readonly = true;
	fake_store_set(FRONT "/ring-ref", "8");
	fake_store_set(FRONT "/event-channel", "5");
	frontend("3");
	assert_int_equal(look(1), 0);
	assert_false(be.connected);
	state_is("5");
}

static void test_second_ring_failing_unmaps_the_first(void **state)
{
	nr_refs = 2;
	fake.grant[9].valid = false;
	fake_store_set(FRONT "/ring-ref", "8");
	fake_store_set(FRONT "/event-channel", "5");
	frontend("3");
	assert_int_equal(look(1), 0);
	assert_int_equal(fake.mapped, 0);
}

static void test_broken_ring_stops_only_the_connection(void **state)
{
	connect_frontend();
	work_rc = -EPROTO;
	assert_int_equal(backend_work(&be, BACKEND_ALL_QUEUES), 0);
	assert_false(be.connected);
	state_is("5");
	assert_int_equal(fake.mapped, 0);
	assert_non_null(fake_store_get(BACK "/error"));
	/* The process lives on, and the guest may start the device over. */
	work_rc = 0;
	frontend("6");
	look(6);
	frontend("1");
	look(7);
	connect_frontend();
}

static void test_keys_swapped_while_connected_change_nothing(void **state)
{
	connect_frontend();
	fake_store_set(FRONT "/ring-ref", "20");
	fake_store_set(FRONT "/event-channel", "21");
	frontend("3");
	assert_int_equal(look(2), 0);
	frontend("4");
	assert_int_equal(look(3), 0);
	assert_int_equal(connects, 1);
	assert_int_equal(be.port[0], 105);
}

/* --- several queues ------------------------------------------------------------------------- */

static void worked(unsigned int due, const char *which)
{
	memset(order, 0, sizeof(order));
	backend_work(&be, due);
	assert_string_equal(order, which);
}

static void test_queues_have_turns(void **state)
{
	nr_queues = 3;
	connect_frontend();
	memset(left, 0, sizeof(left));
	be.turn = 0;
	worked(BACKEND_ALL_QUEUES, "012");
	worked(BACKEND_ALL_QUEUES, "120");
	worked(BACKEND_ALL_QUEUES, "201");
	/* Only those for which there is something to do. */
	worked(4, "2");
	worked(0, "");
	worked(3, "01");
}

static void test_a_queue_with_more_to_do_is_due_again(void **state)
{
	nr_queues = 4;
	connect_frontend();
	be.turn = 0;
	left[1] = 3;
	worked(2, "1");
	assert_int_equal(be.due, 2);
	worked(1, "01"); /* the turn is not the same one's again */
	assert_int_equal(be.due, 2);
	worked(0, "1");
	assert_int_equal(be.due, 0);
	/* Nothing of it is left for the next connection. */
	left[3] = 5;
	worked(8, "3");
	frontend("6");
	assert_int_equal(look(9), 0);
	assert_int_equal(be.due, 0);
}

/* --- removal ------------------------------------------------------------------------------- */

static void ask_removal(void)
{
	fake_store_set(BACK "/online", "0");
	fake_store_set(BACK "/state", "5");
}

static void test_removal_waits_for_a_live_frontend(void **state)
{
	uint64_t again;

	connect_frontend();
	frontend("4");
	ask_removal();
	assert_int_equal(backend_poll(&be, 10 * SECOND, &again), 0);
	assert_true(be.connected);
	assert_int_equal(again, 10 * SECOND + BACKEND_REMOVAL_NS);
	frontend("5"); /* it reacts, but the disk is mounted */
	assert_int_equal(look(30 * SECOND), 0);
	assert_true(be.connected);
	frontend("6");
	assert_int_equal(look(31 * SECOND), 1);
	state_is("6");
}

/* A guest that holds on to its disk may be saved: dom0 asks the disk to come to rest. */
static void test_what_is_to_go_looks_at_what_dom0_wrote_while_it_is_held(void **state)
{
	unsigned int before;

	connect_frontend();
	frontend("4");
	ask_removal();
	frontend("5");
	assert_int_equal(look(10 * SECOND), 0);
	before = looks;
	assert_int_equal(look(30 * SECOND), 0);
	assert_true(be.connected);
	assert_int_equal(looks, before + 1);
	frontend("6");
	assert_int_equal(look(31 * SECOND), 1);
	assert_int_equal(looks, before + 1);
}

static void test_removal_cuts_off_a_dead_frontend(void **state)
{
	connect_frontend();
	frontend("4");
	ask_removal();
	assert_int_equal(look(10 * SECOND), 0);
	assert_int_equal(look(10 * SECOND + BACKEND_REMOVAL_NS), 1);
	state_is("6");
	assert_int_equal(fake.mapped, 0);
}

static void test_removal_without_connection_is_immediate(void **state)
{
	ask_removal();
	assert_int_equal(look(10 * SECOND), 1);
	state_is("6");
}

static void test_removal_with_the_frontend_directory_gone_is_immediate(void **state)
{
	connect_frontend();
	fake_store_rm(FRONT);
	ask_removal();
	assert_int_equal(look(10 * SECOND), 1);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(disconnects, 1);
}

static void test_vanished_directory_ends_the_process(void **state)
{
	connect_frontend();
	fake_store_rm(BACK);
	assert_int_equal(look(2), 1);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	/* Nothing of the directory is made again by a late write. */
	assert_null(fake_store_get(BACK "/state"));
}

/* --- taking over --------------------------------------------------------------------------- */

/* A kill: everything in memory is gone, the kernel unmapped and unbound. */
static void kill_process(void)
{
	journal_close(&be.journal);
	fake.mapped = fake.bound = 0;
	new_process();
}

static void test_killed_process_is_taken_over(void **state)
{
	connect_frontend();
	frontend("4");
	fake.notified = 0;
	kill_process();
	assert_int_equal(backend_start(&be), 0);
	state_is("4"); /* the frontend never sees us leave */
	assert_int_equal(look(2), 0);
	assert_true(be.connected);
	assert_true(be.resumed);
	assert_true(fake.notified > 0);
}

static void test_kill_before_connecting_starts_over(void **state)
{
	kill_process();
	assert_int_equal(backend_start(&be), 0);
	state_is("2");
	connect_frontend();
	assert_false(be.resumed);
}

static void test_other_ring_than_the_killed_ones_is_not_resumed(void **state)
{
	connect_frontend();
	kill_process();
	fake_store_set(FRONT "/ring-ref", "30");
	assert_int_equal(backend_start(&be), 0);
	assert_int_equal(look(2), 0);
	assert_true(be.connected);
	assert_false(be.resumed);
}

static void test_other_port_than_the_killed_ones_is_not_resumed(void **state)
{
	connect_frontend();
	kill_process();
	fake_store_set(FRONT "/event-channel", "6");
	assert_int_equal(backend_start(&be), 0);
	assert_int_equal(look(2), 0);
	assert_true(be.connected);
	assert_false(be.resumed);
}

/* Of another version, or lost: the guest is connected all the same. */
static void test_connected_device_without_its_journal_is_not_offered_anew(void **state)
{
	connect_frontend();
	frontend("4");
	journal_close(&be.journal);
	unlink(be.journal_path);
	fake.mapped = fake.bound = 0;
	new_process();
	assert_int_equal(backend_start(&be), 0);
	state_is("4");
	assert_int_equal(look(2), 0);
	assert_true(be.connected);
	assert_false(be.resumed);
}

/* One of before queues, which a process left that an older program ran. */
static void test_a_journal_of_before_queues_is_taken_over(void **state)
{
	struct {
		uint32_t magic, open, refs[2], port;
		struct rsp_record ring[2];
		int32_t server;
	} before = { .magic = 0x53564a32, .open = 1, .refs = { 8 }, .port = 5, .server = 77,
		     .ring = { { .start = 3, .taken = 9 } } };
	char head[4096] = { 0 };
	FILE *f;

	connect_frontend();
	frontend("4");
	journal_close(&be.journal);
	memcpy(head, &before, sizeof(before));
	f = fopen(be.journal_path, "w");
	assert_int_equal(fwrite(head, sizeof(head), 1, f), 1);
	fclose(f);
	assert_int_equal(journal_server(be.journal_path), 77);
	fake.mapped = fake.bound = 0;
	new_process();
	assert_int_equal(journal_server(be.journal_path), 77);
	assert_int_equal(be.journal.page->ring[0].taken, 9);
	assert_int_equal(be.journal.page->server, 77);
	assert_int_equal(backend_start(&be), 0);
	state_is("4");
	assert_int_equal(look(2), 0);
	assert_true(be.connected);
	assert_true(be.resumed);
	/* From then on it is one of now. */
	kill_process();
	assert_int_equal(backend_start(&be), 0);
	assert_int_equal(look(3), 0);
	assert_true(be.resumed);
}

static void test_old_journal_is_nothing_to_a_new_device(void **state)
{
	/* Same domid, same references, but offered anew: another guest. */
	connect_frontend();
	be.journal.page->ring[0].count = 3;
	kill_process();
	write_device();
	assert_int_equal(backend_start(&be), 0);
	connect_frontend();
	assert_false(be.resumed);
	assert_int_equal(be.journal.page->ring[0].count, 0);
}

static void test_kill_after_removal_was_asked_finishes_it(void **state)
{
	connect_frontend();
	ask_removal();
	kill_process();
	assert_int_equal(backend_start(&be), 0);
	assert_int_equal(look(2), 1);
	state_is("6");
}

/* --- one process a device -------------------------------------------------------------------- */

static void test_second_process_is_refused_and_the_owner_named(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct journal other;

		if (journal_open(&other, be.journal_path, 0) != -EBUSY)
			_exit(1);
		_exit(journal_owner(be.journal_path) == getppid() ? 0 : 2);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_nobody_owns_a_journal_without_process(void **state)
{
	assert_int_equal(journal_owner("/tmp/no-such-journal"), 0);
}

/* --- the command line ------------------------------------------------------------------------ */

static void test_only_a_device_directory_is_accepted(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/local/domain/0/backend/vbd/7",
		"/local/domain/0/backend/vbd/7/51712/x",
		"/local/domain/0/backend/vif/7/51712",
		"/local/domain/0/backend/vbd/07/51712",
		"/local/domain/1/backend/vbd/7/51712",
		"/local/domain/0/backend/vbd/7/51712 ",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct backend other = { .xs = be.xs, .gnt = be.gnt, .evt = be.evt };

		assert_int_equal(backend_init(&other, &ops, paths[i]), -EINVAL);
	}
}

static void test_failure_is_one_line_for_the_user(void **state)
{
	backend_fail(&be, "disk %s: %s", "/x", "No such file or directory");
	assert_string_equal(fake_store_get(BACK "/hotplug-error"),
			    "disk /x: No such file or directory");
	assert_string_equal(fake_store_get(BACK "/hotplug-status"), "error");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_start_offers_the_device),
		T(test_the_stores_errors_are_worth_another_start),
		T(test_an_offer_that_lost_its_connection_is_made_again),
		T(test_frontend_ready_connects_once),
		T(test_frontend_closing_and_closed_is_followed),
		T(test_frontend_may_come_again),
		T(test_every_pair_of_frontend_states_is_survived),
		T(test_a_frontend_that_begins_over_and_over_is_made_to_wait),
		T(test_a_frontend_that_comes_and_goes_is_made_to_wait),
		T(test_a_storm_of_writes_is_looked_at_now_and_then),
		T(test_missing_keys_are_refused),
		T(test_ring_ref_out_of_the_table_is_refused),
		T(test_ring_ref_too_large_is_refused),
		T(test_negative_ring_ref_is_refused),
		T(test_ring_ref_with_rubbish_is_refused),
		T(test_empty_ring_ref_is_refused),
		T(test_ring_ref_of_many_digits_is_refused),
		T(test_bad_port_is_refused_and_unmaps),
		T(test_readonly_ring_is_refused),
		T(test_second_ring_failing_unmaps_the_first),
		T(test_broken_ring_stops_only_the_connection),
		T(test_keys_swapped_while_connected_change_nothing),
		T(test_queues_have_turns),
		T(test_a_queue_with_more_to_do_is_due_again),
		T(test_removal_waits_for_a_live_frontend),
		T(test_what_is_to_go_looks_at_what_dom0_wrote_while_it_is_held),
		T(test_removal_cuts_off_a_dead_frontend),
		T(test_removal_without_connection_is_immediate),
		T(test_removal_with_the_frontend_directory_gone_is_immediate),
		T(test_vanished_directory_ends_the_process),
		T(test_killed_process_is_taken_over),
		T(test_connected_device_without_its_journal_is_not_offered_anew),
		T(test_kill_before_connecting_starts_over),
		T(test_other_ring_than_the_killed_ones_is_not_resumed),
		T(test_other_port_than_the_killed_ones_is_not_resumed),
		T(test_a_journal_of_before_queues_is_taken_over),
		T(test_old_journal_is_nothing_to_a_new_device),
		T(test_kill_after_removal_was_asked_finishes_it),
		T(test_second_process_is_refused_and_the_owner_named),
		T(test_nobody_owns_a_journal_without_process),
		T(test_only_a_device_directory_is_accepted),
		T(test_failure_is_one_line_for_the_user),
	};
	int rc;

	log_init("test", LOG_LVL_ERROR, 0);
	if (!mkdtemp(dir))
		return 1;
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return rc;
}
