/* SPDX-License-Identifier: MIT */
/*
 * doc_limits.c - a document against the quotas of an unprivileged client, before the first write.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "doc.h"
#include "doc_limits.h"
#include "long_value.h"
#include "store.h"

/* dom0 may ask for a domain's own limits, a guest may not. */
static bool is_privileged(void)
{
	struct iovec iov = { (void *)"0\0nodes", sizeof("0\0nodes") };

	return xs_sync(store(), XS_OP_GET_QUOTA, 0, &iov, 1, NULL, NULL) != -EACCES;
}

/* UINT64_MAX: there is none, or it is not told. */
static uint64_t quota(const char *name)
{
	uint64_t limit = UINT64_MAX;
	char *text;

	if (xs_sync_str(store(), XS_OP_GET_QUOTA, 0, name, &text, NULL) != 0)
		return limit;
	limit = strtoull(text, NULL, 10);
	free(text);
	return limit;
}

static size_t nr_perms(const struct want *w)
{
	size_t nr = 0;

	for (size_t i = 0; i < w->perms_len; i++)
		nr += w->perms[i] == '\0';
	return nr;
}

static void beyond(struct doc *d, const struct want *w, const char *what, size_t has,
		   uint64_t limit, const char *name)
{
	d->nr_errors++;
	cli_warn("%s:%d:%d: %s: %zu %s, at most %llu are allowed to a guest (quota %s)", d->name,
		 w->line, w->column, w->path, has, what, (unsigned long long)limit, name);
}

static void check_nodes(struct doc *d, uint64_t size_max, uint64_t perms_max)
{
	for (size_t i = 0; i < d->nr; i++) {
		const struct want *w = &d->wants[i];
		size_t parts = w->value ? long_nr_parts(w->path, w->value, w->len) : 0;
		size_t size = strlen(strrchr(w->path, '/') + 1) +
			      (parts ? LONG_MARK_MAX : w->len);

		if (w->value && size > size_max)
			beyond(d, w, "bytes of name and value", size, size_max, "node-size");
		if (nr_perms(w) > perms_max)
			beyond(d, w, "permissions", nr_perms(w), perms_max, "node-permissions");
	}
}

static void check_number(struct doc *d)
{
	uint64_t touched = quota("transaction-nodes"), owned = quota("nodes");
	uint64_t limit = touched < owned ? touched : owned;
	size_t nr = 0;

	/* directories on the way are there already; what is removed is touched, too */
	for (size_t i = 0; i < d->nr; i++) {
		const struct want *w = &d->wants[i];

		nr += !w->only_holds;
		nr += w->value ? long_nr_parts(w->path, w->value, w->len) : 0;
	}
	if (nr > limit)
		beyond(d, &d->wants[0], "nodes in one transaction", nr, limit,
		       touched < owned ? "transaction-nodes" : "nodes");
}

void doc_limits_check(struct doc *d)
{
	if (!d->nr || is_privileged())
		return;
	check_number(d);
	check_nodes(d, quota("node-size"), quota("node-permissions"));
	doc_end_if_wrong(d);
}
