/* SPDX-License-Identifier: MIT */
/*
 * test_mapped.c - each mapped file is truncated under the running daemon (SIGBUS), and the file
 * system of the runtime directory is full when a slot is needed. Claims: nobody is ended by a
 * signal; the daemon says which file it was; the next start serves what it can vouch for, or
 * refuses and says what to do; never a wrong answer without a word.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "live.h"

static struct guest guest;

static int setup(void **state)
{
	int fd;

	live_quiet = true;
	if (live_make() < 0)
		return -1;
	fake_domain(live.hv, 1, FAKE_EXISTS);
	live_start();
	fd = live_open();
	assert_int_equal(live_request(fd, XS_INTRODUCE, "1\0" "5\0" "9", 6, NULL), 0);
	assert_int_equal(live_request(fd, XS_MKDIR, "/local/domain/1", 16, NULL), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/local/domain/1\0n1", 19, NULL), 0);
	assert_int_equal(live_write_number(fd, "/config/early", 1), 0);
	close(fd);
	guest = (struct guest){ .page = fake_ring(live.hv, 1) };
	guest_run_for(&guest, 0.02);
	/* A start in order, so that there is a last good snapshot. */
	live_kill(SIGTERM);
	live_start();
	fd = live_open();
	assert_int_equal(live_write_number(fd, "/config/late", 2), 0);
	assert_int_equal(live_write_number(fd, "/run/late", 2), 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	return live_remove();
}

static void cut(const char *dir, const char *file, unsigned int keep_percent)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size * keep_percent / 100 & ~4095ll), 0);
}

static bool ended(void)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)live.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid;
}

/* Traffic in both parts until the daemon ends by itself or has done all of it. */
static void work(void)
{
	char data[3000] = "/run/much", out[XENSTORE_PAYLOAD_MAX + 1];
	int fd = live_try_open(), err = 0;

	for (unsigned int i = 0; i < 1200 && fd >= 0 && err >= 0; i++) {
		size_t len = (size_t)sprintf(data, "%s/%u", i % 100 ? "/run/much" : "/config/much",
					     i % 300) + 1;

		memset(data + len, 'm', 2500);
		err = live_send(fd, XS_WRITE, 0, data, (uint32_t)len + 2500) ?
			      live_await(fd, out) : -1;
	}
	if (fd >= 0)
		close(fd);
	/* Who has closed the connection is about to end. */
	for (int i = 0; err < 0 && i < 10000 && !ended(); i++)
		usleep(1000);
}

/* Ends what still lives; returns the status of what ended itself, -1: it lived. */
static int end_status(void)
{
	int status;

	if (waitpid(live.pid, &status, WNOHANG) == 0) {
		live_end();
		return -1;
	}
	live.pid = 0;
	live_settle();
	if (WIFSIGNALED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static bool said(const char *what)
{
	char cmd[300];

	snprintf(cmd, sizeof(cmd), "grep -q '%s' %s/log", what, live.dir);
	return system(cmd) == 0;
}

/* A start that must be refused with these words. */
static void refuses(const char *words)
{
	int status;

	live_start();
	assert_int_equal(waitpid(live.pid, &status, 0), live.pid);
	live.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	if (!said(words))
		fail_msg("nothing is said of \"%s\"", words);
}

/* What was acknowledged is there; the last of it may be missing, if that is said. */
static void serves(bool rebuilt)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];
	unsigned long late;
	int fd;

	live_start();
	fd = live_open();
	assert_int_equal(live_read_number(fd, "/config/early"), 1);
	late = live_read_number(fd, "/config/late");
	if (late != 2 && !(rebuilt && said("going on with the snapshot")))
		fail_msg("an acknowledged change is lost without a word");
	assert_int_equal(live_read_number(fd, "/run/late"), 2);
	assert_int_equal(live_request(fd, XS_CONTROL, "check", 6, out), 0);
	assert_string_equal(out, "OK");
	assert_int_equal(live_write_number(fd, "/config/after", 3), 0);
	close(fd);
}

static const unsigned int kept[] = { 0, 30, 70 };

#define FOR_EACH_CUT(k) for (const unsigned int *k = kept; k < kept + 3; k++)

static void anew(void)
{
	assert_int_equal(live_remove(), 0);
	assert_int_equal(setup(NULL), 0);
}

static void test_persistent_store_is_rebuilt_and_it_is_said(void **state)
{
	FOR_EACH_CUT(k) {
		cut(live.state_dir, "store/data.mdb", *k);
		work();
		end_status();
		serves(true);
		anew();
	}
}

