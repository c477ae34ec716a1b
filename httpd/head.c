/* SPDX-License-Identifier: MIT */
/* head.c - see head.h. */
#include "head.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum method method;
} methods[] = {
	{ "GET", METHOD_GET },	   { "HEAD", METHOD_HEAD },	{ "PUT", METHOD_PUT },
	{ "PATCH", METHOD_PATCH }, { "DELETE", METHOD_DELETE }, { "POST", METHOD_POST },
	{ "OPTIONS", METHOD_OPTIONS },
};

/* Fields that mean something here; none may come twice. */
static const struct {
	const char *name;
	size_t at;
} fields[] = {
	{ "host", offsetof(struct head, host) },
	{ "authorization", offsetof(struct head, authorization) },
	{ "origin", offsetof(struct head, origin) },
	{ "sec-fetch-site", offsetof(struct head, fetch_site) },
	{ "content-type", offsetof(struct head, content_type) },
	{ "content-length", offsetof(struct head, content_length) },
	{ "transfer-encoding", offsetof(struct head, transfer_encoding) },
	{ "connection", offsetof(struct head, connection) },
	{ "expect", offsetof(struct head, expect) },
	{ "if-match", offsetof(struct head, if_match) },
	{ "if-none-match", offsetof(struct head, if_none_match) },
	{ "last-event-id", offsetof(struct head, last_event_id) },
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static bool fail(struct head_fault *f, int status, const char *why, const char *cure)
{
	*f = (struct head_fault){ status, why, cure };
	return false;
}

static bool bad(struct head_fault *f, const char *why)
{
	return fail(f, 400, why, "send HTTP/1.1 as RFC 9112 has it");
}

static bool is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	return true;
}

/* Cuts the line at *@at, which ends in CRLF, and moves on. NULL: it holds what no line may. */
static char *next_line(char **at)
{
	char *line = *at, *end = strstr(line, "\r\n");

	if (!end)
		return NULL;
	*end = '\0';
	*at = end + 2;
	for (const unsigned char *s = (unsigned char *)line; *s; s++)
		if ((*s < 0x20 && *s != '\t') || *s == 0x7f)
			return NULL;
	return line;
}

static bool read_method(const char *word, struct head *h, struct head_fault *f)
{
	for (size_t i = 0; i < NR(methods); i++)
		if (strcmp(word, methods[i].name) == 0) {
			h->method = methods[i].method;
			return true;
		}
	return fail(f, 501, "this method is not known", "GET, PUT, PATCH, DELETE and POST are");
}

static bool read_target(char *target, struct head *h, struct head_fault *f)
{
	if (target[0] != '/')
		return bad(f, "the target does not begin with /");
	for (const unsigned char *s = (unsigned char *)target; *s; s++)
		if (*s <= 0x20 || *s >= 0x7f || *s == '#')
			return fail(f, 400, "the target has a character that no URL has",
				    "write it as %XX");
	h->path = target;
	h->query = strchr(target, '?');
	if (h->query)
		*h->query++ = '\0';
	return true;
}

static bool read_request_line(char *line, struct head *h, struct head_fault *f)
{
	char *target = line ? strchr(line, ' ') : NULL;
	char *version = target ? strchr(target + 1, ' ') : NULL;

	if (!version)
		return bad(f, "the first line is not METHOD TARGET VERSION");
	*target++ = '\0';
	*version++ = '\0';
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return strncmp(version, "HTTP/", 5) == 0 ?
			       fail(f, 505, "this version of HTTP is not spoken here",
				    "speak HTTP/1.1") :
			       bad(f, "the first line ends in no version");
	h->keep_alive = version[7] == '1';
	return read_method(line, h, f) && read_target(target, h, f);
}

/* In lower case, with its value's blanks gone. */
static bool read_field(char *line, struct head *h, struct head_fault *f)
{
	char *colon = line ? strchr(line, ':') : NULL, *value, *end;

	if (!colon)
		return bad(f, "a line of the head is no field");
	*colon = '\0';
	if (!is_token(line))
		return bad(f, "a field's name has a character that no name has");
	value = colon + 1 + strspn(colon + 1, " \t");
	for (end = value + strlen(value); end > value && strchr(" \t", end[-1]); end--)
		end[-1] = '\0';
	for (size_t i = 0; i < NR(fields); i++) {
		const char **slot = (const char **)((char *)h + fields[i].at);

		if (strcasecmp(line, fields[i].name) != 0)
			continue;
		if (*slot)
			return bad(f, "a field that may come once comes twice");
		*slot = value;
	}
	return true;
}

