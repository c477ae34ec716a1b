/* SPDX-License-Identifier: MIT */
/* events.c - see events.h. */
#include "events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "die.h"
#include "feed.h"
#include "httpd.h"
#include "side.h"

struct stream {
	struct httpd *srv;
	struct conn *conn;
	struct stream *next, **prev;
	char *path;
	uint64_t nr; /* told up to here */
	char epoch[CHANGES_EPOCH_LEN + 1];
};

static void send_event(struct stream *s, const char *name, const char *data)
{
	char id[CHANGES_ID_BUF], *text;
	int len;

	changes_id(s->epoch, s->nr, id);
	len = asprintf(&text, "id: %s\nevent: %s\ndata: %s\n\n", id, name, data);
	if (len < 0)
		cli_die(CLI_FAIL, "out of memory");
	conn_stream_send(s->conn, text, (size_t)len);
	free(text);
}

/* From the newest change on; what was before has to be read. */
static void begin_anew(struct stream *s, const char *name, const char *data)
{
	const struct changes *c = &s->srv->changes;

	s->nr = c->newest;
	memcpy(s->epoch, c->epoch, sizeof(s->epoch));
	send_event(s, name, data);
}

static void lost(struct stream *s)
{
	begin_anew(s, "lost", "{\"cure\":\"read the tree anew; events go on from here\","
		   "\"error\":\"what changed since that revision is not known any more\","
		   "\"where\":\"Last-Event-ID\"}");
}

void stream_pump(struct stream *s)
{
	const struct changes *c = &s->srv->changes;
	const struct change_note *n;

	if (!conn_stream_ready(s->conn))
		return;
	if (strcmp(s->epoch, c->epoch) != 0 || s->nr < c->forgotten)
		lost(s);
	while (conn_stream_ready(s->conn) && (n = changes_behind(c, s->nr))) {
		s->nr = n->nr;
		if (change_is_about(n, s->path))
			send_event(s, "change", n->json);
	}
}

void streams_wake(struct httpd *srv)
{
	for (struct stream *s = srv->streams; s; s = s->next)
		stream_pump(s);
}

void streams_link(struct httpd *srv, bool up)
{
	for (struct stream *s = srv->streams; s; s = s->next)
		if (conn_stream_ready(s->conn))
			send_event(s, up ? "back" : "away", "{}");
}

/* Where the stream is, without an event: who comes again behind a long silence is not lost. */
static void send_place(struct stream *s)
{
	char id[CHANGES_ID_BUF], text[CHANGES_ID_BUF + 8];

	changes_id(s->epoch, s->nr, id);
	conn_stream_send(s->conn, text, (size_t)snprintf(text, sizeof(text), "id: %s\n\n", id));
}

void streams_beat(struct httpd *srv)
{
	for (struct stream *s = srv->streams; s; s = s->next)
		if (conn_stream_ready(s->conn))
			send_place(s);
}

void stream_destroy(struct stream *s)
{
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	free(s->path);
	free(s);
}

void events_begin(struct conn *c, const char *rest)
{
	struct httpd *srv = c->srv;
	char *path = side_path(c, rest);
	struct stream *s;

	if (!path)
		return;
	s = must(calloc(1, sizeof(*s)));
	*s = (struct stream){ .srv = srv, .conn = c, .path = path, .next = srv->streams,
			      .prev = &srv->streams };
	if (s->next)
		s->next->prev = &s->next;
	srv->streams = s;
	conn_stream_begin(c, s);
	if (!c->head.last_event_id)
		begin_anew(s, "begin", "{}");
	else if (!changes_place(&srv->changes, c->head.last_event_id, &s->nr))
		lost(s);
	else
		memcpy(s->epoch, srv->changes.epoch, sizeof(s->epoch));
	if (!feed_is_up(srv->feed))
		send_event(s, "away", "{}");
	stream_pump(s);
}
