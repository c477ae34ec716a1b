/* SPDX-License-Identifier: MIT */
/*
 * store_mend.c - whether a live environment is whole, and what to save of one that is not.
 *
 * A damaged file may end whoever reads it (SIGBUS, SIGSEGV, LMDB's own assertions), so it is only
 * read in child processes. To save, each table is read from both ends up to what is broken; what
 * of it has a right checksum goes into a new environment. What was lost is found out above, where
 * it is known what belongs together (tree_mend.h).
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

#define PAGE STORE_PAGE

/* Exit statuses of the child that looks; anything else, as a sanitizer's, is damage, too. */
enum { WHOLE, DAMAGED, OTHER_BOOT, UNLOADED, HALF_MENDED };

/* Opens the environment in @dir for reading only, with nobody's help. 0 or LMDB's code. */
static int open_to_read(const char *dir, MDB_env **env, MDB_txn **txn)
{
	char path[600];
	struct stat st;
	int rc;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	if (stat(path, &st) < 0)
		return errno;
	rc = mdb_env_create(env);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(*env, STORE_TABLES);
	if (rc == 0)
		rc = mdb_env_set_mapsize(*env, (size_t)st.st_size);
	if (rc == 0)
		rc = mdb_env_open(*env, dir, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600);
	return rc ? rc : mdb_txn_begin(*env, NULL, MDB_RDONLY, txn);
}

static bool in_order(MDB_txn *txn, MDB_dbi dbi, const MDB_val *before, const MDB_val *key)
{
	return !before->mv_data || mdb_cmp(txn, dbi, before, key) < 0;
}

/* Pages that records have been found on: a bit each. */
struct pages {
	uint64_t last;
	const char *first;	/* where page 0 is mapped; NULL: not known yet */
	unsigned char *used;
};

/* The pages that @bytes from @at on lie in; the first one begins with its own number. */
static bool pages_use(struct pages *p, const void *at, size_t bytes)
{
	const char *page = (const char *)((uintptr_t)at / PAGE * PAGE);
	uint64_t number, nr = ((uintptr_t)at % PAGE + bytes + PAGE - 1) / PAGE;

	memcpy(&number, page, sizeof(number));
	if (number > p->last || nr > p->last - number + 1)
		return false;
	if (!p->first)
		p->first = page - number * PAGE;
	if (page != p->first + number * PAGE)
		return false;
	for (; nr-- > 0; number++)
		p->used[number / 8] |= (unsigned char)(1u << number % 8);
	return true;
}

static bool pages_use_record(struct pages *p, const MDB_val *key, const MDB_val *value)
{
	return pages_use(p, key->mv_data, 1) &&
	       (value->mv_size == 0 || pages_use(p, value->mv_data, value->mv_size));
}

/* Every record of the table, in order, as many as it says. */
static bool table_whole(MDB_txn *txn, enum store_table t, struct pages *pages)
{
	MDB_val key, value, before = { 0 };
	MDB_cursor *cursor;
	MDB_stat st;
	MDB_dbi dbi;
	size_t nr = 0;
	int rc;

	if (mdb_dbi_open(txn, store_table_name[t], 0, &dbi) || mdb_stat(txn, dbi, &st) ||
	    mdb_cursor_open(txn, dbi, &cursor))
		return false;
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		if (!in_order(txn, dbi, &before, &key) || !store_record_whole(t, &key, &value) ||
		    !pages_use_record(pages, &key, &value))
			return false;
		before = key;
		nr++;
	}
	return rc == MDB_NOTFOUND && nr == st.ms_entries;
}

/* LMDB's list of free pages: within the file, in order, none twice, and no record on one. */
static bool free_list_whole(MDB_txn *txn, struct pages *pages)
{
	unsigned char *seen = pages->used;
	MDB_val key, value;
	MDB_cursor *cursor;
	int rc;

	if (mdb_cursor_open(txn, 0, &cursor))
		return false;
	while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		uint64_t nr = 0, page, before = UINT64_MAX;

		if (value.mv_size >= sizeof(nr))
			memcpy(&nr, value.mv_data, sizeof(nr));
		if (key.mv_size != sizeof(size_t) || value.mv_size / sizeof(page) <= nr)
			return false;
		for (uint64_t i = 1; i <= nr; i++, before = page) {
			memcpy(&page, (char *)value.mv_data + i * sizeof(page), sizeof(page));
			if (page < 2 || page > pages->last || page >= before ||
			    seen[page / 8] & 1u << page % 8)
				return false;
			seen[page / 8] |= (unsigned char)(1u << page % 8);
		}
	}
	return rc == MDB_NOTFOUND;
}

