/* SPDX-License-Identifier: MIT */
/*
 * test_refused.c - a disk that hangs, is full, or cannot be written. Claims: nobody waits for it
 * but who is told that something is durable; what does not fit is refused before it is done, and
 * just that; the daemon starts, serves and ends in time whatever the disk does; what was done in
 * both parts at once is there whole after kill -9.
 *
 * argv[1]: the daemon built with the fake machine. The worker is stopped and continued by signals,
 * so that nothing depends on who is faster.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live.h"

static int fd, other;
static char out[XENSTORE_PAYLOAD_MAX + 1];

static int write_to(int client, const char *path, size_t len)
{
	char data[4000];
	size_t at = strlen(path) + 1;

	memcpy(data, path, at);
	memset(data + at, 'x', len);
	return live_request(client, XS_WRITE, data, (uint32_t)(at + len), NULL);
}

static int rm(const char *path)
{
	return live_request(other, XS_RM, path, (uint32_t)strlen(path) + 1, NULL);
}

/* Killed, started again, and two connections as before. */
static void begin_again(void)
{
	live_end();
	close(fd);
	close(other);
	live_start();
	fd = live_open();
	other = live_open();
}

static int setup(void **state)
{
	if (live_make() < 0)
		return -1;
	fake_domain(live.hv, 7, FAKE_EXISTS);
	live_start();
	fd = live_open();
	other = live_open();
	/* On the disk, and with it all that the start has made. */
	assert_int_equal(live_write_number(fd, "/config/begun", 1), 0);
	return 0;
}

static int teardown(void **state)
{
	close(fd);
	close(other);
	return live_remove();
}

/* Everything but what has to be durable, with the worker stopped. */
static void others_are_served(void)
{
	int newcomer = live_open();

	assert_int_equal(live_read_number(newcomer, "/config/begun"), 1);
	assert_int_equal(live_write_number(newcomer, "/run/x", 7), 0);
	assert_int_equal(live_read_number(other, "/run/x"), 7);
	assert_int_equal(live_request(other, XS_CONTROL, "check", 6, out), 0);
	assert_string_equal(out, "OK");
	close(newcomer);
}

static void test_a_disk_that_hangs_holds_up_who_waits_for_it_only(void **state)
{
	pid_t worker = live_worker();

	kill(worker, SIGSTOP);
	assert_true(live_send(fd, XS_WRITE, 0, "/config/held\0" "5", 14));
	while (live_read_number(other, "/config/held") != 5)
		usleep(1000);
	others_are_served();
	assert_false(live_is_answered(fd));
	kill(worker, SIGCONT);
	assert_int_equal(live_await(fd, NULL), 0);
}

/* Who ends a domain promises nobody that it will not be there again. */
static void test_the_end_of_a_domain_waits_for_no_disk(void **state)
{
	pid_t worker = live_worker();

	assert_int_equal(live_request(other, XS_INTRODUCE, "7\0" "5\0" "9", 6, NULL), 0);
	assert_int_equal(live_write_number(other, "/config/of7", 1), 0);
	assert_int_equal(live_request(other, XS_SET_PERMS, "/config/of7\0n7", 15, NULL), 0);
	kill(worker, SIGSTOP);
	assert_true(live_send(fd, XS_RELEASE, 0, "7", 2));
	while (live_read_number(other, "/config/of7") == 1)
		usleep(1000);
	others_are_served();
	assert_true(live_is_answered(fd));
	assert_int_equal(live_await(fd, NULL), 0);
	kill(worker, SIGCONT);
	assert_int_equal(live_write_number(fd, "/config/begun", 2), 0);
}

static void test_the_end_comes_in_time_while_the_disk_hangs(void **state)
{
	pid_t worker = live_worker();
	double began;

	kill(worker, SIGSTOP);
	assert_true(live_send(fd, XS_WRITE, 0, "/config/held\0" "5", 14));
	while (live_read_number(other, "/config/held") != 5)
		usleep(1000);
	began = live_now();
	live_kill(SIGTERM);
	/*
	 * It gives the disk three seconds; which a loaded machine may make longer, but not for
	 * ever.
	 */
	assert_true(live_now() - began < LIVE_PATIENCE_S);
	/* Nobody was told that it is done, and it is not lost. */
	assert_int_equal(live_await(fd, NULL), -1);
	close(fd);
	close(other);
	live_start();
	fd = live_open();
	other = live_open();
	assert_int_equal(live_read_number(fd, "/config/held"), 5);
	others_are_served();
	kill(worker, SIGCONT);
	assert_int_equal(live_write_number(fd, "/config/held", 6), 0);
}

