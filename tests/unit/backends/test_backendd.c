/* SPDX-License-Identifier: MIT */
/*
 * test_backendd.c - the real supervisor over our real store daemon, with fake device programs:
 * starting, restarting, giving up, adopting, cleaning up.
 * Run with the paths of xenstored, backendd and the fake device as arguments.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal.h"
#include "store.h"

#define WAIT_MS 240000

static const char *xenstored, *backendd, *device;
static char dir[64], state_dir[96], log_path[96], programs[96], sysfs[96], journals[96];
static pid_t store_pid, sv_pid;
static struct xs_handle *xs;

static void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static pid_t spawn(char *const argv[])
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* What it says goes to FAKE_LOG.sv. */
static void start_supervisor(void)
{
	sv_pid = fork();
	if (sv_pid == 0) {
		char path[128];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(path, sizeof(path), "%s.sv", log_path);
		if (!freopen(path, "a", stderr))
			_exit(127);
		execl(backendd, backendd, "-l", programs, "-s", sysfs, NULL);
		_exit(127);
	}
}

static void start_store(void)
{
	store_pid = spawn((char *[]){ (char *)xenstored, "-N", "-D", "--run-dir", dir, "--state-dir",
				      state_dir, NULL });
}

static void stop(pid_t pid, int sig)
{
	kill(pid, sig);
	waitpid(pid, NULL, 0);
}

/* The @n-th (from 0) pid device @devid was started with, 0: not that often. */
static pid_t started(unsigned int devid, int n)
{
	FILE *f = fopen(log_path, "r");
	unsigned int dev;
	int pid, found = 0;

	while (f && !found && fscanf(f, "start %u %d\n", &dev, &pid) == 2)
		if (dev == devid && n-- == 0)
			found = pid;
	if (f)
		fclose(f);
	return found;
}

static pid_t wait_started(unsigned int devid, int n)
{
	pid_t pid = 0;

	for (int ms = 0; ms < WAIT_MS && !pid; ms += 10) {
		pid = started(devid, n);
		if (!pid)
			sleep_ms(10);
	}
	assert_int_not_equal(pid, 0);
	return pid;
}

static bool lives(pid_t pid)
{
	char state = 'Z', path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state != 'Z';
}

static void wait_dead(pid_t pid)
{
	for (int ms = 0; ms < WAIT_MS && lives(pid); ms += 10)
		sleep_ms(10);
	assert_false(lives(pid));
}

static const char *back(unsigned int devid)
{
	static char path[64];

	snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/7/%u", devid);
	return path;
}

static void offer(unsigned int devid)
{
	store_write(xs, XBT_NULL, back(devid), "frontend", "/local/domain/7/device/vbd/%u", devid);
	store_write(xs, XBT_NULL, back(devid), "frontend-id", "7");
	store_write(xs, XBT_NULL, back(devid), "online", "1");
	store_write(xs, XBT_NULL, back(devid), "state", "1");
}

static int set_up(void **state)
{
	char socket[96];

	strcpy(dir, "/tmp/test-backendd-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
	mkdir(state_dir, 0700);
	snprintf(programs, sizeof(programs), "%s/programs", dir);
	snprintf(socket, sizeof(socket), "%s/socket", dir);
	setenv("XENSTORED_PATH", socket, 1);
	setenv("FAKE_LOG", log_path, 1);
	snprintf(sysfs, sizeof(sysfs), "%s/sys", dir);
	/* Nobody has made /run/xen. */
	snprintf(journals, sizeof(journals), "%s/xen/backend", dir);
	setenv("STOREVISOR_BACKEND_DIR", journals, 1);
	start_store();
	for (int ms = 0; ms < WAIT_MS && !(xs = xs_open(0)); ms += 10)
		sleep_ms(10);
	assert_non_null(xs);
	/* The directory of programs: one link named as the supervisor expects. */
	char command[512];
	snprintf(command, sizeof(command), "mkdir %s && ln -s %s %s/blkback", programs, device,
		 programs);
	assert_int_equal(system(command), 0);
	start_supervisor();
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	xs_rm(xs, XBT_NULL, "/local/domain/0/backend");
	stop(sv_pid, SIGKILL);
	/* Whatever device processes are left are this test's own: their pids are in its log. */
	for (unsigned int devid = 0; devid < 64; devid++) {
		pid_t pid;

		for (int n = 0; (pid = started(devid, n)); n++)
			if (lives(pid))
				kill(pid, SIGKILL);
	}
	xs_close(xs);
	stop(store_pid, SIGTERM);
	/* who was killed just now may still write into it */
	snprintf(command, sizeof(command), "until rm -rf %s 2>/dev/null; do :; done", dir);
	return system(command);
}

/* ------------------------------------------------------------------------------------------ */

static void test_each_new_directory_gets_one_process(void **state)
{
	pid_t pid[3];

	for (unsigned int i = 0; i < 3; i++)
		offer(10 + i);
	for (unsigned int i = 0; i < 3; i++)
		pid[i] = wait_started(10 + i, 0);
	sleep_ms(300);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(started(10 + i, 1), 0);
		assert_true(lives(pid[i]));
	}
}

