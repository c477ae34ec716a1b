/* SPDX-License-Identifier: MIT */
/*
 * cmd_migrate.c - xm migrate: a running domain to another host.
 *
 * xend does it. This opens the door: a channel that xend connects to, whose other end is given to
 * ssh as its standard streams. xm itself is not in the way: when it is killed, the move goes on.
 * Nor is it kept waiting: not by a xend that is not there, not by an ssh that does not end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "commands.h"
#include "domains.h"
#include "request.h"

#define MOVE_TIMEOUT_NS (24 * 3600 * INT64_C(1000000000))
#define CONNECT_S 120			/* for xend to take the request */
#define CONNECT_NS ((CONNECT_S + 5) * INT64_C(1000000000))	/* by then the door is closed */
#define SETTLE_NS (45 * INT64_C(1000000000))	/* the other host's answer may take 30 s */
#define COMMAND_MAX 1024

/* xl's contract: COMMAND HOST xl migrate-receive, by the shell; an empty COMMAND: HOST is all. */
static int make_command(struct xm *xm, const char *with, const char *host, char out[COMMAND_MAX])
{
	int n;

	if (*with)
		n = snprintf(out, COMMAND_MAX, "exec %s %s %s migrate-receive", with, host,
			     xm->prog);
	else
		n = snprintf(out, COMMAND_MAX, "%s", host);
	return n < COMMAND_MAX ? 0 : xm_fail(xm, "%s: the command is too long", host);
}

/*
 * The process that waits for xend and becomes the command. Who has @taken's other end hears that
 * xend came.
 */
static void become(struct channel *c, const char *command, int taken)
{
	int conn;

	/*
	 * Whoever interrupts means xm, which ends this too, but not in the middle of a hand-over.
	 */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	alarm(CONNECT_S);
	conn = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	alarm(0);
	/* Once: a xend that comes after this one must not wait at a door that nobody opens. */
	channel_close(c);
	if (conn >= 0 && write(taken, "", 1) == 1 && dup2(conn, 0) == 0 && dup2(conn, 1) == 1)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Whether it ends within @ms. */
static bool ends(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	while (poll(&p, 1, ms) < 0 && errno == EINTR)
		;
	return p.revents;
}

/*
 * What the command waits for has been said or will never be: it ends, or is ended. Its last word to
 * the other host may still be on its way when all went @well.
 */
static void end(struct xm *xm, pid_t pid, bool well, const char *command)
{
	static const struct {
		int signal, ms;
	} ways[] = { { 0, 10000 }, { SIGTERM, 3000 }, { SIGKILL, 1000 } };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
	bool ended = false;

	for (size_t i = well ? 0 : 1; pidfd >= 0 && !ended && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (i && well)
			xm_warn(xm, "'%s' does not end by itself: it gets signal %d", command, ways[i].signal);
		if (ways[i].signal)
			kill(pid, ways[i].signal);
		ended = ends(pidfd, ways[i].ms);
	}
	if (!ended)
		xm_warn(xm, "'%s' does not end: process %ld is left alone", command, (long)pid);
	if (pidfd >= 0)
		close(pidfd);
	waitpid(pid, NULL, WNOHANG);
}

/* One line that is written over. */
static void draw(struct xm *xm, const struct request *req)
{
	char *phase = store_read(xm->xs, XBT_NULL, "/status/domain/%s/move/phase", req->domain), slow[40] = "";
	long long v[6] = { 0 };
	static const char *const keys[] = { "sent_kib", "total_kib", "rate_kib_s", "stop_ms",
					    "round", "slow_percent" };

	for (size_t i = 0; phase && i < sizeof(keys) / sizeof(keys[0]); i++)
		store_read_number(xm->xs, XBT_NULL, &v[i], "/status/domain/%s/move/%s", req->domain,
				  keys[i]);
	if (v[5])
		snprintf(slow, sizeof(slow), ", held to %lld %% of its CPUs", v[5]);
	if (phase)
		fprintf(xm->err,
			"\r%s: %s %lld, %lld of %lld MiB, %lld MiB/s, stops for %lld ms%s\033[K",
			req->domain, phase, v[4], v[0] >> 10, v[1] >> 10, v[2] >> 10, v[3], slow);
	fflush(xm->err);
	free(phase);
}

struct wish {
	const char *host, *command;
	bool live;
	char max_stop_ms[24], max_kib_s[24];	/* as the request has them */
};

/*
 * Option @what, a whole number from 1 on, times @unit; else @otherwise. 0; a status after saying
 * why not.
 */
static int take_number(const struct cli_args *args, const char *what, unsigned long unit,
		       const char *otherwise, char out[24])
{
	const char *text = cli_str(args, what, NULL);
	char *end;
	unsigned long v;

	snprintf(out, 24, "%s", otherwise);
	if (!text)
		return 0;
	v = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !v || v > 1000000000ul)
		return cli_refuse(args, "--%s=%s: a whole number from 1 to 1000000000 is needed",
				  what, text);
	snprintf(out, 24, "%lu", v * unit);
	return 0;
}

