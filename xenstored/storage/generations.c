/* SPDX-License-Identifier: MIT */
/*
 * generations.c - earlier whole states of data.mdb, in STATE/store/generations/REVISION.mdb.
 *
 * A process writes one while the worker goes on; it gets its name when it is whole and synced. As
 * long as there are losses that nobody knows of, none from before is removed, and no log: they may
 * have what was lost.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_copy.h"
#include "disk_priv.h"
#include "in_child.h"
#include "log.h"

#define SECOND_NS 1000000000ull
/* A log of this size, or as large as data.mdb, makes a generation worth its while. */
#define LOG_MAX (16u << 20)
#define EVERY_NS (300 * SECOND_NS)
/* After one could not be written. */
#define AGAIN_NS (60 * SECOND_NS)

/* How many are kept: the newest of so many different hours, days ... */
static const struct {
	long long seconds;
	unsigned int keep;
} policy[] = {
	{ 0, 2 },		/* the two newest: with their logs, all there is */
	{ 3600, 4 },
	{ 24 * 3600, 4 },
};

#define ROWS (sizeof(policy) / sizeof(policy[0]))

const struct numbered generation_name = { .prefix = "", .suffix = ".mdb" };

void generation_dir(const struct disk *d, char out[DISK_PATH])
{
	snprintf(out, DISK_PATH, "%.500s/generations", d->store_dir);
}

int generation_newest(const struct disk *d, uint64_t *rev)
{
	char dir[DISK_PATH];

	generation_dir(d, dir);
	return numbered_last(&generation_name, dir, rev);
}

/* --- thinning out --- */

struct generation {
	uint64_t number;
	long long time;
	bool wanted;
};

/* Whether a file is not from before the last loss that nobody knows of. */
static bool may_go(const struct disk *d, const char *path)
{
	struct stat st;
	uint64_t ns;

	if (!d->degraded)
		return true;
	if (stat(path, &st) < 0)
		return false;
	ns = (uint64_t)st.st_mtim.tv_sec * SECOND_NS + (uint64_t)st.st_mtim.tv_nsec;
	return d->lost_ns && ns > d->lost_ns;
}

struct listing {
	char dir[DISK_PATH];
	struct generation *e;
	size_t nr;
};

static int list_one(void *arg, uint64_t number)
{
	struct listing *l = arg;
	struct generation *e = realloc(l->e, (l->nr + 1) * sizeof(*e));
	char path[NUMBERED_PATH];
	struct stat st;

	if (!e)
		return -ENOMEM;
	l->e = e;
	numbered_path(&generation_name, l->dir, number, path);
	e[l->nr++] = (struct generation){ number, stat(path, &st) == 0 ? st.st_mtime : 0, false };
	return 0;
}

/* Marks what a row of the table wants: the newest of so many different buckets of time. */
static void mark_row(struct listing *l, size_t row)
{
	long long last = -1;
	unsigned int kept = 0;

	for (size_t i = l->nr; i-- > 0 && kept < policy[row].keep;) {
		long long bucket = policy[row].seconds ? l->e[i].time / policy[row].seconds :
							 (long long)i;

		if (bucket == last)
			continue;
		last = bucket;
		l->e[i].wanted = true;
		kept++;
	}
}

static void remove_unwanted(const struct disk *d, const struct listing *l)
{
	char path[NUMBERED_PATH];

	for (size_t i = 0; i < l->nr; i++) {
		numbered_path(&generation_name, l->dir, l->e[i].number, path);
		if (!l->e[i].wanted && may_go(d, path) && unlink(path) < 0)
			log_warn("%s: cannot be removed", path);
	}
}

static bool log_may_go(void *arg, const char *path)
{
	return may_go(arg, path);
}

/* The logs that the two newest generations need stay: should one of them rot, the other does. */
static void thin_out(struct disk *d)
{
	struct listing l = { .e = NULL };

	generation_dir(d, l.dir);
	if (numbered_each(&generation_name, l.dir, list_one, &l) == 0) {
		for (size_t row = 0; row < ROWS; row++)
			mark_row(&l, row);
		remove_unwanted(d, &l);
		if (l.nr > 1)
			disk_log_thin_out(d->store_dir, l.e[l.nr - 2].number, log_may_go, d);
	}
	free(l.e);
}