/* Waits for the supervisor's word on why device @devid cannot be served. */
static void wait_refused(unsigned int devid, char *why, size_t len)
{
	char status[16] = "";

	for (int ms = 0; ms < WAIT_MS && strcmp(status, "error"); ms += 10) {
		sleep_ms(10);
		store_read_str(xs, back(devid), "hotplug-status", status, sizeof(status));
	}
	assert_string_equal(status, "error");
	assert_int_equal(store_read_str(xs, back(devid), "hotplug-error", why, len), 0);
}

static void test_directory_that_the_kernel_serves_is_refused(void **state)
{
	char command[256], why[256];

	snprintf(command, sizeof(command), "mkdir -p %s/bus/xen-backend/drivers/vbd", sysfs);
	assert_int_equal(system(command), 0);
	offer(10);
	wait_refused(10, why, sizeof(why));
	assert_non_null(strstr(why, "rmmod xen-blkback"));
	assert_int_equal(started(10, 0), 0);
	/* Unloaded, and offered anew. */
	snprintf(command, sizeof(command), "rm -r %s/bus", sysfs);
	assert_int_equal(system(command), 0);
	xs_rm(xs, XBT_NULL, back(10));
	offer(10);
	wait_started(10, 0);
}

static void test_directory_without_frontend_is_left_alone(void **state)
{
	store_write(xs, XBT_NULL, back(10), "online", "1");
	offer(11);
	wait_started(11, 0);
	assert_int_equal(started(10, 0), 0);
	/* It becomes a device once its frontend is named. */
	offer(10);
	wait_started(10, 0);
}

static void test_killed_process_is_started_again(void **state)
{
	offer(10);
	for (int n = 0; n < 4; n++)
		kill(wait_started(10, n), SIGKILL);
	assert_true(lives(wait_started(10, 4)));
}

/* The longest pause the supervisor has announced so far before starting a process again. */
static unsigned int longest_pause_ms(void)
{
	char path[128], line[512], *at;
	unsigned int ms, longest = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s.sv", log_path);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, "restarting in ");
		if (at && sscanf(at, "restarting in %u ms", &ms) == 1 && ms > longest)
			longest = ms;
	}
	fclose(f);
	return longest;
}

static void test_process_that_served_is_soon_back_however_often_it_is_killed(void **state)
{
	offer(20);
	for (int n = 0; n < 20; n++)
		kill(wait_started(20, n), SIGKILL);
	assert_true(lives(wait_started(20, 20)));
	assert_in_range(longest_pause_ms(), 20, 200);
}

static void test_adopted_process_that_served_is_soon_back(void **state)
{
	pid_t pid;

	offer(20);
	for (int n = 0; n < 8; n++) {
		pid = wait_started(20, n);
		stop(sv_pid, SIGKILL);
		start_supervisor();
		kill(pid, SIGKILL);
	}
	wait_started(20, 8);
	assert_in_range(longest_pause_ms(), 0, 200);
}

static void test_process_that_keeps_failing_is_started_ever_more_rarely(void **state)
{
	int n = 0;

	offer(3); /* exits 75 at once */
	for (int ms = 0; ms < WAIT_MS && longest_pause_ms() < 640; ms += 10)
		sleep_ms(10);
	while (started(3, n))
		n++;
	/* 20, 40, 80, 160, 320, 640 ms: six until here, and few more while we looked. */
	assert_in_range(n, 6, 9);
}

