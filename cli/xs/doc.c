/* SPDX-License-Identifier: MIT */
/*
 * doc.c - the list of nodes a document describes, and making one from a tree of the store. From
 * text: doc_read.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "doc.h"

struct want *doc_want(struct doc *d, const char *path)
{
	if (d->nr == d->max) {
		d->max = d->max ? d->max * 2 : 64;
		d->wants = must(realloc(d->wants, d->max * sizeof(*d->wants)));
	}
	d->wants[d->nr] = (struct want){ .path = must(strdup(path)), .kind = WANT_ANY_KIND };
	return &d->wants[d->nr++];
}

static int by_path(const void *a, const void *b)
{
	const unsigned char *p = (const unsigned char *)((const struct want *)a)->path;
	const unsigned char *q = (const unsigned char *)((const struct want *)b)->path;

	while (*p && *p == *q) {
		p++;
		q++;
	}
	/* a slash before every other character: a node's children follow it at once */
	return (*p == '/' ? 1 : *p) - (*q == '/' ? 1 : *q);
}

void doc_sort(struct doc *d)
{
	size_t nr = 1;

	/* what was exported is in order */
	while (nr < d->nr && by_path(&d->wants[nr - 1], &d->wants[nr]) <= 0)
		nr++;
	if (nr < d->nr)
		qsort(d->wants, d->nr, sizeof(*d->wants), by_path);
}

void doc_end_if_wrong(const struct doc *d)
{
	if (d->nr_errors)
		cli_die(CLI_USAGE, "%s: %u problem%s; nothing was changed", d->name, d->nr_errors,
			d->nr_errors > 1 ? "s" : "");
}

void doc_free(struct doc *d)
{
	for (size_t i = 0; i < d->nr; i++) {
		free(d->wants[i].path);
		free(d->wants[i].value);
		free(d->wants[i].perms);
	}
	for (size_t i = 0; i < d->nr_roots; i++)
		free(d->roots[i]);
	free(d->wants);
	free(d->roots);
	free(d->set);
}

const struct want *doc_find(const struct doc *d, const char *path)
{
	struct want key = { .path = (char *)path };

	return d->nr ? bsearch(&key, d->wants, d->nr, sizeof(key), by_path) : NULL;
}