/* --- making --- */

void generation_keep(struct disk *d, const char *path, uint64_t applied)
{
	char dir[DISK_PATH], to[NUMBERED_PATH];

	generation_dir(d, dir);
	numbered_path(&generation_name, dir, applied, to);
	if (link(path, to) < 0 && errno != EEXIST) {
		log_warn("%s: cannot be kept as %s", path, to);
		return;
	}
	disk_sync_dir(dir);
	d->gen.applied = applied;
	thin_out(d);
}

struct making {
	struct disk_copying copy;
	const char *dir;
};

/* The name says which state it is; that is known only when it has been read. */
static int make(void *arg)
{
	struct making *m = arg;
	struct disk_copying again = { .from = m->copy.to, .map_size = m->copy.map_size };
	char path[NUMBERED_PATH];
	struct disk_env e;
	int ret = disk_copy(&m->copy);

	if (ret == 0)
		ret = disk_check(&again);
	if (ret == 0)
		ret = disk_env_open(&e, m->copy.to, m->copy.map_size, DISK_READ);
	if (ret < 0)
		return ret;
	numbered_path(&generation_name, m->dir, e.head.applied, path);
	disk_env_close(&e);
	return disk_rename(m->copy.to, path, m->dir);
}

static bool is_time(const struct disk *d, uint64_t now_ns)
{
	uint64_t applied = d->env.kept.applied;

	if (d->gen.pid || d->read_only || applied == d->gen.applied)
		return false;
	if (now_ns >= d->gen.due_ns)
		return true;
	return (d->log.failed || (d->log.size > LOG_MAX && d->log.size > d->allocated)) &&
	       now_ns >= d->gen.soonest_ns;
}

static void is_due_after(struct disk *d, uint64_t now_ns)
{
	d->gen.due_ns = now_ns + EVERY_NS;
	d->gen.soonest_ns = now_ns + SECOND_NS;
}

void disk_generation(struct disk *d, uint64_t now_ns)
{
	char dir[DISK_PATH], part[DISK_PATH];
	struct making m = {
		.copy = { .from = d->path, .to = part, .map_size = d->cfg.map_size,
			  .beside = true, .synced = true },
		.dir = dir,
	};
	pid_t pid;

	if (d->gen.due_ns == 0)
		is_due_after(d, now_ns);
	if (!is_time(d, now_ns))
		return;
	generation_dir(d, dir);
	snprintf(part, sizeof(part), "%.550s/part", dir);
	is_due_after(d, now_ns);
	/* From here on the log is the new one's; the old ones go when it is whole. */
	if (disk_log_start(&d->log, d->store_dir, d->env.kept.applied, d->env.id) < 0)
		log_warnx("no new log of changes can be begun");
	pid = in_child_start(make, &m);
	if (pid < 0)
		return;
	d->gen.pid = pid;
	d->gen.applied = d->env.kept.applied;
}

void generation_stop(struct disk *d)
{
	if (!d->gen.pid)
		return;
	/* Of the ways to do that, the one that the sandbox leaves (abort() needs it). */
	tgkill(d->gen.pid, d->gen.pid, SIGKILL);
	while (waitpid(d->gen.pid, NULL, 0) < 0 && errno == EINTR)
		;
	d->gen.pid = 0;
	d->gen.applied = 0;
}

bool disk_generation_ended(struct disk *d, int pid, int status)
{
	int ret = in_child_result(status);

	if (!d->gen.pid || pid != d->gen.pid)
		return false;
	d->gen.pid = 0;
	if (ret < 0) {
		log_warnx("no copy of the store could be made: %s", strerror(-ret));
		d->gen.due_ns -= EVERY_NS - AGAIN_NS;
		d->gen.soonest_ns = d->gen.due_ns;
		d->gen.applied = 0;
		return true;
	}
	thin_out(d);
	return true;
}
