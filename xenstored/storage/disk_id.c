/* SPDX-License-Identifier: MIT */
/*
 * disk_id.c - which store a file is of. A generation or log is believed for its number, which those
 * of another store have too: whoever mixes two directories would get the one with the higher
 * numbers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "disk_copy.h"
#include "disk_start.h"
#include "log.h"

struct looking {
	struct start *s;
	char dir[DISK_PATH];
	uint64_t than;
	unsigned char last[DISK_ID];	/* of the newest that says so */
};

/* What the generation says of itself. False: nothing. */
static bool look_at(struct looking *l, uint64_t number, char path[NUMBERED_PATH],
		    struct disk_facts *facts)
{
	numbered_path(&generation_name, l->dir, number, path);
	return disk_look(path, l->s->d->cfg.map_size, facts) == 0 && disk_id_known(facts->id);
}

/* Under a name that no start reads. */
static void put_aside(const struct start *s, const char *path)
{
	char to[NUMBERED_PATH + 64];

	snprintf(to, sizeof(to), "%.500s/foreign-%" PRIu64 "-%s", s->d->store_dir,
		 s->time_ns / 1000000000u, strrchr(path, '/') + 1);
	if (rename(path, to) < 0)
		log_warn("%s is of another store, and cannot be put aside", path);
	else
		log_errorx("%s is of another store: it has been put aside as %s", path, to);
}

static int put_foreign_aside(void *arg, uint64_t number)
{
	char path[NUMBERED_PATH];
	struct looking *l = arg;
	struct disk_facts facts;

	if (number > l->than && look_at(l, number, path, &facts) &&
	    memcmp(facts.id, l->s->id, DISK_ID) != 0)
		put_aside(l->s, path);
	return 0;
}

static int put_foreign_log_aside(void *arg, uint64_t number)
{
	unsigned char id[DISK_ID];
	char path[NUMBERED_PATH];
	struct looking *l = arg;

	numbered_path(&disk_log_name, l->s->d->store_dir, number, path);
	if (disk_log_id(path, id) && memcmp(id, l->s->id, DISK_ID) != 0)
		put_aside(l->s, path);
	return 0;
}

void disk_start_foreign_logs(struct start *s)
{
	struct looking l = { .s = s };

	if (disk_id_known(s->id))
		numbered_each(&disk_log_name, s->d->store_dir, put_foreign_log_aside, &l);
}

void disk_start_foreign(struct start *s, uint64_t than)
{
	struct looking l = { .s = s, .than = than };

	if (!disk_id_known(s->id))
		return;
	generation_dir(s->d, l.dir);
	numbered_each(&generation_name, l.dir, put_foreign_aside, &l);
	disk_start_foreign_logs(s);
}

static int note_id(void *arg, uint64_t number)
{
	struct looking *l = arg;
	char path[NUMBERED_PATH];
	struct disk_facts facts;

	if (look_at(l, number, path, &facts))
		memcpy(l->last, facts.id, DISK_ID);
	return 0;
}

static int note_log_id(void *arg, uint64_t number)
{
	struct looking *l = arg;
	char path[NUMBERED_PATH];

	numbered_path(&disk_log_name, l->s->d->store_dir, number, path);
	disk_log_id(path, l->last);
	return 0;
}

/* A release that knows of no id has copied the file without it. */
int disk_start_give_id(struct start *s, struct disk_env *e)
{
	struct looking l = { .s = s };
	int ret;

	if (disk_id_known(e->id))
		return 0;
	generation_dir(s->d, l.dir);
	ret = numbered_each(&generation_name, l.dir, note_id, &l);
	if (ret == 0 && !disk_id_known(l.last))
		ret = numbered_each(&disk_log_name, s->d->store_dir, note_log_id, &l);
	if (ret == 0 && !disk_id_known(l.last) &&
	    getrandom(l.last, DISK_ID, GRND_NONBLOCK) != DISK_ID)
		return 0;
	return ret < 0 ? ret : disk_env_set_id(e, l.last);
}
