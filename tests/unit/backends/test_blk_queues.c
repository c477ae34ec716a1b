/* SPDX-License-Identifier: MIT */
/*
 * test_blk_queues.c - a disk with several rings: how many it offers, what a frontend may say of
 * them, and that each is served, taken over and drained.
 */
#include <unistd.h>

#define main blkback_main
int blkback_main(int argc, char **argv);
#include "blkback.c"
#undef main

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/file.h>

#include <cmocka.h>

#include "fake_xen.h"

#define BACK "/local/domain/0/backend/vbd/7/51712"
#define FRONT "/local/domain/7/device/vbd/51712"
#define RING 20u  /* the first ring's page, and its grant */
#define DATA 40u  /* the first of the pages for data */
#define PORT 30u  /* the first event channel */
#define SECTORS 64u

static struct backend be;
static char dir[64], image_file[80];
static uint64_t now;

void backend_hear(struct backend *b)
{
}

void backend_kick(struct backend *b, unsigned int due)
{
	b->due |= due;
}

int backend_main(int argc, char **argv, const struct backend_ops *ops)
{
	return 0;
}

static unsigned int nr_forgotten; /* times that the image's pages were to leave the cache */

int __wrap_posix_fadvise64(int fd, off_t at, off_t len, int advice);
int __wrap_posix_fadvise64(int fd, off_t at, off_t len, int advice)
{
	assert_int_equal(fd, blkback.image.fd);
	assert_int_equal(at, 0);
	assert_int_equal(len, 0);
	assert_int_equal(advice, POSIX_FADV_DONTNEED);
	nr_forgotten++;
	return 0;
}

/*
 * --- the guest ---------------------------------------------------------------------------------
 */

static blkif_sring_t *ring(unsigned int q)
{
	return (blkif_sring_t *)fake.page[RING + q];
}

/* As Linux's frontend: of one queue in the old place. */
static void say_queue(unsigned int nr, unsigned int q, uint32_t ref, uint32_t port)
{
	char path[128], text[16], where[16] = "";

	if (nr > 1)
		snprintf(where, sizeof(where), "/queue-%u", q);
	snprintf(path, sizeof(path), FRONT "%s/ring-ref", where);
	snprintf(text, sizeof(text), "%u", ref);
	fake_store_set(path, text);
	snprintf(path, sizeof(path), FRONT "%s/event-channel", where);
	snprintf(text, sizeof(text), "%u", port);
	fake_store_set(path, text);
}

static void say_queues(unsigned int nr)
{
	char text[16];

	fake_store_rm(FRONT);
	snprintf(text, sizeof(text), "%u", nr);
	fake_store_set(FRONT "/multi-queue-num-queues", text);
	for (unsigned int q = 0; q < nr && q < 8; q++) {
		say_queue(nr, q, RING + q, PORT + q);
		memset(ring(q), 0, FAKE_PAGE);
		ring(q)->req_event = ring(q)->rsp_event = 1;
	}
}

static int look(void)
{
	uint64_t again;

	return backend_poll(&be, now += 1000000000, &again);
}

static void ready(void)
{
	fake_store_set(FRONT "/state", "3");
	assert_int_equal(look(), 0);
}

static void connect_with(unsigned int nr)
{
	say_queues(nr);
	ready();
	assert_true(be.connected);
	assert_int_equal(be.nr_queues, nr);
}

static void begin_again(void)
{
	fake_store_set(FRONT "/state", "6");
	assert_int_equal(look(), 0);
	fake_store_set(FRONT "/state", "1");
	assert_int_equal(look(), 0);
	assert_string_equal(fake_store_get(BACK "/state"), "2");
}

/* One page at sector 8 * @at, from or to page DATA + @page. */
static void ask(unsigned int q, uint8_t op, unsigned int at, unsigned int page)
{
	blkif_sring_t *s = ring(q);
	blkif_request_t *r = &s->ring[s->req_prod & 31].req;

	*r = (blkif_request_t){ .operation = op, .nr_segments = 1, .id = 100 * q + s->req_prod,
				.sector_number = 8ull * at };
	r->seg[0] = (struct blkif_request_segment){ DATA + page, 0, 7 };
	s->req_prod++;
}

