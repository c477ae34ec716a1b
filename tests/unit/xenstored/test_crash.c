/* SPDX-License-Identifier: MIT */
/*
 * test_crash.c - kill -9 under traffic: a guest on a ring and a client on a socket. Claims: the
 * guest's byte stream goes on as if nothing had happened (every request answered once, in order),
 * nothing acknowledged is lost, nothing half done is seen.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "live.h"
#include "storage/store.h"

/* A daemon with a sanitizer in it takes long to start. */
#ifdef __SANITIZE_ADDRESS__
#define KILLS 40
#else
#define KILLS 200
#endif

static int setup(void **state)
{
	int fd;

	if (live_make() < 0)
		return -1;
	fake_domain(live.hv, 1, FAKE_EXISTS);
	live_start();
	fd = live_open();
	assert_int_equal(live_request(fd, XS_INTRODUCE, "1\0" "5\0" "9", 6, NULL), 0);
	assert_int_equal(live_request(fd, XS_MKDIR, "/local/domain/1", 16, NULL), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/local/domain/1\0n1", 19, NULL), 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	return live_remove();
}

static void test_ring_stream_goes_on_over_kills(void **state)
{
	static struct guest g;
	unsigned int nr = live_count(KILLS, 2000);
	unsigned long at_start;

	memset(&g, 0, sizeof(g));
	g.page = fake_ring(live.hv, 1);
	for (unsigned int i = 0; i < nr; i++) {
		at_start = g.answered;
		guest_run_for(&g, (double)live_rnd(20000) * 1e-6);
		live_kill(SIGKILL);
		guest_run_for(&g, (double)live_rnd(2000) * 1e-6);
		live_start();
		if (i % 4 == 0) {
			/* Only now and then: kills during the restart count as well. */
			double end = live_now() + LIVE_PATIENCE_S;

			while (g.answered < at_start + 20 && live_now() < end)
				guest_run_for(&g, 0.001);
			assert_true(g.answered >= at_start + 20);
		}
	}
	print_message("%lu requests answered over %u kills, %u events\n", g.answered, nr,
		      g.events);
}

/* Lets the daemon do @steps machine instructions from here on, then kills it. */
static void step_and_kill(unsigned int steps)
{
	int status = 0;

	assert_int_equal(ptrace(PTRACE_SEIZE, live.pid, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, live.pid, NULL, NULL), 0);
	waitpid(live.pid, &status, 0);
	fake_event(live.hv, FAKE_PORT(1));
	while (steps-- > 0 && WIFSTOPPED(status)) {
		if (ptrace(PTRACE_SINGLESTEP, live.pid, NULL, NULL) < 0)
			break;
		waitpid(live.pid, &status, 0);
	}
	live_kill(SIGKILL);
}

/*
 * WATCH and UNWATCH of the same name: done twice, either would answer an error; done not at all,
 * the next one would.
 */
static void test_kill_between_any_two_instructions_does_nothing_twice(void **state)
{
	unsigned int nr = live_count(KILLS / 4, 5000), reach = 9000, late = 0;
	static struct guest g;

	memset(&g, 0, sizeof(g));
	g.page = fake_ring(live.hv, 1);
	for (unsigned int i = 0; i < nr; i++) {
		double end = live_now() + LIVE_PATIENCE_S;
		int fd = live_open();

		/* A round trip: the daemon is up and waits for events. */
		live_read_number(fd, "/tool");
		guest_place(&g, i % 2 ? XS_UNWATCH : XS_WATCH, 0, "data/w\0t", 9);
		step_and_kill(1 + live_rnd(reach));
		close(fd);
		if (g.page->rsp_prod != g.page->rsp_cons)
			late++;
		live_start();
		while (g.answered < g.sent && live_now() < end)
			guest_pull(&g);
		assert_int_equal(g.answered, g.sent);
	}
	print_message("%u kills, %u of them after the answer\n", nr, late);
}

static void test_watches_of_a_ring_outlive_the_daemon(void **state)
{
	static struct guest g;
	double end = live_now() + LIVE_PATIENCE_S;
	int fd;

	memset(&g, 0, sizeof(g));
	g.page = fake_ring(live.hv, 1);
	guest_place(&g, XS_WATCH, 0, "data\0tok", 9);
	fake_event(live.hv, FAKE_PORT(1));
	while (g.answered < 1 && live_now() < end)
		guest_pull(&g);
	assert_int_equal(g.answered, 1);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	assert_int_equal(live_write_number(fd, "/local/domain/1/data/new", 1), 0);
	close(fd);
	end = live_now() + LIVE_PATIENCE_S;
	while (g.events < 3 && live_now() < end)
		guest_pull(&g);
	/* The one at registration, the one of the restart, the one of the write. */
	assert_true(g.events >= 3);
}

/* The record of where domain 1's ring stands is not there any more, as after damage. */
static void lose_ring_record(void)
{
	enum store_found found;
	unsigned char key[2];
	struct store *s;

	assert_int_equal(store_open(live.dir, &s, &found), 0);
	assert_int_equal(found, STORE_WHOLE);
	be16_put(key, 1);
	assert_int_equal(store_count(s, STORE_RING), 1);
	store_del(s, STORE_RING, key, sizeof(key));
	store_commit(s);
	store_close(s);
}

/* The guest is told by the page, everybody else is served; it may begin anew. */
static void test_ring_whose_record_is_lost_is_not_served_as_if_nothing_were(void **state)
{
	static struct guest g;
	uint32_t taken;
	int fd;

	memset(&g, 0, sizeof(g));
	g.page = fake_ring(live.hv, 1);
	guest_run_for(&g, 0.02);
	live_end();
	guest_push(&g);
	taken = g.page->req_cons;
	lose_ring_record();
	live_start();
	fd = live_open();
	assert_int_equal(live_write_number(fd, "/run/others", 4), 0);
	assert_int_equal(g.page->error, XENSTORE_ERROR_COMM);
	assert_int_equal(g.page->req_cons, taken);
	g.page->connection = XENSTORE_RECONNECT;
	fake_event(live.hv, FAKE_PORT(1));
	for (int i = 0; i < 10000 && g.page->connection != XENSTORE_CONNECTED; i++)
		usleep(1000);
	assert_int_equal(g.page->connection, XENSTORE_CONNECTED);
	assert_int_equal(g.page->error, XENSTORE_ERROR_NONE);
	memset(&g, 0, sizeof(g));
	g.page = fake_ring(live.hv, 1);
	for (int i = 0; i < 1000 && g.answered == 0; i++)
		guest_run_for(&g, 0.02);
	assert_true(g.answered > 0);
	close(fd);
}

/* Domain 2 with a node that only itself, and who has it as target, may read. */
static void make_domain_2(int fd)
{
	fake_domain(live.hv, 2, FAKE_EXISTS);
	assert_int_equal(live_request(fd, XS_INTRODUCE, "2\0" "6\0" "9", 6, NULL), 0);
	assert_int_equal(live_write_number(fd, "/local/domain/2", 1), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/local/domain/2\0n2", 19, NULL), 0);
}

static int guest_reads_domain_2(struct guest *g)
{
	double end = live_now() + LIVE_PATIENCE_S;

	guest_place(g, XS_READ, 0, "/local/domain/2", 16);
	fake_event(live.hv, FAKE_PORT(1));
	while (g->answered < g->sent && live_now() < end)
		guest_pull(g);
	assert_int_equal(g->answered, g->sent);
	return g->err;
}

static void test_target_that_ended_is_not_the_next_domain_of_that_number(void **state)
{
	static struct guest g;
	int fd = live_open();

	memset(&g, 0, sizeof(g));
	g.page = fake_ring(live.hv, 1);
	g.errors_allowed = true;
	make_domain_2(fd);
	assert_int_equal(guest_reads_domain_2(&g), EACCES);
	assert_int_equal(live_request(fd, XS_SET_TARGET, "1\0" "2", 4, NULL), 0);
	assert_int_equal(guest_reads_domain_2(&g), 0);
	fake_domain(live.hv, 2, 0);
	fake_event(live.hv, FAKE_DOM_EXC);
	while (live_request(fd, XS_READ, "/local/domain/2", 16, NULL) == 0)
		usleep(1000);
	close(fd);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	make_domain_2(fd);
	close(fd);
	assert_int_equal(guest_reads_domain_2(&g), EACCES);
}

static void test_acknowledged_writes_are_there_after_kills(void **state)
{
	unsigned long acked[2] = { 0, 0 }, tried[2] = { 0, 0 };
	static const char *const path[2] = { "/config/k", "/run/k" };
	unsigned int nr = live_count(KILLS / 4, 1000);

	for (unsigned int i = 0; i < nr; i++) {
		int fd = live_open();
		double end = live_now() + (double)live_rnd(15000) * 1e-6;

		for (int p = 0; p < 2; p++) {
			unsigned long v = live_read_number(fd, path[p]);

			if (v < acked[p] || v > tried[p])
				fail_msg("%s is %lu, acknowledged %lu, tried %lu", path[p], v,
					 acked[p], tried[p]);
			acked[p] = v;
		}
		while (live_now() < end) {
			int p = live_rnd(4) != 0;

			tried[p] = acked[p] + 1;
			assert_int_equal(live_write_number(fd, path[p], tried[p]), 0);
			acked[p] = tried[p];
		}
		/* One more of each is under way when the daemon dies. */
		for (int p = 0; p < 2; p++) {
			char data[64];
			size_t len = strlen(path[p]) + 1;

			tried[p] = acked[p] + 1;
			memcpy(data, path[p], len);
			len += (size_t)sprintf(data + len, "%lu", tried[p]);
			live_send(fd, XS_WRITE, 0, data, (uint32_t)len);
		}
		usleep(live_rnd(300));
		live_kill(SIGKILL);
		close(fd);
		live_start();
	}
	print_message("%lu persistent and %lu runtime writes over %u kills\n", acked[0], acked[1],
		      nr);
}

static void test_transactions_are_all_or_nothing_over_kills(void **state)
{
	unsigned int nr = live_count(KILLS / 5, 500);
	unsigned long value = 1;

	for (unsigned int i = 0; i < nr; i++) {
		int fd = live_open();
		unsigned long a = live_read_number(fd, "/run/a");
		unsigned long b = live_read_number(fd, "/run/b");
		unsigned long c = live_read_number(fd, "/config/c");

		if (a != b || b != c)
			fail_msg("a transaction was split: %lu %lu %lu", a, b, c);
		value = a + 1;
		for (int k = 0; k < 5; k++, value++) {
			char out[64], data[64];
			uint32_t tx;

			assert_int_equal(live_request(fd, XS_TRANSACTION_START, "", 1, out), 0);
			tx = (uint32_t)strtoul(out, NULL, 10);
			for (int p = 0; p < 3; p++) {
				static const char *const path[3] = { "/run/a", "/run/b",
								     "/config/c" };
				size_t len = strlen(path[p]) + 1;

				memcpy(data, path[p], len);
				len += (size_t)sprintf(data + len, "%lu", value);
				live_send(fd, XS_WRITE, tx, data, (uint32_t)len);
				assert_int_equal(live_await(fd, NULL), 0);
			}
			live_send(fd, XS_TRANSACTION_END, tx, "T", 2);
			if (k < 4)
				assert_int_equal(live_await(fd, NULL), 0);
		}
		usleep(live_rnd(500));
		live_kill(SIGKILL);
		close(fd);
		live_start();
	}
}

static void test_second_daemon_on_the_same_directory_refuses(void **state)
{
	pid_t first = live.pid;
	int fd = live_open(), status;

	live_start();
	waitpid(live.pid, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	live.pid = first;
	assert_int_equal(live_write_number(fd, "/still/here", 1), 0);
	close(fd);
}

/* The disk still has to take what the daemon before has left: that keeps nobody waiting. */
static void test_slow_disk_of_the_daemon_before_is_not_waited_for(void **state)
{
	int fd = live_open(), writer;
	pid_t worker;

	assert_int_equal(live_write_number(fd, "/config/x", 1), 0);
	worker = live_worker();
	kill(worker, SIGSTOP);
	assert_int_equal(live_write_number(fd, "/run/x", 2), 0);
	live_kill(SIGKILL);
	close(fd);
	live_start();
	fd = live_open();
	writer = live_open();
	assert_int_equal(live_read_number(fd, "/config/x"), 1);
	assert_int_equal(live_read_number(fd, "/run/x"), 2);
	assert_true(live_send(writer, XS_WRITE, 0, "/config/x\0" "3", 11));
	while (live_read_number(fd, "/config/x") != 3)
		usleep(1000);
	assert_int_equal(live_write_number(fd, "/run/x", 4), 0);
	assert_false(live_is_answered(writer));
	kill(worker, SIGCONT);
	assert_int_equal(live_await(writer, NULL), 0);
	close(fd);
	close(writer);
}

static void test_reboot_drops_the_runtime_part_only(void **state)
{
	char cmd[300], perms[XENSTORE_PAYLOAD_MAX + 1];
	int fd = live_open();

	assert_int_equal(live_write_number(fd, "/config/stays", 7), 0);
	assert_int_equal(live_write_number(fd, "/config/of1", 7), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/config/of1\0n1", 15, NULL), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/config/stays\0n0\0r1", 20, NULL), 0);
	assert_int_equal(live_write_number(fd, "/run/goes", 7), 0);
	close(fd);
	live_end();
	snprintf(cmd, sizeof(cmd), "rm -rf %s/live", live.dir);
	assert_int_equal(system(cmd), 0);
	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/config/stays"), 7);
	assert_int_equal(live_read_number(fd, "/run/goes"), 0);
	/* The domain 1 of this boot is another one. */
	assert_int_equal(live_read_number(fd, "/config/of1"), 0);
	assert_int_equal(live_request(fd, XS_GET_PERMS, "/config/stays", 14, perms), 0);
	assert_string_equal(perms, "n0");
	close(fd);
}

static void test_death_of_the_worker_is_not_noticed(void **state)
{
	char cmd[200];
	int fd = live_open();

	for (unsigned long i = 1; i <= 3; i++) {
		assert_int_equal(live_write_number(fd, "/config/x", i), 0);
		snprintf(cmd, sizeof(cmd), "kill -9 $(ps -o pid= --ppid %d)", (int)live.pid);
		assert_int_equal(system(cmd), 0);
		assert_int_equal(live_write_number(fd, "/config/x", i + 100), 0);
		assert_int_equal(live_read_number(fd, "/config/x"), i + 100);
	}
	close(fd);
}

static void test_live_update_keeps_everything_but_connections(void **state)
{
	static struct guest g;
	int fd = live_open();

	memset(&g, 0, sizeof(g));
	g.page = fake_ring(live.hv, 1);
	guest_run_for(&g, 0.05);
	assert_int_equal(live_write_number(fd, "/run/lu", 5), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "live-update\0-s", 15, NULL), 0);
	assert_int_equal(live_await(fd, NULL), -1);
	close(fd);
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/run/lu"), 5);
	close(fd);
	guest_run_for(&g, 0.3);
	assert_true(g.answered > 10);
}

/* To a program of one's choice; one that is none costs an error and nothing else. */
static void test_live_update_goes_on_as_the_program_that_is_named(void **state)
{
	char cmd[300] = "live-update\0-f\0", exe[64], is[300] = "", was[300] = "";
	size_t len = strlen(live.program) + 1;
	int fd = live_open();

	memcpy(cmd + 15, live.program, len);
	memcpy(cmd + 15 + len, "-s", 3);
	assert_int_equal(live_write_number(fd, "/run/lu", 6), 0);
	cmd[15] = '#';
	assert_int_not_equal(live_request(fd, XS_CONTROL, cmd, (uint32_t)(18 + len), NULL), 0);
	assert_int_equal(live_read_number(fd, "/run/lu"), 6);
	cmd[15] = live.program[0];
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)live.pid);
	assert_true(readlink(exe, was, sizeof(was) - 1) > 0);
	assert_int_equal(live_request(fd, XS_CONTROL, cmd, (uint32_t)(18 + len), NULL), 0);
	assert_int_equal(live_await(fd, NULL), -1);
	close(fd);
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/run/lu"), 6);
	assert_true(readlink(exe, is, sizeof(is) - 1) > 0);
	assert_string_equal(is, was);
	close(fd);
}

