/* SPDX-License-Identifier: MIT */
/* routes.c - see routes.h. */
#include "routes.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "assets.h"
#include "conn.h"
#include "events.h"
#include "httpd.h"
#include "side.h"

#define READS (METHOD_GET | METHOD_HEAD)

static void run_asset(struct conn *c, const char *rest)
{
	const struct asset *a = asset_find(c->head.path);
	char fields[64];

	(void)rest;
	snprintf(fields, sizeof(fields), "ETag: \"%s\"\r\n", a->tag);
	if (c->head.if_none_match && strstr(c->head.if_none_match, a->tag))
		conn_answer(c, 304, NULL, fields, NULL, 0);
	else
		conn_answer(c, 200, a->type, fields, a->data, a->len);
}

static const struct route asset_route = { "/", READS, false, run_asset };

static const struct route routes[] = {
	{ "/v1/tree/", READS | METHOD_PUT | METHOD_PATCH | METHOD_DELETE, true, api_tree },
	{ "/v1/events/", METHOD_GET, false, events_begin },
	{ "/v1/txn", METHOD_POST, true, api_txn },
	{ "/v1/history/", READS, true, api_history },
	{ "/v1/diff/", READS, true, api_diff },
	{ "/v1/rollback", METHOD_POST, true, api_rollback },
	{ "/v1/watches", READS, true, api_watches },
	{ "/metrics", READS, true, api_metrics },
};

bool routes_is_open(const struct conn *c)
{
	return c->head.method & READS && asset_find(c->head.path);
}

static const struct route *route_of(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		const char *name = routes[i].path;
		size_t len = strlen(name);
		bool below = name[len - 1] == '/';

		if (below && (strncmp(path, name, len) == 0 ||
			      (strncmp(path, name, len - 1) == 0 && !path[len - 1])))
			return &routes[i];
		if (!below && strcmp(path, name) == 0)
			return &routes[i];
	}
	return asset_find(path) ? &asset_route : NULL;
}

/* A form of another page can send no such thing. */
static bool is_json(const char *type)
{
	static const char *const types[] = { "application/json", "application/merge-patch+json" };
	size_t len = type ? strcspn(type, "; \t") : 0;

	for (size_t i = 0; i < 2; i++)
		if (strlen(types[i]) == len && strncasecmp(type, types[i], len) == 0)
			return true;
	return false;
}

const struct route *routes_find(struct conn *c)
{
	const struct route *r = route_of(c->head.path);
	char names[64];

	if (!r)
		conn_error(c, 404, c->head.path, "/v1/tree/ is where the store begins",
			   "there is nothing of this name");
	else if (!(c->head.method & r->methods))
		conn_error(c, 405, "the method", head_methods(r->methods, names),
			   "this cannot be done here");
	else if (!(c->head.method & READS) && c->srv->read_only)
		conn_error(c, 403, "the method", "start xs-httpd without --read-only",
			   "nothing is changed here");
	else if (c->head.body_len && !is_json(c->head.content_type))
		conn_error(c, 415, "Content-Type", "send Content-Type: application/json",
			   "this is no JSON");
	else
		return r;
	return NULL;
}

void routes_run(const struct route *r, struct conn *c)
{
	size_t len = strlen(r->path);
	const char *rest = c->head.path + (strlen(c->head.path) < len ? len - 1 : len);

	if (!r->store) {
		r->run(c, rest);
	} else if (side_begin(c)) {
		r->run(c, rest);
		side_end();
	}
}
