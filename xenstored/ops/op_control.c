/* SPDX-License-Identifier: MIT */
/*
 * op_control.c - CONTROL: the table of sub-commands. The first ones are C xenstored's, with its
 * spelling; the rest are ours. Domain 0 only. What they print is made in report.c and check.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bond.h"
#include "bulk.h"
#include "bulk_priv.h"
#include "check.h"
#include "confine.h"
#include "conn.h"
#include "domain.h"
#include "durable.h"
#include "lasting.h"
#include "log.h"
#include "monitor.h"
#include "ops.h"
#include "outfile.h"
#include "report.h"
#include "restore.h"
#include "server.h"
#include "snapshot_name.h"
#include "successor.h"
#include "text_reply.h"

#define CONTROL_ARGS 64

struct control {
	const char *name;
	int (*handler)(struct req *r, const char **arg, unsigned int nr);
	unsigned int min_args, max_args;
	/* With this many arguments it changes something: not for read-only clients. */
	unsigned int changes_with;
	const char *args;
};

#define NEVER (CONTROL_ARGS + 1)

static int control_check(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	unsigned int faults = check_all(r->srv, &text) + check_disk(r->srv, &text);

	if (faults == 0) {
		buf_fini(&text);
		return reply_ok(r);
	}
	return text_reply(r, &text);
}

/* What the worker answers in records (xs_past.h), or lines: handed on as a stream of replies. */
static int past(struct req *r, const char *const *word, unsigned int nr)
{
	const struct bulk_stream s = { .req_id = r->hdr.req_id };
	struct buf answer = { 0 };
	int ret;

	/* A kernel takes one reply a request. */
	if (r->conn->domain)
		return -EINVAL;
	ret = durable_ask(r->conn, word, nr, &answer);
	/* Now, not when it asked: many may have asked at once. */
	if (ret == 0)
		ret = user_may_wait(r->conn);
	if (ret == 0) {
		ret = bulk_send(r->conn, &s, &answer, 0);
		/* half a stream cannot be taken back */
		if (ret < 0)
			conn_kill(r->conn);
	}
	buf_fini(&answer);
	return ret < 0 ? ret : reply_data(r, "", 0);
}

static int past_words(struct req *r, const char *what, const char **arg, unsigned int nr)
{
	const char *word[CONTROL_ARGS + 1] = { what };

	for (unsigned int i = 0; i < nr; i++)
		word[i + 1] = arg[i];
	return past(r, word, nr + 1);
}

static int control_log(struct req *r, const char **arg, unsigned int nr)
{
	if (nr == 0)
		return reply_string(r, r->srv->ops.trace ? "on" : "off");
	/* The other meaning: what changed at or below a path. */
	if (arg[0][0] == '/')
		return past_words(r, "log", arg, nr);
	if (r->conn->read_only)
		return -EROFS;
	if (nr == 1 && strcmp(arg[0], "on") == 0) {
		int ret = trace_open(r->srv, r->srv->cfg.trace_path);

		return ret < 0 ? ret : reply_ok(r);
	}
	if (nr == 1 && strcmp(arg[0], "off") == 0) {
		trace_open(r->srv, NULL);
		return reply_ok(r);
	}
	return -EINVAL;
}

static int control_logfile(struct req *r, const char **arg, unsigned int nr)
{
	int fd = outfile_open(&r->srv->cfg, arg[0]), ret = -ENOMEM;
	char *path = fd < 0 ? NULL : strdup(arg[0]);

	if (fd < 0)
		return fd;
	if (path)
		ret = trace_to(r->srv, fd);
	if (ret < 0) {
		close(fd);
		free(path);
		return ret;
	}
	free(r->srv->ops.trace_path);
	r->srv->ops.trace_path = path;
	r->srv->cfg.trace_path = path;
	return reply_ok(r);
}

static int control_memreport(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	int ret = report_memory(r->srv, &text);

	if (ret == 0 && nr == 0)
		return text_reply(r, &text);
	if (ret == 0)
		ret = report_to_file(r->srv, arg[0], &text);
	buf_fini(&text);
	return ret < 0 ? ret : reply_ok(r);
}