static void test_wrong_record_is_not_tried_again_until_it_is_offered_anew(void **state)
{
	offer(2); /* exits 78 */
	wait_started(2, 0);
	sleep_ms(400);
	assert_int_equal(started(2, 1), 0);
	xs_rm(xs, XBT_NULL, back(2));
	sleep_ms(100);
	offer(2);
	wait_started(2, 1);
}

static void test_closed_device_is_not_started_again(void **state)
{
	char leave[128];
	FILE *f;

	offer(4);
	wait_started(4, 0);
	store_write(xs, XBT_NULL, back(4), "online", "0");
	store_write(xs, XBT_NULL, back(4), "state", "6");
	snprintf(leave, sizeof(leave), "%s.leave", log_path);
	f = fopen(leave, "w"); /* now it exits 0 */
	assert_non_null(f);
	fclose(f);
	sleep_ms(400);
	assert_int_equal(started(4, 1), 0);
}

/* Waits for the supervisor's word that device @devid's process is one of an earlier supervisor. */
static void wait_adopted(unsigned int devid)
{
	char path[128], line[512], wanted[64];
	bool found = false;

	snprintf(path, sizeof(path), "%s.sv", log_path);
	snprintf(wanted, sizeof(wanted), "/7/%u: adopted", devid);
	for (int ms = 0; ms < WAIT_MS && !found; ms += 10) {
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		while (!found && fgets(line, sizeof(line), f))
			found = strstr(line, wanted) != NULL;
		fclose(f);
		sleep_ms(10);
	}
	assert_true(found);
}

static void test_vanished_device_has_its_process_and_journal_removed(void **state)
{
	char journal[128];
	pid_t pid;
	FILE *f;

	offer(10);
	pid = wait_started(10, 0);
	snprintf(journal, sizeof(journal), "%s/vbd-7-10", journals);
	assert_int_equal(access(journal, F_OK), 0);
	/* While one is left the mark for udev stays, supervisor or not. */
	stop(sv_pid, SIGTERM);
	assert_int_equal(access(journals, F_OK), 0);
	start_supervisor();
	wait_adopted(10);
	xs_rm(xs, XBT_NULL, "/local/domain/0/backend/vbd/7");
	wait_dead(pid); /* it never looks at the store: the supervisor's patience ends */
	for (int ms = 0; ms < WAIT_MS && access(journal, F_OK) == 0; ms += 10)
		sleep_ms(10);
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(started(10, 1), 0);
	/* A lock that a disk of another machine had is no device. */
	snprintf(journal, sizeof(journal), "%s/nbd-0123456789abcdef", journals);
	f = fopen(journal, "w");
	assert_non_null(f);
	fclose(f);
	stop(sv_pid, SIGTERM);
	assert_int_equal(access(journals, F_OK), -1);
	start_supervisor();
}

static void test_killed_supervisor_disturbs_no_device(void **state)
{
	pid_t pid;

	offer(10);
	pid = wait_started(10, 0);
	stop(sv_pid, SIGKILL);
	start_supervisor();
	sleep_ms(700);
	assert_true(lives(pid));
	assert_int_equal(started(10, 1), 0);
}

static void test_adopted_process_is_restarted_when_killed(void **state)
{
	pid_t pid;

	offer(10);
	pid = wait_started(10, 0);
	stop(sv_pid, SIGKILL);
	start_supervisor();
	sleep_ms(500);
	kill(pid, SIGKILL);
	assert_true(lives(wait_started(10, 1)));
}

static void test_device_that_died_without_supervisor_is_started(void **state)
{
	pid_t pid;

	offer(10);
	pid = wait_started(10, 0);
	stop(sv_pid, SIGKILL);
	kill(pid, SIGKILL);
	wait_dead(pid);
	start_supervisor();
	wait_started(10, 1);
}

static void test_terminated_supervisor_leaves_devices_running(void **state)
{
	pid_t pid;

	offer(10);
	pid = wait_started(10, 0);
	stop(sv_pid, SIGTERM);
	assert_true(lives(pid));
	start_supervisor();
}

