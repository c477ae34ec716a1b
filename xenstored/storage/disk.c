/* SPDX-License-Identifier: MIT */
/* disk.c - see disk.h: opening, reading, changing. What a start finds is disk_start.c. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "change_record.h"
#include "disk_priv.h"
#include "log.h"
#include "loss_record.h"
#include "stored_node.h"

#define MAP_SIZE (1ull << 30)
#define HISTORY_BYTES (64ull << 20)
#define HISTORY_NS (90ull * 24 * 3600 * 1000000000u)
/* Records of history that one commit gives up beyond those that it adds. */
#define PRUNE_STEP 64u
/* Records of a commit that takes some MiB of memory. */
#define LARGE 4096u

static struct disk_config with_defaults(const struct disk_config *cfg)
{
	struct disk_config c = *cfg;

	c.map_size = c.map_size ? c.map_size : MAP_SIZE;
	c.history_bytes = c.history_bytes ? c.history_bytes : HISTORY_BYTES;
	/* The past is not to take the room that the present needs. */
	if (c.history_bytes > c.map_size / 4)
		c.history_bytes = c.map_size / 4;
	c.history_ns = c.history_ns ? c.history_ns : HISTORY_NS;
	return c;
}

static int note_last_loss(void *arg, const struct disk_lost *l)
{
	uint64_t *last = arg;

	*last = l->time_ns > *last ? l->time_ns : *last;
	return 0;
}

static int open_found(struct disk *d, struct disk_found *found)
{
	int ret;

	d->lost_ns = 0;
	ret = disk_start(d, found);
	if (ret == 0)
		ret = disk_lost(d, note_last_loss, &d->lost_ns);
	if (ret < 0)
		return ret;
	d->applied = d->env.kept.applied;
	if (!d->read_only)
		disk_room_init(d);
	return 0;
}

int disk_open(const struct disk_config *cfg, struct disk **out, struct disk_found *found)
{
	struct disk *d = calloc(1, sizeof(*d));
	int ret;

	if (!d)
		return -ENOMEM;
	d->cfg = with_defaults(cfg);
	d->fd = -1;
	d->log.fd = -1;
	snprintf(d->store_dir, sizeof(d->store_dir), "%.400s/store", cfg->state_dir);
	snprintf(d->path, sizeof(d->path), "%.500s/data.mdb", d->store_dir);
	ret = open_found(d, found);
	if (ret < 0)
		disk_close(d, false);
	else
		*out = d;
	return ret;
}

int disk_reopen(struct disk *d, struct disk_found *found)
{
	int ret;

	d->cfg.told = disk_applied(d);
	generation_stop(d);
	disk_compact_stop(d);
	disk_abort(d);
	disk_env_close(&d->env);
	disk_log_end(&d->log, false);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->allocated = 0;
	d->read_only = 0;
	ret = open_found(d, found);
	if (ret < 0)
		d->read_only = ret;
	return ret;
}

void disk_close(struct disk *d, bool orderly)
{
	if (!d)
		return;
	disk_abort(d);
	disk_env_close(&d->env);
	disk_log_end(&d->log, orderly && !d->read_only);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}

bool disk_has_name(const struct disk *d)
{
	struct stat named, opened;
	int fd;

	if (d->read_only || !d->env.env)
		return true;
	if (stat(d->path, &named) < 0 || mdb_env_get_fd(d->env.env, &fd) || fstat(fd, &opened) < 0)
		return false;
	return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* A directory that cannot be written can be locked all the same. */
int disk_lock(const char *state_dir)
{
	char dir[DISK_PATH];
	int fd;

	snprintf(dir, sizeof(dir), "%.500s/store", state_dir);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
		return disk_errno(errno);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return disk_errno(errno);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR) {
			close(fd);
			return -EIO;
		}
	}
	return fd;
}

const char *disk_path(const struct disk *d)
{
	return d->read_only ? d->copy_path : d->path;
}

int disk_read_only(const struct disk *d)
{
	return d->read_only;
}

bool disk_degraded(const struct disk *d)
{
	return d->degraded;
}

uint64_t disk_map_size(const struct disk *d)
{
	return d->cfg.map_size;
}

uint64_t disk_applied(const struct disk *d)
{
	return d->applied;
}

/* --- reading --- */

/* Where a node is among all of them, by age. */
struct place {
	uint64_t made_rev;
	uint32_t made_index;
	MDB_val key, value;	/* in the map; the transaction stays open */
};

struct places {
	struct place *e;
	size_t nr;
};

static int compare_places(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->made_rev != b->made_rev)
		return a->made_rev < b->made_rev ? -1 : 1;
	return (a->made_index > b->made_index) - (a->made_index < b->made_index);
}

static int read_node(const MDB_val *key, const MDB_val *value, struct stored_node *out)
{
	return stored_node_read(disk_db_letter[DISK_NODE], key->mv_data, key->mv_size,
				key->mv_size, value->mv_data, value->mv_size, out);
}

static int note_place(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct places *p = arg;
	struct stored_node n;
	int ret = read_node(key, value, &n);

	if (ret == 0)
		p->e[p->nr++] = (struct place){ n.made_rev, n.made_index, *key, *value };
	return ret;
}

