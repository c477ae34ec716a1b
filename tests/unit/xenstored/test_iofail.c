/* SPDX-License-Identifier: MIT */
/*
 * test_iofail.c - each file operation of the daemon and its worker fails once, over a script with
 * two starts, a transaction, a frame in a file of its own, a snapshot and a restore. Claims: the
 * daemon serves on or refuses to start with a message, never dies of a signal, never hangs; a
 * request is answered by success or by a reason; what it answers is what a later start finds, and
 * what was acknowledged is there.
 *
 * The same for each allocation of the daemon and its worker.
 *
 * argv[1]: the daemon whose file operations can be made to fail. STOREVISOR_LONG: all
 * operations from the Nth on, for each N. STOREVISOR_FAILURE=N:ERRNO[:all],
 * STOREVISOR_ALLOCATION=N: only this one, with the daemon's own words.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "live.h"
#include "digest.h"

/* Paths that the script changes, and the values they may have: acknowledged, or only tried. */
enum { PATHS = 6, SPILL = 320 };

static const char *const path_of[PATHS] = {
	"/config/a", "/config/b", "/config/c", "/run/a", "/run/b", "/run/c",
};

static struct script {
	unsigned int acked[PATHS], tried[PATHS];
	bool restored;		/* the persistent ones may be the snapshot's */
	bool down;		/* the daemon is not there (any more) */
	unsigned int refused, errors;
	char what[100];		/* the failure under way */
} sc;

static void show_log(void)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "cat %s/log 2>/dev/null", live.dir);
	if (system(cmd))
		print_message("no log\n");
}

#define fault(...)                                                                                 \
	do {                                                                                       \
		show_log();                                                                        \
		fail_msg(__VA_ARGS__);                                                             \
	} while (0)

/* File operations and allocations so far. */
static int counts(uint64_t out[2])
{
	char path[100];
	FILE *f;
	int ret;

	snprintf(path, sizeof(path), "%s/count", live.dir);
	f = fopen(path, "re");
	if (!f)
		return -1;
	ret = fread(out, sizeof(*out), 2, f) == 2 ? 0 : -1;
	fclose(f);
	return ret;
}

/* The daemon's end must be its own decision. */
static void look_at_end(void)
{
	int status;

	if (waitpid(live.pid, &status, 0) != live.pid)
		return;
	live.pid = 0;
	sc.down = true;
	/* stop() may come before or behind the time in which the daemon takes that by itself. */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
		fault("%s: the daemon was ended by signal %d", sc.what, WTERMSIG(status));
}

/* A connection, or -1 when the daemon has refused to start. */
static int open_or_refused(void)
{
	double end = live_now() + LIVE_PATIENCE_S;
	siginfo_t info = { 0 };
	int fd;

	while (live_now() < end) {
		fd = live_try_open();
		if (fd >= 0)
			return fd;
		if (waitid(P_PID, (id_t)live.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid) {
			look_at_end();
			sc.refused++;
			return -1;
		}
		usleep(500);
	}
	fault("%s: the daemon neither serves nor ends", sc.what);
	return -1;
}

/* Like live_await(), but silence is a fault. */
static int answer(int fd, char *out)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ret;

	if (poll(&pfd, 1, 30000) <= 0)
		fault("%s: no answer", sc.what);
	ret = live_await(fd, out);
	if (ret < 0)
		sc.down = true;
	sc.errors += ret > 0;
	return ret;
}

static int ask(int fd, uint32_t type, uint32_t tx, const void *data, uint32_t len)
{
	if (sc.down || !live_send(fd, type, tx, data, len))
		return -1;
	return answer(fd, NULL);
}

static void write_one(int fd, uint32_t tx, unsigned int i, unsigned int value)
{
	char data[100];
	size_t len = strlen(path_of[i]) + 1;

	memcpy(data, path_of[i], len);
	len += (size_t)sprintf(data + len, "%u", value);
	sc.tried[i] = value;
	if (ask(fd, XS_WRITE, tx, data, (uint32_t)len) == 0 && !tx)
		sc.acked[i] = value;
}

