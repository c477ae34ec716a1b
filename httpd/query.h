/* SPDX-License-Identifier: MIT */
/* query.h - what stands behind the '?' of a URL. */
#ifndef STOREVISOR_HTTPD_QUERY_H
#define STOREVISOR_HTTPD_QUERY_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

/* NAME=N of @c's query, if it is there, into *@out. False: it is no number up to @max; answered. */
bool query_number(struct conn *c, const char *name, uint64_t max, uint64_t *out);
/* Whether NAME or NAME=... is there. */
bool query_has(const struct conn *c, const char *name);

#endif
