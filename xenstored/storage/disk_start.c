/* SPDX-License-Identifier: MIT */
/*
 * disk_start.c - what a start goes on with: a copy of the newest file that is whole, and on top of
 * it what the logs have of later changes (disk_later.c). What may be damaged is never written, and
 * never read in this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "disk_copy.h"
#include "disk_start.h"
#include "in_child.h"
#include "log.h"
#include "takeover.h"

static uint64_t real_time_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* --- a copy of what is whole --- */

static int copy_from(struct start *s, const char *from)
{
	struct disk_copying c = {
		.from = from, .to = s->to, .map_size = s->d->cfg.map_size, .synced = s->synced,
	};

	return in_child(disk_copy, &c);
}

static int take_over_from(struct start *s, const char *from)
{
	struct takeover t = {
		.from = from, .to = s->to, .map_size = s->d->cfg.map_size, .time_ns = s->time_ns,
	};

	return in_child(takeover, &t);
}

static int make_empty(struct start *s)
{
	struct disk_env e;
	int ret = disk_env_open(&e, s->to, s->d->cfg.map_size, DISK_FILL);

	if (ret == 0 && s->synced)
		ret = disk_env_sync(&e);
	disk_env_close(&e);
	return ret;
}

/*
 * What is not an answer about the file that was read, but about the one to be written. A damaged
 * file may ask for more memory than there is: another one may not.
 */
static bool says_no_more(struct start *s, int ret)
{
	s->no_memory |= ret == -ENOMEM;
	return ret != -EBADMSG && ret != -ENOENT && ret != -ENOMEM;
}

struct newest {
	uint64_t number[256];	/* the last so many */
	unsigned int nr;
};

static int note_number(void *arg, uint64_t number)
{
	struct newest *n = arg;

	n->number[n->nr++ % 256] = number;
	return 0;
}

/* The newest that is whole, of those newer than revision @than. */
static int from_generations(struct start *s, uint64_t than, bool any)
{
	struct newest n = { .nr = 0 };
	char dir[DISK_PATH], path[NUMBERED_PATH];
	int ret;

	generation_dir(s->d, dir);
	ret = numbered_each(&generation_name, dir, note_number, &n);
	if (ret < 0)
		return ret;
	ret = -ENOENT;
	for (unsigned int left = n.nr < 256 ? n.nr : 256; left > 0; left--) {
		uint64_t number = n.number[--n.nr % 256];

		if (!any && number <= than)
			break;
		numbered_path(&generation_name, dir, number, path);
		ret = copy_from(s, path);
		if (ret == 0)
			log_warnx("going on from the earlier state %s", path);
		else if (ret == -EBADMSG)
			log_warnx("%s is damaged too", path);
		if (ret == 0 || says_no_more(s, ret))
			return ret;
	}
	return ret;
}

/* The release before kept its last good copy beside the store. */
static int from_old_format(struct start *s)
{
	char path[DISK_PATH];
	int ret = take_over_from(s, s->d->path);

	s->source = FROM_OLD_FORMAT;
	if (ret == 0 || says_no_more(s, ret))
		return ret;
	s->source = FROM_OLD_COPY;
	snprintf(path, sizeof(path), "%.500s/last-good.mdb", s->d->cfg.state_dir);
	return take_over_from(s, path);
}

/* The newest whole state that any file has, in s->to. */
static int find_whole(struct start *s)
{
	int data = copy_from(s, s->d->path), ret = data;
	struct disk_facts facts;

	s->source = FROM_DATA;
	if (ret == 0 || says_no_more(s, ret))
		return ret;
	s->source = FROM_GENERATION;
	/* What is damaged may still say which store it was. */
	if (disk_look(s->d->path, s->d->cfg.map_size, &facts) == 0) {
		memcpy(s->id, facts.id, DISK_ID);
		disk_start_foreign(s, 0);
	}
	ret = from_generations(s, 0, true);
	if (ret == -ENOENT)
		ret = from_old_format(s);
	if (ret == 0 || says_no_more(s, ret))
		return ret;
	if (s->no_memory)
		return -ENOMEM;
	s->source = data == -ENOENT && ret == -ENOENT ? FROM_NOTHING : FROM_RUINS;
	return make_empty(s);
}

/* --- with what came later --- */

