/* SPDX-License-Identifier: MIT */
/*
 * restore.c - see restore.h. Everything that can fail is done before the first node goes: the
 * answer is whole and verified, it has been read through once, and there is room.
 */
#include "restore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "change.h"
#include "lasting.h"
#include "log.h"
#include "server.h"
#include "xs_past.h"
#include "xs_wire.h"

/* What a restore is going to need, and then does. */
struct restore {
	struct server *srv;
	struct change_need need;
	struct buf tops;	/* lasting_tops() */
	struct buf old;		/* struct removal: what is there, for each of them */
	struct buf perms;	/* struct perms *, one reference for each node; NULL: it stays away */
	struct buf kept;	/* struct kept_node, path, value: what does not last, below what does */
	size_t next;
	uint64_t rev;		/* the last revision that the snapshot has a node of */
	const char *before;	/* first pass: the path of the last node that comes back */
	size_t before_len;
};

/* A node that no snapshot has, and no disk. */
struct kept_node {
	size_t len, value_len;
	uint64_t gen;	/* it is the same one: who holds it (bond.h) holds it still */
	uint8_t mark;
	struct perms *perms;	/* a reference */
};

/* One record of the answer (xs_past.h): pointers into it. */
struct past_node {
	struct xs_past head;
	const char *path, *value, *perms;
};

/* The record at @at of @len bytes. False: it makes no sense. */
static bool past_node(const char *at, size_t len, struct past_node *n)
{
	if (len < sizeof(n->head))
		return false;
	memcpy(&n->head, at, sizeof(n->head));
	n->path = at + sizeof(n->head);
	n->value = n->path + n->head.path_len;
	n->perms = n->value + n->head.value_len;
	return n->head.len <= len && n->head.kind == XS_PAST_NODE &&
	       n->head.value_len <= XENSTORE_PAYLOAD_MAX && n->head.perms_len > 0 &&
	       n->head.len == sizeof(n->head) + n->head.path_len + n->head.value_len +
				      (uint64_t)n->head.perms_len &&
	       n->perms[n->head.perms_len - 1] == '\0';
}

/* A right of one who has ended since is nobody's now. */
static bool is_of_today(const struct restore *r, const struct xs_perm *p)
{
	return domain_had(r->srv, p->domid, r->rev);
}

/*
 * The set of permissions that the record has as text. A reference in *@out, NULL: the node was a
 * domain's that has ended. 0, -EBADMSG, -ENOMEM.
 */
static int set_in(struct restore *r, const struct past_node *n, struct perms **out)
{
	const char *at = n->perms, *end = n->perms + n->head.perms_len;
	struct xs_perm *e = calloc(n->head.perms_len, sizeof(*e));
	unsigned int nr = 0;
	int ret = e ? 0 : -ENOMEM;

	*out = NULL;
	for (; ret == 0 && at < end; at += strlen(at) + 1) {
		ret = xs_perm_parse(at, &e[nr]) < 0 ? -EBADMSG : 0;
		nr += nr == 0 || is_of_today(r, &e[nr]);
	}
	if (ret == 0 && is_of_today(r, &e[0])) {
		*out = perms_get(&r->srv->tree.perms, e, nr);
		ret = *out ? 0 : -ENOMEM;
	}
	free(e);
	return ret;
}

/* What the snapshot is of, at least. */
static int note_rev(struct restore *r, const struct past_node *n)
{
	if (n->head.rev > r->rev)
		r->rev = n->head.rev;
	return 0;
}

/* A snapshot has its nodes by age: in any order of their paths. */
static void need_new(struct restore *r, const struct node_spec *s)
{
	size_t len = s->len < r->before_len ? s->len : r->before_len;
	int order = len ? memcmp(s->path, r->before, len) : 0;

	r->need.backwards += order < 0 || (order == 0 && s->len < r->before_len);
	r->before = s->path;
	r->before_len = s->len;
	change_need_put(&r->need, s, 1);
}

/* First pass: counts, and makes the sets of permissions. */
static int prepare_node(struct restore *r, const struct past_node *n)
{
	struct node_spec s = {
		.path = n->path, .len = n->head.path_len, .value_len = n->head.value_len,
	};
	int ret;

	if (!xs_path_is_absolute(n->path, n->head.path_len))
		return -EBADMSG;
	/* What lasted when the snapshot was made. */
	if (!lasting_is(n->path, n->head.path_len))
		return 0;
	ret = set_in(r, n, &s.perms);
	if (ret < 0)
		return ret;
	if (buf_append(&r->perms, &s.perms, sizeof(s.perms)) < 0) {
		perms_put(&r->srv->tree.perms, s.perms);
		return -ENOMEM;
	}
	if (s.perms)
		need_new(r, &s);
	return 0;
}

/* Calls @each for all records of the answer. 0, -EBADMSG, or what it says. */
static int each_node(struct restore *r, const struct buf *answer,
		     int (*each)(struct restore *r, const struct past_node *n))
{
	const char *at = buf_front(answer);
	size_t left = buf_len(answer);
	struct past_node n;
	int ret = 0;

	while (left > 0 && ret == 0) {
		ret = past_node(at, left, &n) ? each(r, &n) : -EBADMSG;
		at += n.head.len;
		left -= n.head.len;
	}
	return ret;
}

