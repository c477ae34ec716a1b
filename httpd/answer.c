/* SPDX-License-Identifier: MIT */
/* answer.c - what conn.h declares of answers: their heads, the same fields in each, and errors. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <jansson.h>

#include "conn.h"
#include "conn_priv.h"
#include "text.h"

static const struct {
	int status;
	const char *words;
} phrases[] = {
	{ 200, "OK" }, { 201, "Created" }, { 204, "No Content" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
	{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
	{ 409, "Conflict" }, { 410, "Gone" }, { 411, "Length Required" },
	{ 412, "Precondition Failed" }, { 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" }, { 417, "Expectation Failed" },
	{ 421, "Misdirected Request" }, { 422, "Unprocessable Content" },
	{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
	{ 501, "Not Implemented" }, { 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" }, { 507, "Insufficient Storage" },
};

/* Nothing of another place is loaded, framed, sent or guessed. */
static const char safety[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cache-Control: no-store\r\n";

static const char *phrase(int status)
{
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].words;
	return "Unknown";
}

static struct evbuffer *put_head(struct conn *c, int status, const char *type, const char *fields)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	time_t now = time(NULL);
	struct tm tm;
	char date[40];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %T GMT", &tm);
	evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s%s", status, phrase(status), date,
			    safety, fields ? fields : "");
	if (type)
		evbuffer_add_printf(out, "Content-Type: %s\r\n", type);
	return out;
}

/* Everything but the body. Returns where that goes, or NULL when there is none. */
static struct evbuffer *begin(struct conn *c, int status, const char *type, const char *fields,
			      size_t len)
{
	struct evbuffer *out = put_head(c, status, type, fields);
	bool whole = c->body_got == c->head.body_len;

	/* what was not read of the body would be taken for the next request */
	if (!whole)
		c->head.keep_alive = false;
	if (status != 304 && status != 204)
		evbuffer_add_printf(out, "Content-Length: %zu\r\n", len);
	evbuffer_add_printf(out, "Connection: %s\r\n\r\n",
			    c->head.keep_alive ? "keep-alive" : "close");
	conn_answering(c);
	return c->head.method == METHOD_HEAD || status == 304 || status == 204 ? NULL : out;
}

void conn_answer(struct conn *c, int status, const char *type, const char *fields,
		 const void *body, size_t len)
{
	struct evbuffer *out = begin(c, status, type, fields, len);

	if (out)
		evbuffer_add(out, body, len);
}

static void drop(const void *data, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	free((void *)data);
}

void conn_answer_own(struct conn *c, int status, const char *type, const char *fields, char *body,
		     size_t len)
{
	struct evbuffer *out = begin(c, status, type, fields, len);

	if (!out || evbuffer_add_reference(out, body, len, drop, NULL) != 0)
		free(body);
}

json_t *conn_text(const char *text)
{
	json_t *v = json_string(text);
	char *escaped;

	if (v)
		return v;
	escaped = text_escape(text, strlen(text));
	v = json_string(escaped);
	free(escaped);
	return v;
}

void conn_error(struct conn *c, int status, const char *where, const char *cure,
		const char *fmt, ...)
{
	char text[1024], allow[80];
	const char *fields = status == 401 ? "WWW-Authenticate: Bearer\r\n" :
			     status == 405 ? allow :
			     status == 503 ? "Retry-After: 1\r\n" : NULL;
	json_t *o = json_object();
	va_list ap;
	char *body;

	snprintf(allow, sizeof(allow), "Allow: %s\r\n", cure ? cure : "");
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(o, "error", conn_text(text));
	if (where)
		json_object_set_new(o, "where", conn_text(where));
	if (cure)
		json_object_set_new(o, "cure", json_string(cure));
	body = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	if (body)
		conn_answer_own(c, status, CONN_TYPE_JSON, fields, body, strlen(body));
	else
		conn_answer(c, status, CONN_TYPE_JSON, fields, "{}", 2);
}

void conn_stream_head(struct conn *c)
{
	/* its end is the connection's */
	evbuffer_add_printf(put_head(c, 200, "text/event-stream", NULL),
			    "Connection: close\r\n\r\n");
}