static void test_missing_program_is_named_to_the_user(void **state)
{
	char text[256] = "", want[256];

	store_write(xs, XBT_NULL, "/local/domain/0/backend/console/7/0", "frontend",
		    "/local/domain/7/console");
	snprintf(want, sizeof(want), "cannot run %s/consback", programs);
	for (int ms = 0; ms < WAIT_MS && strcmp(text, want); ms += 10) {
		sleep_ms(10);
		store_read_str(xs, "/local/domain/0/backend/console/7/0", "hotplug-error", text,
			       sizeof(text));
	}
	assert_string_equal(text, want);
}

static void test_restarted_store_is_found_again(void **state)
{
	offer(10);
	wait_started(10, 0);
	stop(store_pid, SIGKILL);
	start_store();
	sleep_ms(300);
	offer(11);
	wait_started(11, 0);
	assert_int_equal(started(10, 1), 0);
}

static void test_names_that_are_no_device_start_nothing(void **state)
{
	store_write(xs, XBT_NULL, "/local/domain/0/backend/vbd/7/x", "frontend", "/x");
	store_write(xs, XBT_NULL, "/local/domain/0/backend/vbd/-1/5", "frontend", "/x");
	store_write(xs, XBT_NULL, "/local/domain/0/backend/9pfs/7/5", "frontend", "/x");
	store_write(xs, XBT_NULL, "/local/domain/0/backend/vbd/7/99999999999/frontend", "x", "/x");
	offer(10);
	wait_started(10, 0);
	assert_int_equal(started(5, 0), 0);
}

#define WRITERS 4

/*
 * Device 10's process writes its state as fast as the store takes it; a byte into @to now and then.
 */
static pid_t start_writer(int to)
{
	pid_t pid = fork();
	struct xs_handle *own;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	own = xs_open(0);
	for (unsigned int i = 0; own; i++) {
		store_write(own, XBT_NULL, back(10), "state", "%u", 1 + i % 6);
		if (i % 1000 == 999 && write(to, "", 1) != 1)
			break;
	}
	_exit(1);
}

/* What a guest can have it do, by letting its frontends begin over and over. */
static void test_devices_that_are_written_without_end_hold_up_no_other(void **state)
{
	pid_t writer[WRITERS], other;
	char byte;
	int told[2];

	offer(10);
	offer(20);
	other = wait_started(20, 0);
	assert_int_equal(pipe(told), 0);
	for (int i = 0; i < WRITERS; i++)
		writer[i] = start_writer(told[1]);
	for (int i = 0; i < 2 * WRITERS; i++)
		assert_int_equal(read(told[0], &byte, 1), 1);
	kill(other, SIGKILL);
	wait_started(20, 1);
	offer(21);
	wait_started(21, 0);
	for (int i = 0; i < WRITERS; i++)
		stop(writer[i], SIGKILL);
	close(told[0]);
	close(told[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_each_new_directory_gets_one_process),
		T(test_directory_without_frontend_is_left_alone),
		T(test_directory_that_the_kernel_serves_is_refused),
		T(test_killed_process_is_started_again),
		T(test_process_that_served_is_soon_back_however_often_it_is_killed),
		T(test_adopted_process_that_served_is_soon_back),
		T(test_process_that_keeps_failing_is_started_ever_more_rarely),
		T(test_wrong_record_is_not_tried_again_until_it_is_offered_anew),
		T(test_closed_device_is_not_started_again),
		T(test_vanished_device_has_its_process_and_journal_removed),
		T(test_killed_supervisor_disturbs_no_device),
		T(test_adopted_process_is_restarted_when_killed),
		T(test_device_that_died_without_supervisor_is_started),
		T(test_terminated_supervisor_leaves_devices_running),
		T(test_missing_program_is_named_to_the_user),
		T(test_restarted_store_is_found_again),
		T(test_names_that_are_no_device_start_nothing),
		T(test_devices_that_are_written_without_end_hold_up_no_other),
	};

	if (argc != 4)
		return 2;
	/* relative to the build folder; the daemons run elsewhere */
	xenstored = realpath(argv[1], NULL);
	backendd = realpath(argv[2], NULL);
	device = realpath(argv[3], NULL);
	if (!xenstored || !backendd || !device)
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
