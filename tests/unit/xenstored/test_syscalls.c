/* SPDX-License-Identifier: MIT */
/*
 * test_syscalls.c - kill -9 at every system call of the daemon and of its worker, from the start
 * on over a script of a guest and a client. Claims, after each: acknowledged changes are there, a
 * transaction is there as a whole or not at all, the guest's byte stream goes on, its watch fires
 * once more, its open transaction ends in EAGAIN. Of a worker's death nobody notices anything.
 *
 * argv[1]: the daemon built with the fake machine.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "live.h"

#define ROUNDS 4
/* Room made ahead costs each start its time, where the disk is memory. */
#define SMALL "--map-size=8192"

static struct guest guest;
static uint32_t guest_tx;
static unsigned int acked, tried;	/* number in the three keys of the last transaction */
static unsigned int config_acked, config_tried, run_acked, run_tried;
static unsigned int point;		/* the system call under test */

/* --- a parent for the daemon that counts its system calls --- */

static _Noreturn void traced_child(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	setenv("XS_FAKE_DIR", live.fake, 1);
	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
		_exit(9);
	execl(live.program, live.program, "-N", "--run-dir", live.dir, "--state-dir",
	      live.state_dir, SMALL, NULL);
	_exit(9);
}

static int signal_to_pass(int status)
{
	int sig = WSTOPSIG(status);

	return sig == SIGTRAP || sig == SIGSTOP || sig == (SIGTRAP | 0x80) ? 0 : sig;
}

/* What the tracer has done, shared with it. */
static struct traced {
	unsigned int calls;
	unsigned int killed;	/* 0: nobody yet */
	bool worker;		/* it was the worker */
} *traced;

/* Runs the daemon; kills whoever begins or ends the @nth system call. Ends behind the daemon. */
static _Noreturn void tracer(unsigned int nth)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_EXITKILL;
	pid_t daemon = fork(), who;
	int status;

	if (daemon == 0)
		traced_child();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	waitpid(daemon, &status, 0);
	ptrace(PTRACE_SETOPTIONS, daemon, NULL, options);
	ptrace(PTRACE_SYSCALL, daemon, NULL, 0);
	while ((who = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status))
			continue;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && ++traced->calls == nth) {
			traced->worker = who != daemon;
			traced->killed = nth;
			kill(who, SIGKILL);
			continue;
		}
		ptrace(traced->calls < nth ? PTRACE_SYSCALL : PTRACE_CONT, who, NULL,
		       signal_to_pass(status));
	}
	_exit(0);
}

static void start_traced(unsigned int nth)
{
	*traced = (struct traced){ 0 };
	live.pid = fork();
	if (live.pid == 0)
		tracer(nth);
}

/* --- the script --- */

/* Whether the daemon is gone: then it is started again, not traced. */
static bool died_and_restarted(void)
{
	int status;

	if (waitpid(live.pid, &status, WNOHANG) != live.pid)
		return false;
	live_start();
	return true;
}

/* A connection, to whichever daemon comes up. */
static int open_any(void)
{
	double end = live_now() + LIVE_PATIENCE_S;
	int fd;

	while ((fd = live_try_open()) < 0 || live_request(fd, XS_READ, "/", 2, NULL) != 0) {
		/* The socket of one that is dying answers nothing any more. */
		if (fd >= 0)
			close(fd);
		died_and_restarted();
		if (live_now() > end)
			fail_msg("call %u: the daemon does not come up", point);
		usleep(200);
	}
	return fd;
}

static int reopen(int fd)
{
	close(fd);
	return open_any();
}

static uint32_t with_number(char *data, const char *path, unsigned int value)
{
	uint32_t len = (uint32_t)strlen(path) + 1;

	memcpy(data, path, len);
	return len + (uint32_t)sprintf(data + len, "%u", value);
}

static int write_one(int *fd, const char *path, unsigned int value)
{
	char data[64];
	uint32_t len = with_number(data, path, value);
	int ret = live_request(*fd, XS_WRITE, data, len, NULL);

	if (ret < 0)
		*fd = reopen(*fd);
	else if (ret > 0)
		fail_msg("call %u: %s: %s", point, path, strerror(ret));
	return ret;
}

static const char *const keys[3] = { "/run/a", "/run/b", "/config/c" };

static void transaction(int *fd)
{
	char id[XENSTORE_PAYLOAD_MAX + 1], data[64];
	int ret = live_request(*fd, XS_TRANSACTION_START, "", 1, id);
	uint32_t tx = ret == 0 ? (uint32_t)strtoul(id, NULL, 10) : 0;
	unsigned int value = tried + 1;

	for (int i = 0; i < 3 && ret == 0; i++) {
		uint32_t len = with_number(data, keys[i], value);

		ret = live_send(*fd, XS_WRITE, tx, data, len) ? live_await(*fd, NULL) : -1;
	}
	if (ret == 0) {
		tried = value;
		ret = live_send(*fd, XS_TRANSACTION_END, tx, "T", 2) ? live_await(*fd, NULL) : -1;
	}
	if (ret == 0)
		acked = value;
	else if (ret > 0)
		fail_msg("call %u: transaction: %s", point, strerror(ret));
	else
		*fd = reopen(*fd);
}