/* Text that STORE_META has under @name, whole. 0 or LMDB's code. */
static int meta_text(MDB_txn *txn, const char *name, MDB_val *text)
{
	MDB_val key = { strlen(name), (void *)name };
	MDB_dbi dbi;
	int rc = mdb_dbi_open(txn, store_table_name[STORE_META], 0, &dbi);

	if (rc == 0)
		rc = mdb_get(txn, dbi, &key, text);
	if (rc == 0 && !store_record_whole(STORE_META, &key, text))
		rc = MDB_CORRUPTED;
	if (rc)
		return rc;
	text->mv_data = (char *)text->mv_data + STORE_HEAD;
	text->mv_size -= STORE_HEAD;
	return 0;
}

static bool text_is(const MDB_val *text, const char *what)
{
	return text->mv_size == strlen(what) && memcmp(text->mv_data, what, text->mv_size) == 0;
}

/* Which boot it is of, and what its start has still to do. */
static int state_of(MDB_txn *txn, const char *boot_id)
{
	MDB_val text;
	int rc = meta_text(txn, "boot", &text);

	if (rc)
		return DAMAGED;
	if (!text_is(&text, boot_id))
		return OTHER_BOOT;
	rc = meta_text(txn, STORE_STILL, &text);
	if (rc == MDB_NOTFOUND)
		return WHOLE;
	if (rc)
		return DAMAGED;
	return text_is(&text, STORE_STILL_LOAD) ? UNLOADED :
	       text_is(&text, STORE_STILL_MEND) ? HALF_MENDED :
						  DAMAGED;
}

static bool all_whole(MDB_env *env, MDB_txn *txn)
{
	struct pages pages = { 0 };
	MDB_envinfo info;
	bool whole;

	if (mdb_env_info(env, &info))
		return false;
	pages.last = info.me_last_pgno;
	pages.used = calloc(pages.last / 8 + 1, 1);
	whole = pages.used != NULL;
	for (int t = 0; t < STORE_TABLES && whole; t++)
		whole = table_whole(txn, (enum store_table)t, &pages);
	whole = whole && free_list_whole(txn, &pages);
	free(pages.used);
	return whole;
}

/* All pages that it says there are lie within the file: the next new one comes behind them. */
static bool end_whole(const char *dir, MDB_env *env)
{
	MDB_envinfo info;
	char path[600];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	return mdb_env_info(env, &info) == 0 && stat(path, &st) == 0 &&
	       info.me_last_pgno < (uint64_t)st.st_size / PAGE;
}

static int look(const char *dir, const char *boot_id)
{
	MDB_env *env;
	MDB_txn *txn;
	int found;

	if (open_to_read(dir, &env, &txn))
		return DAMAGED;
	found = state_of(txn, boot_id);
	if (found == DAMAGED || found == OTHER_BOOT)
		return found;
	return end_whole(dir, env) && all_whole(env, txn) ? found : DAMAGED;
}

/* LMDB's complaints are not for the log: what they mean is said there. */
static void be_quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
}

