/* SPDX-License-Identifier: MIT */
/*
 * monitor.c - the access log and the monitoring clients. Owns the lines that
 * wait to be taken. No lock.
 */
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "ops.h"
#include "server.h"

#define LINES_SIZE (64u * 1024u)

/* Lines gathered for one client since it last asked. */
struct monitor {
	struct monitor *next;
	struct conn *conn;
	struct buf lines;
	uint64_t dropped;
};

bool monitor_active(const struct server *srv)
{
	return srv->ops.monitors || srv->ops.trace;
}

/* Payload bytes as one printable word: NUL becomes '|', the rest what is not printable '?'. */
static size_t printable(const char *in, size_t len, char *out, size_t room)
{
	size_t n = len < room - 1 ? len : room - 1;

	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)in[i];

		out[i] = ch == '\0' ? '|' : ch < 0x20 || ch > 0x7e ? '?' : (char)ch;
	}
	while (n > 0 && out[n - 1] == '|')
		n--;
	out[n] = '\0';
	return n;
}

static size_t format_line(const struct req *r, int err, uint64_t took_ns, char *line, size_t room)
{
	char text[160];
	int n;

	printable(r->in, r->in_len, text, sizeof(text));
	n = snprintf(line, room, "%llu.%06llu d%u/%llu t%u %s %s %s %lluus\n",
		     (unsigned long long)(now_ns() / 1000000000u),
		     (unsigned long long)(now_ns() / 1000u % 1000000u), r->conn->domid,
		     (unsigned long long)r->conn->id, r->hdr.tx_id, xs_wire_op_name(r->type), text,
		     err ? xs_wire_error_name(err) : "OK", (unsigned long long)(took_ns / 1000u));
	return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

void monitor_report(struct server *srv, const struct req *r, int err, uint64_t took_ns)
{
	char line[400];
	size_t len = format_line(r, err, took_ns, line, sizeof(line));

	if (srv->ops.trace)
		fwrite(line, 1, len, srv->ops.trace);
	for (struct monitor *m = srv->ops.monitors; m; m = m->next) {
		if (m->conn == r->conn)
			continue;
		if (buf_len(&m->lines) + len > LINES_SIZE || buf_append(&m->lines, line, len) < 0)
			m->dropped++;
	}
}

static struct monitor *monitor_of(struct server *srv, const struct conn *c)
{
	struct monitor *m = srv->ops.monitors;

	while (m && m->conn != c)
		m = m->next;
	return m;
}

int monitor_start(struct server *srv, struct conn *c)
{
	struct monitor *m = monitor_of(srv, c);
	int ret;

	if (m)
		return 0;
	ret = user_stream_begin(c);
	if (ret < 0)
		return ret;
	m = calloc(1, sizeof(*m));
	if (!m) {
		user_stream_end(c);
		return -ENOMEM;
	}
	m->conn = c;
	m->next = srv->ops.monitors;
	srv->ops.monitors = m;
	return 0;
}

int monitor_take(struct server *srv, struct conn *c, char *out, size_t room, size_t *len)
{
	struct monitor *m = monitor_of(srv, c);
	size_t n, left;

	if (!m)
		return -ENOENT;
	*len = 0;
	if (m->dropped && buf_len(&m->lines) == 0) {
		*len = (size_t)snprintf(out, room, "# %llu lines dropped\n",
					(unsigned long long)m->dropped);
		m->dropped = 0;
	}
	left = buf_len(&m->lines) < room - *len ? buf_len(&m->lines) : room - *len;
	/* Whole lines only. */
	for (n = left; n > 0 && buf_front(&m->lines)[n - 1] != '\n'; n--)
		;
	memcpy(out + *len, buf_front(&m->lines), n);
	buf_take(&m->lines, n);
	*len += n;
	return 0;
}

void monitor_forget(struct server *srv, struct conn *c)
{
	for (struct monitor **at = &srv->ops.monitors; *at; at = &(*at)->next) {
		struct monitor *m = *at;

		if (m->conn != c)
			continue;
		*at = m->next;
		user_stream_end(c);
		buf_fini(&m->lines);
		free(m);
		return;
	}
}

int trace_open(struct server *srv, const char *path)
{
	if (srv->ops.trace)
		fclose(srv->ops.trace);
	srv->ops.trace = NULL;
	if (!path)
		return 0;
	srv->ops.trace = fopen(path, "ae");
	if (!srv->ops.trace)
		return -errno;
	setvbuf(srv->ops.trace, NULL, _IOLBF, 0);
	return 0;
}

int trace_to(struct server *srv, int fd)
{
	FILE *f = fdopen(fd, "a");

	if (!f)
		return -errno;
	trace_open(srv, NULL);
	setvbuf(f, NULL, _IOLBF, 0);
	srv->ops.trace = f;
	return 0;
}