static bool read_length(struct head *h, size_t body_max, struct head_fault *f)
{
	const char *s = h->content_length;

	if (h->transfer_encoding)
		return fail(f, 411, "the body comes in a transfer encoding",
			    "send it with a Content-Length");
	if (!s && h->method & (METHOD_PUT | METHOD_PATCH | METHOD_POST))
		return fail(f, 411, "nothing says how long the body is",
			    "send it with a Content-Length");
	for (; s && *s; s++) {
		if (*s < '0' || *s > '9')
			return bad(f, "Content-Length is no number");
		h->body_len = h->body_len * 10 + (size_t)(*s - '0');
		if (h->body_len > body_max)
			return fail(f, 413, "the body is too large",
				    "send it in parts, or start xs-httpd with a larger --body");
	}
	return !h->content_length || *h->content_length || bad(f, "Content-Length is no number");
}

/* Whether @word is one of a list with commas. */
static bool has_word(const char *list, const char *word)
{
	for (const char *s = list; s && *s;) {
		size_t len = strcspn(s, " \t,");

		if (len == strlen(word) && strncasecmp(s, word, len) == 0)
			return true;
		s += len;
		s += strspn(s, " \t,");
	}
	return false;
}

bool head_read(char *text, size_t len, size_t body_max, struct head *h, struct head_fault *f)
{
	unsigned int nr = 0;
	char *at = text;

	*h = (struct head){ 0 };
	if (strlen(text) != len)
		return bad(f, "the head has a byte of zero");
	if (!read_request_line(next_line(&at), h, f))
		return false;
	while (strcmp(at, "\r\n") != 0) {
		if (++nr > HEAD_FIELDS_MAX)
			return fail(f, 431, "the head has too many fields", "send fewer");
		if (!read_field(next_line(&at), h, f))
			return false;
	}
	if (!h->host && h->keep_alive)
		return bad(f, "no Host is named");
	if (has_word(h->connection, "close"))
		h->keep_alive = false;
	if (h->expect && !head_is(h->expect, "100-continue"))
		return fail(f, 417, "only 100-continue can be expected", "leave Expect out");
	return read_length(h, body_max, f);
}

static int digit(char c)
{
	char low = (char)(c | 32);

	if (c >= '0' && c <= '9')
		return c - '0';
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool head_unescape(char *text)
{
	char *out = text;

	for (const char *s = text; *s; s++) {
		int high, low;

		if (*s != '%') {
			*out++ = *s;
			continue;
		}
		high = digit(s[1]);
		low = high < 0 ? -1 : digit(s[2]);
		if (low < 0 || (high == 0 && low == 0))
			return false;
		*out++ = (char)(high * 16 + low);
		s += 2;
	}
	*out = '\0';
	return true;
}

char *head_query(const char *query, const char *name, bool *bad_one)
{
	size_t len = strlen(name);

	for (const char *s = query; s && *s; s += strcspn(s, "&"), s += *s == '&') {
		char *value;

		if (strncmp(s, name, len) != 0 || (s[len] != '=' && s[len] != '&' && s[len]))
			continue;
		s += len + (s[len] == '=');
		value = strndup(s, strcspn(s, "&"));
		if (value && head_unescape(value))
			return value;
		free(value);
		if (bad_one)
			*bad_one = true;
		return NULL;
	}
	return NULL;
}

const char *head_methods(unsigned int which, char buf[64])
{
	buf[0] = '\0';
	for (size_t i = 0; i < NR(methods); i++) {
		if (!(which & methods[i].method))
			continue;
		if (buf[0])
			strcat(buf, ", ");
		strcat(buf, methods[i].name);
	}
	return buf;
}

bool head_is(const char *text, const char *word)
{
	return text && strcasecmp(text, word) == 0;
}