/* Both parts of the store; then so much of the runtime part that the frame needs its own file. */
static void transaction(int fd, unsigned int value, unsigned int more)
{
	char id[XENSTORE_PAYLOAD_MAX + 1], data[4000];
	uint32_t tx;

	if (sc.down || !live_send(fd, XS_TRANSACTION_START, 0, "", 1) || answer(fd, id) != 0)
		return;
	tx = (uint32_t)strtoul(id, NULL, 10);
	write_one(fd, tx, 1, value);
	write_one(fd, tx, 4, value);
	for (unsigned int i = 0; i < more && !sc.down; i++) {
		int len = sprintf(data, "/run/much/%u", i) + 1;

		memset(data + len, 'm', 3500);
		live_send(fd, XS_WRITE, tx, data, (uint32_t)len + 3500);
		if (i % 16 == 15) {
			for (int k = 0; k < 16 && !sc.down; k++)
				answer(fd, NULL);
		}
	}
	if (ask(fd, XS_TRANSACTION_END, tx, "T", 2) == 0)
		sc.acked[1] = sc.acked[4] = value;
}

static bool snapshot_is_there(void)
{
	struct stat st;
	char path[100];

	snprintf(path, sizeof(path), "%s/snapshots/s.mdb", live.state_dir);
	for (int i = 0; i < 200 && stat(path, &st) < 0; i++)
		usleep(1000);
	return stat(path, &st) == 0;
}

static void stop(int fd)
{
	if (fd >= 0)
		close(fd);
	if (live.pid > 0) {
		kill(live.pid, SIGTERM);
		look_at_end();
	}
	sc.down = false;
}

static void script(bool expect_snapshot)
{
	int fd;

	live_start();
	fd = open_or_refused();
	for (unsigned int i = 0; i < PATHS; i++)
		write_one(fd, 0, i, 1);
	transaction(fd, 2, SPILL);
	ask(fd, XS_CONTROL, 0, "snapshot\0s.mdb", 15);
	if (!sc.down && expect_snapshot)
		snapshot_is_there();
	write_one(fd, 0, 0, 3);
	ask(fd, XS_RM, 0, "/run/much", 10);
	stop(fd);
	live_start();
	fd = open_or_refused();
	write_one(fd, 0, 2, 4);
	write_one(fd, 0, 5, 4);
	if (expect_snapshot && ask(fd, XS_CONTROL, 0, "restore\0s.mdb", 14) != ENOENT)
		sc.restored = true;
	transaction(fd, 5, 0);
	if (fd >= 0)
		close(fd);
}

/*
 * One read. The failure may be about this very request: then it is asked again, on a new connection
 * if there must be one. -1: the daemon has ended, and *@fd is -1.
 */
static int look(int *fd, const char *path, char *out)
{
	int ret = ENOMEM;

	for (int i = 0; i < 3 && ret != 0 && ret != ENOENT; i++) {
		ret = live_request(*fd, XS_READ, path, (uint32_t)strlen(path) + 1, out);
		if (ret < 0) {
			close(*fd);
			*fd = open_or_refused();
		}
		if (*fd < 0)
			return -1;
	}
	return ret;
}

static void check_values(int *fd)
{
	unsigned long value[PATHS];

	for (unsigned int i = 0; i < PATHS; i++) {
		char out[XENSTORE_PAYLOAD_MAX + 1] = "";
		unsigned long v;

		if (look(fd, path_of[i], out) < 0)
			return;
		v = value[i] = strtoul(out, NULL, 10);

		if (v >= sc.acked[i] && v <= sc.tried[i])
			continue;
		/* A restore goes back to what the snapshot has. */
		if (sc.restored && i < 3 && v <= sc.tried[i])
			continue;
		fault("%s: %s is %lu, acknowledged %u, tried %u", sc.what, path_of[i], v,
		      sc.acked[i], sc.tried[i]);
	}
	/* The transactions write both, more than 1; a restore takes only one of them back. */
	if ((value[1] > 1 || value[4] > 1) && value[1] != value[4] && !sc.restored)
		fault("%s: half a transaction: %lu and %lu", sc.what, value[1], value[4]);
}

/* What the daemon says while it lives, and what the next start says. */
static void check_outcome(void)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];
	uint64_t before = 0;
	int fd;

	sc.down = false;
	if (live.pid > 0) {
		fd = open_or_refused();
		/* Or it gave up, to be started again by its supervisor. */
		if (fd >= 0 && look(&fd, "/", out) == 0)
			check_values(&fd);
		if (fd >= 0)
			before = digest_of_daemon(fd);
		if (fd >= 0)
			close(fd);
	}
	live_end();
	live_start();
	fd = open_or_refused();
	if (fd < 0 || live_request(fd, XS_READ, "/", 2, NULL) != 0)
		fault("%s: later the daemon does not start", sc.what);
	check_values(&fd);
	if (before && digest_of_daemon(fd) != before)
		fault("%s: what was read is not what a restart finds", sc.what);
	assert_int_equal(live_request(fd, XS_CONTROL, "check", 6, out), 0);
	if (strcmp(out, "OK") != 0)
		fault("%s: %s", sc.what, out);
	close(fd);
}

