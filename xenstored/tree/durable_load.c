/* SPDX-License-Identifier: MIT */
/*
 * durable_load.c - nodes that come from the disk: all of them into a live environment that is new
 * or was damaged, or what was left there of what is to last again. Single-threaded; no lock.
 */
#include <errno.h>
#include <string.h>

#include "bulk.h"
#include "change.h"
#include "domain.h"
#include "durable_priv.h"
#include "lasting.h"
#include "log.h"
#include "packed_perms.h"
#include "path_key.h"
#include "people.h"
#include "server.h"
#include "store.h"
#include "stored_node.h"

/* All that the node has there. A reference, or NULL. */
static struct perms *perms_of(struct server *srv, const struct stored_node *n)
{
	return perms_count(&srv->tree.perms, n->perms, n->nr_perms);
}

static bool is_of_today(const struct server *srv, const struct stored_node *n, unsigned int i)
{
	return domain_had(srv, packed_perm_get(n->perms, i).domid, n->rev);
}

/* The same, but for whom has ended since; the owner is there. */
static struct perms *perms_of_today(struct server *srv, const struct stored_node *n)
{
	unsigned char perms[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < n->nr_perms && nr < sizeof(perms) / PACKED_PERM; i++) {
		const struct xs_perm e = packed_perm_get(n->perms, i);

		if (is_of_today(srv, n, i))
			packed_perm_put(perms, nr++, &e);
	}
	return perms_count(&srv->tree.perms, perms, nr);
}

/* The parent may have been lost: then there is an empty one, domain 0's. */
static void make_parents(struct server *srv, const char *path, size_t len)
{
	const struct xs_perm nobody = { 0, 0 };
	struct perms *perms = perms_get(&srv->tree.perms, &nobody, 1);
	struct node n;

	for (size_t i = 1; perms && i < len; i++) {
		const struct node_spec s = { .path = path, .len = i, .perms = perms };

		if (path[i] == '/' && !tree_find(&srv->tree, path, i, &n))
			change_loaded(srv, &s);
	}
	perms_put(&srv->tree.perms, perms);
}

/* So many paths are named; of others their number is. */
#define NOT_SERVED_NAMED 20u

/* It lasted when it was written. It stays on the disk: who says so again has it again. */
static void not_served(struct server *srv, const struct stored_node *n)
{
	size_t above = xs_path_parent_len(n->path, n->path_len);

	lasting_left(n->path, n->path_len);
	/* What is below one of them is not named again. */
	if (above > 1 && !change_is_persistent(n->path, above))
		return;
	if (srv->durable.not_served++ < NOT_SERVED_NAMED)
		log_warnx("%.*s: is on the disk, but is not to last as things are said now (--persist, "
			  "--volatile): it is not served, and stays there",
			  (int)n->path_len, n->path);
}

/* One node as the disk has it: put without an event, and not queued again. */
static int put_node(struct server *srv, const struct stored_node *n, struct perms *perms)
{
	const struct node_spec s = {
		.path = n->path, .len = n->path_len, .value = n->value,
		.value_len = n->value_len, .mark = n->mark, .gen = n->rev, .perms = perms,
	};
	size_t above = xs_path_parent_len(n->path, n->path_len), records = 8u + n->nr_perms;
	struct node at;

	if (!perms)
		return -ENOMEM;
	/* Mending has left it for the sake of what is below it; or this is not the first try. */
	if (tree_find(&srv->tree, n->path, n->path_len, &at))
		records += at.perms->nr;
	if (!tree_find(&srv->tree, n->path, above, &at))
		records += 3 * xs_path_depth_below(n->path, n->path_len, 1);
	if (store_room(srv->tree.store, records, n->path_len + n->value_len, false) < 0)
		return -ENOSPC;
	make_parents(srv, n->path, n->path_len);
	change_loaded(srv, &s);
	return 0;
}

/* Of all that the disk has. */
static int take_node(void *arg, const struct stored_node *n)
{
	struct server *srv = arg;
	struct perms *perms;
	int ret;

	if (!change_is_persistent(n->path, n->path_len)) {
		not_served(srv, n);
		return 0;
	}
	perms = perms_of(srv, n);
	ret = put_node(srv, n, perms);
	perms_put(&srv->tree.perms, perms);
	return ret;
}

/* Of what is to last again: what is there now goes before what was once. */
static int take_left(void *arg, const struct stored_node *n)
{
	struct server *srv = arg;
	struct perms *perms;
	struct node at;
	int ret;

	if (!change_is_persistent(n->path, n->path_len) || lasting_was(n->path, n->path_len) ||
	    !is_of_today(srv, n, 0) ||
	    tree_find(&srv->tree, n->path, n->path_len, &at))
		return 0;
	perms = perms_of_today(srv, n);
	ret = put_node(srv, n, perms);
	perms_put(&srv->tree.perms, perms);
	/* It may be served while this comes. */
	if (ret == 0)
		people_note(srv, n->path, n->path_len, false);
	return ret;
}

