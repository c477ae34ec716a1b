/* SPDX-License-Identifier: MIT */
/*
 * test_claim.c - a second daemon, with directories of its own, is told to use a name that belongs
 * to the first: it ends, and the first goes on as if nothing had been.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "live.h"

static char other[64], pid_file[100], pid_arg[120];

static int setup(void **state)
{
	strcpy(other, "/dev/shm/xs-claim-XXXXXX");
	if (live_make() < 0 || !mkdtemp(other))
		return -1;
	snprintf(pid_file, sizeof(pid_file), "%s/pid", live.dir);
	snprintf(pid_arg, sizeof(pid_arg), "--pid-file=%s", pid_file);
	live.extra_arg = pid_arg;
	return 0;
}

static int teardown(void **state)
{
	return live_remove() | files_remove(other);
}

/* Runs a second daemon: its exit status, or -1 when it served and had to be killed. */
static int second(const char *arg, const char *socket_env)
{
	char fake[80], run[80], data[80], rings[100];
	pid_t pid = fork();
	int status;

	snprintf(fake, sizeof(fake), "%s/fake", other);
	snprintf(run, sizeof(run), "%s/run", other);
	snprintf(data, sizeof(data), "%s/state", other);
	if (pid == 0) {
		setenv("XS_FAKE_DIR", fake, 1);
		if (socket_env)
			setenv("XENSTORED_PATH", socket_env, 1);
		if (!freopen("/dev/null", "w", stderr))
			_exit(9);
		execl(live.program, live.program, "-N", "--run-dir", run, "--state-dir", data, arg,
		      NULL);
		_exit(9);
	}
	snprintf(rings, sizeof(rings), "%s/rings", run);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		/* It has taken all its names before it makes this. */
		if (access(rings, F_OK) == 0)
			kill(pid, SIGKILL);
		usleep(1000);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static ino_t inode(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? st.st_ino : 0;
}

/* Who connects by name still gets to the first daemon. */
static void first_is_served(ino_t socket_was)
{
	int fd = live_open();

	assert_int_equal(inode(live.sock), socket_was);
	assert_int_equal(live_read_number(fd, "/tool/mine"), 4711);
	close(fd);
}

static ino_t start_first(void)
{
	int fd;

	live_start();
	fd = live_open();
	assert_int_equal(live_write_number(fd, "/tool/mine", 4711), 0);
	close(fd);
	return inode(live.sock);
}

static void test_the_socket_of_a_running_store_is_not_taken(void **state)
{
	ino_t was = start_first();
	char arg[100];

	assert_int_equal(second("-V", live.sock), 1);
	first_is_served(was);
	snprintf(arg, sizeof(arg), "--socket=%s", live.sock);
	assert_int_equal(second(arg, NULL), 1);
	first_is_served(was);
}

/* It has stopped for a moment, or is waiting for a disk: that is no reason. */
static void test_nor_that_of_one_that_does_not_answer_just_now(void **state)
{
	ino_t was = start_first();

	kill(live.pid, SIGSTOP);
	assert_int_equal(second("-V", live.sock), 1);
	kill(live.pid, SIGCONT);
	first_is_served(was);
}

static void test_nor_that_of_another_program(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ino_t was;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/theirs", other);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	was = inode(addr.sun_path);
	assert_int_equal(second("-V", addr.sun_path), 1);
	assert_int_equal(inode(addr.sun_path), was);
	close(fd);
}

static void test_what_is_no_socket_is_left_alone(void **state)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/letter", other);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "dear", 4), 4);
	assert_int_equal(second("-V", path), 1);
	assert_int_equal(inode(path) != 0, true);
	close(fd);
}

static void test_a_dead_daemons_socket_is_taken(void **state)
{
	start_first();
	live_end();
	assert_true(inode(live.sock) != 0);
	live_start();
	close(live_open());
}

static void test_the_pid_file_of_a_running_daemon_is_not_written(void **state)
{
	char text[32] = "", want[32], arg[120];
	int fd;

	start_first();
	snprintf(arg, sizeof(arg), "--pid-file=%s", pid_file);
	assert_int_equal(second(arg, NULL), 1);
	fd = open(pid_file, O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	snprintf(want, sizeof(want), "%d\n", (int)live.pid);
	assert_string_equal(text, want);
}

/* Both directories are locked, whichever of them is shared. */
static void test_neither_directory_is_shared(void **state)
{
	ino_t was = start_first();
	char arg[100];

	snprintf(arg, sizeof(arg), "--state-dir=%s", live.state_dir);
	assert_int_equal(second(arg, NULL), 1);
	snprintf(arg, sizeof(arg), "--run-dir=%s", live.dir);
	assert_int_equal(second(arg, NULL), 1);
	first_is_served(was);
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_socket_of_a_running_store_is_not_taken),
		T(test_nor_that_of_one_that_does_not_answer_just_now),
		T(test_nor_that_of_another_program),
		T(test_what_is_no_socket_is_left_alone),
		T(test_a_dead_daemons_socket_is_taken),
		T(test_the_pid_file_of_a_running_daemon_is_not_written),
		T(test_neither_directory_is_shared),
	};
	int ret = live_init(argc, argv);

	live_quiet = true;
	return ret ? ret : cmocka_run_group_tests(tests, NULL, NULL);
}
