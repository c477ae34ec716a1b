/* SPDX-License-Identifier: MIT */
/*
 * store_mend.c - what to save of a live environment that is not whole.
 *
 * A damaged file may end whoever reads it, so it is only read in child processes (store_verify.c).
 * Each table is read from both ends up to what is broken; what of it has a right checksum goes into
 * a new environment. What was lost is found out above, where it is known what belongs together
 * (tree_mend.h).
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "in_child.h"
#include "log.h"
#include "store_mark.h"

#define PAGE STORE_PAGE
/* A directory, and what store_env_remove() removes from it. */
#define ENV_FILES 4

/*
 * Records that children found, in memory that they share with us: a fault leaves what was before.
 */
struct haul {
	bool opened;		/* the table could be found at all */
	uint64_t commit;	/* as of which commit */
	uint64_t entries;	/* that the table says it has */
	size_t size;
	size_t used;
	char bytes[];
};

struct hauled {
	uint32_t key_len, value_len;
};

static void haul_add(struct haul *h, const MDB_val *key, const MDB_val *value)
{
	const struct hauled e = { (uint32_t)key->mv_size, (uint32_t)value->mv_size };
	size_t len = sizeof(e) + e.key_len + e.value_len;

	if (h->used + len > h->size)
		return;
	memcpy(h->bytes + h->used, &e, sizeof(e));
	memcpy(h->bytes + h->used + sizeof(e), key->mv_data, e.key_len);
	memcpy(h->bytes + h->used + sizeof(e) + e.key_len, value->mv_data, e.value_len);
	h->used += len;
}

/* What a child is to read. */
struct hauling {
	const char *dir;
	enum store_table table;
	MDB_cursor_op way;
	struct haul *h;
};

static int haul_table(void *arg)
{
	const struct hauling *w = arg;
	struct haul *h = w->h;
	MDB_val key, value;
	MDB_stat st;
	MDB_cursor *cursor;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	int ret = store_expendable(w->dir), rc;

	/* Also when a child before this one was killed. */
	h->used = 0;
	if (ret == 0)
		ret = store_open_to_read(w->dir, false, &env, &txn);
	if (ret < 0)
		return ret;
	rc = mdb_dbi_open(txn, store_table_name[w->table], 0, &dbi);
	if (rc == MDB_NOTFOUND && store_table_may_lack(w->table)) {
		h->opened = true;
		return 0;
	}
	if (rc == 0)
		rc = mdb_cursor_open(txn, dbi, &cursor);
	if (rc)
		return rc == ENOMEM ? -ENOMEM : -EBADMSG;
	h->opened = true;
	h->commit = mdb_txn_id(txn);
	if (mdb_stat(txn, dbi, &st) == 0)
		h->entries = st.ms_entries;
	while (mdb_cursor_get(cursor, &key, &value, w->way) == 0) {
		if (key.mv_size <= STORE_KEY_MAX && store_record_whole(w->table, &key, &value))
			haul_add(h, &key, &value);
	}
	return 0;
}

/* However far it comes. What ends it for want of anything says nothing about the file: -Exxx. */
static int haul_in_child(const char *dir, enum store_table t, MDB_cursor_op way, struct haul *h)
{
	struct hauling w = { dir, t, way, h };
	int ret = in_child(haul_table, &w);

	return ret == -EBADMSG ? 0 : ret;
}

static int put_haul(struct store *l, enum store_table t, const struct haul *h)
{
	for (size_t at = 0; at < h->used;) {
		struct store_bytes old;
		struct hauled e;
		char key[STORE_KEY_MAX], *value;

		memcpy(&e, h->bytes + at, sizeof(e));
		at += sizeof(e);
		memcpy(key, h->bytes + at, e.key_len);
		value = (char *)h->bytes + at + e.key_len;
		at += e.key_len + e.value_len;
		if (store_room(l, 1, e.value_len, true) < 0)
			return -ENOSPC;
		if (!store_get(l, t, key, e.key_len, &old))
			store_put(l, t, key, e.key_len, value, e.value_len);
	}
	return 0;
}

static void haul_free(struct haul *h)
{
	if (h)
		munmap(h, sizeof(*h) + h->size);
}

