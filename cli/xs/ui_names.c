/* SPDX-License-Identifier: MIT */
/* ui_names.c - see ui_names.h. Source: docs/misc/xenstore.txt of Xen. */
#include "ui_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"

/* One part: the generation, then names; an empty name ends the last one. */
enum ui_part ui_names_take(struct ui_names *n, const char *data, size_t len)
{
	size_t head = strnlen(data, len) + 1;
	long long gen = atoll(data);
	bool last = len < 2 || data[len - 2] == '\0';

	if (head > len || (n->names && gen != n->gen))
		return PART_CHANGED;
	n->gen = gen;
	len -= head + (last && len > head ? 1 : 0);
	n->names = must(realloc(n->names, n->len + len + 1));
	memcpy(n->names + n->len, data + head, len);
	n->len += len;
	return last ? PART_LAST : PART_MORE;
}

void ui_names_fini(struct ui_names *n)
{
	free(n->names);
	*n = (struct ui_names){ 0 };
}
