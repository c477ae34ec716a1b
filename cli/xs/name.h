/* SPDX-License-Identifier: MIT */
/*
 * name.h - names that a path of the store cannot have: it has letters, digits and - _ @ only. Any
 * other byte of a name is kept as @XX, two digits of lower-case hexadecimal, as a '.' in the name
 * of a domain is "@2e" (record/names/domain_name.h). An '@' is itself, but "@40" where it would
 * begin such a code; the empty name is "@00". Pure.
 */
#ifndef STOREVISOR_XS_NAME_H
#define STOREVISOR_XS_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* In documents: before a name that name_decode() has no text for. */
#define NAME_WIRE "@wire:"

/* The store's name for any @name without NUL, malloc'd. name_decode() gives it back. */
char *name_encode(const char *name);
/* Whether that is @name itself, without a look at its codes. */
bool name_is_plain(const char *name);
/*
 * What the store's @name (legal in a path) stands for, malloc'd; NULL if it is no UTF-8: then it is
 * known by its own name only. name_encode() gives it back. Both exit when out of memory.
 */
char *name_decode(const char *name);

/*
 * A path as somebody typed it: as name_encode(), but a code is one already, and so are '/' and '*'
 * what they mean in a path and a pattern. malloc'd.
 */
char *name_typed(const char *path);
/*
 * A name or path of the store for somebody to read: codes are decoded where what comes of it is
 * printable and, typed again, the same path. malloc'd.
 */
char *name_shown(const char *path);

#endif