static struct haul *haul_make(const char *dir)
{
	struct haul *h;
	char path[600];
	struct stat st;
	size_t size;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	/* One that somebody has taken away has nothing. */
	if (stat(path, &st) < 0) {
		if (!store_file_wrong(errno))
			return NULL;
		st.st_size = 0;
	}
	/* Each record once, with a head; a loop of pages ends here, too. */
	size = 2 * (size_t)st.st_size + (1u << 20);
	h = mmap(NULL, sizeof(*h) + size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (h == MAP_FAILED)
		return NULL;
	h->size = size;
	return h;
}

/* LMDB's two first pages: each says where everything is, as of one of the last two commits. */
static int first_page(const char *dir, unsigned int nr, char page[PAGE], bool put)
{
	const uint64_t number = nr;
	char path[600];
	ssize_t n;
	int fd, ret;

	snprintf(path, sizeof(path), "%.500s/data.mdb", dir);
	fd = open(path, put ? O_RDWR | O_CLOEXEC : O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return store_file_wrong(errno) ? -EBADMSG : -errno;
	/* A page begins with its own number. */
	if (put)
		memcpy(page, &number, sizeof(number));
	n = put ? pwrite(fd, page, PAGE, nr * PAGE) : pread(fd, page, PAGE, nr * PAGE);
	ret = n == PAGE ? 0 : n < 0 && !store_file_wrong(errno) ? -errno : -EBADMSG;
	close(fd);
	return ret;
}

/* 0, and @h says how it is opened; -EBADMSG: it cannot be; -Exxx: it could not be tried. */
static int can_be_opened(const char *dir, struct haul *h)
{
	int ret;

	h->opened = false;
	h->used = 0;
	ret = haul_in_child(dir, STORE_META, MDB_NEXT, h);
	return ret < 0 ? ret : h->opened ? 0 : -EBADMSG;
}

/*
 * Whether it can be opened with page @good in the place of the other one, too; else it is as
 * before. 0, -EBADMSG or -Exxx, as can_be_opened().
 */
static int opens_by(const char *dir, unsigned int good, struct haul *h)
{
	char page[PAGE], other[PAGE];
	int ret = first_page(dir, good, page, false);

	if (ret == 0)
		ret = first_page(dir, !good, other, false);
	if (ret == 0)
		ret = first_page(dir, !good, page, true);
	if (ret < 0)
		return ret;
	ret = can_be_opened(dir, h);
	if (ret < 0)
		first_page(dir, !good, other, true);
	return ret;
}

/*
 * LMDB opens nothing without both of its first pages, and goes on from the one with the larger
 * number. Where one is broken the other takes its place: the commit before the last, if the last
 * one's is gone. Where only the numbers are wrong, it is known which is the last one's. 0: as far
 * as it can be; -Exxx: it could not be looked at.
 */
static int make_openable(const char *dir, struct haul *h)
{
	int opened = can_be_opened(dir, h), marked, ret;
	uint64_t done, begun;

	if (opened == 0) {
		ret = store_is_last_commit(dir, h->commit);
		if (ret != 0)
			return ret < 0 ? ret : 0;
	}
	if (opened < 0 && opened != -EBADMSG)
		return opened;
	marked = store_mark_read(dir, &done, &begun);
	if (marked < 0)
		return marked;
	ret = marked ? opens_by(dir, done & 1, h) : -EBADMSG;
	if (ret != -EBADMSG)
		return ret;
	log_errorx("/: what was changed last is lost, if that was the newer state");
	for (unsigned int good = 0; good < 2 && opened == -EBADMSG; good++)
		opened = opens_by(dir, good, h);
	return opened == -EBADMSG ? 0 : opened;
}

/* All that is whole, of each table from both ends. */
struct hauls {
	struct haul *of[STORE_TABLES][2];
};

static void hauls_free(struct hauls *all)
{
	for (int t = 0; t < STORE_TABLES; t++)
		for (int way = 0; way < 2; way++)
			haul_free(all->of[t][way]);
}

static int haul_all(struct hauls *all, const char *from)
{
	static const MDB_cursor_op ways[] = { MDB_NEXT, MDB_PREV };
	int ret = 0;

	for (int t = 0; t < STORE_TABLES; t++)
		for (int way = 0; way < 2 && ret == 0; way++) {
			struct haul **h = &all->of[t][way];

			*h = haul_make(from);
			ret = *h ? haul_in_child(from, (enum store_table)t, ways[way], *h) : -ENOMEM;
		}
	return ret;
}

/* Of these it is found out which are lost, and where (tree_mend.h, durable.h). */
static bool is_named_above(enum store_table t)
{
	return t == STORE_NODE || t == STORE_CHILD || t == STORE_NAMED || t == STORE_QUEUE;
}

/* Of the others at least how many: without its record nobody misses a bond, or a watch. */
static void count_lost(struct store *l, enum store_table t, struct haul *const of[2])
{
	uint64_t said = of[0]->entries > of[1]->entries ? of[0]->entries : of[1]->entries;
	uint64_t saved = store_count(l, t);

	/* The number may be what is damaged: each has some bytes of the file. */
	if (!is_named_above(t) && said > saved && said <= of[0]->size / STORE_HEAD)
		log_errorx("lost: %llu of the %s records", (unsigned long long)(said - saved),
			   store_table_name[t]);
}

static int put_all(struct store *l, const struct hauls *all)
{
	int ret = 0;

	for (int t = 0; t < STORE_TABLES; t++) {
		for (int way = 0; way < 2 && ret == 0; way++)
			ret = put_haul(l, (enum store_table)t, all->of[t][way]);
		if (!all->of[t][0]->opened && !all->of[t][1]->opened)
			log_errorx("/: lost: all of the %s records", store_table_name[t]);
		else if (ret == 0)
			count_lost(l, (enum store_table)t, all->of[t]);
	}
	return ret;
}

/* A new environment with what was saved. */
static int make_of(const struct hauls *all, const char *to, const char *boot_id)
{
	struct store *l = calloc(1, sizeof(*l));
	struct store_bytes begun;
	int ret;

	if (!l)
		return -ENOMEM;
	l->fd = -1;
	store_env_remove(to);
	ret = mkdir(to, 0700) < 0 ? -errno : store_env_open(l, to);
	if (ret == 0)
		ret = put_all(l, all);
	/* A file that cannot grow for another reason gets no larger by what is given up for it. */
	if (ret == -ENOSPC && l->refused)
		ret = l->refused;
	if (ret == 0 && store_get(l, STORE_META, STORE_MENDING, strlen(STORE_MENDING), &begun))
		log_errorx("/: what is lost of what was being mended is not known by name");
	if (ret == 0) {
		store_boot_put(l, boot_id);
		store_still(l, STORE_MENDED);
		store_commit(l);
	}
	store_close(l);
	return ret;
}

/* Cutting a file gives blocks back; where files are what there is no room for, it gives nothing. */
static bool cutting_helps(const char *from)
{
	struct statfs fs;

	return statfs(from, &fs) == 0 && (fs.f_files == 0 || fs.f_ffree >= ENV_FILES);
}

/*
 * All of it is in our memory: the file gives its blocks for what comes in its place. It stays, cut
 * to nothing: a start after a kill just here has to say that all is lost.
 */
static void give_up(const char *from)
{
	char path[600];

	snprintf(path, sizeof(path), "%.500s/data.mdb", from);
	log_errorx("no room in %s: the damaged file is not kept", from);
	if (truncate(path, 0) < 0)
		log_error("cannot cut %s", path);
}

int store_mend(const char *from, const char *to, const char *boot_id, const char *old)
{
	struct hauls all = { 0 };
	struct haul *h = haul_make(from);
	int ret = h ? 0 : -ENOMEM;

	log_errorx("the live store in %s is damaged: saving what is whole", from);
	if (ret == 0) {
		ret = make_openable(from, h);
		haul_free(h);
	}
	if (ret == 0)
		ret = haul_all(&all, from);
	if (ret == 0)
		ret = make_of(&all, to, boot_id);
	if (ret == -ENOSPC && old) {
		store_env_remove(old);
		ret = make_of(&all, to, boot_id);
	}
	if (ret == -ENOSPC)
		store_env_remove(to);
	if (ret == -ENOSPC && cutting_helps(from)) {
		give_up(from);
		ret = make_of(&all, to, boot_id);
	}
	/* A part of it is not to be found in the place of @from, should that be taken away. */
	if (ret < 0)
		store_env_remove(to);
	hauls_free(&all);
	return ret;
}