static void test_snapshot_is_restored_while_running(void **state)
{
	int fd = live_open();

	assert_int_equal(live_write_number(fd, "/config/s", 1), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "snapshot\0one.mdb", 17, NULL), 0);
	assert_int_equal(live_write_number(fd, "/config/s", 2), 0);
	assert_int_equal(live_write_number(fd, "/run/s", 2), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0one.mdb", 16, NULL), 0);
	assert_int_equal(live_read_number(fd, "/config/s"), 1);
	assert_int_equal(live_read_number(fd, "/run/s"), 2);
	assert_int_equal(live_write_number(fd, "/config/s", 3), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0none.mdb", 17, NULL), ENOENT);
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0../x", 13, NULL), EINVAL);
	close(fd);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/config/s"), 3);
	close(fd);
}

/* Also who watches what there was not, and is now. */
static void test_a_restore_is_told_to_who_watches_what_it_brings(void **state)
{
	char text[XENSTORE_PAYLOAD_MAX + 1];
	int fd = live_open(), other = live_open();

	assert_int_equal(live_write_number(fd, "/config/dir/s", 1), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "snapshot\0one", 13, NULL), 0);
	assert_int_equal(live_request(fd, XS_RM, "/config/dir", 12, NULL), 0);
	assert_true(live_send(other, XS_WATCH, 0, "/config/dir\0t", 14));
	assert_int_equal(live_await(other, NULL), 0);
	assert_int_equal(live_await(other, text), 0);
	assert_string_equal(text, "/config/dir");
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0one", 12, NULL), 0);
	assert_int_equal(live_read_number(fd, "/config/dir/s"), 1);
	/* The event, if there is one, is in front of this answer. */
	memset(text, 0, sizeof(text));
	assert_true(live_send(other, XS_READ, 0, "/config/dir/s", 14));
	assert_int_equal(live_await(other, text), 0);
	assert_string_equal(text, "/config/dir");
	close(other);
	close(fd);
}