/* What is in both parts is one commit: it is there whole, and the disk gets its part. */
static void test_kill_while_the_disk_is_asked_leaves_all(void **state)
{
	char data[64];
	uint32_t tx;

	kill(live_worker(), SIGSTOP);
	assert_int_equal(live_request(fd, XS_TRANSACTION_START, "", 1, out), 0);
	tx = (uint32_t)strtoul(out, NULL, 10);
	for (int i = 0; i < 2; i++) {
		int len = sprintf(data, "%s/both%c9", i ? "/run" : "/config", 0);

		assert_true(live_send(fd, XS_WRITE, tx, data, (uint32_t)len));
		assert_int_equal(live_await(fd, NULL), 0);
	}
	assert_true(live_send(fd, XS_TRANSACTION_END, tx, "T", 2));
	while (live_read_number(other, "/run/both") != 9)
		usleep(1000);
	kill(live_worker(), SIGCONT);
	begin_again();
	assert_int_equal(live_read_number(fd, "/run/both"), 9);
	assert_int_equal(live_read_number(fd, "/config/both"), 9);
}

static void test_no_room_refuses_just_what_does_not_fit(void **state)
{
	char path[64];
	unsigned int i;
	int err = 0;

	live_end();
	close(fd);
	close(other);
	live.extra_arg = "--map-size=2048";
	live_start();
	fd = live_open();
	other = live_open();
	for (i = 0; i < 3000 && !err; i++) {
		snprintf(path, sizeof(path), "/config/big/%u", i);
		err = write_to(fd, path, 3000);
	}
	assert_int_equal(err, ENOSPC);
	assert_int_equal(live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, NULL), ENOENT);
	others_are_served();
	for (unsigned int k = 0; k < 20; k++) {
		snprintf(path, sizeof(path), "/config/big/%u", k);
		assert_int_equal(rm(path), 0);
	}
	assert_int_equal(live_write_number(other, "/config/small", 3), 0);
	begin_again();
	assert_int_equal(live_read_number(fd, "/config/small"), 3);
	assert_int_equal(live_read_number(fd, "/config/begun"), 1);
}

/* The state directory is nothing that could be written to: guests have a store all the same. */
static void test_a_state_directory_that_cannot_be_is_served_without(void **state)
{
	char dir[sizeof(live.state_dir)];

	live_end();
	close(fd);
	close(other);
	strcpy(dir, live.state_dir);
	strcpy(live.state_dir, "/proc/self/fdinfo/none");
	snprintf(out, sizeof(out), "rm -rf %s/live", live.dir);
	assert_int_equal(system(out), 0);
	live_start();
	fd = live_open();
	other = live_open();
	assert_int_equal(live_write_number(fd, "/run/x", 4), 0);
	assert_int_equal(live_read_number(other, "/run/x"), 4);
	assert_int_not_equal(live_write_number(fd, "/config/x", 4), 0);
	assert_int_equal(live_read_number(fd, "/config/x"), 0);
	live_end();
	strcpy(live.state_dir, dir);
}

/* The daemon has got so far that it waits for what the disk has. */
static void await_worker(void)
{
	char path[64], comm[32] = "";

	for (int i = 0; i < 10000 && strcmp(comm, "xenstored-disk\n") != 0; i++) {
		FILE *f;
		int pid;

		usleep(1000);
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)live.pid,
			 (int)live.pid);
		f = fopen(path, "re");
		if (!f || fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			fclose(f);
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		f = pid ? fopen(path, "re") : NULL;
		if (f && !fgets(comm, sizeof(comm), f))
			comm[0] = '\0';
		if (f)
			fclose(f);
	}
	assert_string_equal(comm, "xenstored-disk\n");
}

static void end_boot(void)
{
	live_end();
	close(fd);
	close(other);
	snprintf(out, sizeof(out), "rm -rf %s/live", live.dir);
	assert_int_equal(system(out), 0);
}

/* After it, the disk is all there is. */
static void boot_again(void)
{
	end_boot();
	live_start();
	fd = live_open();
	other = live_open();
}

/*
 * The first start of a boot is cut off while the disk, which others keep busy, has not told it
 * anything yet. The next one has all of the persistent part, and so has the one of the next boot.
 */
static void test_a_first_load_that_is_cut_off_costs_nothing(void **state)
{
	char path[100];
	int lock;

	for (int end = 0; end < 2; end++) {
		end_boot();
		snprintf(path, sizeof(path), "%s/store", live.state_dir);
		lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(flock(lock, LOCK_EX), 0);
		live_start();
		await_worker();
		live_kill(end ? SIGTERM : SIGKILL);
		close(lock);
		live_settle();
		live_start();
		fd = live_open();
		other = live_open();
		assert_int_equal(live_read_number(fd, "/config/begun"), 1 + (unsigned int)end);
		assert_int_equal(live_write_number(fd, "/config/begun", 2 + (unsigned int)end), 0);
		assert_int_equal(live_request(other, XS_CONTROL, "check", 6, out), 0);
		assert_string_equal(out, "OK");
	}
	boot_again();
	assert_int_equal(live_read_number(fd, "/config/begun"), 3);
}