/*
 * The newest whole state, with what the logs have, as far as each is the next one. Where data.mdb
 * and the logs do not come as far as a generation does, that goes before them.
 */
static int make_copy(struct start *s)
{
	int ret = find_whole(s);

	if (ret == 0)
		ret = disk_start_complete(s);
	if (ret != -ESTALE)
		return ret;
	ret = from_generations(s, s->found, false);
	s->source = FROM_NEWER;
	if (ret == -EBADMSG || ret == -ENOENT || ret == -ENOMEM) {
		s->no_newer = true;
		ret = find_whole(s);
	}
	return ret < 0 ? ret : disk_start_complete(s);
}

/* --- the switch --- */

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Not every file system has a second name for a file. */
static int another_name(const char *from, const char *to)
{
	if (link(from, to) == 0)
		return 0;
	if (errno == EEXIST)
		return same_file(from, to) ? 0 : -EEXIST;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
		return disk_errno(errno);
	return access(to, F_OK) == 0 ? -EEXIST : rename(from, to) == 0 ? 0 : disk_errno(errno);
}

/*
 * Under a name that says when. It keeps its own, too, till the copy has that: who is killed between
 * finds what there was.
 */
static int put_aside(struct start *s, const char *what)
{
	char path[DISK_PATH], more[16] = "";
	int ret = -EEXIST;

	for (unsigned int i = 0; i < 1000 && ret == -EEXIST; i++) {
		if (i)
			snprintf(more, sizeof(more), "-%u", i);
		snprintf(path, sizeof(path), "%.500s/%s-%" PRIu64 "%s.mdb", s->d->store_dir, what,
			 s->time_ns / 1000000000u, more);
		ret = another_name(s->d->path, path);
	}
	if (ret == 0)
		log_warnx("%s has been put aside as %s", s->d->path, path);
	return ret == -ENOENT ? 0 : ret == -EEXIST ? -EIO : ret;
}

static int switch_over(struct start *s)
{
	int ret = 0;

	if (s->source == FROM_GENERATION || s->source == FROM_RUINS)
		ret = put_aside(s, "damaged");
	else if (s->source == FROM_OLD_FORMAT || s->source == FROM_OLD_COPY)
		ret = put_aside(s, "format2");
	else if (s->source == FROM_NEWER)
		ret = put_aside(s, "older");
	return ret < 0 ? ret : disk_rename(s->to, s->d->path, s->d->store_dir);
}

/* data.mdb as it was found was whole: it is an earlier state from now on. */
static void keep_found(struct start *s)
{
	struct disk_facts facts;

	if (s->source == FROM_DATA && disk_look(s->d->path, s->d->cfg.map_size, &facts) == 0)
		generation_keep(s->d, s->d->path, facts.applied);
}

/* A store that begins has its first earlier state too: with the log, that is a second copy. */
static void keep_first(struct start *s)
{
	char dir[DISK_PATH], part[DISK_PATH];
	struct disk_copying c = {
		.from = s->d->path, .to = part, .map_size = s->d->cfg.map_size, .synced = true,
	};

	generation_dir(s->d, dir);
	snprintf(part, sizeof(part), "%.550s/part", dir);
	if (in_child(disk_copy, &c) < 0)
		return;
	generation_keep(s->d, part, s->applied);
	unlink(part);
}

static int make_dirs(struct disk *d)
{
	char dir[DISK_PATH];

	if (mkdir(d->store_dir, 0700) < 0 && errno != EEXIST)
		return disk_errno(errno);
	generation_dir(d, dir);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return disk_errno(errno);
	return disk_sync_dir(d->cfg.state_dir);
}

/* Where there is no room for one, what comes is in no log, and none is to look like the last. */
static int begin_log(struct start *s)
{
	int ret = disk_log_start(&s->d->log, s->d->store_dir, s->applied, s->id);

	return ret == -ENOSPC ? disk_log_goes_on(s->d->store_dir, s->id) : ret;
}

/* In STATE, to go on there. */
static int start_writing(struct start *s)
{
	int ret = make_dirs(s->d);

	snprintf(s->to, sizeof(s->to), "%.500s/new.mdb", s->d->store_dir);
	s->synced = true;
	if (ret == 0)
		ret = make_copy(s);
	if (ret == 0)
		keep_found(s);
	if (ret == 0)
		ret = switch_over(s);
	if (ret == 0 && s->source != FROM_DATA)
		keep_first(s);
	if (ret == 0)
		ret = begin_log(s);
	if (ret < 0)
		return ret;
	return disk_env_open(&s->d->env, s->d->path, s->d->cfg.map_size, DISK_WRITE);
}