/* It is in no snapshot: what it is below comes from there, and it stays. */
static void test_a_restore_leaves_what_does_not_last(void **state)
{
	int fd;

	live_end();
	live.extra_arg = "--volatile=/config/live";
	live_start();
	fd = live_open();
	assert_int_equal(live_write_number(fd, "/config/live/x", 5), 0);
	assert_int_equal(live_write_number(fd, "/config/s", 1), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "snapshot\0one", 13, NULL), 0);
	assert_int_equal(live_write_number(fd, "/config/live/x", 6), 0);
	assert_int_equal(live_write_number(fd, "/config/s", 2), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0one", 12, NULL), 0);
	assert_int_equal(live_read_number(fd, "/config/s"), 1);
	assert_int_equal(live_read_number(fd, "/config/live/x"), 6);
	assert_int_equal(live_request(fd, XS_CONTROL, "check", 6, NULL), 0);
	close(fd);
	live.extra_arg = NULL;
}

/* What a client holds is neither freed by that nor kept for longer than the client. */
static void test_a_restore_leaves_what_is_held(void **state)
{
	static const char session[] = "session\0" "00112233445566778899aabbccddeeff";
	static const char bind[] = "bind\0/config/live/x\0" "1";
	static const char unbind[] = "unbind\0/config/live/x\0" "1\0unless-held";
	char out[XENSTORE_PAYLOAD_MAX + 1];
	int fd;

	live_end();
	live.extra_arg = "--volatile=/config/live";
	live_start();
	fd = live_open();
	assert_int_equal(live_request(fd, XS_CONTROL, session, sizeof(session), NULL), 0);
	assert_int_equal(live_request(fd, XS_WRITE, "/config/live/x\0" "1", 16, NULL), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, bind, sizeof(bind), out), 0);
	assert_string_equal(out, "held");
	assert_int_equal(live_request(fd, XS_CONTROL, "snapshot\0one", 13, NULL), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0one", 12, NULL), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, unbind, sizeof(unbind), NULL), EBUSY);
	close(fd);
	live.extra_arg = NULL;
}