/* Until queue @q has @nr answers, all good, the last of which is told of. */
static void answers(unsigned int q, unsigned int nr)
{
	for (int i = 0; i < 2000 && ring(q)->rsp_prod != nr; i++) {
		backend_work(&be, BACKEND_ALL_QUEUES);
		usleep(1000);
	}
	assert_int_equal(ring(q)->rsp_prod, nr);
	assert_int_equal(ring(q)->ring[(nr - 1) & 31].rsp.status, BLKIF_RSP_OKAY);
	assert_int_equal(ring(q)->ring[(nr - 1) & 31].rsp.id / 100, q);
}

/*
 * --- the process -------------------------------------------------------------------------------
 */

static int new_process(void)
{
	memset(&be, 0, sizeof(be));
	memset(&blkback, 0, sizeof(blkback));
	blkback.image.fd = -1;
	be.xs = xs_open(0);
	be.gnt = xengnttab_open(NULL, 0);
	be.evt = xenevtchn_open(NULL, 0);
	assert_int_equal(backend_init(&be, &blk_ops, BACK), 0);
	return backend_start(&be);
}

static void let_go(void)
{
	blk_queues_drop(&blkback.queues);
	blk_image_close(&blkback.image);
	journal_close(&be.journal);
}

/* What the kernel does of it: ends what is out, unmaps, unbinds. */
static void kill_process(void)
{
	for (unsigned int i = 0; i < blkback.queues.nr; i++)
		blk_ring_abandon(blkback.queues.queue[i].engine);
	let_go();
	fake.mapped = fake.bound = 0;
}

static void write_device(const char *vcpus)
{
	fake_store_set(BACK "/frontend", FRONT);
	fake_store_set(BACK "/frontend-id", "7");
	fake_store_set(BACK "/online", "1");
	fake_store_set(BACK "/state", "1");
	fake_store_set(BACK "/mode", "w");
	fake_store_set(BACK "/params", image_file);
	if (vcpus)
		fake_store_set(BACK "/vcpus", vcpus);
	else
		fake_store_rm(BACK "/vcpus");
	fake_store_set(FRONT "/state", "1");
}

