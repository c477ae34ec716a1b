/* SPDX-License-Identifier: MIT */
/*
 * domain_name.h - names of domains, and the keys that stand for them in the store.
 *
 * A host name such as shop.example.org is a name, but the store allows no '.' in a path: there the
 * key is "shop@2eexample@2eorg". Every path of a domain goes through domain_name_path(), every name
 * read from a directory through domain_name_of_key(). Pure.
 */
#ifndef STOREVISOR_DOMAIN_NAME_H
#define STOREVISOR_DOMAIN_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define DOMAIN_NAME_MAX 64
#define DOMAIN_KEY_MAX (3 * DOMAIN_NAME_MAX)

/*
 * Whether @name (any text) can be a domain's: 1 to 64 letters, digits, '-', '_', '.', '+', not
 * beginning with '.', not only digits (that would be a domain ID), not a taken word (Domain-0).
 * Returns NULL or the reason, which completes "the name 'x' ...".
 */
const char *domain_name_problem(const char *name);

/*
 * Writes @path (a store path with names in it, NUL-terminated) into @out with '.' and '+' as "@2e"
 * and "@2b"; other bytes stay. False when it does not fit @size: @out is then "".
 */
bool domain_name_path(const char *path, char *out, size_t size);

/*
 * The name that directory entry @key stands for. False when it stands for none: an escape that
 * domain_name_path() would not have written, or too long.
 */
bool domain_name_of_key(const char *key, char name[DOMAIN_NAME_MAX + 1]);

#endif
