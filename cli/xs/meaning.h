/* SPDX-License-Identifier: MIT */
/*
 * meaning.h - what the registry of store paths says about a path. The table is docs/store-paths.md,
 * compiled in (meanings.awk). Pure.
 */
#ifndef STOREVISOR_XS_MEANING_H
#define STOREVISOR_XS_MEANING_H

#include <stddef.h>

struct meaning {
	const char *path;    /* with $VARIABLES for names and numbers */
	const char *type;    /* KIB, XENBUS, "on" | "off", ... */
	const char *tags;    /* p persistent, w guest may write, r guest may read, o optional */
	const char *writer;
	const char *readers;
	const char *words;   /* "" when the registry has none */
};

/* The row for @path, or NULL: the registry does not know it. Rows without variables win. */
const struct meaning *meaning_find(const char *path);
/* All rows; NULL after the last. */
const struct meaning *meaning_at(size_t i);

/*
 * What @value (@len bytes) is in people's terms: "Connected", "128 MiB", "xvda", a date. Returns
 * @buf, or NULL: nothing to add.
 */
const char *meaning_decode(const char *path, const char *value, size_t len, char *buf, size_t size);

#endif
