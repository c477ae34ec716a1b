/* SPDX-License-Identifier: MIT */
/*
 * feed.h - where xs-httpd learns of changes: CONTROL feed, which tells each with its number; where
 * the store's table of rights does not allow it, a watch, which tells that something changed.
 * It is the connection that says whether the store is there, too.
 */
#ifndef STOREVISOR_HTTPD_FEED_H
#define STOREVISOR_HTTPD_FEED_H

#include <stdbool.h>

struct httpd;
struct feed;

/* Begins, and goes on trying for ever. NULL: no memory. srv->changes is filled from here on. */
struct feed *feed_create(struct httpd *srv);
void feed_destroy(struct feed *f);
bool feed_is_up(const struct feed *f);
/* The -errno for which there is no connection yet; 0: there was one. */
int feed_error(const struct feed *f);

#endif
