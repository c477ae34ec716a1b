/* SPDX-License-Identifier: MIT */
/* hold.c - see hold.h. docs/decisions/0033-bonds.md says what is promised. */
#include "hold.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "die.h"
#include "store.h"

#define TRIES 1000
#define PATIENCE_MS 10000 /* half of what the daemon gives a lost session */
#define END_MS 10000	  /* from SIGTERM to SIGKILL, at most */

static volatile sig_atomic_t told_to_end;

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static void on_signal(int sig)
{
	told_to_end = sig;
}

/*
 * Who cannot reach the store must know before the store thinks him gone: two thirds into the lease,
 * so that a third is there for a daemon to start again. Who only waits has nothing to lose.
 */
static void on_link(void *arg, bool up)
{
	const struct hold *h = arg;
	long left = PATIENCE_MS;

	if (up)
		return;
	if (h->ttl_ms && h->held_ms)
		left = h->held_ms + h->ttl_ms * 2 / 3 - now_ms();
	if (left > PATIENCE_MS)
		left = PATIENCE_MS;
	xs_client_set_patience(store(), left > 0 ? left : 0);
}

long hold_time(const struct cli_args *a, const char *name)
{
	long ms = cli_ms(a, name, 0);

	/* 0 would be no time at all: it stayed for ever */
	if (cli_has(a, name) && (ms < HOLD_MS_MIN || ms > HOLD_MS_MAX))
		cli_usage(a, "--%s %s: 100ms to 24h are allowed", name, cli_str(a, name, ""));
	return ms;
}

void hold_init(struct hold *h, char *path, const char *name, long ttl_ms)
{
	unsigned long long unlike_others;

	if (getrandom(&unlike_others, sizeof(unlike_others), 0) != sizeof(unlike_others))
		cli_die(CLI_FAIL, "no random number: %s", strerror(errno));
	*h = (struct hold){ .path = path, .ttl_ms = ttl_ms, .timeout_ms = -1 };
	snprintf(h->value, sizeof(h->value), "%.*s %016llx", HOLD_NAME_MAX, name, unlike_others);
	xs_client_on_link(store(), on_link, h);
}

/* ---- the bond ---- */

static int nothing(void *arg, struct xs_client *c, uint32_t tx)
{
	int rc = xs_sync_str(c, XS_READ, tx, arg, NULL, NULL);

	return rc == -ENOENT ? 0 : rc;
}

struct bind_words {
	char ttl[24];
	struct iovec iov[4];
	unsigned int nr;
};

static void bind_words(struct bind_words *w, const char *path, const char *value, long ttl_ms)
{
	size_t len = (size_t)snprintf(w->ttl, sizeof(w->ttl), "%ld", ttl_ms) + 1;

	w->iov[0] = (struct iovec){ (void *)"bind", 5 };
	w->iov[1] = (struct iovec){ (void *)path, strlen(path) + 1 };
	w->iov[2] = (struct iovec){ (void *)value, strlen(value) + 1 };
	w->iov[3] = (struct iovec){ w->ttl, len };
	w->nr = ttl_ms ? 4 : 3;
}

int hold_bind(const char *path, const char *value, long ttl_ms)
{
	struct bind_words w;
	char *answer;
	/* a connection has a session, which is what is bound to, from its first commit on */
	int rc = ttl_ms ? 0 : xs_transact(store(), nothing, (void *)path, TRIES, NULL);

	bind_words(&w, path, value, ttl_ms);
	if (!rc)
		rc = xs_sync(store(), XS_CONTROL, 0, w.iov, w.nr, &answer, NULL);
	/* a CONTROL that was in flight when the daemon died: asking again changes nothing */
	if (rc == -EIO && !xs_client_error(store()))
		return hold_bind(path, value, ttl_ms);
	if (rc)
		return rc;
	rc = strcmp(answer, "held") == 0;
	free(answer);
	return rc;
}

void hold_bind_failed(const char *path, int rc)
{
	if (rc == -EINVAL)
		cli_die(CLI_FAIL, "%s: the store does not bind it to anything: what is kept over a "
			"boot cannot be bound (xenstored --volatile PATH)", path);
	store_failed(path, rc);
}

void hold_unbind(const char *path, const char *value, bool unless_held)
{
	struct iovec iov[4] = { { (void *)"unbind", 7 }, { (void *)path, strlen(path) + 1 },
				{ (void *)value, strlen(value) + 1 },
				{ (void *)"unless-held", 12 } };

	xs_sync(store(), XS_CONTROL, 0, iov, unless_held ? 4 : 3, NULL, NULL);
}

