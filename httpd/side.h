/* SPDX-License-Identifier: MIT */
/*
 * side.h - the side of a request that asks the store: one connection for all of them (store.h),
 * waited for, because an answer takes less than a network's; and what its errors are in HTTP.
 */
#ifndef STOREVISOR_HTTPD_SIDE_H
#define STOREVISOR_HTTPD_SIDE_H

#include <stdbool.h>
#include <stddef.h>

struct conn;

/* What is said of documents is collected from here on, not printed. Call once. */
void side_init(void);
/* Connects, if need be again. Whether the store answers. */
bool side_connect(void);
/* Whether the store is there; else @c was answered. */
bool side_begin(struct conn *c);
void side_end(void);
/* The store's path for @rest of a URL, malloc'd; NULL: it is none, and @c was answered. */
char *side_path(struct conn *c, const char *rest);
/* The same for a path that came as it is. */
char *side_typed(struct conn *c, const char *text);
/* Answers with what -errno @rc about @path means. */
void side_error(struct conn *c, const char *path, int rc);
/* Answers 400 with what was said of the document since side_begin(), by line and column. */
void side_document_error(struct conn *c);

#endif
