/* SPDX-License-Identifier: MIT */
/*
 * store_roots.c - the two pages with the roots of an environment. LMDB writes them in turns, the
 * commit with an even number the first one, and opens the one with the higher number: a number
 * that has become smaller, or an old page in the place of a new one, would be the loss of a commit
 * that nobody notices. So the two are compared, and each must lead to its own commit's number.
 *
 * No lock: the caller has opened the environment, and nobody writes to it. Layout: LMDB 0.9, data
 * version 1 (mdb_env_info(3), mdb_stat(3), and what a file shows), little-endian.
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PAGE_HEADER	16
#define PAGE_MAX	65536
#define DEPTH_MAX	32

/* From a page's begin on. */
enum {
	NUMBER_AT = 0, FLAGS_AT = 10, LOWER_AT = 12, FIRST_AT = PAGE_HEADER,
	ROOT_AT = PAGE_HEADER + 112, COMMIT_AT = PAGE_HEADER + 128,
};

/* From a record's begin on; a branch has the low bits of a page's number instead of a length. */
enum { LOW_AT = 0, HIGH_AT = 2, RECORD_FLAGS_AT = 4, KEY_LEN_AT = 6, KEY_AT = 8 };

#define PAGE_IS_BRANCH	1u
#define PAGE_IS_LEAF	2u
#define ROOT_NONE	UINT64_MAX

static uint16_t get16(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* --- back to the commit before --- */

static int open_data(const char *dir)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* One sector: a loss of power leaves it as it was, or as it is to be. */
static int put_root(int fd, unsigned int which, const char *root)
{
	off_t at = (off_t)which * sysconf(_SC_PAGESIZE);

	return pwrite(fd, root, STORE_ROOT_LEN, at) == STORE_ROOT_LEN && fsync(fd) == 0 ? 0 : -EIO;
}

int store_roots_step_back(const char *dir, struct store_roots *was)
{
	char root[2][STORE_ROOT_LEN];
	int fd = open_data(dir), ret = fd < 0 ? -EIO : 0;

	for (int i = 0; i < 2 && ret == 0; i++) {
		off_t at = (off_t)i * sysconf(_SC_PAGESIZE);

		if (pread(fd, root[i], STORE_ROOT_LEN, at) != STORE_ROOT_LEN)
			ret = -EIO;
	}
	if (ret == 0 && get64(root[0] + COMMIT_AT) == get64(root[1] + COMMIT_AT))
		ret = -EBADMSG;
	if (ret == 0) {
		was->newer = get64(root[1] + COMMIT_AT) > get64(root[0] + COMMIT_AT);
		memcpy(was->root, root[was->newer], STORE_ROOT_LEN);
		/* The page's header has its number. */
		memcpy(root[was->newer] + PAGE_HEADER, root[!was->newer] + PAGE_HEADER,
		       STORE_ROOT_LEN - PAGE_HEADER);
		ret = put_root(fd, was->newer, root[was->newer]);
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

int store_roots_put_back(const char *dir, const struct store_roots *was)
{
	int fd = open_data(dir), ret;

	if (fd < 0)
		return -EIO;
	ret = put_root(fd, was->newer, was->root);
	close(fd);
	return ret;
}

/* --- whether the two agree --- */

struct file {
	int fd;
	size_t page_size;
	char page[PAGE_MAX];
};

/* Page @nr, and the first record that it names. NULL: it cannot be read, or names none. */
static const char *first_record(struct file *f, uint64_t nr)
{
	size_t at;

	if (nr > INT64_MAX / f->page_size ||
	    pread(f->fd, f->page, f->page_size, (off_t)(nr * f->page_size)) !=
		    (ssize_t)f->page_size ||
	    get16(f->page + LOWER_AT) <= FIRST_AT)
		return NULL;
	at = get16(f->page + FIRST_AT);
	return at <= f->page_size - KEY_AT ? f->page + at : NULL;
}

/* The number that the commit put among the records, where it is the first of all; 0: it did not. */
static int stamp_of(struct file *f, uint64_t root, uint64_t *stamp)
{
	const char *r = NULL, *value;
	MDB_val k, v;
	size_t len;

	*stamp = 0;
	if (root == ROOT_NONE)
		return 0;
	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		r = first_record(f, root);
		if (!r || get16(f->page + FLAGS_AT) & PAGE_IS_LEAF)
			break;
		if (!(get16(f->page + FLAGS_AT) & PAGE_IS_BRANCH))
			return -EBADMSG;
		root = get16(r + LOW_AT) | (uint64_t)get16(r + HIGH_AT) << 16 |
		       (uint64_t)get16(r + RECORD_FLAGS_AT) << 32;
	}
	if (!r || !(get16(f->page + FLAGS_AT) & PAGE_IS_LEAF))
		return -EBADMSG;
	k = (MDB_val){ get16(r + KEY_LEN_AT), (void *)(r + KEY_AT) };
	v.mv_size = get16(r + LOW_AT) | (size_t)get16(r + HIGH_AT) << 16;
	v.mv_data = (void *)(r + KEY_AT + k.mv_size);
	if (v.mv_size != CRC_LEN + sizeof(*stamp) ||
	    r + KEY_AT + k.mv_size + v.mv_size > f->page + f->page_size || !store_is_stamp(&k))
		return 0;
	if (store_unwrap(&k, &v, &value, &len) < 0)
		return -EBADMSG;
	*stamp = get64(value);
	return 0;
}

static bool agree(struct file *f, const char root[2][STORE_ROOT_LEN])
{
	uint64_t commit[2], stamp, older;
	unsigned int which;

	for (unsigned int i = 0; i < 2; i++) {
		commit[i] = get64(root[i] + COMMIT_AT);
		if (get64(root[i] + NUMBER_AT) != i)
			return false;
		/* Nobody has written to it yet. */
		if (commit[i] == 0 && get64(root[i] + ROOT_AT) != ROOT_NONE)
			return false;
	}
	/* New, or as store_roots_step_back() leaves it. */
	if (commit[0] == commit[1])
		return memcmp(root[0] + PAGE_HEADER, root[1] + PAGE_HEADER,
			      COMMIT_AT - PAGE_HEADER) == 0;
	which = commit[0] > commit[1];
	older = commit[which];
	if (older % 2 != which || commit[!which] != older + 1)
		return false;
	if (stamp_of(f, get64(root[which] + ROOT_AT), &stamp) < 0)
		return false;
	/* A copy begins to count anew. */
	return stamp == 0 || older <= 1 || stamp == older;
}

int store_roots_agree(struct store *s, bool *differ)
{
	char root[2][STORE_ROOT_LEN];
	struct file f;
	MDB_stat st;

	mdb_env_stat(s->env, &st);
	f.page_size = st.ms_psize;
	if (mdb_env_get_fd(s->env, &f.fd) || f.page_size > PAGE_MAX)
		return -EIO;
	for (int i = 0; i < 2; i++) {
		if (pread(f.fd, root[i], STORE_ROOT_LEN, (off_t)((size_t)i * f.page_size)) !=
		    STORE_ROOT_LEN)
			return -EIO;
	}
	*differ = !agree(&f, (const char(*)[STORE_ROOT_LEN])root);
	return 0;
}
