/* SPDX-License-Identifier: MIT */
/*
 * disk_later.c - what is put on top of a start's copy: the changes that the logs have behind it.
 * And whether that is all there ever was; what is not is named. See disk_start.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "change_record.h"
#include "disk_copy.h"
#include "disk_salvage.h"
#include "disk_start.h"
#include "log.h"
#include "loss_record.h"
#include "path_key.h"

struct tail {
	struct disk_env *e;
	struct applying a;
	uint64_t last;
	uint64_t commit, missed;	/* the last that the copy had not; how many there were */
	bool gap;
};

static int apply_logged(void *arg, const struct logged *l)
{
	unsigned char key[CHANGE_KEY];
	struct tail *t = arg;
	struct change c;
	int ret;

	t->last = l->rev > t->last ? l->rev : t->last;
	if (l->rev > t->e->kept.applied && l->commit != t->commit) {
		t->commit = l->commit;
		t->missed++;
	}
	if (t->gap)
		return 0;
	change_key(key, l->rev, l->index);
	ret = change_read(key, l->value, l->len, &c);
	if (ret == 0)
		ret = disk_apply(t->e, &t->a, l->rev, l->index, &c);
	/* Behind a change that is missing, no other one means what it meant. */
	if (ret == -ESTALE || ret == -EINVAL || ret == -EBADMSG) {
		t->gap = true;
		return 0;
	}
	return ret;
}

/* --- what is gone --- */

static int note_loss(struct disk_env *e, const struct disk_lost *l)
{
	unsigned char key[PATH_KEY_MAX], value[LOSS_RECORD_MAX];
	MDB_val k = { path_key(l->path, l->path_len, key), key }, v = { 0, value };

	log_errorx("%.*s: %s", (int)l->path_len, l->path,
		   l->loss == DISK_LOST ? "lost" :
		   l->loss == DISK_BROUGHT_BACK ? "brought back from an earlier state" :
		   l->loss == DISK_STALE	? "data.mdb was an older one than there had been" :
						  "changes behind the earlier state are not known");
	v.mv_size = loss_record_write(l, key, k.mv_size, value);
	return disk_env_put(e, DISK_LOSS, &k, &v, false);
}

static int on_loss(void *arg, const struct disk_lost *l)
{
	return note_loss(arg, l);
}

/* Whether all that somebody may have been told of is in the copy. */
static bool is_complete(const struct start *s)
{
	if (s->applied < s->known || s->applied < s->d->cfg.told)
		return false;
	if (s->source == FROM_DATA || s->source == FROM_OLD_FORMAT || s->source == FROM_NOTHING)
		return true;
	return (s->source == FROM_GENERATION || s->source == FROM_NEWER) &&
	       (s->log_ended || s->d->cfg.told > 0);
}

/*
 * Whether data.mdb is one that was there before: somebody has put an old copy in its place, or the
 * disk has lost what it had written. One commit is no sign of that: a root that rots leads to the
 * one before it.
 */
static bool is_stale(const struct start *s)
{
	return s->source == FROM_NEWER || (s->source == FROM_DATA && s->missed > 1);
}

/* Logs without an end may lack as much as data.mdb did: then nobody knows what was behind them. */
static int note_stale(struct start *s, struct disk_env *e)
{
	bool all = s->log_ended || s->d->cfg.told > 0;
	const struct disk_lost stale = {
		.rev = all ? s->found : s->applied, .time_ns = s->time_ns, .path = "/",
		.path_len = 1, .loss = all ? DISK_STALE : DISK_UNKNOWN,
	};

	log_errorx("%s was of revision %" PRIu64 ", where there had been %" PRIu64
		   " already: an old copy has been put there, or the disk has lost what was written",
		   s->d->path, s->found, s->known);
	return note_loss(e, &stale);
}

/* The files themselves could be read no further than this: record by record. */
static int take_what_is_left(struct start *s, struct disk_env *e)
{
	struct disk_salvage salvage = {
		.path = s->d->path, .map_size = s->d->cfg.map_size, .into = e,
		.each = on_loss, .arg = e, .time_ns = s->time_ns,
	};
	const struct disk_lost unknown = {
		.rev = s->applied, .time_ns = s->time_ns, .path = "/", .path_len = 1,
		.loss = DISK_UNKNOWN,
	};
	int ret = 0;

	if (s->source == FROM_GENERATION || s->source == FROM_RUINS)
		ret = disk_salvage(&salvage);
	if (ret < 0)
		return ret;
	/*
	 * No revision is ever there twice. Of a store that is live still, though, the changes that
	 * are missing here have to be seen to be missing.
	 */
	if (e->head.applied < s->known && s->d->cfg.told == 0)
		e->head.applied = s->known;
	e->head.horizon = e->head.applied;
	return salvage.complete ? 0 : note_loss(e, &unknown);
}

/* There was a state of each revision that a log or generation is named by. */
int disk_start_names(struct start *s, uint64_t *newest)
{
	uint64_t base;
	int ret = disk_log_newest(s->d->store_dir, s->id, &base);

	if (ret == 0)
		ret = generation_newest(s->d, newest);
	s->known = base > *newest ? base : *newest;
	return ret;
}

static int add_what_came_later(struct start *s, struct disk_env *e)
{
	struct tail t = { .e = e };
	struct disk_facts facts;
	uint64_t newest;
	int ret = disk_env_begin(e, true);

	if (ret < 0)
		return ret;
	if (s->source == FROM_DATA) {
		s->found = e->kept.applied;
		memcpy(s->id, e->id, DISK_ID);
		disk_start_foreign(s, s->found);
	}
	ret = disk_start_give_id(s, e);
	memcpy(s->id, e->id, DISK_ID);
	disk_start_foreign_logs(s);
	if (ret == 0)
		ret = disk_log_replay(s->d->store_dir, s->id, apply_logged, &t, &s->log_ended);
	if (ret == 0)
		ret = disk_start_names(s, &newest);
	if (ret < 0)
		return ret;
	s->known = t.last > s->known ? t.last : s->known;
	s->missed = t.missed;
	if (s->source == FROM_DATA && e->head.applied < newest && !s->no_newer)
		return -ESTALE;
	if (s->source != FROM_DATA &&
	    disk_look(s->d->path, s->d->cfg.map_size, &facts) == 0 && facts.applied > s->known)
		s->known = facts.applied;
	s->applied = e->head.applied;
	if (!is_complete(s))
		ret = take_what_is_left(s, e);
	else if (is_stale(s))
		ret = note_stale(s, e);
	s->applied = e->head.applied;
	s->d->degraded = e->head.count[DISK_LOSS] > 0;
	return ret < 0 ? ret : disk_env_commit(e);
}

int disk_start_complete(struct start *s)
{
	struct disk_env e;
	int ret = disk_env_open(&e, s->to, s->d->cfg.map_size, DISK_AMEND);

	if (ret == 0)
		ret = add_what_came_later(s, &e);
	if (ret == 0 && s->synced)
		ret = disk_env_sync(&e);
	disk_env_close(&e);
	return ret;
}
