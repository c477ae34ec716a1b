/* SPDX-License-Identifier: MIT */
/*
 * disk_compact.c - gives back what data.mdb has of the disk and does not need any more: LMDB's file
 * never ends below the last page it has used. Decision: docs/decisions/0040-compaction.md.
 *
 * When nothing has changed for a while, a process writes what is there to new.mdb, as a start does,
 * and reads that once more; if nothing has changed meanwhile, and nobody reads, it gets the name by
 * one rename. Who is killed anywhere in it finds one of the two, and both say the same: the log
 * goes on behind either.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_copy.h"
#include "disk_priv.h"
#include "in_child.h"
#include "log.h"

#define IDLE_NS (60 * 1000000000ull)

static void new_path(const struct disk *d, char out[DISK_PATH])
{
	snprintf(out, DISK_PATH, "%.500s/new.mdb", d->store_dir);
}

static uint64_t last_commit(const struct disk *d)
{
	MDB_envinfo info;

	mdb_env_info(d->env.env, &info);
	return info.me_last_txnid;
}

static int make(void *arg)
{
	struct disk_copying *c = arg;
	struct disk_copying again = { .from = c->to, .map_size = c->map_size };
	int ret = disk_copy(c);

	return ret < 0 ? ret : disk_check(&again);
}

void disk_compact(struct disk *d, uint64_t now_ns)
{
	char to[DISK_PATH];
	struct disk_copying c = {
		.from = d->path, .to = to, .map_size = d->cfg.map_size, .beside = true,
		.synced = true,
	};
	uint64_t commit;
	pid_t pid;

	if (d->read_only || d->degraded || !d->env.env || d->compact.pid)
		return;
	commit = last_commit(d);
	if (commit != d->compact.commit) {
		d->compact.commit = commit;
		d->compact.due_ns = now_ns + IDLE_NS;
		return;
	}
	/* Once for what there is: it is no other one later. */
	if (d->compact.due_ns == 0 || now_ns < d->compact.due_ns)
		return;
	d->compact.due_ns = 0;
	if (!disk_room_is_wasted(d))
		return;
	new_path(d, to);
	pid = in_child_start(make, &c);
	if (pid > 0)
		d->compact.pid = pid;
}

void disk_compact_stop(struct disk *d)
{
	if (!d->compact.pid)
		return;
	/* Of the ways to do that, the one that the sandbox leaves. */
	tgkill(d->compact.pid, d->compact.pid, SIGKILL);
	while (waitpid(d->compact.pid, NULL, 0) < 0 && errno == EINTR)
		;
	d->compact.pid = 0;
}

/*
 * Whether another process has the environment open: LMDB would take the number of the last commit
 * of one file for that of the other. Closing the descriptor ends this process's own locks of that
 * file: ours is closed.
 */
static bool is_open_elsewhere(const struct disk *d)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[DISK_PATH + 8];
	bool open_there;
	int fd;

	snprintf(path, sizeof(path), "%s-lock", d->path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT;
	open_there = fcntl(fd, F_GETLK, &all) < 0 || all.l_type != F_UNLCK;
	close(fd);
	return open_there;
}

/* The environment is closed, and open again afterwards, whichever file it is. */
static int exchange(struct disk *d, const char *from)
{
	uint64_t before = d->allocated;
	int ret;

	disk_env_close(&d->env);
	ret = is_open_elsewhere(d) ? -EBUSY : disk_rename(from, d->path, d->store_dir);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->allocated = 0;
	if (ret < 0)
		log_warnx("%s keeps the room that it does not need: %s", d->path, strerror(-ret));
	ret = disk_env_open(&d->env, d->path, d->cfg.map_size, DISK_WRITE);
	if (ret < 0)
		return -EIO;
	disk_room_init(d);
	if (d->allocated < before)
		log_info("%s has given back %llu MiB", d->path,
			 (unsigned long long)(before - d->allocated) >> 20);
	d->compact.commit = last_commit(d);
	return 0;
}

bool disk_compact_ended(struct disk *d, int pid, int status, int *result)
{
	int ret = in_child_result(status);
	char from[DISK_PATH];

	if (!d->compact.pid || pid != d->compact.pid)
		return false;
	d->compact.pid = 0;
	*result = 0;
	new_path(d, from);
	/* It is tried again when something has changed. */
	if (ret < 0)
		log_warnx("no copy of %s could be made: %s", d->path, strerror(-ret));
	else if (d->env.env && last_commit(d) == d->compact.commit)
		*result = exchange(d, from);
	unlink(from);
	return true;
}
