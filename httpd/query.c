/* SPDX-License-Identifier: MIT */
/* query.c - see query.h. */
#include "query.h"

#include <errno.h>
#include <stdlib.h>

#include "conn.h"

bool query_number(struct conn *c, const char *name, uint64_t max, uint64_t *out)
{
	bool bad = false;
	char *text = head_query(c->head.query, name, &bad), *end;

	if (text) {
		errno = 0;
		*out = strtoull(text, &end, 10);
		bad = text[0] < '0' || text[0] > '9' || *end || errno || *out > max;
	}
	free(text);
	if (bad)
		conn_error(c, 400, name, "write it in decimal digits", "this is no such number");
	return !bad;
}

bool query_has(const struct conn *c, const char *name)
{
	char *text = head_query(c->head.query, name, NULL);

	free(text);
	return text != NULL;
}
