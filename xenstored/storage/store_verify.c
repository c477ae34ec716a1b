/* SPDX-License-Identifier: MIT */
/*
 * store_verify.c - whether a live environment is whole, whose it is, and which commit it has.
 *
 * Read in a child process, which a damaged file may end (SIGBUS, SIGSEGV, LMDB's own assertions);
 * what ends it for another reason says nothing about the file.
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "in_child.h"
#include "store_look.h"
#include "store_mark.h"

#define PAGE STORE_PAGE
/* Seconds of computing that reading a page may take at most; and any file. */
#define CPU_PAGES 20000u
#define CPU_LEAST 60u

/* Where in the two first pages are the list of free pages' flags; and of which commit they are. */
#define AT_FLAGS 44
#define AT_COMMIT 144

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

/* The answers of the child: besides 0, whole. */
#define DAMAGED (-EBADMSG)
#define OTHER_BOOT (-ENOENT)
#define UNLOADED (-ENODATA)
#define HALF_MENDED (-EUCLEAN)

bool store_file_wrong(int err)
{
	/* EBADF: LMDB begins an empty file anew, also one that is open for reading only. */
	return err == EBADF || err == ENOENT || err == ENOTDIR || err == EISDIR ||
	       err == ELOOP || err == EINVAL || err == ENXIO;
}

static int wrong_or(int err)
{
	return store_file_wrong(err) ? DAMAGED : -err;
}

/* Which boot it is of, and what its start has still to do. */
static int state_of(struct look *l, const char *boot_id)
{
	MDB_val text;
	const char *page;
	uint64_t number;
	int rc;

	rc = meta_text(l->txn, "boot", &text);
	if (rc)
		return rc == ENOMEM ? -ENOMEM : DAMAGED;
	if (!text_is(&text, boot_id))
		return OTHER_BOOT;
	/* A page begins with its own number. */
	page = (const char *)((uintptr_t)text.mv_data / PAGE * PAGE);
	memcpy(&number, page, sizeof(number));
	if (number > l->last)
		return DAMAGED;
	l->first = (char *)(uintptr_t)page - number * PAGE;
	switch (meta_text(l->txn, STORE_STILL, &text)) {
	case MDB_NOTFOUND:
		return 0;
	case 0:
		return text_is(&text, STORE_STILL_LOAD) ? UNLOADED :
		       text_is(&text, STORE_STILL_MEND) ? HALF_MENDED :
							  DAMAGED;
	case ENOMEM:
		return -ENOMEM;
	default:
		return DAMAGED;
	}
}

/* All pages that it says there are lie within the file: the next new one comes behind them. */
static int look_at_end(struct look *l)
{
	MDB_envinfo info;
	char path[600];
	struct stat st;

	snprintf(path, sizeof(path), "%.500s/data.mdb", l->dir);
	if (stat(path, &st) < 0)
		return wrong_or(errno);
	if (mdb_env_info(l->env, &info))
		return DAMAGED;
	l->last = info.me_last_pgno;
	return info.me_mapsize <= STORE_LIMIT && l->last < (uint64_t)st.st_size / PAGE ? 0 :
											 DAMAGED;
}

/* LMDB writes them by turns; of two that are alike it takes the first. */
static int first_page_right(int fd, unsigned int nr, uint64_t *commit)
{
	unsigned char page[AT_COMMIT + 8];
	ssize_t n = pread(fd, page, sizeof(page), nr * PAGE);

	if (n != sizeof(page))
		return n < 0 ? wrong_or(errno) : DAMAGED;
	*commit = get_le64(page + AT_COMMIT);
	return *commit % 2 == nr && get_le16(page + AT_FLAGS) == MDB_INTEGERKEY ? 0 : DAMAGED;
}