static void test_runtime_store_that_lost_bytes_is_not_served(void **state)
{
	char cmd[200];

	FOR_EACH_CUT(k) {
		cut(live.dir, "runtime/data.mdb", *k);
		work();
		end_status();
		/* Not the persistent part's fault: nothing happens to that. */
		refuses("remove .*/runtime to start without");
		assert_false(said("going on with the snapshot"));
		snprintf(cmd, sizeof(cmd), "rm -rf %s/runtime", live.dir);
		assert_int_equal(system(cmd), 0);
		live_start();
		close(live_open());
		anew();
	}
}

static void lost_nodes(const char *file, const char *words)
{
	FOR_EACH_CUT(k) {
		char cmd[200];
		int status;

		cut(live.dir, file, *k);
		work();
		status = end_status();
		if (status >= 0) {
			assert_int_equal(status, 70);
			assert_true(said(words));
		}
		refuses("remove .*/nodes to start without");
		snprintf(cmd, sizeof(cmd), "rm %s/nodes", live.dir);
		assert_int_equal(system(cmd), 0);
		live_start();
		close(live_open());
		anew();
	}
}

static void test_nodes_that_lost_bytes_are_not_served(void **state)
{
	lost_nodes("nodes", "file nodes.* has lost bytes");
	lost_nodes("undo", "file undo.* has lost bytes");
}

static void test_journal_that_lost_bytes_is_not_taken_for_a_new_boot(void **state)
{
	char cmd[200];

	FOR_EACH_CUT(k) {
		int status;

		cut(live.dir, "journal", *k);
		work();
		status = end_status();
		if (status >= 0) {
			assert_int_equal(status, 70);
			assert_true(said("journal.* has lost bytes"));
		}
		refuses("journal is damaged: .*remove .*/runtime");
		snprintf(cmd, sizeof(cmd), "rm -rf %s/runtime", live.dir);
		assert_int_equal(system(cmd), 0);
		live_start();
		close(live_open());
		anew();
	}
}

/* The guest is told by the page; everybody else is served. */
static void test_ring_that_lost_its_state_is_not_served_as_if_nothing_were(void **state)
{
	FOR_EACH_CUT(k) {
		int status;

		if (*k)		/* the slots of high domids only */
			continue;
		cut(live.dir, "rings", *k);
		guest_push(&guest);
		fake_event(live.hv, FAKE_PORT(1));
		for (int i = 0; i < 10000 && !ended(); i++)
			usleep(1000);
		status = end_status();
		assert_int_equal(status, 70);
		assert_true(said("state .file rings.* has lost bytes"));
		serves(false);
		assert_true(said("d1: what its ring was in the middle of is lost"));
		assert_int_equal(guest.page->error, XENSTORE_ERROR_COMM);
		anew();
	}
}

/* No slot can be had: an error, and no fault when it would be touched. */
static void test_full_file_system_refuses_an_introduction(void **state)
{
	char path[200], block[65536] = { 0 };
	int fd, full;

	if (getuid() != 0)
		skip();
	live_end();
	snprintf(path, sizeof(path), "rm -rf %s/* && mount -t tmpfs -o size=4096k x %s", live.dir,
		 live.dir);
	if (system(path) != 0)
		skip();
	live.hv->close(live.hv);
	live.hv = fake_hv_open(live.fake);
	fake_domain(live.hv, 1, FAKE_EXISTS);
	fake_ring(live.hv, 1);
	live_start();
	fd = live_open();
	/* The start is over: it would be refused. */
	assert_int_equal(live_write_number(fd, "/run/begun", 1), 0);
	snprintf(path, sizeof(path), "%s/ballast", live.dir);
	full = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(full, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(live_request(fd, XS_INTRODUCE, "1\0" "5\0" "9", 6, NULL), ENOSPC);
	assert_int_equal(live_write_number(fd, "/run/x", 1), 0);
	assert_int_equal(ftruncate(full, 0), 0);
	assert_int_equal(live_request(fd, XS_INTRODUCE, "1\0" "5\0" "9", 6, NULL), 0);
	close(full);
	close(fd);
	live_end();
	snprintf(path, sizeof(path), "umount -l %s", live.dir);
	assert_int_equal(system(path), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_persistent_store_is_rebuilt_and_it_is_said),
		T(test_runtime_store_that_lost_bytes_is_not_served),
		T(test_nodes_that_lost_bytes_are_not_served),
		T(test_journal_that_lost_bytes_is_not_taken_for_a_new_boot),
		T(test_ring_that_lost_its_state_is_not_served_as_if_nothing_were),
		T(test_full_file_system_refuses_an_introduction),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