static void introduce_3(int fd)
{
	fake_domain(live.hv, 3, FAKE_EXISTS);
	assert_int_equal(live_request(fd, XS_INTRODUCE, "3\0" "7\0" "9", 6, NULL), 0);
}

/* Who has the number of a domain that ended since; but who was there then keeps what it had. */
static void test_a_snapshot_gives_nothing_to_who_came_later(void **state)
{
	char perms[XENSTORE_PAYLOAD_MAX + 1];
	int fd = live_open();

	introduce_3(fd);
	assert_int_equal(live_write_number(fd, "/config/for1", 1), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/config/for1\0n0\0r1", 19, NULL), 0);
	assert_int_equal(live_write_number(fd, "/config/for3", 1), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/config/for3\0n0\0r3", 19, NULL), 0);
	assert_int_equal(live_write_number(fd, "/config/of3", 1), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/config/of3\0n3", 15, NULL), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "snapshot\0one", 13, NULL), 0);
	assert_int_equal(live_request(fd, XS_RELEASE, "3", 2, NULL), 0);
	introduce_3(fd);
	close(fd);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	assert_int_equal(live_request(fd, XS_CONTROL, "restore\0one", 12, NULL), 0);
	assert_int_equal(live_read_number(fd, "/config/of3"), 0);
	assert_int_equal(live_request(fd, XS_GET_PERMS, "/config/for3", 13, perms), 0);
	assert_string_equal(perms, "n0");
	assert_int_equal(live_request(fd, XS_GET_PERMS, "/config/for1", 13, perms), 0);
	assert_string_equal(perms + 3, "r1");
	close(fd);
}

/* Many of both kinds, several in flight: each is there afterwards. */
static void test_persistent_changes_outlast_many_of_the_runtime_part(void **state)
{
	enum { ROUNDS = 20, RUNTIME = 240 };
	char data[3000], path[64];
	int fd = live_open();

	for (unsigned int i = 0; i < ROUNDS; i++) {
		for (unsigned int k = 0; k < RUNTIME; k++) {
			bool persistent = k % 8 == 0;
			int len = snprintf(data, 64, "%s/%u", persistent ? "/config/j" : "/run/j",
					   i * RUNTIME + k) + 1;

			memset(data + len, 'v', 2500);
			assert_true(live_send(fd, XS_WRITE, 0, data,
					      (uint32_t)len + (persistent ? 5 : 2500)));
		}
		for (unsigned int k = 0; k < RUNTIME; k++)
			assert_int_equal(live_await(fd, NULL), 0);
	}
	close(fd);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	for (unsigned int i = 0; i < ROUNDS * RUNTIME; i++) {
		snprintf(path, sizeof(path), "%s/%u", i % 8 ? "/run/j" : "/config/j", i);
		if (live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, NULL))
			fail_msg("%s is lost", path);
	}
	close(fd);
}

static void test_full_store_refuses_growth_takes_deletions_and_lies_to_nobody(void **state)
{
	char data[1600], path[64];
	unsigned int i, kept = 0;
	int fd, err = 0;

	live_end();
	live.extra_arg = "--map-size=4096";
	live_start();
	fd = live_open();
	for (i = 0; i < 9000 && !err; i++) {
		int len = snprintf(data, 64, "/config/big/%u", i) + 1;

		memset(data + len, 'x', 1500);
		err = live_request(fd, XS_WRITE, data, (uint32_t)len + 1500, NULL);
	}
	assert_int_equal(err, ENOSPC);
	/* What was acknowledged is there, what was refused is not. */
	snprintf(path, sizeof(path), "/config/big/%u", i - 2);
	assert_int_equal(live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, NULL), 0);
	snprintf(path, sizeof(path), "/config/big/%u", i - 1);
	assert_int_equal(live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, NULL), ENOENT);
	assert_int_equal(live_write_number(fd, "/run/other", 3), 0);
	for (kept = 0; kept < 20; kept++) {
		snprintf(path, sizeof(path), "/config/big/%u", kept);
		assert_int_equal(live_request(fd, XS_RM, path, (uint32_t)strlen(path) + 1, NULL), 0);
	}
	assert_int_equal(live_write_number(fd, "/config/again", 4), 0);
	assert_int_equal(live_request(fd, XS_CONTROL, "check", 6, data), 0);
	assert_string_equal(data, "OK");
	close(fd);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/config/again"), 4);
	assert_int_equal(live_request(fd, XS_READ, "/config/big/5", 14, NULL), ENOENT);
	close(fd);
	live.extra_arg = NULL;
}