/* What xend has to add to a move that went well. */
static void tell_output(struct xm *xm, const struct request *req)
{
	char *said = store_read(xm->xs, XBT_NULL, "/request/%s/output/0", req->id);

	if (said && *said)
		xm_warn(xm, "%s: %s", req->domain, said);
	free(said);
}

/* --- the move --- */

struct moving {
	struct xm *xm;
	const struct domain *dom;
	const struct wish *wish;
	struct channel *channel;
	int taken;			/* readable when xend has come, and when nobody will */
};

static bool is_taken(void *arg)
{
	const struct moving *m = arg;
	char byte;

	return read(m->taken, &byte, 1) == 1;
}

/* Whether xend has done with it: it says nothing of its progress any more. */
static bool is_settled(struct xs_handle *xs, const char *name)
{
	return store_has(xs, XBT_NULL, "/status/domain/%s/move", name) == 0;
}

/*
 * Nobody waits any more, and xend has heard of that: says what became of the domain. Whether it is
 * here as before.
 */
static bool tell_what_became(struct xm *xm, const struct domain *dom)
{
	struct xs_handle *xs = xm_store(xm);
	int64_t deadline = store_deadline(SETTLE_NS);
	struct interrupts interrupts;
	char *moved, *blank;
	bool stays = false;

	if (!xs || !store_watch(xs, "settled", "/status/domain/%s/move", dom->name))
		return false;
	interrupts_open(&interrupts);
	while (!is_settled(xs, dom->name) && store_wait(xs, interrupts.fd, deadline) > 0)
		;
	interrupts_close(&interrupts);
	store_unwatch(xs, "settled", "/status/domain/%s/move", dom->name);
	moved = store_read(xs, XBT_NULL, "/config/domain/%s/moved", dom->name);
	blank = moved ? strchr(moved, ' ') : NULL;
	if (moved)
		xm_warn(xm, "%s was handed over already; whether it runs on %s, '%s migrate %s %s' again asks",
			dom->name, blank ? blank + 1 : "the other host", xm->prog, dom->name,
			blank ? blank + 1 : "HOST");
	else if (store_has(xs, XBT_NULL, "/config/domain/%s", dom->name) == 0)
		xm_warn(xm, "%s was handed over already: it runs on the other host", dom->name);
	else if (is_settled(xs, dom->name))
		stays = true;
	else
		xm_warn(xm, "xend has not said yet whether %s stays here", dom->name);
	if (stays)
		xm_warn(xm, "%s runs here as before", dom->name);
	free(moved);
	return stays;
}

static int run(struct moving *m, pid_t pid)
{
	const struct wish *wish = m->wish;
	struct xm *xm = m->xm;
	const struct request_arg with[] = { { "channel", m->channel->path }, { "host", wish->host },
					    { "live", wish->live ? "1" : "0" },
					    { "max_stop_ms", wish->max_stop_ms },
					    { "max_kib_s", wish->max_kib_s }, { NULL, NULL } };
	struct request req = { .op = "migrate", .domain = m->dom->name, .args = with,
			       .timeout_ns = MOVE_TIMEOUT_NS, .begin_ns = CONNECT_NS, .has_begun = is_taken,
			       .with = m, .progress = xm->progress ? draw : NULL, .xm = xm };
	int ret = request_told(xm, &req, "not moved");

	if (!ret)
		tell_output(xm, &req);
	request_close(xm->xs, &req);
	if (!ret) {
		fprintf(xm->out, "%s runs on %s\n", m->dom->name, wish->host);
		fflush(xm->out);
	} else if (req.is_withdrawn) {
		tell_what_became(xm, m->dom);
	}
	end(xm, pid, ret == 0, wish->command);
	return ret;
}