/* A line of somebody's for the log. */
static int control_print(struct req *r, const char **arg, unsigned int nr)
{
	char text[256];
	size_t len = 0;

	for (const char *s = arg[0]; *s && len < sizeof(text) - 1; s++)
		text[len++] = *s < 0x20 || *s > 0x7e ? '.' : *s;
	text[len] = '\0';
	log_info("control: %s", text);
	return reply_ok(r);
}

static int show_quotas(struct req *r, const char *domid)
{
	struct buf text = { 0 };
	struct domain *d = NULL;
	uint64_t id;

	if (domid) {
		if (xs_wire_get_number(domid, 0x7fff, &id) < 0)
			return -EINVAL;
		d = domain_find(&r->srv->domains, (unsigned int)id);
		if (!d)
			return -ENOENT;
	}
	report_quotas(r->srv, d, &text);
	return text_reply(r, &text);
}

static int show_peaks(struct req *r, bool reset)
{
	struct buf text = { 0 };

	report_peaks(r->srv, &text);
	if (reset)
		memset(r->srv->quotas.peak, 0, sizeof(r->srv->quotas.peak));
	return text_reply(r, &text);
}

static int control_quota(struct req *r, const char **arg, unsigned int nr)
{
	enum quota_kind kind;
	uint64_t value;

	if (nr == 0)
		return show_quotas(r, NULL);
	if (strcmp(arg[0], "max") == 0 && nr == 1)
		return show_peaks(r, false);
	if (strcmp(arg[0], "max") == 0)
		return nr == 2 && strcmp(arg[1], "-r") == 0 ? show_peaks(r, true) : -EINVAL;
	if (strcmp(arg[0], "set") != 0)
		return nr == 1 ? show_quotas(r, arg[0]) : -EINVAL;
	if (nr != 3 || xs_wire_get_number(arg[2], UINT32_MAX, &value) < 0)
		return -EINVAL;
	kind = quota_by_name(arg[1]);
	if (kind == QUOTA_NR)
		return -EINVAL;
	return server_set_quota(r->srv, NULL, kind, value) < 0 ? -ENOSPC : reply_ok(r);
}

static int control_quota_soft(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	enum quota_kind kind;
	uint64_t value;

	if (nr == 0) {
		report_soft_quotas(r->srv, &text);
		return text_reply(r, &text);
	}
	if (nr != 3 || strcmp(arg[0], "set") != 0 ||
	    xs_wire_get_number(arg[2], UINT32_MAX, &value) < 0)
		return -EINVAL;
	kind = quota_by_name(arg[1]);
	if (kind == QUOTA_NR || !quota_table[kind].soft)
		return -EINVAL;
	r->srv->quotas.soft[kind] = value;
	return reply_ok(r);
}

static int control_stat(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };

	report_stats(r->srv, &text);
	return text_reply(r, &text);
}

static int control_metrics(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };

	report_metrics(r->srv, &text);
	return text_reply(r, &text);
}

static int control_watches(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	uint64_t domid = NO_DOMID, from;

	if (text_from_words(arg, &nr, &from) < 0 || nr > 1 ||
	    (nr && xs_wire_get_number(arg[0], NO_DOMID - 1, &domid) < 0))
		return -EINVAL;
	report_watches(r->srv, (unsigned int)domid, &text);
	return text_reply_from(r, &text, from);
}

/* Begins gathering at the first call; every call takes what has gathered. */
static int control_monitor(struct req *r, const char **arg, unsigned int nr)
{
	size_t len = 0;
	int ret;

	if (nr && strcmp(arg[0], "off") != 0)
		return -EINVAL;
	if (nr) {
		monitor_forget(r->srv, r->conn);
		return reply_ok(r);
	}
	ret = monitor_start(r->srv, r->conn);
	if (ret == 0)
		ret = monitor_take(r->srv, r->conn, r->reply, XENSTORE_PAYLOAD_MAX - 1, &len);
	if (ret < 0)
		return ret;
	r->reply[len] = '\0';
	r->reply_len = (uint32_t)len + 1;
	r->replied = true;
	return 0;
}

