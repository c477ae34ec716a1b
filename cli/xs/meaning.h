/* SPDX-License-Identifier: MIT */
/*
 * meaning.h - what values are in people's terms, by the types of the registry of store paths
 * (schema.h). Pure.
 */
#ifndef STOREVISOR_XS_MEANING_H
#define STOREVISOR_XS_MEANING_H

#include <stddef.h>

/*
 * What @value (@len bytes) is in people's terms: "Connected", "128 MiB", "xvda", a date. Returns
 * @buf, or NULL: nothing to add.
 */
const char *meaning_decode(const char *path, const char *value, size_t len, char *buf, size_t size);

#endif
