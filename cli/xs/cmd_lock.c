/* SPDX-License-Identifier: MIT */
/*
 * cmd_lock.c - `xs lock`: runs a command while holding a lock in the store. The node names the
 * command's process, which holds it also when xs itself has died; a holder that ended is recognised
 * by its process id and start time, so the lock frees itself. That is known of processes that /proc
 * shows under the same numbers, those of one PID namespace: who shares the socket from another, a
 * container, sees the lock of a stranger, which is held until it is gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "hold.h"
#include "store.h"
#include "text.h"

#define TRIES 1000
#define HIDDEN ULLONG_MAX
#define LOOK_AGAIN_MS 1000 /* a holder may die without touching the node */

/* The command's process, which waits to become it. */
struct command {
	pid_t pid;
	int go; /* a byte: it may; closed: it shall not */
};

struct lock {
	char *path;
	char me[64];
	char *holder; /* what the node says of whoever has it */
	bool changed;
};

/*
 * Whether there is such a process, of which /proc tells us nothing (hidepid, or no /proc at all).
 */
static bool is_hidden(long pid)
{
	return pid > 0 && pid <= INT_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

/* The PID namespace that /proc shows, if that is ours: a number; 0: nobody tells. */
static unsigned long own_space(void)
{
	char text[64] = "";
	unsigned long space = 0;

	/* a /proc that was mounted for others has other numbers */
	if (readlink("/proc/self", text, sizeof(text) - 1) < 0 || atol(text) != (long)getpid())
		return 0;
	memset(text, 0, sizeof(text));
	if (readlink("/proc/self/ns/pid", text, sizeof(text) - 1) < 0 ||
	    sscanf(text, "pid:[%lu]", &space) != 1)
		return 0;
	return space;
}

/*
 * Start time of a process in ticks since boot, 0: there is none, or no more than its status;
 * HIDDEN: there is one, and nobody tells since when.
 */
static unsigned long long start_time(long pid)
{
	unsigned long long t = 0;
	char path[64], line[1024], state, *p;
	unsigned long threads;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return is_hidden(pid) ? HIDDEN : 0;
	/* the name in parentheses may hold anything; fields 3, 20 and 22 are behind the last one */
	p = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	if (!p || sscanf(p + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			 "%lu %*s %llu", &state, &threads, &t) != 3)
		return 0;
	/* a first thread that has ended is a zombie, too, while others run */
	return (state == 'Z' && threads <= 1) || state == 'X' ? 0 : t;
}

/*
 * What we write: which process, since when it runs, and in which PID namespace it has that number.
 */
struct process {
	long pid;
	unsigned long long since;
	unsigned long space; /* 0: it is not said (an older xs) */
};

static bool is_process(const char *value, struct process *p)
{
	int end = 0, end_of_all = 0;

	p->space = 0;
	if (sscanf(value, "%ld %llu%n %lu%n", &p->pid, &p->since, &end, &p->space, &end_of_all) < 2)
		return false;
	return !value[end] || (end_of_all && !value[end_of_all]);
}

/* What others wrote, with a lease for one, is theirs until they remove it. */
static bool is_held(const char *holder, size_t len)
{
	unsigned long long now;
	struct process p;

	if (strlen(holder) != len || !is_process(holder, &p))
		return len;
	if (p.space && p.space != own_space())
		return true;
	now = start_time(p.pid);
	return now == HIDDEN || (p.since && now == p.since);
}

/* Whether the node holds others: as a lock it would be removed with them. */
static bool has_children(struct xs_client *c, uint32_t tx, const char *path)
{
	size_t len = 0;
	int rc = xs_sync_str(c, XS_DIRECTORY, tx, path, NULL, &len);

	return rc == -E2BIG || (rc == 0 && len);
}

static int try_lock(void *arg, struct xs_client *c, uint32_t tx)
{
	struct lock *l = arg;
	size_t len = 0;
	int rc;

	free(l->holder);
	l->holder = store_read(tx, l->path, &len, &rc);
	if (rc && rc != -ENOENT)
		return rc;
	if (l->holder && has_children(c, tx, l->path))
		return -ENOTEMPTY;
	if (l->holder && is_held(l->holder, len))
		return -EBUSY;
	return xs_sync_write(c, tx, l->path, l->me, strlen(l->me));
}

static int release_mine(void *arg, struct xs_client *c, uint32_t tx)
{
	const struct lock *l = arg;

	(void)c;
	return hold_remove(tx, l->path, l->me);
}

static void on_event(void *arg, const char *path)
{
	(void)path;
	((struct lock *)arg)->changed = true;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static _Noreturn void give_up(const struct lock *l, int status)
{
	char *value = text_escape(l->holder, strlen(l->holder));
	struct process p;

	if (is_process(l->holder, &p) && p.space && p.space != own_space())
		cli_die(status, "%s: held by process %ld of another PID namespace, a container: "
			"whether that runs is not seen from here", l->path, p.pid);
	if (is_process(l->holder, &p))
		cli_die(status, "%s: held by process %ld", l->path, p.pid);
	cli_die(status, "%s: held by somebody else: its value is %.200s", l->path, value);
}

static void acquire(struct cli_args *a, struct lock *l)
{
	long timeout = cli_ms(a, "timeout", -1), deadline = now_ms() + timeout;
	int rc = xs_client_watch(store(), l->path, 0, on_event, l, NULL, NULL);

	while (!rc) {
		l->changed = false;
		rc = xs_transact(store(), try_lock, l, TRIES, NULL);
		if (rc != -EBUSY)
			break;
		if (cli_has(a, "no-wait") || (timeout >= 0 && now_ms() >= deadline))
			give_up(l, cli_has(a, "no-wait") ? CLI_FAIL : CLI_TIMEOUT);
		rc = l->changed ? 0 : xs_client_run(store(), LOOK_AGAIN_MS);
	}
	if (rc == -ENOTEMPTY)
		cli_die(CLI_FAIL, "%s: has nodes below it: a lock is a node of its own, which "
			"goes when it is free", l->path);
	if (rc)
		store_failed(l->path, rc);
}

/* Without a byte xs has died, or given up. */
static _Noreturn void become(char **argv, int wait_for)
{
	char byte;

	if (read(wait_for, &byte, 1) != 1)
		_exit(CLI_FAIL);
	execvp(argv[0], argv);
	cli_not_run(argv[0]);
}

static struct command prepare(char **argv)
{
	struct command c;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0 || (c.pid = fork()) < 0)
		cli_die(CLI_NO_HANDLER, "cannot start %s: %s", argv[0], strerror(errno));
	if (c.pid == 0) {
		close(ends[1]);
		become(argv, ends[0]);
	}
	close(ends[0]);
	c.go = ends[1];
	return c;
}

static int run_command(const struct command *c)
{
	int status;

	signal(SIGPIPE, SIG_IGN); /* who killed it before it began is told its status */
	if (write(c->go, "", 1) != 1)
		cli_warn("the command ended before it began");
	close(c->go);
	signal(SIGINT, SIG_IGN); /* the command's business */
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return CLI_NO_HANDLER;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* With --lease it is held by xs, and by nobody who gives no sign of life. */
static int run_with_lease(struct cli_args *a, char **words)
{
	char name[64];
	struct hold h;
	int code;

	snprintf(name, sizeof(name), "lock %ld", (long)getpid());
	hold_init(&h, store_path(a->argv[0]), name, hold_time(a, "lease"));
	h.timeout_ms = cli_ms(a, "timeout", -1);
	h.no_wait = cli_has(a, "no-wait");
	hold_take(&h);
	code = hold_run(&h, words);
	if (h.lost)
		cli_die(xs_client_error(store()) ? CLI_NO_STORE : CLI_FAIL,
			"%s: lost, and the command ended", h.path);
	hold_release(&h);
	store_hang_up();
	free(h.path);
	return code;
}

static int run_lock(struct cli_args *a)
{
	struct lock l = { .path = store_path(a->argv[0]) };
	char **words = a->argv + 1;
	unsigned long long since;
	unsigned long space;
	struct command c;
	int code;

	if (strcmp(*words, "--") == 0)
		words++;
	if (!*words)
		cli_usage(a, "an argument is missing: COMMAND");
	if (cli_has(a, "lease")) {
		free(l.path);
		return run_with_lease(a, words);
	}
	c = prepare(words);
	since = start_time(c.pid);
	space = own_space();
	/* nobody could tell that we hold it */
	if (!since || since == HIDDEN || !space)
		cli_die(CLI_FAIL, "/proc does not tell when a process began: there is no lock "
			"without that");
	snprintf(l.me, sizeof(l.me), "%ld %llu %lu", (long)c.pid, since, space);
	acquire(a, &l);
	code = run_command(&c);
	xs_transact(store(), release_mine, &l, TRIES, NULL);
	store_hang_up();
	free(l.path);
	free(l.holder);
	return code;
}

static const struct cli_opt opts[] = {
	{ 't', "timeout", "TIME", "give up after TIME with status 124" },
	{ 'n', "no-wait", NULL, "give up at once with status 1" },
	{ 0, "lease", "TIME", "xs holds it, and loses it after TIME without a sign of life" },
	{ 0 },
};

const struct cli_cmd cmd_lock = {
	.name = "lock",
	.args = "PATH [--] COMMAND [ARGUMENT]...",
	.help = "runs a command while holding a lock; its status is ours",
	.more = "The command's own process holds the lock: it is free again when that ends in any\n"
		"way, and not when xs is killed before. Of a process in another container it is\n"
		"not seen whether it has ended: its lock is held until it is given back. A node\n"
		"that holds others, or a value that is no lock's, is never taken. With --lease, which takes a path that is\n"
		"not kept over a boot, it is xs itself that holds it and renews it three times in\n"
		"TIME; it is free at most TIME after xs died or hangs, and a command whose lock is\n"
		"lost is ended.",
	.opts = opts,
	.min_args = 2,
	.max_args = -1,
	.stop_at_first = true,
	.example = "xs lock /locks/backup -- tar cf /backup/web.tar /srv/web",
	.says = CLI_SAYS_OTHER,
	.run = run_lock,
};
