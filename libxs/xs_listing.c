/* SPDX-License-Identifier: MIT */
/* xs_listing.c - see xs_listing.h. Source: xenstore.txt of Xen, DIRECTORY_PART. */
#include "xs_listing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STARTS_MAX 100

int xs_listing_add(struct xs_listing *l, const char *data, size_t len)
{
	size_t gen_len = strnlen(data, len) + 1;
	const char *names = data + gen_len;
	size_t n = len - gen_len;
	char *grown;
	bool last;

	if (gen_len > len || gen_len > sizeof(l->gen))
		return -EIO;
	if (l->len && strcmp(l->gen, data) != 0) {
		l->len = 0;
		return ++l->starts < STARTS_MAX ? 0 : -EAGAIN;
	}
	memcpy(l->gen, data, gen_len);
	/* the end is marked by an empty name */
	last = n && names[n - 1] == '\0' && (n == 1 || names[n - 2] == '\0');
	n -= last;
	if (!last && !n)
		return -EIO;
	grown = realloc(l->names, l->len + n + 1);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + l->len, names, n);
	l->names = grown;
	l->len += n;
	return last;
}
