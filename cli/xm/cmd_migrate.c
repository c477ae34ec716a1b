/* SPDX-License-Identifier: MIT */
/*
 * cmd_migrate.c - xm migrate: a running domain to another host.
 *
 * xend does it. This opens the door: a channel that xend connects to, whose other end is given to
 * ssh as its standard streams. xm itself is not in the way: when it is killed, the move goes on.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "commands.h"
#include "domains.h"
#include "request.h"

#define MOVE_TIMEOUT_NS (24 * 3600 * INT64_C(1000000000))
#define CONNECT_S 120			/* for xend to take the request */
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

/* The process that waits for xend and becomes the command. */
static void become(struct channel *c, const char *command)
{
	int conn;

	alarm(CONNECT_S);
	conn = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	alarm(0);
	/* Once: a xend that comes after this one must not wait at a door that nobody opens. */
	channel_close(c);
	if (conn >= 0 && dup2(conn, 0) == 0 && dup2(conn, 1) == 1)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* What it waits for has been said or will never be: it ends, or is ended. */
static void end(pid_t pid, bool well)
{
	if (!well)
		kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* One line that is written over. */
static void draw(struct xm *xm, const struct request *req)
{
	char *phase = store_read(xm->xs, XBT_NULL, "/status/domain/%s/move/phase", req->domain);
	long long v[5] = { 0 };
	static const char *const keys[] = { "sent_kib", "total_kib", "rate_kib_s", "stop_ms",
					    "round" };

	for (size_t i = 0; phase && i < sizeof(keys) / sizeof(keys[0]); i++)
		store_read_number(xm->xs, XBT_NULL, &v[i], "/status/domain/%s/move/%s", req->domain,
				  keys[i]);
	if (phase)
		fprintf(xm->err,
			"\r%s: %s %lld, %lld of %lld MiB, %lld MiB/s, stops for %lld ms\033[K",
			req->domain, phase, v[4], v[0] >> 10, v[1] >> 10, v[2] >> 10, v[3]);
	fflush(xm->err);
	free(phase);
}

struct wish {
	const char *host, *command;
	bool live;
	char max_stop_ms[24], max_kib_s[24];	/* as the request has them */
};

/* Option @what, a whole number from 1 on, times @unit; else @otherwise. 0; a status after saying why not. */
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

static int migrate(struct xm *xm, const struct domain *dom, const struct wish *wish,
		   struct channel *c)
{
	const struct request_arg with[] = { { "channel", c->path }, { "host", wish->host },
					    { "live", wish->live ? "1" : "0" },
					    { "max_stop_ms", wish->max_stop_ms },
					    { "max_kib_s", wish->max_kib_s }, { NULL, NULL } };
	const char *command = wish->command;
	struct request req = { .op = "migrate", .domain = dom->name, .args = with,
			       .timeout_ns = MOVE_TIMEOUT_NS,
			       .progress = xm->progress ? draw : NULL, .xm = xm };
	int ret;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return xm_fail(xm, "no process for '%s': %s", command, strerror(errno));
	if (pid == 0)
		become(c, command);
	close(c->fd);
	c->fd = -1;
	ret = request_told(xm, &req, "not moved");
	if (!ret)
		tell_output(xm, &req);
	request_close(xm->xs, &req);
	end(pid, ret == 0);
	if (!ret)
		fprintf(xm->out, "%s runs on %s\n", dom->name, wish->host);
	return ret;
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
	ret = migrate(xm, &dom, &wish, &c);
	channel_close(&c);
	return ret;
}

static const struct cli_opt migrate_options[] = {
	{ 's', NULL, "COMMAND", "what reaches HOST instead of ssh" },
	{ 'l', "live", NULL, "let the domain run while its memory is sent" },
	{ 0, "max-downtime", "MS", "with -l: stop it when that takes no longer (300)" },
	{ 0, "bandwidth", "MIB", "with -l: send no more in a second while it runs" },
	{ 0 },
};

const struct cli_cmd cmd_migrate = {
	.name = "migrate",
	.args = "DOMAIN HOST",
	.help = "Move a running domain to another host",
	.more = "Its disks must be the same there, by the same names; HOST needs this system, "
		  "and ssh.\n"
		  "Whatever ends or is cut off meanwhile, the domain never runs twice: where it is "
		  "not known\n"
		  "whether HOST has it, it stands still, and the same command again asks HOST.",
	.opts = migrate_options,
	.says = CLI_SAYS_NO_JSON,
	.min_args = 2,
	.max_args = 2,
	.example = "xm migrate web otherhost",
	.run = run_migrate,
};