/* The guest gets @nr more answers, whatever happens to the daemon meanwhile. */
static void guest_goes_on(int *fd, unsigned int nr)
{
	unsigned long want = guest.answered + nr;
	double end = live_now() + LIVE_PATIENCE_S;

	while (guest.answered < want) {
		guest_push(&guest);
		guest_pull(&guest);
		if (died_and_restarted()) {
			close(*fd);
			*fd = open_any();
		}
		if (live_now() > end)
			fail_msg("call %u: the guest is not answered", point);
	}
}

static int script(int fd)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (write_one(&fd, "/config/k", ++config_tried) == 0)
			config_acked = config_tried;
		if (write_one(&fd, "/run/k", ++run_tried) == 0)
			run_acked = run_tried;
		guest_goes_on(&fd, 3);
		transaction(&fd);
	}
	return fd;
}

static void check_number(int fd, const char *path, unsigned int low, unsigned int high)
{
	unsigned long v = live_read_number(fd, path);

	if (v < low || v > high)
		fail_msg("call %u: %s is %lu, acknowledged %u, tried %u", point, path, v, low,
			 high);
}

/* One request of the guest's own, all others answered. */
static void guest_asks(uint32_t type, uint32_t tx, const char *data, uint32_t len)
{
	double end = live_now() + LIVE_PATIENCE_S;

	guest_place(&guest, type, tx, data, len);
	fake_event(live.hv, FAKE_PORT(1));
	while (guest.answered < guest.sent && live_now() < end)
		guest_pull(&guest);
	if (guest.answered < guest.sent)
		fail_msg("call %u: the guest is not answered", point);
}

static void guest_is_quiet(void)
{
	double end = live_now() + LIVE_PATIENCE_S;

	while ((guest.answered < guest.sent || guest.out_done < guest.out_len) && live_now() < end) {
		if (guest.out_done < guest.out_len)
			guest_push(&guest);
		guest_pull(&guest);
	}
}

static void check_after(int fd, unsigned int events_before)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];

	check_number(fd, "/config/k", config_acked, config_tried);
	check_number(fd, "/run/k", run_acked, run_tried);
	check_number(fd, keys[0], acked, tried);
	for (int i = 1; i < 3; i++) {
		if (live_read_number(fd, keys[i]) != live_read_number(fd, keys[0]))
			fail_msg("call %u: half of a transaction", point);
	}
	tried = acked = (unsigned int)live_read_number(fd, keys[0]);
	guest_is_quiet();
	guest.errors_allowed = true;
	guest_asks(XS_TRANSACTION_END, guest_tx, "T", 2);
	if (guest.err != EAGAIN)
		fail_msg("call %u: the open transaction: %s", point, strerror(guest.err));
	guest_asks(XS_TRANSACTION_START, 0, "", 1);
	guest_tx = (uint32_t)guest.number;
	guest.errors_allowed = false;
	/* One for each of the two starts, unless the first one's was still to be sent. */
	if (guest.events < events_before + 1 || guest.events > events_before + 2)
		fail_msg("call %u: the guest's watch fired %u times", point,
			 guest.events - events_before);
	assert_int_equal(live_request(fd, XS_CONTROL, "check", 6, out), 0);
	if (strcmp(out, "OK") != 0)
		fail_msg("call %u: %s", point, out);
}

/* Starts the daemon, kills it at system call @nth, checks. False: it has fewer calls. */
static bool kill_at(unsigned int nth)
{
	unsigned int events = guest.events;
	pid_t first;
	int fd;

	point = nth;
	start_traced(nth);
	first = live.pid;
	fd = script(open_any());
	/* Still the first: it must not die during the checks. */
	if (live.pid == first) {
		close(fd);
		live_end();
		live_start();
		fd = open_any();
	}
	check_after(fd, events);
	close(fd);
	live_end();
	return traced->killed != 0;
}

#ifdef __SANITIZE_ADDRESS__
#define EVERY 12
#else
#define EVERY 3
#endif

static void test_kill_at_every_system_call(void **state)
{
	unsigned int every = live_count(EVERY, 1), runs = 0, workers = 0;
	unsigned int nth = every == 1 ? 1 : 1 + live_rnd(every);

	for (; kill_at(nth); nth += every) {
		runs++;
		workers += traced->worker;
	}
	print_message("%u kills over %u system calls, %u of them of the worker\n", runs, nth,
		      workers);
}

static int setup(void **state)
{
	int fd;

	traced = mmap(NULL, sizeof(*traced), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (traced == MAP_FAILED || live_make() < 0)
		return -1;
	live_quiet = true;
	live.extra_arg = SMALL;
	fake_domain(live.hv, 1, FAKE_EXISTS);
	guest.page = fake_ring(live.hv, 1);
	live_start();
	fd = live_open();
	assert_int_equal(live_request(fd, XS_INTRODUCE, "1\0" "5\0" "9", 6, NULL), 0);
	assert_int_equal(live_request(fd, XS_MKDIR, "/local/domain/1", 16, NULL), 0);
	assert_int_equal(live_request(fd, XS_SET_PERMS, "/local/domain/1\0n1", 19, NULL), 0);
	close(fd);
	guest_asks(XS_WRITE, 0, "data/k\0" "1", 8);
	guest_asks(XS_WATCH, 0, "data/w\0t", 9);
	guest_asks(XS_TRANSACTION_START, 0, "", 1);
	guest_tx = (uint32_t)guest.number;
	live_end();
	return 0;
}

static int teardown(void **state)
{
	return live_remove();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kill_at_every_system_call, setup, teardown),
	};

	if (live_init(argc, argv))
		return 2;
	live_fast = live_traced = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
