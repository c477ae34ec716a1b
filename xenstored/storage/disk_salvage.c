/* SPDX-License-Identifier: MIT */
/*
 * disk_salvage.c - see disk_salvage.h. Processes of their own walk the damaged file from both ends
 * and look up the names that are known; each tells what it has read as it goes, so that one that
 * dies of a page has told all before it.
 */
#include "disk_salvage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checked.h"
#include "disk_copy.h"
#include "in_child.h"
#include "packed_perms.h"
#include "path_key.h"
#include "read_whole.h"
#include "rev_record.h"
#include "stored_node.h"

/* So many processes may die of looking names up before the rest is given up. */
#define PROBES_MAX 256u

/* What a process tells: this, then the key, then the value. */
struct told {
	uint16_t key_len;
	uint8_t whole;		/* a record; else the name of a broken one */
	uint8_t end;		/* nothing else: the walk has come to its end, or a name is done */
	uint32_t value_len;
};

struct keys {
	MDB_val *e;		/* each malloc()ed */
	size_t nr;
};

struct salvage {
	struct disk_salvage *s;
	int fd;			/* the process's end of the pipe */
	struct keys names;	/* to be looked up */
	size_t from;		/* the first of them that has not been */
	MDB_val last;		/* where a walk is; malloc()ed */
	MDB_val met;		/* where the walk from the front ended; malloc()ed */
	bool ended;		/* a walk has come to its end */
	uint64_t digest, nr;	/* of what is whole, from the front */
	struct keys seen;	/* whole or broken; sorted when all walks are done */
};

/* --- in the process that reads --- */

static void tell(struct salvage *v, const struct told *t, const void *key, const void *value)
{
	const struct {
		const void *data;
		size_t len;
	} part[] = { { t, sizeof(*t) }, { key, t->key_len }, { value, t->value_len } };

	for (int i = 0; i < 3; i++) {
		const char *p = part[i].data;

		for (size_t left = part[i].len; left > 0;) {
			ssize_t n = write(v->fd, p, left);

			if (n <= 0)
				_exit(EIO);
			p += n;
			left -= (size_t)n;
		}
	}
}

static void tell_record(struct salvage *v, enum disk_db db, const MDB_val *key,
			const MDB_val *value)
{
	struct told t = { .key_len = (uint16_t)key->mv_size };

	t.whole = disk_value_whole(db, key, value);
	t.value_len = t.whole ? (uint32_t)value->mv_size : 0;
	tell(v, &t, key->mv_data, value->mv_data);
}

static int walk(void *arg, enum disk_db db, MDB_cursor_op step)
{
	struct salvage *v = arg;
	MDB_val key, value;
	MDB_cursor *cursor;
	struct disk_env e;
	int ret = disk_env_open(&e, v->s->path, v->s->map_size, DISK_READ);

	if (ret == 0)
		ret = disk_env_begin(&e, false);
	if (ret == 0)
		ret = disk_errno(mdb_cursor_open(e.txn, e.dbi[db], &cursor));
	while (ret == 0) {
		ret = disk_errno(mdb_cursor_get(cursor, &key, &value, step));
		/* A tree that leads in circles ends here too: it has no more keys than a file. */
		if (ret == 0 && key.mv_size > 0)
			tell_record(v, db, &key, &value);
	}
	if (ret == -ENOENT)
		tell(v, &(struct told){ .end = 1 }, NULL, NULL);
	return ret == -ENOENT ? 0 : ret;
}

static int walk_forward(void *arg)
{
	return walk(arg, DISK_NODE, MDB_NEXT);
}

static int walk_backward(void *arg)
{
	return walk(arg, DISK_NODE, MDB_PREV);
}

static int walk_revisions(void *arg)
{
	return walk(arg, DISK_REV, MDB_NEXT);
}

static int look_up(void *arg)
{
	struct salvage *v = arg;
	struct disk_env e;
	MDB_val value;
	int ret = disk_env_open(&e, v->s->path, v->s->map_size, DISK_READ);

	if (ret == 0)
		ret = disk_env_begin(&e, false);
	for (size_t i = v->from; i < v->names.nr && ret == 0; i++) {
		MDB_val key = v->names.e[i];

		if (mdb_get(e.txn, e.dbi[DISK_NODE], &key, &value) == 0)
			tell_record(v, DISK_NODE, &v->names.e[i], &value);
		tell(v, &(struct told){ .end = 1 }, NULL, NULL);
	}
	return ret;
}

