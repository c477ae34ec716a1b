/* SPDX-License-Identifier: MIT */
/*
 * head.h - the head of an HTTP request (RFC 9112), of anybody's bytes: read strictly, because two
 * readers that understand a head differently are how requests are smuggled. Pure.
 */
#ifndef STOREVISOR_HTTPD_HEAD_H
#define STOREVISOR_HTTPD_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#define HEAD_BYTES_MAX 16384
#define HEAD_FIELDS_MAX 64

enum method {
	METHOD_GET = 1,
	METHOD_HEAD = 2,
	METHOD_PUT = 4,
	METHOD_PATCH = 8,
	METHOD_DELETE = 16,
	METHOD_POST = 32,
	METHOD_OPTIONS = 64,
};

/* Strings point into the text that was read; NULL: no such field. */
struct head {
	enum method method;
	char *path;	/* as it came, with its %XX */
	char *query;	/* behind the '?' */
	bool keep_alive;
	size_t body_len;
	const char *host, *authorization, *origin, *fetch_site, *content_type, *content_length,
		*transfer_encoding, *connection, *expect, *if_match, *if_none_match, *last_event_id;
};

/* What is answered to a head that is none. */
struct head_fault {
	int status;
	const char *why, *cure;
};

/*
 * Reads @text, a whole head with the empty line at its end, which is cut into pieces: @len bytes
 * and a NUL. Returns false with @fault: 400, 411, 413 (more than @body_max bytes follow), 431, 501,
 * 505.
 */
bool head_read(char *text, size_t len, size_t body_max, struct head *h, struct head_fault *fault);

/* Replaces %XX of @text. Returns false when there is a bad one, or a byte of zero. */
bool head_unescape(char *text);
/*
 * The value of @name in @query, "a=1&b=2" as it came, malloc'd and unescaped; NULL: not there, or
 * written badly. @bad (may be NULL) is set in the second case.
 */
char *head_query(const char *query, const char *name, bool *bad);
/* "GET" and so on; "GET, HEAD" of several, into @buf of 64 bytes. */
const char *head_methods(unsigned int methods, char buf[64]);
/* Whether @text is the same word as @word, in whatever case; NULL is none. */
bool head_is(const char *text, const char *word);

#endif