/* 1: it is ours, and the lease is at least what is left from now on; 0: not; -errno. */
static int confirm(struct hold *h)
{
	long asked = now_ms();
	int rc = hold_bind(h->path, h->value, h->ttl_ms);

	if (rc == 1)
		h->held_ms = asked;
	return rc;
}

/* ---- taking it ---- */

static int take_if_free(void *arg, struct xs_client *c, uint32_t tx)
{
	struct hold *h = arg;
	int rc;
	char *now = store_read(tx, h->path, NULL, &rc);
	bool mine = now && strcmp(now, h->value) == 0, other = now && !mine;

	(void)c;
	free(now);
	if (mine || (rc && rc != -ENOENT))
		return mine ? 0 : rc;
	return other ? -EBUSY : xs_sync_write(store(), tx, h->path, h->value, strlen(h->value));
}

static void on_event(void *arg, const char *path)
{
	(void)path;
	((struct hold *)arg)->changed = true;
}

/* Bound first, so that a key of somebody who died meanwhile goes. 1: it is ours; 0; -errno. */
static int try(struct hold *h)
{
	int rc = hold_bind(h->path, h->value, h->ttl_ms);

	if (rc >= 0)
		rc = xs_transact(store(), take_if_free, h, TRIES, NULL);
	if (rc == -EBUSY)
		return 0;
	return rc ? rc : confirm(h);
}

void hold_take(struct hold *h)
{
	long deadline = now_ms() + h->timeout_ms;
	int rc = 0;

	h->held_ms = 0;
	if (!h->changed)
		rc = xs_client_watch(store(), h->path, 0, on_event, h, NULL, NULL);
	while (!rc) {
		long left = h->timeout_ms < 0 ? -1 : deadline - now_ms();

		h->changed = false;
		rc = try(h);
		if (rc == 1)
			return;
		if (rc < 0)
			hold_bind_failed(h->path, rc);
		if (h->no_wait || (h->timeout_ms >= 0 && left <= 0))
			cli_die(h->no_wait ? CLI_FAIL : CLI_TIMEOUT, "%s: somebody else has it",
				h->path);
		rc = h->changed ? 0 : xs_client_run(store(), (int)left);
	}
	store_failed(h->path, rc);
}

/* ---- having it ---- */

/* @before: the signals that were blocked when xs began. */
static pid_t start(const struct hold *h, char **argv, const sigset_t *before)
{
	pid_t xs = getpid(), pid = fork();

	if (pid < 0)
		cli_die(CLI_NO_HANDLER, "cannot start %s: %s", argv[0], strerror(errno));
	if (pid)
		return pid;
	/* what comes from now on is for the command, also before it has begun */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	/* who holds it must not outlive who keeps it */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != xs)
		_exit(CLI_FAIL);
	sigprocmask(SIG_SETMASK, before, NULL);
	setenv("XS_HELD", h->value, 1);
	execvp(argv[0], argv);
	cli_not_run(argv[0]);
}

/* Until the command ends, or at most @ms. True: it has ended. */
static bool wait_for(int ended, long ms)
{
	struct pollfd fd = { .fd = ended, .events = POLLIN };
	long deadline = now_ms() + ms;

	while (poll(&fd, 1, (int)(deadline > now_ms() ? deadline - now_ms() : 0)) < 0)
		if (errno != EINTR)
			return false;
	return fd.revents & POLLIN;
}

/*
 * How long the command may take to end. When the lease is over somebody else may have the node, and
 * when somebody took it he has it now: then it is a quarter of the lease at most.
 */
static long end_ms(const struct hold *h)
{
	long ms = h->held_ms + h->ttl_ms - h->ttl_ms / 8 - now_ms();

	if (!h->ttl_ms)
		return END_MS;
	if (h->lost && ms > h->ttl_ms / 4)
		ms = h->ttl_ms / 4;
	return ms < 0 ? 0 : ms < END_MS ? ms : END_MS;
}

static void end_command(const struct hold *h, pid_t pid, int ended)
{
	kill(pid, SIGTERM);
	if (!wait_for(ended, end_ms(h)))
		kill(pid, SIGKILL);
}

static void on_answer(void *arg, int rc, const char *data, size_t len)
{
	struct hold *h = arg;

	(void)len;
	h->asking = false;
	if (rc == -EIO) /* it was in flight when the daemon died: asking again changes nothing */
		h->changed = true;
	else if (rc || strcmp(data, "held") != 0)
		h->lost = true;
	else
		h->held_ms = h->asked_ms;
}

