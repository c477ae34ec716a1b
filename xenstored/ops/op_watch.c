/* SPDX-License-Identifier: MIT */
/* op_watch.c - WATCH, UNWATCH, RESET_WATCHES. Source: docs/misc/xenstore.txt of Xen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "confine.h"
#include "conn.h"
#include "ops.h"
#include "saved.h"
#include "server.h"
#include "txn.h"
#include "watch.h"

/* The canonical path and how many of its bytes the client did not write. */
static int watch_path_arg(struct req *r, const char *name, struct xs_path *path, uint16_t *strip)
{
	uint64_t max = 0;
	int ret;

	if (!r->conn->privileged)
		max = quota_limit(&r->srv->quotas, &r->conn->account->quota, QUOTA_PATH_MAX);
	ret = xs_path_canonical_watch(name, strlen(name), r->conn->domid, max, path);
	if (ret == 0)
		*strip = (uint16_t)(path->len - strlen(name));
	return ret;
}

static int watch_quota(struct req *r, size_t bytes)
{
	int ret = conn_may(r->conn, QUOTA_WATCHES, 1);

	return ret < 0 ? ret : conn_may(r->conn, QUOTA_MEMORY, bytes);
}

int op_watch(struct req *r)
{
	const char *const *arg = r->arg;
	uint64_t depth = WATCH_DEPTH_ANY;
	struct xs_path path XS_NOT_CLEARED;
	struct watch *w;
	uint16_t strip;
	int ret = watch_path_arg(r, arg[0], &path, &strip);

	if (ret == 0 && r->nr_args == 3)
		ret = xs_wire_get_number(arg[2], WATCH_DEPTH_ANY, &depth);
	if (ret == 0 && r->nr_args == 3 && path.text[0] == '@' && depth > 1)
		ret = -EINVAL;
	if (ret == 0)
		ret = confine_watch(r->conn, &path);
	if (ret == 0 && watch_find(r->srv, r->conn, &path, arg[1]))
		ret = -EEXIST;
	if (ret == 0)
		ret = watch_quota(r, path.len + strlen(arg[1]) + sizeof(*w));
	if (ret == 0)
		ret = saved_room(r->conn, false);
	if (ret == 0)
		ret = watch_add(r->srv, r->conn, &path, strip, arg[1], (uint32_t)depth, 0, &w);
	if (ret < 0)
		return ret;
	saved_watch(w, true);
	r->new_watch = w;
	return reply_ok(r);
}

int op_unwatch(struct req *r)
{
	struct xs_path path XS_NOT_CLEARED;
	struct watch *w;
	uint16_t strip;
	int ret = watch_path_arg(r, r->arg[0], &path, &strip);

	if (ret < 0)
		return ret;
	w = watch_find(r->srv, r->conn, &path, r->arg[1]);
	if (!w)
		return -ENOENT;
	saved_watch(w, false);
	watch_remove(r->srv, w);
	return reply_ok(r);
}

/* Also ends the client's transactions: what a kernel that was just started cannot know of. */
int op_reset_watches(struct req *r)
{
	int ret = saved_room(r->conn, true);

	if (ret < 0)
		return ret;
	saved_forget(r->conn);
	watch_remove_all(r->srv, r->conn);
	while (r->conn->txns)
		txn_abort(r->srv, r->conn->txns);
	return reply_ok(r);
}