/* A child that ends by any fault of the file, without a core and without our handlers. */
static void be_expendable(void)
{
	static const int faults[] = { SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		signal(faults[i], SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(3, ~0u, 0);
	be_quiet();
	alarm(60);
}

int store_verify(const char *dir, const char *boot_id, enum store_found *found)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		be_expendable();
		_exit(look(dir, boot_id));
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	switch (WIFEXITED(status) ? WEXITSTATUS(status) : DAMAGED) {
	case WHOLE:
		*found = STORE_WHOLE;
		return 0;
	case UNLOADED:
		*found = STORE_UNLOADED;
		return 0;
	case HALF_MENDED:
		*found = STORE_MENDED;
		return 0;
	case OTHER_BOOT:
		return -ENOENT;
	default:
		return -EBADMSG;
	}
}

/* --- saving --- */

/* Records that a child found, in memory that it shares with us: a fault leaves what was before. */
struct haul {
	bool opened;		/* the table could be found at all */
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

static void haul_table(const char *dir, enum store_table t, MDB_cursor_op op, struct haul *h)
{
	MDB_val key, value;
	MDB_cursor *cursor;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	if (open_to_read(dir, &env, &txn) || mdb_dbi_open(txn, store_table_name[t], 0, &dbi) ||
	    mdb_cursor_open(txn, dbi, &cursor))
		return;
	h->opened = true;
	while (mdb_cursor_get(cursor, &key, &value, op) == 0) {
		if (key.mv_size <= STORE_KEY_MAX && store_record_whole(t, &key, &value))
			haul_add(h, &key, &value);
	}
}

static int haul_in_child(const char *dir, enum store_table t, MDB_cursor_op op, struct haul *h)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		be_expendable();
		haul_table(dir, t, op, h);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) < 0 ? -errno : 0;
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

static int mend_table(struct store *l, const char *from, enum store_table t, struct haul *h)
{
	static const MDB_cursor_op ways[] = { MDB_NEXT, MDB_PREV };
	int ret = 0;

	h->opened = false;
	for (int i = 0; i < 2 && ret == 0; i++) {
		h->used = 0;
		ret = haul_in_child(from, t, ways[i], h);
		if (ret == 0)
			ret = put_haul(l, t, h);
	}
	return ret;
}

static struct haul *haul_make(const char *dir)
{
	struct haul *h;
	char path[600];
	struct stat st;
	size_t size;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	if (stat(path, &st) < 0)
		return NULL;
	/* Each record once, with a head; a loop of pages ends here, too. */
	size = 2 * (size_t)st.st_size + (1u << 20);
	h = mmap(NULL, sizeof(*h) + size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (h == MAP_FAILED)
		return NULL;
	h->size = size;
	return h;
}

/*
 * LMDB opens nothing without both of its first pages, and goes on from the newer one. Where one is
 * broken the other takes its place: the commit before the last, if the last one's is gone.
 */
static int patch_first_pages(const char *dir, unsigned int broken)
{
	char path[600], page[PAGE];
	const uint64_t number = broken;
	int fd, ret = -EIO;

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, page, PAGE, broken ? 0 : PAGE) == PAGE) {
		/* A page begins with its own number. */
		memcpy(page, &number, sizeof(number));
		if (pwrite(fd, page, PAGE, broken * PAGE) == PAGE)
			ret = 0;
	}
	close(fd);
	return ret;
}

static bool can_be_opened(const char *dir, struct haul *h)
{
	h->opened = false;
	h->used = 0;
	return haul_in_child(dir, STORE_META, MDB_NEXT, h) == 0 && h->opened;
}

/* Tries the first page for the second, then the second for the first. */
static void make_openable(const char *dir, struct haul *h)
{
	for (unsigned int broken = 2; broken-- > 0 && !can_be_opened(dir, h);) {
		if (patch_first_pages(dir, broken) == 0 && can_be_opened(dir, h))
			log_errorx("/: what was changed last is lost, if that was the newer state");
	}
}

int store_mend(const char *from, const char *to, const char *boot_id)
{
	struct store *l = calloc(1, sizeof(*l));
	struct haul *h = haul_make(from);
	int ret = l && h ? 0 : -ENOMEM;

	if (l)
		l->fd = -1;
	log_errorx("the live store in %s is damaged: saving what is whole", from);
	if (ret == 0)
		make_openable(from, h);
	if (ret == 0)
		ret = mkdir(to, 0700) < 0 ? -errno : store_env_open(l, to);
	for (int t = 0; t < STORE_TABLES && ret == 0; t++) {
		ret = mend_table(l, from, (enum store_table)t, h);
		if (!h->opened)
			log_errorx("/: lost: all of the %s records", store_table_name[t]);
	}
	if (ret == 0) {
		store_boot_put(l, boot_id);
		store_still(l, STORE_MENDED);
		store_commit(l);
	}
	if (h)
		munmap(h, sizeof(*h) + h->size);
	store_close(l);
	return ret;
}