/* @commit: which is in each of them. */
static int first_pages_right(const char *dir, uint64_t commit[2])
{
	char path[600];
	int fd, ret;

	snprintf(path, sizeof(path), "%.500s/data.mdb", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return wrong_or(errno);
	ret = first_page_right(fd, 0, &commit[0]);
	if (ret == 0)
		ret = first_page_right(fd, 1, &commit[1]);
	close(fd);
	return ret;
}

/*
 * A daemon that keeps no mark was here since: a package that was taken back for a while. Both pages
 * are of commits behind what is marked, one behind the other, which no flipped bit makes of them.
 */
static bool is_outdated(uint64_t begun, const uint64_t commit[2])
{
	uint64_t older = commit[0] < commit[1] ? commit[0] : commit[1];

	return older > begun && commit[0] + commit[1] == 2 * older + 1;
}

int store_is_last_commit(const char *dir, uint64_t number)
{
	uint64_t done, begun, commit[2];
	int marked, ret = first_pages_right(dir, commit);

	if (ret < 0)
		return ret == DAMAGED ? 0 : ret;
	marked = store_mark_read(dir, &done, &begun);
	if (marked <= 0)
		return marked < 0 ? marked : 1;
	return number == done || number == begun || is_outdated(begun, commit);
}

struct question {
	const char *dir, *boot_id;
};

static int look(void *arg)
{
	const struct question *q = arg;
	struct look l = { .dir = q->dir };
	int found, ret;

	ret = store_expendable(q->dir);
	if (ret == 0)
		ret = store_open_to_read(q->dir, true, &l.env, &l.txn);
	if (ret == 0)
		ret = look_at_end(&l);
	if (ret < 0)
		return ret;
	found = state_of(&l, q->boot_id);
	if (found != 0 && found != UNLOADED && found != HALF_MENDED)
		return found;
	l.free = calloc(l.last / 8 + 1, 1);
	l.content = calloc(l.last / 8 + 1, 1);
	if (!l.free || !l.content)
		return -ENOMEM;
	ret = store_is_last_commit(q->dir, mdb_txn_id(l.txn));
	if (ret <= 0)
		return ret < 0 ? ret : DAMAGED;
	ret = look_spoil_free(&l);
	if (ret < 0)
		return ret;
	return look_all_whole(&l) ? found : l.starved ? -ENOMEM : DAMAGED;
}

int store_verify(const char *dir, const char *boot_id, enum store_found *found)
{
	struct question q = { dir, boot_id };
	int ret = in_child(look, &q);

	*found = ret == UNLOADED ? STORE_UNLOADED : ret == HALF_MENDED ? STORE_MENDED : STORE_WHOLE;
	return ret == UNLOADED || ret == HALF_MENDED ? 0 : ret;
}

/* --- for whoever reads what may be damaged --- */

/* Whether the whole file can be mapped: if not, that is no fault of its. */
static bool can_be_mapped(const char *path, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (p != MAP_FAILED)
		munmap(p, size);
	return p != MAP_FAILED;
}

int store_open_to_read(const char *dir, bool as_it_says, MDB_env **env, MDB_txn **txn)
{
	char path[600];
	struct stat st;
	int rc;

	snprintf(path, sizeof(path), "%.500s/data.mdb", dir);
	if (stat(path, &st) < 0)
		return wrong_or(errno);
	rc = mdb_env_create(env);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(*env, STORE_TABLES + 1);
	if (rc == 0 && !as_it_says)
		rc = mdb_env_set_mapsize(*env, (size_t)st.st_size);
	if (rc)
		return -ENOMEM;
	rc = mdb_env_open(*env, dir, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600);
	if (rc == 0)
		rc = mdb_txn_begin(*env, NULL, MDB_RDONLY, txn);
	/* More than the address space has is what a damaged file asks for. */
	if (rc == ENOMEM && (st.st_size == 0 || can_be_mapped(path, (size_t)st.st_size)))
		return -EBADMSG;
	/* LMDB's own are below zero, and about what is in the file. */
	return rc > 0 ? wrong_or(rc) : rc < 0 ? -EBADMSG : 0;
}

/* LMDB's complaints are not for the log: what they mean is said there. */
static void be_quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
}

int store_expendable(const char *dir)
{
	static const int faults[] = { SIGBUS, SIGSEGV, SIGABRT, SIGFPE, SIGILL, SIGXCPU };
	struct rlimit cpu = { RLIM_INFINITY, RLIM_INFINITY };
	char path[600];
	struct stat st;

	snprintf(path, sizeof(path), "%.500s/data.mdb", dir);
	if (stat(path, &st) < 0)
		st.st_size = 0;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		signal(faults[i], SIG_DFL);
	/* Of its own: how long a loaded machine takes says nothing. */
	cpu.rlim_cur = CPU_LEAST + (uint64_t)st.st_size / PAGE / CPU_PAGES;
	if (setrlimit(RLIMIT_CPU, &cpu) < 0)
		return -errno;
	close_range(3, ~0u, 0);
	be_quiet();
	return 0;
}