/* The runtime file system is as full as can be: what is refused then is taken again later. */
static void test_full_runtime_file_system_recovers(void **state)
{
	char cmd[300], data[3000], path[64];
	unsigned int i, kept = 0;
	int fd, err = 0;

	if (getuid() != 0)
		skip();
	live_end();
	snprintf(cmd, sizeof(cmd), "rm -rf %s/* && mount -t tmpfs -o size=4096k x %s", live.dir,
		 live.dir);
	if (system(cmd) != 0)
		skip();
	live.hv->close(live.hv);
	live.hv = fake_hv_open(live.fake);
	live_start();
	fd = live_open();
	for (i = 0; i < 20000 && !err; i++) {
		int len = snprintf(data, 64, "/run/f/%u", i) + 1;

		memset(data + len, 'v', 2500);
		err = live_request(fd, XS_WRITE, data, (uint32_t)len + 2500, NULL);
		kept += err == 0;
	}
	assert_int_equal(err, ENOSPC);
	/* Deletions still go through, and make room within seconds. */
	assert_int_equal(live_request(fd, XS_RM, "/run/f", 7, NULL), 0);
	snprintf(cmd, sizeof(cmd), "mount -o remount,size=64m %s", live.dir);
	assert_int_equal(system(cmd), 0);
	for (i = 0, err = ENOSPC; i < 600 && err == ENOSPC; i++) {
		err = live_write_number(fd, "/run/again", 5);
		usleep(100000);
	}
	assert_int_equal(err, 0);
	close(fd);
	live_kill(SIGKILL);
	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/run/again"), 5);
	snprintf(path, sizeof(path), "/run/f/%u", 1u);
	assert_int_equal(live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, NULL), ENOENT);
	close(fd);
	live_end();
	snprintf(cmd, sizeof(cmd), "umount -l %s", live.dir);
	assert_int_equal(system(cmd), 0);
	print_message("%u writes before the file system was full\n", kept);
}