static int note_last(void *arg, const struct logged *l)
{
	uint64_t *last = arg;

	*last = l->rev > *last ? l->rev : *last;
	return 0;
}

/* A start that was cut short may have made this very file a generation: it is one no more. */
static void keep_no_more(struct start *s)
{
	char dir[DISK_PATH], path[NUMBERED_PATH];
	struct stat data, kept;

	generation_dir(s->d, dir);
	numbered_path(&generation_name, dir, s->applied, path);
	if (stat(s->d->path, &data) == 0 && stat(path, &kept) == 0 && data.st_ino == kept.st_ino &&
	    data.st_dev == kept.st_dev)
		unlink(path);
}

/* No room for a copy is no reason to take no changes: data.mdb has room of its own. */
static int start_in_place(struct start *s)
{
	struct disk_copying c = { .from = s->d->path, .map_size = s->d->cfg.map_size };
	uint64_t last = s->d->cfg.told, newest;
	struct disk_facts facts;
	int ret = in_child(disk_check, &c);

	if (ret == 0)
		ret = disk_look(s->d->path, s->d->cfg.map_size, &facts);
	if (ret == 0) {
		memcpy(s->id, facts.id, DISK_ID);
		disk_start_foreign(s, facts.applied);
	}
	if (ret == 0)
		ret = disk_start_names(s, &newest);
	if (ret == 0 && s->known > last)
		last = s->known;
	if (ret == 0)
		ret = disk_log_replay(s->d->store_dir, s->id, note_last, &last, &s->log_ended);
	if (ret == 0)
		ret = disk_env_open(&s->d->env, s->d->path, s->d->cfg.map_size, DISK_WRITE);
	if (ret < 0)
		return ret;
	ret = s->d->env.head.applied < last ? -EBADMSG : disk_log_goes_on(s->d->store_dir, s->id);
	if (ret < 0) {
		disk_env_close(&s->d->env);
		return ret;
	}
	log_warnx("there is no room for a copy of %s: it is used as it is", s->d->path);
	s->source = FROM_DATA;
	s->applied = s->d->env.head.applied;
	keep_no_more(s);
	s->d->log.failed = true;
	return 0;
}

static void copy_in_run(const struct disk *d, char out[DISK_PATH])
{
	snprintf(out, DISK_PATH, "%.500s/store-copy.mdb", d->cfg.run_dir);
}

/* It takes as much memory as the store is large: not longer than it is read. */
static void remove_copy_in_run(const struct disk *d)
{
	char path[DISK_PATH];

	copy_in_run(d, path);
	unlink(path);
}

/* In RUN, for as long as STATE cannot be written: what it has can be read at least. */
static int start_reading(struct start *s, int why)
{
	int ret;

	copy_in_run(s->d, s->to);
	s->synced = false;
	s->d->read_only = why;
	snprintf(s->d->copy_path, sizeof(s->d->copy_path), "%s", s->to);
	ret = make_copy(s);
	return ret < 0 ? ret : disk_env_open(&s->d->env, s->to, s->d->cfg.map_size, DISK_READ);
}

int disk_start(struct disk *d, struct disk_found *found)
{
	struct start s = { .d = d, .time_ns = real_time_ns() };
	int ret = start_writing(&s);

	if (ret == -ENOSPC && start_in_place(&s) == 0)
		ret = 0;
	if (ret == 0)
		remove_copy_in_run(d);
	if (ret == -EROFS || ret == -EACCES || ret == -ENOSPC || ret == -EIO)
		ret = start_reading(&s, ret);
	if (ret < 0)
		return ret;
	d->degraded = d->env.head.count[DISK_LOSS] > 0;
	*found = (struct disk_found){
		.applied = s.applied,
		.made_new = s.source == FROM_NOTHING,
		.taken_over = s.source == FROM_OLD_FORMAT || s.source == FROM_OLD_COPY,
		.damaged = s.source >= FROM_OLD_COPY,
		.degraded = d->degraded,
		.read_only = d->read_only,
	};
	return 0;
}