static int set_up(void **state)
{
	int fd;

	strcpy(dir, "/tmp/test-queues-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	snprintf(image_file, sizeof(image_file), "%s/image", dir);
	fd = open(image_file, O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
	close(fd);
	fake_reset();
	nr_forgotten = 0;
	write_device("4");
	assert_int_equal(new_process(), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	backend_fini(&be, false);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/*
 * --- how many ----------------------------------------------------------------------------------
 */

static void offers(const char *vcpus, const char *queues)
{
	let_go();
	write_device(vcpus);
	assert_int_equal(new_process(), 0);
	assert_string_equal(fake_store_get(BACK "/multi-queue-max-queues"), queues);
}

static void test_as_many_are_offered_as_the_guest_has_cpus_up_to_four(void **state)
{
	offers(NULL, "1");
	offers("1", "1");
	offers("0", "1");
	offers("no number", "1");
	offers("2", "2");
	offers("4", "4");
	offers("32", "4");
}

static void serves(unsigned int nr)
{
	connect_with(nr);
	for (unsigned int q = 0; q < nr; q++) {
		memset(fake.page[DATA + q], 'a' + (int)q, FAKE_PAGE);
		ask(q, BLKIF_OP_WRITE, q, q);
	}
	for (unsigned int q = 0; q < nr; q++)
		answers(q, 1);
	/* What one wrote another reads. */
	for (unsigned int q = 0; q < nr; q++)
		ask(q, BLKIF_OP_READ, (q + 1) % nr, 8 + q);
	for (unsigned int q = 0; q < nr; q++) {
		answers(q, 2);
		assert_int_equal(fake.page[DATA + 8 + q][4095], 'a' + (q + 1) % nr);
	}
	assert_int_equal(fake.mapped, nr);
	assert_int_equal(fake.bound, nr);
}

static void test_each_number_of_queues_is_served(void **state)
{
	for (unsigned int nr = 1; nr <= 4; nr++) {
		serves(nr);
		begin_again();
	}
	/* And fewer after more. */
	serves(2);
}

static void test_a_frontend_that_says_nothing_has_one(void **state)
{
	say_queues(1);
	fake_store_rm(FRONT "/multi-queue-num-queues");
	ready();
	assert_true(be.connected);
	ask(0, BLKIF_OP_READ, 0, 0);
	answers(0, 1);
}

static void test_an_answer_is_told_of_by_its_own_queues_channel(void **state)
{
	connect_with(4);
	for (unsigned int q = 0; q < 4; q++) {
		ask(q, BLKIF_OP_READ, 0, q);
		answers(q, 1);
		assert_int_equal(fake.notified_port, 100 + PORT + q);
	}
}

/*
 * Each has 32 requests and memory of its own: what one asks for without end is not taken from
 * another.
 */
static void test_a_full_ring_holds_up_no_other(void **state)
{
	connect_with(4);
	for (unsigned int i = 0; i < 32; i++)
		ask(0, BLKIF_OP_READ, i % 8, i);
	ask(3, BLKIF_OP_READ, 0, 40);
	answers(3, 1);
	answers(0, 32);
}

/*
 * --- what is refused
 * ------------------------------------------------------------------------------
 */

static void refused(void)
{
	ready();
	assert_false(be.connected);
	assert_string_equal(fake_store_get(BACK "/state"), "5");
	assert_non_null(fake_store_get(BACK "/error"));
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	begin_again();
	serves(4);
	begin_again();
}

static void test_a_wrong_number_is_refused(void **state)
{
	static const char *const bad[] = { "0", "5", "4294967295", "4294967296", "-1", "two", "2 ", "" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		say_queues(8);
		fake_store_set(FRONT "/multi-queue-num-queues", bad[i]);
		refused();
	}
}

static void test_a_missing_key_is_refused(void **state)
{
	static const char *const keys[] = { "queue-3", "queue-0", "queue-2/ring-ref", "queue-1/event-channel" };
	char path[128];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		say_queues(4);
		snprintf(path, sizeof(path), FRONT "/%s", keys[i]);
		fake_store_rm(path);
		refused();
	}
	/* Those of one queue, while it says that it has two. */
	say_queues(1);
	fake_store_set(FRONT "/multi-queue-num-queues", "2");
	refused();
}

static void test_the_same_ring_or_channel_twice_is_refused(void **state)
{
	say_queues(4);
	say_queue(4, 3, RING, PORT + 3);
	refused();
	say_queues(4);
	say_queue(4, 3, RING + 3, PORT + 1);
	refused();
}

static void test_one_that_cannot_be_mapped_or_bound_unmaps_the_others(void **state)
{
	say_queues(4);
	say_queue(4, 3, FAKE_PAGES + 1, PORT + 3);
	refused();
	say_queues(4);
	say_queue(4, 2, RING + 2, 99999);
	refused();
}

/* By two grants of one page, which nobody can see: the guest's loss, and nobody else's. */
static void test_one_page_by_two_grants_harms_nobody(void **state)
{
	say_queues(2);
	fake.grant[RING + 1].page = RING;
	ready();
	assert_true(be.connected);
	for (unsigned int i = 0; i < 5; i++)
		ask(0, BLKIF_OP_READ, i, i);
	for (int i = 0; i < 200; i++) {
		backend_work(&be, BACKEND_ALL_QUEUES);
		usleep(1000);
	}
	fake.grant[RING + 1].page = RING + 1;
	begin_again();
	serves(2);
}

static void test_a_broken_ring_ends_the_connection_of_all(void **state)
{
	connect_with(4);
	ask(0, BLKIF_OP_READ, 0, 0);
	ring(2)->req_prod = 1000;
	backend_work(&be, BACKEND_ALL_QUEUES);
	assert_false(be.connected);
	assert_int_equal(fake.mapped, 0);
	begin_again();
	serves(4);
}

/*
 * --- taking over
 * -----------------------------------------------------------------------------------
 */

static void taken_and_killed(unsigned int nr)
{
	connect_with(nr);
	fake_store_set(FRONT "/state", "4");
	for (unsigned int q = 0; q < nr; q++) {
		ask(q, BLKIF_OP_READ, 0, q);
		ask(q, BLKIF_OP_READ, 1, q + 4);
		/* Off the ring, as one that is killed between that and the answer leaves it. */
		assert_int_equal(bring_pending(&blkback.queues.queue[q].engine->ring), 2);
		assert_true(bring_take(&blkback.queues.queue[q].engine->ring,
				       blkback.queues.queue[q].engine->table) >= 0);
	}
	kill_process();
}

static void test_all_rings_of_a_killed_process_are_taken_over(void **state)
{
	taken_and_killed(4);
	assert_int_equal(new_process(), 0);
	fake.notified = 0;
	assert_int_equal(look(), 0);
	assert_true(be.connected && be.resumed);
	assert_int_equal(fake.notified >= 4, 1);
	for (unsigned int q = 0; q < 4; q++)
		answers(q, 2);
}

/* A guest that was offered four keeps them, whatever its record says by now. */
static void test_a_guest_keeps_the_queues_that_it_has(void **state)
{
	taken_and_killed(4);
	fake_store_rm(BACK "/vcpus");
	assert_int_equal(new_process(), 0);
	assert_int_equal(look(), 0);
	assert_true(be.connected && be.resumed);
	for (unsigned int q = 0; q < 4; q++)
		answers(q, 2);
}

static void test_other_queues_than_the_killed_ones_are_not_taken_over(void **state)
{
	taken_and_killed(4);
	say_queue(4, 3, RING + 7, PORT + 3);
	assert_int_equal(new_process(), 0);
	assert_int_equal(look(), 0);
	assert_true(be.connected);
	assert_false(be.resumed);
}

static void test_a_ring_that_broke_meanwhile_lets_the_others_go(void **state)
{
	taken_and_killed(4);
	ring(3)->req_prod = 1000;
	assert_int_equal(new_process(), 0);
	assert_int_equal(look(), 0);
	assert_false(be.connected);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(blk_queues_sum(&blkback.queues).out, 0);
	begin_again();
	serves(4);
}

static bool is_empty(int fd)
{
	static const char zeros[SECTORS * 512];
	char now_there[SECTORS * 512];

	assert_int_equal(pread(fd, now_there, sizeof(now_there), 0), sizeof(now_there));
	return !memcmp(now_there, zeros, sizeof(zeros));
}

/*
 * A process is killed with a write off each ring; meanwhile another host has the image's lock: its
 * open file.
 */
static int killed_and_locked(void)
{
	int other = open(image_file, O_RDWR);

	connect_with(4);
	fake_store_set(FRONT "/state", "4");
	for (unsigned int q = 0; q < 4; q++) {
		memset(fake.page[DATA + q], 'a', FAKE_PAGE);
		ask(q, BLKIF_OP_WRITE, q, q);
		assert_int_equal(bring_pending(&blkback.queues.queue[q].engine->ring), 1);
		assert_true(bring_take(&blkback.queues.queue[q].engine->ring, blkback.queues.queue[q].engine->table) >= 0);
	}
	kill_process();
	/* The ring of one that does not end holds its file for a moment. */
	assert_int_equal(flock(other, LOCK_EX), 0);
	fake_store_set(BACK "/lock-comes", "1");
	blk_locks = "/dev/null";
	assert_int_equal(new_process(), 0);
	blk_locks = "/proc/locks";
	assert_int_equal(look(), 0);
	assert_true(be.connected && be.resumed);
	assert_true(is_elsewhere(&be));
	return other;
}

/*
 * Whoever has the lock writes: what waited for it is not done behind his back when the device ends.
 */
static void test_what_waits_for_the_lock_is_not_written_at_the_end(void **state)
{
	int other = killed_and_locked();

	fake_store_set(FRONT "/state", "6");
	assert_int_equal(look(), 0);
	assert_false(be.connected);
	assert_true(is_empty(other));
	close(other);
}

/* Nor when this process ends: it is the next one's. */
static void test_what_waits_for_the_lock_is_left_to_the_next_process(void **state)
{
	int other = killed_and_locked();

	backend_fini(&be, true);
	fake.mapped = fake.bound = 0;
	assert_true(is_empty(other));
	assert_int_equal(flock(other, LOCK_UN), 0);
	assert_int_equal(new_process(), 0);
	assert_int_equal(look(), 0);
	assert_true(be.connected && be.resumed);
	for (unsigned int q = 0; q < 4; q++)
		answers(q, 1);
	assert_false(is_empty(other));
	close(other);
}

/* Its image was opened while it wrote to that elsewhere: what is cached of it since is old. */
static void test_a_guest_that_came_reads_what_it_wrote_elsewhere(void **state)
{
	serves(4);
	assert_int_equal(nr_forgotten, 0);
	let_go();
	fake.mapped = fake.bound = 0;
	write_device("4");
	fake_store_set(BACK "/lock-comes", "1");
	assert_int_equal(new_process(), 0);
	assert_int_equal(nr_forgotten, 0);
	taken_and_killed(4);
	assert_int_equal(nr_forgotten, 1);
	/* What the guest has written here since is not old. */
	assert_int_equal(new_process(), 0);
	assert_int_equal(look(), 0);
	assert_true(be.connected && be.resumed);
	assert_int_equal(nr_forgotten, 1);
}

/*
 * --- being drained
 * ---------------------------------------------------------------------------------
 */

static void test_a_drain_waits_for_every_ring(void **state)
{
	connect_with(4);
	ask(3, BLKIF_OP_WRITE, 1, 0);
	fake_store_set(BACK "/drain", "token");
	drain(&be);
	assert_null(fake_store_get(BACK "/drained"));
	strcpy(blkback.drain, "token");
	drain(&be);
	assert_int_equal(blkback.queues.queue[0].engine->sync, BLK_SYNC_NONE);
	answers(3, 1);
	for (int i = 0; i < 2000 && !fake_store_get(BACK "/drained"); i++) {
		backend_work(&be, BACKEND_ALL_QUEUES);
		usleep(1000);
	}
	assert_string_equal(fake_store_get(BACK "/drained"), "token");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_as_many_are_offered_as_the_guest_has_cpus_up_to_four),
		T(test_each_number_of_queues_is_served),
		T(test_a_frontend_that_says_nothing_has_one),
		T(test_an_answer_is_told_of_by_its_own_queues_channel),
		T(test_a_full_ring_holds_up_no_other),
		T(test_a_wrong_number_is_refused),
		T(test_a_missing_key_is_refused),
		T(test_the_same_ring_or_channel_twice_is_refused),
		T(test_one_that_cannot_be_mapped_or_bound_unmaps_the_others),
		T(test_one_page_by_two_grants_harms_nobody),
		T(test_a_broken_ring_ends_the_connection_of_all),
		T(test_all_rings_of_a_killed_process_are_taken_over),
		T(test_a_guest_keeps_the_queues_that_it_has),
		T(test_other_queues_than_the_killed_ones_are_not_taken_over),
		T(test_a_guest_that_came_reads_what_it_wrote_elsewhere),
		T(test_what_waits_for_the_lock_is_not_written_at_the_end),
		T(test_what_waits_for_the_lock_is_left_to_the_next_process),
		T(test_a_ring_that_broke_meanwhile_lets_the_others_go),
		T(test_a_drain_waits_for_every_ring),
	};

	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