/* A start on what the one before has loaded needs no disk to know it, and queues nothing again. */
static void test_a_restart_goes_on_behind_what_was_loaded(void **state)
{
	char before[XENSTORE_PAYLOAD_MAX + 1];

	end_boot();
	for (int i = 0; i < 2; i++) {
		live_start();
		fd = live_open();
		if (i == 0) {
			assert_int_equal(live_read_number(fd, "/config/begun"), 1);
			close(fd);
			live_end();
		}
	}
	other = live_open();
	assert_int_equal(live_write_number(fd, "/config/more", 4), 0);
	/* 1: it is not there; 2 would be no log */
	snprintf(before, sizeof(before), "grep -q 'written anew' %s/log; test $? = 1", live.dir);
	assert_int_equal(system(before), 0);
}

static const char *control(const char *words, size_t len)
{
	assert_int_equal(live_request(fd, XS_CONTROL, words, (uint32_t)len, out), 0);
	return out;
}

#define CONTROL(words) control(words, sizeof(words))

/* Both copies are damaged: it is said what is not known any more until somebody says he knows. */
static void test_what_was_lost_is_told_until_it_is_known(void **state)
{
	live_end();
	close(fd);
	close(other);
	snprintf(out, sizeof(out), "rm -rf %s/live %s/store/log-* && truncate -s 9000 %s/store/data.mdb",
		 live.dir, live.state_dir, live.state_dir);
	assert_int_equal(system(out), 0);
	live_start();
	fd = live_open();
	other = live_open();
	assert_non_null(strstr(CONTROL("stat"), "degraded 1\n"));
	/* What xend looks for. */
	assert_non_null(strstr(CONTROL("stat"), "\nlost 1\n"));
	assert_non_null(strstr(CONTROL("lost"), "unknown 0 "));
	assert_int_equal(live_request(fd, XS_CONTROL, "lost\0what", 10, out), EINVAL);
	assert_string_equal(CONTROL("lost\0known"), "OK");
	assert_non_null(strstr(CONTROL("stat"), "degraded 0\n"));
	assert_non_null(strstr(CONTROL("stat"), "\nlost 0\n"));
	assert_string_equal(CONTROL("lost"), "nothing");
	assert_int_equal(live_write_number(fd, "/config/begun", 2), 0);
	begin_again();
	assert_non_null(strstr(CONTROL("stat"), "degraded 0\n"));
	assert_string_equal(CONTROL("lost"), "nothing");
}

static void remove_disk(void)
{
	snprintf(out, sizeof(out), "rm -rf %s/store/*", live.state_dir);
	assert_int_equal(system(out), 0);
}

/* What is written to a file without a name no start would find. */
static void test_a_disk_that_is_taken_away_has_all_again(void **state)
{
	remove_disk();
	assert_int_equal(live_write_number(fd, "/config/x", 2), 0);
	boot_again();
	assert_int_equal(live_read_number(fd, "/config/begun"), 1);
	assert_int_equal(live_read_number(fd, "/config/x"), 2);
	/* Also when nobody changes anything behind that, */
	remove_disk();
	while (!strstr(CONTROL("lost"), "unknown "))
		usleep(1000);
	assert_string_equal(CONTROL("snapshot\0s"), "OK");
	boot_again();
	assert_int_equal(live_read_number(fd, "/config/begun"), 1);
	/* or the worker has gone with it. */
	kill(live_worker(), SIGSTOP);
	remove_disk();
	kill(live_worker(), SIGKILL);
	assert_int_equal(live_write_number(fd, "/config/x", 3), 0);
	boot_again();
	assert_int_equal(live_read_number(fd, "/config/begun"), 1);
	assert_int_equal(live_read_number(fd, "/config/x"), 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_a_disk_that_hangs_holds_up_who_waits_for_it_only),
		T(test_the_end_of_a_domain_waits_for_no_disk),
		T(test_the_end_comes_in_time_while_the_disk_hangs),
		T(test_kill_while_the_disk_is_asked_leaves_all),
		T(test_no_room_refuses_just_what_does_not_fit),
		T(test_a_state_directory_that_cannot_be_is_served_without),
		T(test_a_first_load_that_is_cut_off_costs_nothing),
		T(test_a_restart_goes_on_behind_what_was_loaded),
		T(test_a_disk_that_is_taken_away_has_all_again),
		T(test_what_was_lost_is_told_until_it_is_known),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = live_quiet = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