/* A sanitizer's report goes where the daemon's words go; a leak ends no test by itself. */
static void no_reports(void)
{
	char log[100];

	snprintf(log, sizeof(log), "%s/log", live.dir);
	if (files_contain(log, "Sanitizer"))
		fault("%s: a sanitizer's report", sc.what);
}

/* Operations and allocations of the last script, without what looks at its outcome. */
static uint64_t script_count[2];

/* A new daemon on new directories, with the environment variable @what set to @value. */
static void one_run(const char *what, const char *value, bool expect_snapshot)
{
	char count[100];

	if (live_make() < 0)
		fail_msg("cannot make the directories");
	/* room made ahead costs each start its time, where the disk is memory */
	live.extra_arg = "--map-size=16384";
	snprintf(count, sizeof(count), "%s/count", live.dir);
	setenv("XS_IO_COUNT", count, 1);
	if (value)
		setenv(what, value, 1);
	script(expect_snapshot);
	unsetenv(what);
	if (counts(script_count) < 0)
		fail_msg("operations are not counted");
	check_outcome();
	no_reports();
}

static void one_failure(uint64_t n, int kind, const char *all)
{
	char fail[64];

	sc = (struct script){ .refused = sc.refused, .errors = sc.errors };
	snprintf(sc.what, sizeof(sc.what), "operation %llu fails%s: %s", (unsigned long long)n,
		 *all ? " and all behind it" : "", kind ? strerror(kind) : "in part");
	snprintf(fail, sizeof(fail), "%llu:%d%s", (unsigned long long)n, kind, all);
	one_run("XS_IO_FAIL", n ? fail : NULL, !n || !*all);
}

#ifdef __SANITIZE_ADDRESS__
#define EVERY 9
#else
#define EVERY 5
#endif
/* In CI, of the allocations. */
#define EVERY_ALLOCATION 3
/* In CI, of the operations from which on all fail. */
#define EVERY_FOR_GOOD 6

/* 0: takes half of what is written. Behind the first three are such as are mostly told alike. */
static const int kinds[] = { EIO, ENOSPC, 0, EROFS, EDQUOT, EINTR };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), ALWAYS = 3, NOW_AND_THEN = 4 };

static void sweep(const char *all, unsigned int every)
{
	unsigned int runs = 0, first;
	uint64_t nr, count[2] = { 0 };

	if (getenv("STOREVISOR_FAILURE") || getenv("STOREVISOR_ALLOCATION"))
		skip();
	sc = (struct script){ 0 };
	one_failure(0, 0, "");
	live_quiet = true;
	assert_int_equal(sc.errors, 0);
	assert_int_equal(counts(count), 0);
	nr = count[0];
	assert_int_equal(live_remove(), 0);
	first = (unsigned int)getpid();
	for (uint64_t n = 1; n <= nr; n++) {
		for (unsigned int k = 0; k < KINDS; k++) {
			if ((n * KINDS + k + first) % every)
				continue;
			if (every == 1 && k >= ALWAYS && (n + k) % NOW_AND_THEN)
				continue;
			/* It is asked again, as it must be: no disk interrupts for good. */
			if (*all && kinds[k] == EINTR)
				continue;
			one_failure(n, kinds[k], all);
			assert_int_equal(live_remove(), 0);
			runs++;
		}
	}
	print_message("%u runs, %llu operations: %u refused to start, %u requests got a reason\n",
		      runs, (unsigned long long)nr, sc.refused, sc.errors);
}

static void test_one_failure_by_number(void **state)
{
	const char *which = getenv("STOREVISOR_FAILURE");
	uint64_t n;
	char *at;
	int kind;

	if (!which)
		skip();
	n = strtoull(which, &at, 10);
	kind = (int)strtol(at + 1, &at, 10);
	one_failure(n, kind, at);
	assert_int_equal(live_remove(), 0);
}

static void test_every_failing_file_operation_has_a_defined_outcome(void **state)
{
	sweep("", live_count(EVERY, 1));
}

static void test_a_disk_that_fails_for_good_has_a_defined_outcome(void **state)
{
	sweep(":all", live_count(EVERY * EVERY_FOR_GOOD, 1));
}

