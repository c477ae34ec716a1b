/* SPDX-License-Identifier: MIT */
/* disk_copy.c - see disk_copy.h. */
#include "disk_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk_env.h"
#include "in_child.h"

#define HEAP_STEP (1 << 20)

/* A file that LMDB cannot open is damaged, whatever it says is wrong with it. */
static int open_source(const struct disk_copying *c, struct disk_env *e)
{
	int ret = disk_env_open(e, c->from, c->map_size, c->beside ? DISK_READ_BESIDE : DISK_READ);

	/*
	 * But for what says nothing about the file: there is no memory, descriptor or right to read
	 * it.
	 */
	return ret == 0 || ret == -ENOENT || ret == -ENOMEM || ret == -EACCES || ret == -EMFILE ||
	       ret == -ENFILE || ret == -EPROTONOSUPPORT ? ret : -EBADMSG;
}

int disk_check(void *arg)
{
	const struct disk_copying *c = arg;
	struct disk_env e;
	int ret = open_source(c, &e);

	if (ret == 0)
		ret = disk_env_check(&e, NULL);
	disk_env_close(&e);
	return ret;
}

static int fill(const struct disk_copying *c, struct disk_env *from)
{
	struct disk_env to;
	int ret = disk_env_open(&to, c->to, c->map_size, DISK_FILL);

	if (ret == 0)
		ret = disk_env_begin(&to, true);
	if (ret == 0)
		ret = disk_env_check(from, &to);
	if (ret == 0)
		ret = disk_env_commit(&to);
	if (ret == 0 && c->synced)
		ret = disk_env_sync(&to);
	disk_env_close(&to);
	if (ret < 0)
		unlink(c->to);
	return ret;
}

int disk_copy(void *arg)
{
	const struct disk_copying *c = arg;
	struct disk_env from;
	int ret = open_source(c, &from);

	/*
	 * LMDB takes a page at a time from the end of the heap and gives each back there. In this
	 * process, which ends behind it, that need not be a system call each.
	 */
	mallopt(M_TOP_PAD, HEAP_STEP);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);

	if (ret == 0)
		ret = fill(c, &from);
	disk_env_close(&from);
	return ret;
}

struct looking {
	const char *path;
	uint64_t map_size;
	struct disk_facts *facts;	/* shared with the process that looks */
};

static int look(void *arg)
{
	struct looking *l = arg;
	struct disk_env e;
	int ret = disk_env_open(&e, l->path, l->map_size, DISK_READ);

	if (ret == 0)
		ret = disk_env_begin(&e, false);
	if (ret == 0) {
		*l->facts = (struct disk_facts){
			.applied = e.head.applied, .nodes = e.head.count[DISK_NODE],
			.digest = e.head.digest[DISK_NODE],
			.newest = e.head.stamp == mdb_txn_id(e.txn),
		};
		memcpy(l->facts->id, e.id, DISK_ID);
	}
	disk_env_abort(&e);
	disk_env_close(&e);
	return ret;
}

int disk_look(const char *path, uint64_t map_size, struct disk_facts *out)
{
	struct looking l = { path, map_size, NULL };
	int ret;

	*out = (struct disk_facts){ 0 };
	l.facts = mmap(NULL, sizeof(*l.facts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (l.facts == MAP_FAILED)
		return -ENOMEM;
	ret = in_child(look, &l);
	if (ret == 0)
		*out = *l.facts;
	munmap(l.facts, sizeof(*l.facts));
	return ret;
}

int disk_sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 || fsync(fd) < 0 ? -EIO : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

int disk_rename(const char *from, const char *to, const char *dir)
{
	if (rename(from, to) < 0)
		return disk_errno(errno);
	return disk_sync_dir(dir);
}