static int keep_node(struct restore *r, const char *path, size_t len)
{
	struct kept_node k = { .len = len };
	struct node_spec s = { .path = path, .len = len };
	struct node n;

	if (lasting_is(path, len) || !tree_find(&r->srv->tree, path, len, &n))
		return 0;
	k.value_len = n.value_len;
	k.gen = n.gen;
	k.mark = n.mark;
	k.perms = n.perms;
	if (buf_append(&r->kept, &k, sizeof(k)) < 0)
		return -ENOMEM;
	perms_ref(n.perms);
	s.value_len = n.value_len;
	s.perms = n.perms;
	change_need_put(&r->need, &s, 1);
	r->need.backwards++;
	return buf_append(&r->kept, path, len) < 0 ||
	       (n.value_len && buf_append(&r->kept, n.value, n.value_len) < 0) ? -ENOMEM : 0;
}

/* What does not last goes with what is above it, and comes again behind that. */
static int keep_what_does_not_last(struct restore *r, const struct removal *old)
{
	int ret = 0;

	for (size_t i = 0; i < removal_size(old) && ret == 0; i++) {
		size_t len;
		const char *path = removal_path(old, i, &len);

		ret = keep_node(r, path, len);
	}
	return ret;
}

/* Puts them back, or only lets them go. */
static void end_kept(struct restore *r, bool put)
{
	const char *at = buf_front(&r->kept), *end = at + buf_len(&r->kept);
	struct node_spec s;
	struct kept_node k;
	struct node n;

	while (at < end) {
		memcpy(&k, at, sizeof(k));
		s = (struct node_spec){
			.path = at + sizeof(k), .len = k.len, .value = at + sizeof(k) + k.len,
			.value_len = k.value_len, .perms = k.perms, .mark = k.mark,
			.gen = k.gen,
		};
		if (put && tree_find(&r->srv->tree, s.path, xs_path_parent_len(s.path, s.len), &n))
			change_create(r->srv, &s, &n);
		else if (put)
			log_warnx("%.*s: is gone with what was above it, which the snapshot has not",
				  (int)s.len, s.path);
		perms_put(&r->srv->tree.perms, k.perms);
		at = s.value + k.value_len;
	}
	buf_fini(&r->kept);
}

static int prepare(struct restore *r, const struct buf *answer)
{
	int ret = each_node(r, answer, note_rev);

	if (ret == 0)
		ret = each_node(r, answer, prepare_node);
	if (ret == 0)
		ret = lasting_tops(r->srv, &r->tops);
	for (size_t at = 0; at < buf_len(&r->tops) && ret == 0;) {
		const char *top = buf_front(&r->tops) + at;
		struct removal old = { 0 };

		ret = removal_gather(r->srv, top, strlen(top), &old);
		removal_need(&old, &r->need);
		if (ret == 0)
			ret = keep_what_does_not_last(r, &old);
		at += strlen(top) + 1;
		if (buf_append(&r->old, &old, sizeof(old)) < 0) {
			removal_fini(&old);
			ret = -ENOMEM;
		}
	}
	r->need.persistent = true;
	return ret < 0 ? ret : change_room(r->srv, &r->need);
}

static struct perms *set_of(const struct restore *r, size_t i)
{
	struct perms *p;

	memcpy(&p, buf_front(&r->perms) + i * sizeof(p), sizeof(p));
	return p;
}

/* Second pass: nothing fails. A parent that the snapshot has lost stays away with what is below. */
static int put_node(struct restore *r, const struct past_node *p)
{
	struct node_spec s = {
		.path = p->path, .len = p->head.path_len, .value = p->value,
		.value_len = p->head.value_len, .mark = p->head.mark,
	};
	struct node n;

	if (!lasting_is(s.path, s.len))
		return 0;
	s.perms = set_of(r, r->next++);
	if (s.perms && tree_find(&r->srv->tree, s.path, xs_path_parent_len(s.path, s.len), &n) &&
	    !tree_find(&r->srv->tree, s.path, s.len, &n)) {
		change_create(r->srv, &s, &n);
		/* Who watches what is above is told of the whole. */
		watch_note(r->srv, s.path, s.len, NULL, s.perms, xs_path_parent_len(s.path, s.len) > 1);
	}
	return 0;
}

static struct removal *old_of(const struct restore *r, size_t i)
{
	return (struct removal *)(void *)buf_front(&r->old) + i;
}

static size_t nr_old(const struct restore *r)
{
	return buf_len(&r->old) / sizeof(struct removal);
}

static void replace(struct restore *r, const struct buf *answer)
{
	for (size_t i = 0; i < nr_old(r); i++)
		change_remove(r->srv, old_of(r, i));
	each_node(r, answer, put_node);
	end_kept(r, true);
	/* What has come back may name a domain that has ended meanwhile. */
	r->srv->domains.ended_still_named = true;
}

int restore_nodes(struct server *srv, const struct buf *answer)
{
	struct restore r = { .srv = srv };
	int ret = prepare(&r, answer);

	if (ret == 0)
		replace(&r, answer);
	for (size_t i = 0; i < buf_len(&r.perms) / sizeof(struct perms *); i++)
		perms_put(&srv->tree.perms, set_of(&r, i));
	for (size_t i = 0; i < nr_old(&r); i++)
		removal_fini(old_of(&r, i));
	end_kept(&r, false);
	buf_fini(&r.old);
	buf_fini(&r.tops);
	buf_fini(&r.perms);
	return ret;
}
