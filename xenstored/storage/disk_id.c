/* SPDX-License-Identifier: MIT */
/*
 * disk_id.c - which store a file is of. A generation is believed for its number, which the files of
 * another store have too: whoever mixes two directories would get the one with the higher numbers.
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
	const unsigned char *id;
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

static int put_foreign_aside(void *arg, uint64_t number)
{
	char path[NUMBERED_PATH], to[DISK_PATH];
	struct looking *l = arg;
	struct disk_facts facts;

	if (number <= l->than || !look_at(l, number, path, &facts) ||
	    memcmp(facts.id, l->id, DISK_ID) == 0)
		return 0;
	snprintf(to, sizeof(to), "%.500s/foreign-%" PRIu64 "-%020" PRIu64 ".mdb",
		 l->s->d->store_dir, l->s->time_ns / 1000000000u, number);
	if (rename(path, to) < 0)
		log_warn("%s is of another store, and cannot be put aside", path);
	else
		log_errorx("%s is of another store: it has been put aside as %s", path, to);
	return 0;
}

void disk_start_foreign(struct start *s, const unsigned char id[DISK_ID], uint64_t than)
{
	struct looking l = { .s = s, .id = id, .than = than };

	if (!disk_id_known(id))
		return;
	generation_dir(s->d, l.dir);
	numbered_each(&generation_name, l.dir, put_foreign_aside, &l);
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

/* A release that knows of no id has copied the file without it. */
int disk_start_give_id(struct start *s, struct disk_env *e)
{
	struct looking l = { .s = s };
	int ret;

	if (disk_id_known(e->id))
		return 0;
	generation_dir(s->d, l.dir);
	ret = numbered_each(&generation_name, l.dir, note_id, &l);
	if (ret == 0 && !disk_id_known(l.last) &&
	    getrandom(l.last, DISK_ID, GRND_NONBLOCK) != DISK_ID)
		return 0;
	return ret < 0 ? ret : disk_env_set_id(e, l.last);
}