/* Every record of @db, @most at most, which is what the summary says. */
static int each_record(struct disk_env *e, enum disk_db db, uint64_t most,
		       int (*each)(void *arg, const MDB_val *key, const MDB_val *value), void *arg)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	int ret = disk_errno(mdb_cursor_open(e->txn, e->dbi[db], &cursor));

	if (ret < 0)
		return ret;
	while ((ret = disk_errno(mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) == 0) {
		ret = most-- == 0 ? -EBADMSG : each(arg, &key, &value);
		if (ret)
			break;
	}
	mdb_cursor_close(cursor);
	return ret == -ENOENT ? 0 : ret;
}

int disk_nodes(struct disk *d, disk_each_node *each, void *arg)
{
	struct places p = { NULL, 0 };
	int ret = disk_env_begin(&d->env, false);
	uint64_t nr = d->env.head.count[DISK_NODE];

	if (ret < 0)
		return ret;
	p.e = calloc(nr + 1, sizeof(*p.e));
	ret = p.e ? each_record(&d->env, DISK_NODE, nr, note_place, &p) : -ENOMEM;
	if (ret == 0)
		qsort(p.e, p.nr, sizeof(*p.e), compare_places);
	for (size_t i = 0; i < p.nr && ret == 0; i++) {
		struct stored_node n;

		ret = read_node(&p.e[i].key, &p.e[i].value, &n);
		if (ret == 0)
			ret = each(arg, &n);
	}
	free(p.e);
	disk_env_abort(&d->env);
	return ret;
}

struct losses {
	disk_each_lost *each;
	void *arg;
};

static int tell_loss(void *arg, const MDB_val *key, const MDB_val *value)
{
	struct losses *l = arg;
	struct disk_lost lost;
	int ret = loss_record_read(key->mv_data, key->mv_size, value->mv_data, value->mv_size,
				   &lost);

	return ret < 0 ? ret : l->each(l->arg, &lost);
}

int disk_lost(struct disk *d, disk_each_lost *each, void *arg)
{
	struct losses l = { each, arg };
	int ret = disk_env_begin(&d->env, false);

	if (ret < 0)
		return ret;
	ret = each_record(&d->env, DISK_LOSS, d->env.head.count[DISK_LOSS], tell_loss, &l);
	disk_env_abort(&d->env);
	return ret;
}

/* --- changing --- */

static int forget_losses(struct disk_env *e)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	int ret;

	while (e->head.count[DISK_LOSS] > 0) {
		ret = disk_errno(mdb_cursor_open(e->txn, e->dbi[DISK_LOSS], &cursor));
		if (ret < 0)
			return ret;
		ret = disk_errno(mdb_cursor_get(cursor, &key, &value, MDB_FIRST));
		mdb_cursor_close(cursor);
		if (ret == 0) {
			unsigned char copy[511];
			MDB_val k = { key.mv_size, copy };

			memcpy(copy, key.mv_data, key.mv_size);
			ret = disk_env_del(e, DISK_LOSS, &k);
		}
		if (ret < 0)
			return ret == -ENOENT ? -EBADMSG : ret;
	}
	return 0;
}

int disk_lost_known(struct disk *d)
{
	int ret = disk_begin(d);

	if (ret == 0)
		ret = forget_losses(&d->env);
	if (ret < 0) {
		disk_abort(d);
		return ret;
	}
	return disk_commit(d);
}

int disk_begin(struct disk *d)
{
	if (d->read_only)
		return d->read_only;
	d->applying = (struct applying){ 0 };
	return disk_env_begin(&d->env, true);
}

int disk_begin_lean(struct disk *d)
{
	int ret = disk_begin(d);

	d->applying.no_history = true;
	return ret;
}

/* The log has the change as the queue had it. */
static int note(struct disk *d, uint64_t rev, uint32_t index, const struct change *c)
{
	unsigned char key[CHANGE_KEY];
	size_t len = change_len(c);
	void *value = malloc(len);
	int ret;

	if (!value)
		return -ENOMEM;
	change_key(key, rev, index);
	change_write(c, key, value);
	ret = disk_log_note(&d->log, rev, index, value, len);
	free(value);
	return ret;
}

int disk_change(struct disk *d, uint64_t rev, uint32_t index, const struct change *c)
{
	int ret = disk_apply(&d->env, &d->applying, rev, index, c);

	/*
	 * A RESET brings what the live part has: what was lost before that was loaded is lost
	 * still.
	 */
	return ret < 0 || d->applying.passing ? ret : note(d, rev, index, c);
}

static uint64_t oldest_kept_ns(const struct disk *d)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return now > d->cfg.history_ns ? now - d->cfg.history_ns : 0;
}

int disk_commit(struct disk *d)
{
	uint64_t added = d->env.head.count[DISK_REV] - d->env.kept.count[DISK_REV];
	int ret = disk_prune(&d->env, d->cfg.history_bytes, oldest_kept_ns(d),
			     PRUNE_STEP + 2 * (unsigned int)added);

	if (ret == 0)
		ret = disk_env_commit(&d->env);
	if (ret < 0) {
		disk_abort(d);
		return ret;
	}
	disk_log_commit(&d->log);
	d->large = d->large || added >= LARGE;
	d->applied = d->env.kept.applied;
	d->degraded = d->env.kept.count[DISK_LOSS] > 0;
	return 0;
}

int disk_rest(struct disk *d)
{
	int ret;

	if (!d->large || d->read_only || !d->env.env)
		return 0;
	d->large = false;
	disk_env_close(&d->env);
	malloc_trim(0);
	ret = disk_env_open(&d->env, d->path, d->cfg.map_size, DISK_WRITE);
	return ret < 0 ? -EIO : 0;
}

void disk_abort(struct disk *d)
{
	disk_env_abort(&d->env);
	disk_log_abort(&d->log);
}