/* --- in the worker --- */

static int compare(const void *pa, const void *pb)
{
	const MDB_val *a = pa, *b = pb;
	size_t len = a->mv_size < b->mv_size ? a->mv_size : b->mv_size;
	int diff = len ? memcmp(a->mv_data, b->mv_data, len) : 0;

	return diff ? diff : (a->mv_size > b->mv_size) - (a->mv_size < b->mv_size);
}

static int keys_add(struct keys *k, const MDB_val *key)
{
	MDB_val *e = realloc(k->e, (k->nr + 1) * sizeof(*e));

	if (!e)
		return -ENOMEM;
	k->e = e;
	e[k->nr] = (MDB_val){ key->mv_size, malloc(key->mv_size) };
	if (!e[k->nr].mv_data)
		return -ENOMEM;
	memcpy(e[k->nr++].mv_data, key->mv_data, key->mv_size);
	return 0;
}

static void keys_fini(struct keys *k)
{
	for (size_t i = 0; i < k->nr; i++)
		free(k->e[i].mv_data);
	free(k->e);
}

static bool keys_have(const struct keys *k, const MDB_val *key)
{
	return k->nr && bsearch(key, k->e, k->nr, sizeof(*k->e), compare);
}

/* What is told by one process; 1 stops listening. */
typedef int heard(struct salvage *v, const struct told *t, const MDB_val *key,
		  const MDB_val *value);

static int listen_to(struct salvage *v, int fd, heard *each)
{
	unsigned char key_bytes[UINT16_MAX];
	struct told t;
	int ret = 0;

	while (ret == 0 && !read_whole(fd, &t, sizeof(t))) {
		MDB_val key = { t.key_len, key_bytes };
		MDB_val value = { t.value_len, malloc(t.value_len + 1u) };

		if (!value.mv_data)
			return -ENOMEM;
		if (read_whole(fd, key_bytes, t.key_len) ||
		    read_whole(fd, value.mv_data, t.value_len))
			ret = 1;
		else if (t.end)
			v->ended = true;
		if (ret == 0)
			ret = each(v, &t, &key, &value);
		free(value.mv_data);
	}
	return ret < 0 ? ret : 0;
}

static int run(struct salvage *v, int (*work)(void *arg), heard *each)
{
	int fds[2], ret, status = 0;
	pid_t pid;

	if (pipe(fds) < 0)
		return -errno;
	free(v->last.mv_data);
	v->last = (MDB_val){ 0 };
	v->ended = false;
	v->fd = fds[1];
	pid = in_child_start(work, v);
	close(fds[1]);
	ret = pid < 0 ? pid : listen_to(v, fds[0], each);
	/* Whoever has more to tell than anybody wants to hear ends of it. */
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Somebody has killed it: what it did not tell may be whole. */
	return ret == 0 && in_child_result(status) == -EAGAIN ? -EAGAIN : ret;
}

static int remember(MDB_val *to, const MDB_val *key)
{
	free(to->mv_data);
	*to = (MDB_val){ key->mv_size, malloc(key->mv_size) };
	if (!to->mv_data)
		return -ENOMEM;
	memcpy(to->mv_data, key->mv_data, key->mv_size);
	return 0;
}

/* --- what is made of it --- */

static int read_node(const MDB_val *key, const MDB_val *value, struct stored_node *out)
{
	return stored_node_read(disk_db_letter[DISK_NODE], key->mv_data, key->mv_size,
				key->mv_size, value->mv_data, value->mv_size, out);
}

/* The name of a key that has one. A long path is in its record only. */
static int lost(struct salvage *v, const MDB_val *key)
{
	struct disk_lost l = { .time_ns = v->s->time_ns, .loss = DISK_LOST };
	struct stored_node n;
	MDB_val value;

	if (disk_env_get(v->s->into, DISK_NODE, key, &value) == 0 &&
	    read_node(key, &value, &n) == 0) {
		l.loss = DISK_BROUGHT_BACK;
		l.rev = n.rev;
		l.path = n.path;
		l.path_len = n.path_len;
	} else if (path_key_is_path(key->mv_data, key->mv_size) &&
		   xs_path_is_absolute(key->mv_data, key->mv_size)) {
		l.path = key->mv_data;
		l.path_len = (uint16_t)key->mv_size;
	} else {
		return 0;
	}
	return v->s->each(v->s->arg, &l);
}