/* Calls @each for the records of a NODE message or of an answer. 0, -EBADMSG, what it says. */
int durable_each_node(const char *data, size_t len,
		      int (*each)(void *arg, const struct stored_node *n), void *arg)
{
	unsigned char key[PATH_KEY_MAX];
	int ret = 0;

	while (len > 0 && ret == 0) {
		struct stored_node n;
		uint32_t record_len;
		uint16_t path_len;
		size_t key_len;

		if (len < sizeof(record_len) + sizeof(path_len))
			return -EBADMSG;
		memcpy(&record_len, data, sizeof(record_len));
		memcpy(&path_len, data + sizeof(record_len), sizeof(path_len));
		data += sizeof(record_len);
		len -= sizeof(record_len);
		if (record_len > len || sizeof(path_len) + path_len > record_len || path_len == 0)
			return -EBADMSG;
		key_len = path_key(data + sizeof(path_len), path_len, key);
		ret = stored_node_read(WORKER_NODE_DB, key, key_len, key_len,
				       data + sizeof(path_len) + path_len,
				       record_len - sizeof(path_len) - path_len, &n);
		if (ret == 0)
			ret = each(arg, &n);
		data += record_len;
		len -= record_len;
	}
	return ret;
}

/* Behind one that could not be taken in nothing more is: the load will be made again. */
void durable_take_nodes(struct server *srv, const char *data, size_t len)
{
	struct durable *d = &srv->durable;

	if ((!d->loading && !d->fetching) || d->load_err)
		return;
	d->load_err = durable_each_node(data, len, d->fetching ? take_left : take_node, srv);
	store_commit(srv->tree.store);
}

/* From its commit on a start does not load again: the part, as of revision @rev, is all there. */
static int note_loaded(struct server *srv)
{
	int ret = lasting_write_kept(srv);

	if (ret < 0)
		return ret;
	if (store_room(srv->tree.store, 3, 64, true) < 0)
		return -ENOSPC;
	durable_known(srv);
	store_still(srv->tree.store, STORE_WHOLE);
	return 0;
}

/*
 * What has come for the first time in this boot names domains of earlier ones. They have ended,
 * also where there is one of that number now.
 */
static int end_rights(struct server *srv)
{
	int ret = srv->durable.known ? 0 : domains_forget_loaded(srv);

	server_publish(srv);
	return ret;
}

static int all_loaded(struct server *srv, uint64_t rev)
{
	struct durable *d = &srv->durable;
	int ret;

	if (store_room(srv->tree.store, 1, 64, true) < 0)
		return -ENOSPC;
	d->last = d->rev = rev;
	durable_note_last(srv);
	/* What changes from here on the disk is to have, too. */
	d->loading = false;
	ret = end_rights(srv);
	if (ret == 0)
		ret = note_loaded(srv);
	d->loading = ret != 0;
	return ret;
}

/* Part of it is no part: who reads it would take what is missing for gone. */
static void load_failed(struct server *srv, int err)
{
	struct durable *d = &srv->durable;

	log_errorx("not all of the persistent part could be loaded (%s): it is tried again",
		   strerror(-err));
	d->load_again_ns = now_ns() + DURABLE_RETRY_NS;
	durable_refused(srv, err);
}

/* A watch of one that could not be told of is told of all, as after a restart. */
static void note_tops(struct server *srv)
{
	struct buf tops = { 0 };

	if (lasting_tops(srv, &tops) < 0)
		srv->watches.events_lost = true;
	for (size_t at = 0; at < buf_len(&tops);) {
		const char *top = buf_front(&tops) + at;

		watch_note(srv, top, strlen(top), NULL, NULL, false);
		at += strlen(top) + 1;
	}
	buf_fini(&tops);
}

static bool is_below_a_top(const char *path, size_t len)
{
	return lasting_is(path, len) && xs_path_parent_len(path, len) > 1;
}

/* The part as it is now is what clients saw nothing of: those who watch a top or all, and below. */
static void tell_all(struct server *srv)
{
	note_tops(srv);
	feed_end_all(srv);
	watch_fire_collected(srv);
	watch_fire_all(srv, is_below_a_top);
}

void durable_loaded(struct server *srv, const struct worker_msg *msg)
{
	struct durable *d = &srv->durable;
	int err = msg->err ? msg->err : d->load_err;

	if (d->fetching) {
		d->fetching = false;
		if (lasting_fetched(srv, err))
			tell_all(srv);
		return;
	}
	d->load_err = 0;
	if (!d->loading)
		return;
	if (d->not_served > NOT_SERVED_NAMED)
		log_warnx("as of these, there are %u paths on the disk that are not served",
			  d->not_served);
	if (err == 0)
		err = all_loaded(srv, msg->rev);
	if (err) {
		load_failed(srv, err);
		return;
	}
	srv->rights_stale = true;
	d->refused = 0;
	/* It may have come after the start has made what every store has. */
	if (server_standard_nodes(srv) < 0)
		log_warnx("no room for what every store has");
	/* What has come may name domains of an earlier boot. */
	srv->domains.ended_still_named = true;
	tell_all(srv);
	lasting_go_on(srv);
}
