/* SPDX-License-Identifier: MIT */
/* report.c - state as text. Reads only; bytes of clients are escaped. */
#include "report.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulk.h"
#include "conn.h"
#include "outfile.h"
#include "server.h"

static int say(struct buf *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int say(struct buf *out, const char *fmt, ...)
{
	char line[XS_PATH_BUF + 256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(line))
		n = (int)sizeof(line) - 1;
	return buf_append(out, line, (size_t)n);
}

int report_memory(struct server *srv, struct buf *out)
{
	struct mallinfo2 mi = mallinfo2();
	size_t waiting = 0, output = 0;

	for (struct conn *c = srv->wire.conns; c; c = c->next) {
		waiting += c->events.bytes;
		output += c->in.cap + c->out.cap;
	}
	say(out, "heap in use %zu\nheap mapped %zu\n", mi.uordblks + mi.hblkhd,
	    mi.arena + mi.hblkhd);
	say(out, "nodes %zu\npermission sets %u\n", srv->tree.nr_nodes, srv->tree.perms.nr);
	say(out, "watches %zu on %zu paths\n", srv->watches.nr_watches, srv->watches.nr_paths);
	say(out, "connections %u, buffers %zu, waiting events %zu\n", srv->wire.nr_conns, output,
	    waiting);
	return say(out, "domains %u\n", srv->domains.nr);
}

void report_quotas(struct server *srv, const struct domain *d, struct buf *out)
{
	for (int i = 0; i < QUOTA_NR; i++) {
		uint64_t limit = quota_limit(&srv->quotas, d ? &d->quota : NULL,
					     (enum quota_kind)i);

		if (d && quota_table[i].counted)
			say(out, "%-17s: %8llu of %8llu %s\n", quota_table[i].name,
			    (unsigned long long)d->used[i], (unsigned long long)limit,
			    quota_table[i].help);
		else
			say(out, "%-17s: %8llu %s\n", quota_table[i].name,
			    (unsigned long long)limit, quota_table[i].help);
	}
}

void report_soft_quotas(struct server *srv, struct buf *out)
{
	for (int i = 0; i < QUOTA_NR; i++) {
		if (quota_table[i].soft)
			say(out, "%-17s: %8llu %s\n", quota_table[i].name,
			    (unsigned long long)srv->quotas.soft[i], quota_table[i].help);
	}
}

void report_peaks(struct server *srv, struct buf *out)
{
	for (int i = 0; i < QUOTA_NR; i++) {
		if (quota_table[i].counted)
			say(out, "%-17s: %8llu\n", quota_table[i].name,
			    (unsigned long long)srv->quotas.peak[i]);
	}
}

/* Everything with a single number: for people and for scrapers alike. */
struct gauge {
	const char *name, *type, *help;
	uint64_t value;
};

#define NR_GAUGES 17

static void gauges(const struct server *srv, struct gauge g[NR_GAUGES])
{
	const struct server_stats *s = &srv->stats;
	const struct gauge all[NR_GAUGES] = {
		{ "nodes", "gauge", "nodes in the store", srv->tree.nr_nodes },
		{ "watches", "gauge", "registered watches", srv->watches.nr_watches },
		{ "connections", "gauge", "sockets and rings", srv->wire.nr_conns },
		{ "domains", "gauge", "known domains", srv->domains.nr },
		{ "events_total", "counter", "watch events queued", s->events },
		{ "events_merged_total", "counter", "events merged with a waiting one",
		  s->events_merged },
		{ "commits_total", "counter", "transactions committed", s->commits },
		{ "conflicts_total", "counter", "transactions answered EAGAIN", s->conflicts },
		{ "accepted_total", "counter", "socket clients accepted", s->conns_accepted },
		{ "dropped_total", "counter", "clients given up", s->conns_dropped },
		{ "unknown_requests_total", "counter", "requests of unknown type",
		  s->unknown_ops },
		{ "revision", "gauge", "last revision", srv->tree.rev },
		{ "durable_revision", "gauge", "all persistent changes up to it are on the disk",
		  srv->durable.off ? 0 : srv->durable.rev },
		{ "queued_changes", "gauge", "persistent changes that the disk is still to have",
		  srv->durable.nr_queued },
		{ "degraded", "gauge", "1: the disk refuses, or has lost something",
		  srv->durable.refused || srv->durable.degraded },
		{ "lost", "gauge", "1: the disk has lost something that nobody has said he knows of",
		  srv->durable.degraded },
		{ "uptime_seconds", "gauge", "since the daemon started",
		  (now_ns() - s->start_ns) / 1000000000u },
	};

	memcpy(g, all, sizeof(all));
}

void report_stats(struct server *srv, struct buf *out)
{
	struct gauge g[NR_GAUGES];

	gauges(srv, g);
	for (int i = 0; i < NR_GAUGES; i++)
		say(out, "%s %llu\n", g[i].name, (unsigned long long)g[i].value);
	for (uint32_t i = 0; i < XS_WIRE_OP_NR; i++) {
		const struct op_stats *op = &srv->stats.op[i];

		if (op->count)
			say(out, "%s %llu errors %llu\n", xs_wire_op_name(i),
			    (unsigned long long)op->count, (unsigned long long)op->errors);
	}
}

void report_metrics(struct server *srv, struct buf *out)
{
	struct gauge g[NR_GAUGES];

	gauges(srv, g);
	for (int i = 0; i < NR_GAUGES; i++) {
		size_t len = strlen(g[i].name);
		bool total = len > 6 && strcmp(g[i].name + len - 6, "_total") == 0;

		say(out, "# TYPE xenstored_%.*s %s\n", (int)(total ? len - 6 : len), g[i].name,
		    g[i].type);
		say(out, "xenstored_%s %llu\n", g[i].name, (unsigned long long)g[i].value);
	}
	say(out, "# TYPE xenstored_requests counter\n");
	for (uint32_t i = 0; i < XS_WIRE_OP_NR; i++) {
		if (srv->stats.op[i].count)
			say(out, "xenstored_requests_total{op=\"%s\"} %llu\n", xs_wire_op_name(i),
			    (unsigned long long)srv->stats.op[i].count);
	}
	say(out, "# EOF\n");
}

struct feed_line {
	const struct conn *c;
	struct buf *out;
};

static void report_feed(void *arg, const char *path)
{
	const struct feed_line *l = arg;

	say(l->out, "d%u/%llu %s feed\n", l->c->domid, (unsigned long long)l->c->id, path);
}

void report_watches(struct server *srv, unsigned int domid, struct buf *out)
{
	for (struct conn *c = srv->wire.conns; c; c = c->next) {
		if (domid != NO_DOMID && domid != c->domid)
			continue;
		for (struct watch *w = c->watch_first; w; w = w->next)
			say(out, "d%u/%llu %s\n", c->domid, (unsigned long long)c->id,
			    w->on->path);
		feed_each(srv, c, report_feed, &(struct feed_line){ c, out });
	}
}

int report_to_file(struct server *srv, const char *path, const struct buf *text)
{
	int fd = outfile_open(&srv->cfg, path);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, buf_front(text), buf_len(text));
	if (close(fd) < 0 || n != (ssize_t)buf_len(text))
		return -EIO;
	return 0;
}