/* A record that is whole: it counts when it is newer than what there is. */
static int take(struct salvage *v, const MDB_val *key, const MDB_val *value)
{
	struct stored_node n, was;
	MDB_val old;

	if (read_node(key, value, &n) < 0)
		return lost(v, key);
	if (disk_env_get(v->s->into, DISK_NODE, key, &old) == 0 && read_node(key, &old, &was) == 0 &&
	    was.rev >= n.rev)
		return 0;
	return disk_env_put(v->s->into, DISK_NODE, key, value, false);
}

static int heard_record(struct salvage *v, const struct told *t, const MDB_val *key,
			const MDB_val *value)
{
	int ret = t->whole ? take(v, key, value) : lost(v, key);

	return ret < 0 ? ret : keys_add(&v->seen, key);
}

static int heard_forward(struct salvage *v, const struct told *t, const MDB_val *key,
			 const MDB_val *value)
{
	int ret;

	if (t->end || (v->last.mv_data && compare(&v->last, key) >= 0))
		return 1;
	if (t->whole) {
		v->digest += checked_digest(value->mv_data, value->mv_size);
		v->nr++;
	}
	ret = remember(&v->last, key);
	return ret < 0 ? ret : heard_record(v, t, key, value);
}

static int heard_backward(struct salvage *v, const struct told *t, const MDB_val *key,
			  const MDB_val *value)
{
	int ret;

	if (t->end || (v->last.mv_data && compare(&v->last, key) <= 0) ||
	    (v->met.mv_data && compare(&v->met, key) >= 0))
		return 1;
	ret = remember(&v->last, key);
	return ret < 0 ? ret : heard_record(v, t, key, value);
}

static int heard_name(struct salvage *v, const struct told *t, const MDB_val *key,
		      const MDB_val *value)
{
	if (!t->end)
		return heard_record(v, t, key, value);
	v->from++;
	return 0;
}

/*
 * What changed behind the state in @into, which has what the logs had already, is named by its
 * revision. What was removed was in @into, or put before: it has its name from there, and may have
 * been put again in the same revision, which only notes what it did first.
 */
static int heard_revision(struct salvage *v, const struct told *t, const MDB_val *key,
			  const MDB_val *value)
{
	unsigned char bytes[PATH_KEY_MAX];
	struct rev_record r;
	uint64_t rev;
	uint32_t index;
	MDB_val name = { 0, bytes };

	if (t->end || (v->last.mv_data && compare(&v->last, key) >= 0))
		return 1;
	if (remember(&v->last, key) < 0)
		return -ENOMEM;
	if (!t->whole || change_key_read(key->mv_data, key->mv_size, &rev, &index) < 0 ||
	    rev <= v->s->into->head.applied ||
	    rev_record_read(key->mv_data, value->mv_data, value->mv_size, &r) < 0 ||
	    r.op != CHANGE_PUT)
		return 0;
	name.mv_size = path_key(r.path, r.path_len, bytes);
	return keys_add(&v->names, &name);
}

static int note_all_names(struct salvage *v)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int ret = disk_errno(mdb_cursor_open(v->s->into->txn, v->s->into->dbi[DISK_NODE], &cursor));

	if (ret < 0)
		return ret;
	while ((ret = disk_errno(mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) == 0) {
		ret = keys_add(&v->names, &key);
		if (ret < 0)
			break;
	}
	mdb_cursor_close(cursor);
	return ret == -ENOENT ? 0 : ret;
}

/* Leaves the names that no walk has come to. */
static void only_unseen(struct salvage *v)
{
	size_t kept = 0;

	if (v->seen.nr > 1)
		qsort(v->seen.e, v->seen.nr, sizeof(*v->seen.e), compare);
	if (v->names.nr > 1)
		qsort(v->names.e, v->names.nr, sizeof(*v->names.e), compare);
	for (size_t i = 0; i < v->names.nr; i++) {
		if (keys_have(&v->seen, &v->names.e[i]) ||
		    (kept && compare(&v->names.e[kept - 1], &v->names.e[i]) == 0))
			free(v->names.e[i].mv_data);
		else
			v->names.e[kept++] = v->names.e[i];
	}
	v->names.nr = kept;
}

static int look_names_up(struct salvage *v)
{
	int ret = 0;

	v->from = 0;
	for (unsigned int i = 0; i < PROBES_MAX && v->from < v->names.nr && ret == 0; i++) {
		size_t before = v->from;

		ret = run(v, look_up, heard_name);
		/* It died of this one. */
		if (v->from < v->names.nr && v->from == before)
			v->from++;
	}
	return ret;
}

