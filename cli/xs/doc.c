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

char *doc_keep(struct doc *d, const void *data, size_t len)
{
	char *kept = arena_text(&d->memory, len + 1);

	if (data)
		memcpy(kept, data, len);
	kept[len] = '\0';
	return kept;
}

struct want *doc_want(struct doc *d, const char *path)
{
	if (d->nr == d->max) {
		d->max = d->max ? d->max * 2 : 64;
		d->wants = must(realloc(d->wants, d->max * sizeof(*d->wants)));
	}
	d->wants[d->nr] = (struct want){ .path = path, .kind = WANT_ANY_KIND };
	return &d->wants[d->nr++];
}

static int compare(const char *a, const char *b)
{
	const unsigned char *p = (const unsigned char *)a, *q = (const unsigned char *)b;

	while (*p && *p == *q) {
		p++;
		q++;
	}
	/* a slash before every other character: a node's children follow it at once */
	return (*p == '/' ? 1 : *p) - (*q == '/' ? 1 : *q);
}

static int by_path(const void *a, const void *b)
{
	return compare(((const struct want *)a)->path, ((const struct want *)b)->path);
}

static int by_order(const void *a, const void *b)
{
	const struct want *p = a, *q = b;

	if (p->order != q->order)
		return p->order < q->order ? -1 : 1;
	return compare(p->path, q->path);
}

/*
 * What all others are below is in its place. Returns the first that may not be, and how much the
 * paths from there on begin with.
 */
static size_t first_to_sort(struct doc *d, size_t *common)
{
	size_t i = d->nr - 1, len = strlen(d->wants[i].path);

	d->wants[i].order = len;
	while (i-- > 0) {
		const char *path = d->wants[i].path, *next = d->wants[i + 1].path;
		size_t n = 0;

		while (n < len && path[n] == next[n])
			n++;
		d->wants[i].order = len = n;
	}
	while (++i + 1 < d->nr && !d->wants[i].path[d->wants[i].order])
		;
	*common = d->wants[i].order;
	return i;
}

/* The next eight characters of @path as a number that sorts as they do. */
static uint64_t order_of(const char *path)
{
	uint64_t order = 0;

	for (int left = 8; left; left--) {
		order = order << 8 | (*path == '/' ? 1 : (unsigned char)*path);
		path += *path != '\0';
	}
	return order;
}

void doc_sort(struct doc *d)
{
	size_t nr = 1, first, common;

	/* what was exported is in order */
	while (nr < d->nr && by_path(&d->wants[nr - 1], &d->wants[nr]) <= 0)
		nr++;
	if (nr >= d->nr)
		return;
	first = first_to_sort(d, &common);
	for (size_t i = first; i < d->nr; i++)
		d->wants[i].order = order_of(d->wants[i].path + common);
	qsort(d->wants + first, d->nr - first, sizeof(*d->wants), by_order);
}

void doc_end_if_wrong(const struct doc *d)
{
	if (d->nr_errors)
		cli_die(CLI_USAGE, "%s: %u problem%s; nothing was changed", d->name, d->nr_errors,
			d->nr_errors > 1 ? "s" : "");
}

void doc_free(struct doc *d)
{
	arena_free(&d->memory);
	for (size_t i = 0; i < d->nr_roots; i++)
		free(d->roots[i]);
	free(d->wants);
	free(d->roots);
	free(d->set);
}

const struct want *doc_find(const struct doc *d, const char *path)
{
	struct want key = { .path = path };

	return d->nr ? bsearch(&key, d->wants, d->nr, sizeof(key), by_path) : NULL;
}
