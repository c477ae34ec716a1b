/* SPDX-License-Identifier: MIT */
/*
 * test_taken.c - a device process that its guest took over tries everything, under the real
 * supervisor and the real store daemon: on its first connection, and on those it is handed after
 * either of the two, or both, were killed. Needs root, as backendd does.
 * Run with the paths of xenstored, backendd and taken_device as arguments.
 */
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
#include <unistd.h>

#include <cmocka.h>

#include "store.h"

#define OWN "/local/domain/0/backend/vbd/7/768"
#define OTHER "/local/domain/0/backend/vbd/99/768"
#define WAIT_MS 240000

static const char *xenstored, *backendd, *device;
static char dir[64], state_dir[96], log_path[96], programs[96];
static pid_t store_pid, sv_pid;
static struct xs_handle *xs;

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

static void start_supervisor(void)
{
	sv_pid = spawn((char *[]){ (char *)backendd, "-l", programs, NULL });
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

static void put(const char *path, const char *key, const char *value)
{
	assert_int_equal(store_write(xs, XBT_NULL, path, key, "%s", value), 0);
}

static int set_up(void **state)
{
	char text[512];

	strcpy(dir, "/tmp/test-taken-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
	mkdir(state_dir, 0700);
	snprintf(programs, sizeof(programs), "%s/programs", dir);
	snprintf(text, sizeof(text), "%s/socket", dir);
	setenv("XENSTORED_PATH", text, 1);
	setenv("FAKE_LOG", log_path, 1);
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	start_store();
	for (int ms = 0; ms < WAIT_MS && !(xs = xs_open(0)); ms += 10)
		usleep(10000);
	assert_non_null(xs);
	snprintf(text, sizeof(text), "mkdir %s && ln -s %s %s/blkback", programs, device, programs);
	assert_int_equal(system(text), 0);
	start_supervisor();
	put("/tool", "secret", "s");
	put("/config/domain/victim", "kernel", "/boot/vmlinuz");
	put(OTHER, "params", "/their/disk");
	put("/local/domain/7/device/vbd/768", "state", "4");
	put(OWN, "params", "/own/disk");
	put(OWN, "online", "1");
	put(OWN, "state", "1");
	put(OWN, "frontend-id", "7");
	put(OWN, "frontend", "/local/domain/7/device/vbd/768");
	return 0;
}

/* The pid in the log's @n-th "start" line, 0: not there yet. */
static int started(int n)
{
	FILE *f = fopen(log_path, "r");
	char line[256];
	int pid = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "start 768 %d", &pid) == 1 && n-- == 0)
			break;
	if (f)
		fclose(f);
	return n < 0 ? pid : 0;
}

static int tear_down(void **state)
{
	char command[128];

	stop(sv_pid, SIGKILL);
	for (int n = 0, pid; (pid = started(n)); n++)
		kill(pid, SIGKILL);
	xs_close(xs);
	stop(store_pid, SIGTERM);
	/* who was killed just now may still write into it */
	snprintf(command, sizeof(command), "until rm -rf %s 2>/dev/null; do :; done", dir);
	return system(command);
}

/* Has the process play round @n, and waits for its answer. */
static void play_round(int n)
{
	uint64_t answer = 0;
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	put(OWN, "round", text);
	for (int ms = 0; ms < WAIT_MS && answer != (uint64_t)n; ms += 10) {
		usleep(10000);
		if (store_read_num(xs, OWN, "state", 1000, &answer) < 0)
			answer = 0;
	}
	if (answer != (uint64_t)n)
		fail_msg("round %d: no answer", n);
}

/* Every round tried enough, on two connections, and got nothing. */
static void check_log(int rounds)
{
	FILE *f = fopen(log_path, "r");
	int played = 0, tried, got;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "NOT WITHHELD"))
			fail_msg("%s", line);
		if (sscanf(line, "%*[a-z ]: %d tried, %d succeeded", &tried, &got) == 2) {
			assert_true(tried >= 20);
			assert_int_equal(got, 0);
			played++;
		}
	}
	fclose(f);
	assert_int_equal(played, 2 * rounds);
}

static void check_untouched(void)
{
	char text[64];

	store_read_str(xs, "/config/domain/victim", "kernel", text, sizeof(text));
	assert_string_equal(text, "/boot/vmlinuz");
	store_read_str(xs, OWN, "params", text, sizeof(text));
	assert_string_equal(text, "/own/disk");
	store_read_str(xs, OTHER, "params", text, sizeof(text));
	assert_string_equal(text, "/their/disk");
	assert_int_equal(store_has(xs, "/config/domain/mine"), 0);
}

static void test_a_taken_process_gets_nothing_whatever_is_killed(void **state)
{
	int n = 10;

	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	play_round(n++);
	stop(store_pid, SIGKILL);
	start_store();
	play_round(n++);
	stop(sv_pid, SIGKILL);
	start_supervisor();
	play_round(n++);
	stop(store_pid, SIGKILL);
	start_store();
	play_round(n++);
	/* Both: the question waits for the next supervisor. */
	stop(sv_pid, SIGKILL);
	stop(store_pid, SIGKILL);
	start_store();
	assert_int_equal(store_has(xs, OWN), 1); /* waits for it, as whoever starts backendd does */
	start_supervisor();
	play_round(n++);
	check_log(n - 10);
	check_untouched();
	/* All that time it was the same process: it came by each connection without any rights. */
	assert_int_equal(started(1), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_taken_process_gets_nothing_whatever_is_killed, set_up, tear_down),
	};

	if (argc != 4)
		return 2;
	xenstored = argv[1];
	backendd = argv[2];
	device = realpath(argv[3], NULL); /* linked from elsewhere */
	if (!device)
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