static int migrate(struct moving *m)
{
	int taken[2], ret;
	pid_t pid;

	if (pipe2(taken, O_CLOEXEC))
		return xm_fail(m->xm, "no pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(m->channel, m->wish->command, taken[1]);
	close(taken[1]);
	if (pid < 0) {
		ret = xm_fail(m->xm, "no process for '%s': %s", m->wish->command, strerror(errno));
	} else {
		close(m->channel->fd);
		m->channel->fd = -1;
		m->taken = taken[0];
		ret = run(m, pid);
	}
	close(taken[0]);
	return ret;
}

/* --- calling one off --- */

/* The request that moves @dom is called off. 0; -ENOENT: there is none; -errno. */
static int cancel_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct domain *dom = data;
	unsigned int nr;
	char **ids = xs_directory(xs, t, "/request", &nr);
	int ret = ids ? -ENOENT : -errno;

	for (unsigned int i = 0; ids && i < nr && ret == -ENOENT; i++) {
		char *op = store_read(xs, t, "/request/%s/op", ids[i]);
		char *name = store_read(xs, t, "/request/%s/domain", ids[i]);

		if (op && name && !strcmp(op, "migrate") && !strcmp(name, dom->name) &&
		    store_has(xs, t, "/request/%s/state", ids[i]) == 0)
			ret = store_write(xs, t, "1", "/request/%s/cancel", ids[i]);
		free(op);
		free(name);
	}
	free(ids);
	return ret;
}

static int cancel(struct xm *xm, struct domain *dom)
{
	struct xs_handle *xs = xm_store(xm);
	int ret = xs ? store_transact(xs, cancel_body, dom) : 0;

	if (!xs)
		return 1;
	if (ret == -ENOENT)
		return xm_fail(xm, "%s is not being moved", dom->name);
	if (ret)
		return xm_fail_store(xm, "calling it off", -ret);
	return tell_what_became(xm, dom) ? 0 : 1;
}

static int run_migrate(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *with = cli_str(args, "s", NULL), *host = args->argv[1];
	char command[COMMAND_MAX];
	struct wish wish = { .host = host, .command = command, .live = cli_has(args, "live") };
	struct channel c;
	struct domain dom;
	int ret;

	if (cli_has(args, "cancel"))
		return domain_find(xm, args->argv[0], &dom) ? 1 : cancel(xm, &dom);
	if (args->argc < 2)
		return cli_refuse(args, "'%s migrate' needs the host to move it to", xm->prog);
	ret = take_number(args, "max-downtime", 1, "300", wish.max_stop_ms);
	if (!ret)
		ret = take_number(args, "bandwidth", 1024, "0", wish.max_kib_s);
	if (ret)
		return ret;
	if (make_command(xm, with ? with : "ssh", host, command) ||
	    domain_find(xm, args->argv[0], &dom))
		return 1;
	if (dom.domid == 0)
		return xm_fail(xm, "Domain-0 cannot be moved");
	if (channel_open(xm, &c))
		return 1;
	ret = migrate(&(struct moving){ xm, &dom, &wish, &c, -1 });
	channel_close(&c);
	return ret;
}

static const struct cli_opt migrate_options[] = {
	{ 's', NULL, "COMMAND", "what reaches HOST instead of ssh" },
	{ 'C', NULL, "FILE", NULL }, /* xl, Ganeti: the file of the domain; its record goes with it */
	{ 'l', "live", NULL, "let the domain run while its memory is sent" },
	{ 0, "max-downtime", "MS", "with -l: stop it when that takes no longer, and slow it down for that (300)" },
	{ 0, "cancel", NULL, "call off a move that somebody else began: DOMAIN stays here" },
	{ 0, "bandwidth", "MIB", "with -l: send no more in a second while it runs" },
	{ 0 },
};

const struct cli_cmd cmd_migrate = {
	.name = "migrate",
	.args = "DOMAIN [HOST]",
	.help = "Move a running domain to another host",
	.more = "Its disks must be the same there, by the same names; HOST needs this system, "
		  "and ssh.\n"
		  "Whatever ends or is cut off meanwhile, the domain never runs twice: where it is "
		  "not known\n"
		  "whether HOST has it, it stands still, and the same command again asks HOST.",
	.opts = migrate_options,
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 2,
	.example = "xm migrate web otherhost",
	.run = run_migrate,
};