static int control_dump(struct req *r, const char **arg, unsigned int nr)
{
	uint64_t depth = UINT16_MAX;

	if (nr > 1 && xs_wire_get_number(arg[1], UINT16_MAX, &depth) < 0)
		return -EINVAL;
	return bulk_dump(r, arg[0], (unsigned int)depth);
}

static int control_feed(struct req *r, const char **arg, unsigned int nr)
{
	return feed_start(r, arg, nr);
}

/* Snapshots are asked for by name, with or without the end that their files have. */
static int snapshot_question(struct req *r, const char *what, const char *name, struct buf *out)
{
	char plain[SNAPSHOT_NAME_BUF];
	const char *const word[] = { what, plain };

	if (!snapshot_name(name ? name : "snapshot", plain))
		return -EINVAL;
	return durable_ask(r->conn, word, 2, out);
}

/* A copy of the persistent part in STATE/snapshots, whole and verified when it is answered. */
static int control_snapshot(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	int ret = snapshot_question(r, "snapshot", nr ? arg[0] : NULL, &text);

	buf_fini(&text);
	return ret < 0 ? ret : reply_ok(r);
}

static int control_at(struct req *r, const char **arg, unsigned int nr)
{
	return past_words(r, "at", arg, nr);
}

static int control_tree(struct req *r, const char **arg, unsigned int nr)
{
	return past_words(r, "tree", arg, nr);
}

static int control_diff(struct req *r, const char **arg, unsigned int nr)
{
	return past_words(r, "diff", arg, nr);
}

static int control_snapshots(struct req *r, const char **arg, unsigned int nr)
{
	return past_words(r, "snapshots", arg, nr);
}

static int control_generations(struct req *r, const char **arg, unsigned int nr)
{
	return past_words(r, "generations", arg, nr);
}

static int control_snapshot_verify(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	int ret = snapshot_question(r, "snapshot-verify", arg[0], &text);

	buf_fini(&text);
	return ret < 0 ? ret : reply_ok(r);
}

static int control_snapshot_remove(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	int ret = snapshot_question(r, "snapshot-remove", arg[0], &text);

	buf_fini(&text);
	return ret < 0 ? ret : reply_ok(r);
}

static int control_restore(struct req *r, const char **arg, unsigned int nr)
{
	struct buf nodes = { 0 };
	int ret = snapshot_question(r, "snapshot-read", nr ? arg[0] : NULL, &nodes);

	if (ret == 0)
		ret = restore_nodes(r->srv, &nodes);
	buf_fini(&nodes);
	return ret < 0 ? ret : reply_ok(r);
}

/* What the disk has lost, a line each; or that this is known, and need not be told any more. */
static int control_lost(struct req *r, const char **arg, unsigned int nr)
{
	const char *const word[] = { "lost" };
	struct buf text = { 0 };
	uint64_t from;
	int ret = text_from_words(arg, &nr, &from);

	if (ret < 0 || nr > 1 || (nr && strcmp(arg[0], "known") != 0))
		return -EINVAL;
	/* The one word that changes something; "from" has two, and is for anybody. */
	if (nr && r->conn->read_only)
		return -EROFS;
	ret = nr ? durable_lost_known(r->conn) : durable_ask(r->conn, word, 1, &text);
	if (ret < 0)
		return ret;
	if (buf_len(&text))
		return text_reply_from(r, &text, from);
	return nr ? reply_ok(r) : reply_string(r, "nothing");
}

/* What "live-update" is told: C xenstored's letters. */
struct live_args {
	const char *file;	/* -f: the program; NULL: not said */
	bool start, abort;	/* -s, -a */
};

/*
 * All of it, before any of it is done. -t SECONDS and -F are of no use here: nothing that is open
 * has to end first. -c (another command line) cannot be had.
 */
