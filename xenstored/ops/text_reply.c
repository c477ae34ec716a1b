/* SPDX-License-Identifier: MIT */
/* text_reply.c - see text_reply.h. */
#include "text_reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "ops.h"

/* Room for the line that says what is cut off. */
#define CUT_LINE 64u

static size_t nr_lines(const char *at, const char *end)
{
	size_t nr = 0;

	for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
		nr++;
	return nr;
}

/* Behind line number @nr of what begins at @at; @end if there are no more. */
static const char *behind_lines(const char *at, const char *end, uint64_t nr)
{
	for (; nr > 0 && at < end; nr--) {
		const char *line = memchr(at, '\n', (size_t)(end - at));

		at = line ? line + 1 : end;
	}
	return at;
}

/*
 * How much of what begins at @at goes into a reply: lines as they are, but for a first one that no
 * reply has room for: it is cut, and the others are behind it. *@rest: where those begin.
 */
static size_t fitting(const char *at, const char *end, const char **rest)
{
	size_t len = (size_t)(end - at);

	*rest = end;
	if (len <= XENSTORE_PAYLOAD_MAX - 1)
		return len;
	len = XENSTORE_PAYLOAD_MAX - CUT_LINE;
	while (len > 0 && at[len - 1] != '\n')
		len--;
	*rest = len ? at + len : behind_lines(at, end, 1);
	return len ? len : XENSTORE_PAYLOAD_MAX - CUT_LINE - 1;
}

int text_reply_from(struct req *r, struct buf *text, uint64_t from)
{
	const char *begin = buf_front(text), *end = begin + buf_len(text), *rest;
	const char *at = behind_lines(begin, end, from);
	size_t len = fitting(at, end, &rest);

	if (len)
		memcpy(r->reply, at, len);
	if (at + len < rest)
		r->reply[len++] = '\n';
	if (rest < end)
		len += (size_t)snprintf(r->reply + len, CUT_LINE, "... %zu more lines (from %zu)\n",
					nr_lines(rest, end), nr_lines(begin, rest));
	r->reply[len] = '\0';
	r->reply_len = (uint32_t)len + 1;
	r->replied = true;
	buf_fini(text);
	return 0;
}

int text_reply(struct req *r, struct buf *text)
{
	return text_reply_from(r, text, 0);
}

int text_from_words(const char **arg, unsigned int *nr, uint64_t *from)
{
	*from = 0;
	if (*nr < 2 || strcmp(arg[*nr - 2], "from") != 0)
		return 0;
	*nr -= 2;
	return xs_wire_get_number(arg[*nr + 1], UINT32_MAX, from) < 0 ? -EINVAL : 0;
}