static void submit_bind(struct hold *h)
{
	struct bind_words w;
	int rc;

	bind_words(&w, h->path, h->value, h->ttl_ms);
	rc = xs_submit(store(), XS_CONTROL, 0, w.iov, w.nr, on_answer, h);
	if (rc)
		on_answer(h, rc, "", 0);
}

static void submit_nothing(void *arg, struct xs_txn *t)
{
	const struct hold *h = arg;

	xs_submit_str(store(), XS_READ, xs_txn_id(t), h->path, NULL, NULL);
	xs_txn_commit(t);
}

static void on_session(void *arg, int rc, unsigned int attempts)
{
	(void)attempts;
	if (rc)
		on_answer(arg, rc, "", 0);
	else
		submit_bind(arg);
}

/* As confirm(), without waiting: a store that is there and says nothing must not stop us, too. */
static void ask(struct hold *h)
{
	int rc = 0;

	h->changed = false;
	h->asked_ms = now_ms();
	h->asking = true;
	if (h->ttl_ms)
		submit_bind(h);
	else
		rc = xs_txn_run(store(), submit_nothing, on_session, h, TRIES);
	if (rc || xs_client_dispatch(store()) != 0)
		h->lost = true;
}

/* When something is to be done although nothing happens: to ask, or to do without an answer. */
static long due_ms(const struct hold *h)
{
	return h->held_ms + (h->asking ? h->ttl_ms * 3 / 4 : h->ttl_ms / 3);
}

/*
 * Looks after it until the command ends, it is lost, or xs is to end. @before: the signals that say
 * so are blocked but while it waits, and none of them comes just before that.
 */
static void keep(struct hold *h, int ended, const sigset_t *before)
{
	while (!told_to_end && !h->lost) {
		struct pollfd fds[2] = { { .fd = ended, .events = POLLIN },
					 { .fd = xs_client_fd(store()), .events = POLLIN } };
		long left = due_ms(h) - now_ms();
		struct timespec ts = { left / 1000, left % 1000 * 1000000 };

		if (left < 0)
			ts = (struct timespec){ 0 };
		if (ppoll(fds, 2, h->ttl_ms ? &ts : NULL, before) < 0)
			continue;
		if (fds[0].revents)
			return;
		if (xs_client_dispatch(store()) != 0)
			h->lost = true;
		else if (h->ttl_ms && h->asking && now_ms() >= due_ms(h))
			h->lost = true;
		else if (!h->asking && (h->changed || (h->ttl_ms && now_ms() >= due_ms(h))))
			ask(h);
	}
}

/* SIGTERM and SIGINT are noted while it waits, and blocked otherwise. */
static void catch_signals(struct sigaction old[2], sigset_t *before)
{
	struct sigaction note = { .sa_handler = on_signal };
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGINT);
	sigprocmask(SIG_BLOCK, &both, before);
	sigaction(SIGTERM, &note, &old[0]);
	sigaction(SIGINT, &note, &old[1]);
}

/* What has come meanwhile is noted, too. */
static void leave_signals(const struct sigaction old[2], const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
	sigaction(SIGTERM, &old[0], NULL);
	sigaction(SIGINT, &old[1], NULL);
}

int hold_run(struct hold *h, char **argv)
{
	struct sigaction old[2];
	sigset_t before;
	pid_t pid;
	int status = 0, ended;

	catch_signals(old, &before);
	h->lost = false;
	pid = start(h, argv, &before);
	ended = pidfd_open(pid, 0);
	if (ended < 0)
		cli_die(CLI_FAIL, "cannot wait for %s: %s", argv[0], strerror(errno));
	keep(h, ended, &before);
	if (h->lost || told_to_end)
		end_command(h, pid, ended);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			break;
	close(ended);
	leave_signals(old, &before);
	if (told_to_end) {
		hold_release(h);
		store_hang_up();
		raise(told_to_end);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int hold_remove(uint32_t tx, const char *path, const char *value)
{
	int rc;
	char *now = store_read(tx, path, NULL, &rc);
	bool mine = now && strcmp(now, value) == 0;

	free(now);
	if (rc && rc != -ENOENT)
		return rc;
	return mine ? xs_sync_str(store(), XS_RM, tx, path, NULL, NULL) : 0;
}

static int remove_mine(void *arg, struct xs_client *c, uint32_t tx)
{
	const struct hold *h = arg;

	(void)c;
	return hold_remove(tx, h->path, h->value);
}

void hold_release(struct hold *h)
{
	/* the node first: without a bond it would stay for ever */
	if (!xs_client_error(store()) &&
	    xs_transact(store(), remove_mine, h, TRIES, NULL) == 0)
		hold_unbind(h->path, h->value, false);
}