static int live_args(const char **arg, unsigned int nr, struct live_args *out)
{
	uint64_t seconds;

	*out = (struct live_args){ 0 };
	for (unsigned int i = 0; i < nr; i++) {
		const char *value = i + 1 < nr ? arg[i + 1] : NULL;

		if (strcmp(arg[i], "-s") == 0) {
			out->start = true;
		} else if (strcmp(arg[i], "-a") == 0) {
			out->abort = true;
		} else if (strcmp(arg[i], "-f") == 0 && value) {
			out->file = value;
			i++;
		} else if (strcmp(arg[i], "-t") == 0 && value) {
			if (xs_wire_get_number(value, UINT32_MAX, &seconds) < 0)
				return -EINVAL;
			i++;
		} else if (strcmp(arg[i], "-F") != 0) {
			return -EINVAL;
		}
	}
	return out->abort && (out->start || out->file) ? -EINVAL : 0;
}

static void set_successor(struct server *srv, int fd)
{
	if (srv->successor >= 0)
		close(srv->successor);
	srv->successor = fd;
}

static int control_live_update(struct req *r, const char **arg, unsigned int nr)
{
	struct live_args args;
	int ret = live_args(arg, nr, &args);

	/* Started by a supervisor, and without the right to execute anything. */
	if (ret == 0 && args.file && r->srv->cfg.uid != 0)
		ret = -EINVAL;
	if (ret == 0 && args.file)
		ret = successor_open(args.file);
	if (ret < 0)
		return ret;
	if (args.file)
		set_successor(r->srv, ret);
	if (args.abort)
		set_successor(r->srv, -1);
	r->srv->want_live_update = args.start;
	return reply_ok(r);
}

/* Whether a node of that path, there or not, is kept over a boot of the host. */
static int control_lifetime(struct req *r, const char **arg, unsigned int nr)
{
	struct xs_path path XS_NOT_CLEARED;
	int ret = req_path(r, arg[0], &path);
	bool lasts = ret == 0 && !r->srv->durable.off && lasting_is(path.text, path.len);

	return ret < 0 ? ret : reply_string(r, lasts ? "persistent" : "runtime");
}

/* "r/PATH" and "w/PATH": what is left to this connection from now on. */
static int control_confine(struct req *r, const char **arg, unsigned int nr)
{
	int ret = confine_conn(r->conn, arg, nr);

	return ret < 0 ? ret : reply_ok(r);
}

/* What became of this client's changes, when it asks on a connection after the one it lost. */
static int control_session(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	int ret = session_take(r->srv, r->conn, arg[0], &text);

	if (ret == 0)
		return text_reply(r, &text);
	buf_fini(&text);
	return ret;
}

/* A node goes with this client, or after a time, if it still has that value then. */
static int control_bind(struct req *r, const char **arg, unsigned int nr)
{
	struct xs_path path XS_NOT_CLEARED;
	uint64_t ttl_ms = 0;
	int ret = req_path(r, arg[0], &path);

	if (ret == 0 && nr > 2 && (xs_wire_get_number(arg[2], UINT32_MAX, &ttl_ms) < 0 || !ttl_ms))
		ret = -EINVAL;
	if (ret == 0)
		ret = bond_make(r->srv, r->conn, &path, arg[1], ttl_ms);
	return ret < 0 ? ret : reply_string(r, ret ? "held" : "not held");
}

static int control_unbind(struct req *r, const char **arg, unsigned int nr)
{
	struct xs_path path XS_NOT_CLEARED;
	int ret = nr > 2 && strcmp(arg[2], "unless-held") != 0 ? -EINVAL :
								 req_path(r, arg[0], &path);

	if (ret == 0)
		ret = bond_take_back(r->srv, &path, arg[1], nr > 2);
	return ret < 0 ? ret : reply_ok(r);
}

static int control_bonds(struct req *r, const char **arg, unsigned int nr)
{
	struct buf text = { 0 };
	uint64_t from;
	int ret = text_from_words(arg, &nr, &from);

	if (ret < 0 || nr > 0)
		return -EINVAL;
	ret = bonds_report(r->srv, &text);
	if (ret == 0)
		return text_reply_from(r, &text, from);
	buf_fini(&text);
	return ret;
}

