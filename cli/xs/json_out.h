/* SPDX-License-Identifier: MIT */
/*
 * json_out.h - what the store holds in JSON; printing it is cli/lib's.
 */
#ifndef STOREVISOR_XS_JSON_OUT_H
#define STOREVISOR_XS_JSON_OUT_H

#include <jansson.h>
#include <stddef.h>

#include "json_print.h"

/* A value of the store: a string when it is text, else {"@b64": "..."}. */
json_t *json_value(const void *data, size_t len);
/*
 * Bytes a JSON scalar or {"@b64"} stands for, malloc'd. Returns NULL for anything else.
 */
char *json_bytes(const json_t *v, size_t *len);
/* RFC 4648, malloc'd; exits when out of memory. */
char *json_b64(const void *data, size_t len);
/* "n0 NUL r5 NUL" as ["n0","r5"]. */
json_t *json_perms(const char *perms, size_t len);
/* The words of "a|b" as a list, before them none: ["", "a", "b"]. */
json_t *json_words(const char *words);

#endif