static void test_damaged_store_costs_nothing_that_is_elsewhere(void **state)
{
	char cmd[400];
	int fd = live_open();

	assert_int_equal(live_write_number(fd, "/config/old", 1), 0);
	close(fd);
	live_kill(SIGTERM);
	live_start();
	fd = live_open();
	assert_int_equal(live_write_number(fd, "/config/new", 2), 0);
	close(fd);
	live_end();
	/* Another boot: the live environment would still know better than the disk. */
	snprintf(cmd, sizeof(cmd), "rm -rf %s/live; truncate -s 9000 %s/store/data.mdb", live.dir,
		 live.state_dir);
	assert_int_equal(system(cmd), 0);
	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/config/old"), 1);
	assert_int_equal(live_read_number(fd, "/config/new"), 2);
	assert_int_equal(live_write_number(fd, "/config/old", 3), 0);
	close(fd);
}

static void test_daemon_gives_up_its_rights(void **state)
{
	char cmd[300];
	int fd;

	if (getuid() != 0)
		skip();
	live_end();
	live.extra_arg = "--user=65534";
	live_start();
	fd = live_open();
	assert_int_equal(live_write_number(fd, "/config/x", 1), 0);
	snprintf(cmd, sizeof(cmd),
		 "for p in %d $(ps -o pid= --ppid %d); do"
		 " grep -q 'CapEff:.0000000000000000' /proc/$p/status &&"
		 " grep -q 'Seccomp:.2' /proc/$p/status &&"
		 " grep -q 'NoNewPrivs:.1' /proc/$p/status &&"
		 " grep -q 'Uid:.65534.65534.65534' /proc/$p/status || exit 1; done",
		 (int)live.pid, (int)live.pid);
	assert_int_equal(system(cmd), 0);
	/* Its worker can be started again inside, and it starts over on what it left. */
	snprintf(cmd, sizeof(cmd), "kill -9 $(ps -o pid= --ppid %d)", (int)live.pid);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(live_write_number(fd, "/config/x", 2), 0);
	close(fd);
	live_kill(SIGKILL);
	live.extra_arg = "--user=nobody"; /* the same by name: the files are its own */
	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/config/x"), 2);
	close(fd);
	live.extra_arg = NULL;
	snprintf(cmd, sizeof(cmd), "for u in root 0 nosuchuser 12x; do"
		 " %s -N --user=$u 2>/dev/null; [ $? = 2 ] || exit 1; done", live.program);
	assert_int_equal(system(cmd), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_ring_stream_goes_on_over_kills),
		T(test_kill_between_any_two_instructions_does_nothing_twice),
		T(test_watches_of_a_ring_outlive_the_daemon),
		T(test_ring_whose_record_is_lost_is_not_served_as_if_nothing_were),
		T(test_target_that_ended_is_not_the_next_domain_of_that_number),
		T(test_acknowledged_writes_are_there_after_kills),
		T(test_transactions_are_all_or_nothing_over_kills),
		T(test_second_daemon_on_the_same_directory_refuses),
		T(test_slow_disk_of_the_daemon_before_is_not_waited_for),
		T(test_reboot_drops_the_runtime_part_only),
		T(test_death_of_the_worker_is_not_noticed),
		T(test_live_update_keeps_everything_but_connections),
		T(test_live_update_goes_on_as_the_program_that_is_named),
		T(test_snapshot_is_restored_while_running),
		T(test_a_snapshot_gives_nothing_to_who_came_later),
		T(test_a_restore_is_told_to_who_watches_what_it_brings),
		T(test_a_restore_leaves_what_does_not_last),
		T(test_a_restore_leaves_what_is_held),
		T(test_persistent_changes_outlast_many_of_the_runtime_part),
		T(test_full_store_refuses_growth_takes_deletions_and_lies_to_nobody),
		T(test_full_runtime_file_system_recovers),
		T(test_damaged_store_costs_nothing_that_is_elsewhere),
		T(test_daemon_gives_up_its_rights),
	};

	if (live_init(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