/* Every node that can be in the file has been read: what else there was is not there any more. */
static int drop_unseen(struct salvage *v)
{
	int ret = 0;

	for (size_t i = 0; i < v->names.nr && ret == 0; i++)
		ret = disk_env_del(v->s->into, DISK_NODE, &v->names.e[i]);
	return ret;
}

static int name_unseen(struct salvage *v)
{
	int ret = 0;

	for (size_t i = 0; i < v->names.nr && ret == 0; i++)
		ret = lost(v, &v->names.e[i]);
	return ret;
}

/*
 * Whether the walk has come to every node there is. With none broken the digest says so; else only
 * their number can. Neither can, of a torn root that leads to what was there before.
 */
static bool is_all(const struct salvage *v, const struct disk_facts *facts)
{
	if (v->seen.nr != facts->nodes)
		return false;
	return facts->newest && (v->seen.nr > v->nr || v->digest == facts->digest);
}

static int read_what_can_be(struct salvage *v)
{
	struct disk_facts facts;
	int ret = note_all_names(v);

	if (ret == 0)
		ret = run(v, walk_forward, heard_forward);
	if (ret == 0 && v->ended && disk_look(v->s->path, v->s->map_size, &facts) == 0 &&
	    is_all(v, &facts)) {
		v->s->complete = true;
		only_unseen(v);
		return drop_unseen(v);
	}
	if (ret == 0 && v->last.mv_data)
		ret = remember(&v->met, &v->last);
	if (ret == 0 && !v->ended)
		ret = run(v, walk_backward, heard_backward);
	if (ret == 0)
		ret = run(v, walk_revisions, heard_revision);
	if (ret < 0)
		return ret;
	only_unseen(v);
	ret = look_names_up(v);
	if (ret < 0)
		return ret;
	only_unseen(v);
	return name_unseen(v);
}

/* --- nodes whose parent is gone --- */

static int make_parent(struct salvage *v, const char *path, size_t len)
{
	unsigned char key_bytes[PATH_KEY_MAX], value_bytes[64 + XENSTORE_ABS_PATH_MAX];
	unsigned char perms[PACKED_PERM] = { 0 };
	MDB_val key = { path_key(path, len, key_bytes), key_bytes }, value;
	/* Older than all that may be below it. */
	const struct stored_node n = {
		.rev = v->s->into->head.applied, .made_index = (uint32_t)len, .path = path,
		.path_len = (uint16_t)len, .perms = perms, .nr_perms = 1, .value = "",
	};
	int ret = disk_env_get(v->s->into, DISK_NODE, &key, &value);

	if (ret != -ENOENT)
		return ret;
	ret = lost(v, &key);
	value = (MDB_val){ stored_node_len(&n), value_bytes };
	stored_node_write(&n, disk_db_letter[DISK_NODE], key_bytes, key.mv_size, value_bytes);
	return ret < 0 ? ret : disk_env_put(v->s->into, DISK_NODE, &key, &value, false);
}

/* An empty node, domain 0's, is in its place, for those below it to be found. */
static int make_parents(struct salvage *v)
{
	struct keys all = v->names;
	int ret;

	keys_fini(&all);
	v->names = (struct keys){ NULL, 0 };
	ret = note_all_names(v);
	for (size_t i = 0; i < v->names.nr && ret == 0; i++) {
		char path[XENSTORE_ABS_PATH_MAX];
		struct stored_node n;
		MDB_val value;
		size_t len;

		ret = disk_env_get(v->s->into, DISK_NODE, &v->names.e[i], &value);
		if (ret == 0)
			ret = read_node(&v->names.e[i], &value, &n);
		if (ret < 0)
			return ret;
		memcpy(path, n.path, n.path_len);
		for (len = xs_path_parent_len(path, n.path_len); len > 1 && ret == 0;
		     len = xs_path_parent_len(path, len))
			ret = make_parent(v, path, len);
	}
	return ret;
}

int disk_salvage(struct disk_salvage *s)
{
	struct salvage v = { .s = s };
	int ret;

	s->complete = false;
	ret = read_what_can_be(&v);
	if (ret == 0)
		ret = make_parents(&v);
	keys_fini(&v.names);
	keys_fini(&v.seen);
	free(v.last.mv_data);
	free(v.met.mv_data);
	return ret;
}