#ifndef __SANITIZE_ADDRESS__
static void starve(uint64_t n)
{
	char value[32];

	sc = (struct script){ .refused = sc.refused, .errors = sc.errors };
	snprintf(sc.what, sizeof(sc.what), "allocation %llu fails", (unsigned long long)n);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
	one_run("XS_MEM_FAIL", value, true);
}
#endif

/* Of daemon and worker, start and end included: what test_oom.c, without a disk, does not reach. */
static void test_every_failing_allocation_has_a_defined_outcome(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	skip();
#else
	const char *which = getenv("STOREVISOR_ALLOCATION");
	const unsigned int every = live_count(EVERY_ALLOCATION, 1);
	unsigned int runs = 0;
	uint64_t nr;

	if (getenv("STOREVISOR_FAILURE"))
		skip();
	if (which) {
		starve(strtoull(which, NULL, 10));
		assert_int_equal(live_remove(), 0);
		return;
	}
	live_quiet = true;
	sc = (struct script){ 0 };
	starve(0);
	nr = script_count[1];
	assert_int_equal(live_remove(), 0);
	for (uint64_t n = 1 + (unsigned int)getpid() % every; n <= nr; n += every, runs++) {
		starve(n);
		assert_int_equal(live_remove(), 0);
	}
	print_message("%u runs, %llu allocations: %u refused to start, %u requests got a reason\n",
		      runs, (unsigned long long)nr, sc.refused, sc.errors);
#endif
}

/*
 * One start over what is in RUN, where operation @n and all behind it fail; it serves or refuses.
 */
static void start_that_fails(uint64_t n, int kind)
{
	char fail[64];
	int fd;

	sc.down = false;
	snprintf(sc.what, sizeof(sc.what), "operation %llu of a start fails and all behind it: %s",
		 (unsigned long long)n, strerror(kind));
	snprintf(fail, sizeof(fail), "%llu:%d:all", (unsigned long long)n, kind);
	setenv("XS_IO_FAIL", fail, 1);
	live_start();
	unsetenv("XS_IO_FAIL");
	fd = open_or_refused();
	/* It listens before it looks. */
	if (fd >= 0 && live_request(fd, XS_READ, "/", 2, NULL) < 0)
		look_at_end();
	if (fd >= 0)
		close(fd);
	live_end();
}

/* A start that could not look at what is there has seen no damage, and has changed nothing. */
static void test_a_start_that_cannot_look_loses_nothing(void **state)
{
	static const int cannot[] = { ENFILE, ENOSPC, EIO };
	const unsigned int every = live_count(2, 1);
	uint64_t count[2] = { 0 }, nr;
	char path[100];
	int fd;

	if (getenv("STOREVISOR_FAILURE") || getenv("STOREVISOR_ALLOCATION"))
		skip();
	sc = (struct script){ 0 };
	live_quiet = true;
	assert_int_equal(live_make(), 0);
	live.extra_arg = "--map-size=16384";
	snprintf(path, sizeof(path), "%s/count", live.dir);
	setenv("XS_IO_COUNT", path, 1);
	script(true);
	live_end();
	assert_int_equal(unlink(path), 0);
	live_start();
	fd = open_or_refused();
	assert_true(fd >= 0);
	check_values(&fd);
	close(fd);
	assert_int_equal(counts(count), 0);
	nr = count[0];
	live_end();
	/* By turns: two is no divisor of three. */
	for (uint64_t n = 1; n <= 3 * nr; n += every) {
		assert_int_equal(unlink(path), 0);
		start_that_fails((n + 2) / 3, cannot[n % 3]);
		live_start();
		fd = open_or_refused();
		if (fd < 0)
			fault("%s: later the daemon does not start", sc.what);
		check_values(&fd);
		close(fd);
		live_end();
	}
	snprintf(path, sizeof(path), "%s/log", live.dir);
	if (files_contain(path, "lost"))
		fault("something is called lost");
	print_message("%llu operations of a start: %u refused\n", (unsigned long long)nr,
		      sc.refused);
	unsetenv("XS_IO_COUNT");
	assert_int_equal(live_remove(), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_failure_by_number),
		cmocka_unit_test(test_every_failing_allocation_has_a_defined_outcome),
		cmocka_unit_test(test_every_failing_file_operation_has_a_defined_outcome),
		cmocka_unit_test(test_a_disk_that_fails_for_good_has_a_defined_outcome),
		cmocka_unit_test(test_a_start_that_cannot_look_loses_nothing),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
