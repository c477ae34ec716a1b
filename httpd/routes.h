/* SPDX-License-Identifier: MIT */
/* routes.h - THE table of what can be asked for. */
#ifndef STOREVISOR_HTTPD_ROUTES_H
#define STOREVISOR_HTTPD_ROUTES_H

#include <stdbool.h>

struct conn;

struct route {
	const char *path;	/* with a slash at its end: and all below */
	unsigned int methods;	/* enum method; all but GET and HEAD change something */
	bool store;		/* the store is asked */
	void (*run)(struct conn *c, const char *rest); /* @rest: the path behind the route's */
};

/* Whether anybody may have what @c asks for: files of the console, which say nothing. */
bool routes_is_open(const struct conn *c);
/* The route of @c's request; NULL: it was answered. */
const struct route *routes_find(struct conn *c);
/* Answers the request, which is there whole now. */
void routes_run(const struct route *r, struct conn *c);

#endif