static int control_help(struct req *r, const char **arg, unsigned int nr);

static const struct control controls[] = {
	{ "check", control_check, 0, 0, NEVER, "" },
	{ "log", control_log, 0, 2, NEVER, "[on|off|PATH [REV[.INDEX]]]" },
	{ "logfile", control_logfile, 1, 1, 0, "FILE" },
	{ "memreport", control_memreport, 0, 1, 1, "[FILE]" },
	{ "print", control_print, 1, 1, 1, "TEXT" },
	{ "quota", control_quota, 0, 3, 2, "[set NAME VALUE | DOMID | max [-r]]" },
	{ "quota-soft", control_quota_soft, 0, 3, 1, "[set NAME VALUE]" },
	{ "help", control_help, 0, 0, NEVER, "" },
	{ "stat", control_stat, 0, 0, NEVER, "" },
	{ "metrics", control_metrics, 0, 0, NEVER, "" },
	{ "watches", control_watches, 0, 3, NEVER, "[DOMID] [from N]" },
	{ "live-update", control_live_update, 1, 6, 0, "[-f FILE] [-a | -s [-t SECONDS] [-F]]" },
	{ "snapshot", control_snapshot, 0, 1, 0, "[NAME]" },
	{ "restore", control_restore, 0, 1, 0, "[NAME]" },
	{ "snapshots", control_snapshots, 0, 0, NEVER, "" },
	{ "snapshot-verify", control_snapshot_verify, 1, 1, NEVER, "NAME" },
	{ "snapshot-remove", control_snapshot_remove, 1, 1, 0, "NAME" },
	{ "generations", control_generations, 0, 0, NEVER, "" },
	{ "lost", control_lost, 0, 2, NEVER, "[known | from N]" },
	{ "at", control_at, 2, 2, NEVER, "REV PATH" },
	{ "tree", control_tree, 2, 2, NEVER, "REV PATH" },
	{ "diff", control_diff, 2, 2, NEVER, "REV PATH" },
	{ "monitor", control_monitor, 0, 1, NEVER, "[off]" },
	{ "dump", control_dump, 1, 2, NEVER, "PATH [DEPTH]" },
	{ "confine", control_confine, 1, CONTROL_ARGS - 1, NEVER, "{r|w}PATH..." },
	{ "lifetime", control_lifetime, 1, 1, NEVER, "PATH" },
	{ "json", op_json, 2, 3, 3, "TRANSACTION PATH [KIND]" },
	{ "feed", control_feed, 1, CONTROL_ARGS - 1, NEVER, "PATH..." },
	{ "session", control_session, 1, 1, 1, "TOKEN" },
	{ "bind", control_bind, 2, 3, 2, "PATH VALUE [MILLISECONDS]" },
	{ "unbind", control_unbind, 2, 3, 2, "PATH VALUE [unless-held]" },
	{ "bonds", control_bonds, 0, 2, NEVER, "[from N]" },
};

#define NR_CONTROLS (sizeof(controls) / sizeof(controls[0]))

static int control_help(struct req *r, const char **arg, unsigned int nr)
{
	char text[2048];
	size_t len = 0;

	for (size_t i = 0; i < NR_CONTROLS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s\n",
					controls[i].name, controls[i].args[0] ? " " : "",
					controls[i].args);
	return reply_string(r, text);
}

int op_control(struct req *r)
{
	const char *arg[CONTROL_ARGS + 1];
	unsigned int nr = xs_wire_get_strings(r->in, r->in_len, arg, CONTROL_ARGS + 1, NULL);

	for (size_t i = 0; i < NR_CONTROLS; i++) {
		const struct control *c = &controls[i];

		if (strcmp(c->name, arg[0]) != 0)
			continue;
		if (r->conn->confine && c->handler != control_session)
			return -EACCES;
		if (nr - 1 < c->min_args || nr - 1 > c->max_args)
			return -EINVAL;
		if (r->conn->read_only && nr - 1 >= c->changes_with)
			return -EROFS;
		return c->handler(r, arg + 1, nr - 1);
	}
	return -EINVAL;
}
