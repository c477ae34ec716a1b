/* SPDX-License-Identifier: MIT */
/*
 * long_join.c - several READs, one value: what a mark stands for. Anybody may write a mark, so the
 * first part is read before the others are asked for, a part that is not as it has to be ends it,
 * and only so many requests and joins are under way at once, whatever the marks say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_part.h"
#include "store.h"

#define REQUESTS 32 /* of a join, under way at once */
#define JOINS 8	    /* that nobody waits for, under way at once */

struct part {
	struct join *j;
	char *data;
	size_t len;
};

struct join {
	struct join *next; /* of those that have not begun */
	xs_done_fn *fn;	   /* NULL: somebody waits */
	void *arg;
	char *path, *raw;
	size_t raw_len;
	uint32_t tx;
	struct long_mark mark;
	int rc;
	size_t asked, answered; /* parts */
	struct part *part;	/* from its begin on */
	char *whole;		/* at its end; NULL: there is none */
};

/* One thread, one store. */
static struct {
	struct join *first, **last;
	size_t nr; /* under way: those that have begun */
} joins = { .last = &joins.first };

static void set_raw(struct join *j, const char *raw, size_t len)
{
	free(j->raw);
	j->raw = must(malloc(len + 1));
	memcpy(j->raw, raw, len);
	j->raw[len] = '\0';
	j->raw_len = len;
}

static struct join *join_create(uint32_t tx, const char *path, const char *raw, size_t len)
{
	struct join *j = must(calloc(1, sizeof(*j)));

	*j = (struct join){ .path = must(strdup(path)), .tx = tx };
	set_raw(j, raw, len);
	return j;
}

static void join_free(struct join *j)
{
	for (size_t i = 0; i < j->asked; i++)
		free(j->part[i].data);
	free(j->part);
	free(j->whole);
	free(j->path);
	free(j->raw);
	free(j);
}

/* The whole, malloc'd, or NULL. */
static char *whole_of(const struct join *j)
{
	char *whole;
	size_t at = 0;

	if (j->rc)
		return NULL;
	whole = must(malloc(j->mark.len + 1));
	for (size_t i = 0; i < j->mark.nr_parts; i++) {
		memcpy(whole + at, j->part[i].data, j->part[i].len);
		at += j->part[i].len;
	}
	whole[at] = '\0';
	if (long_is_whole(&j->mark, whole, at))
		return whole;
	free(whole);
	return NULL;
}

static void begin_some(void);

/* Its caller has been told. */
static void join_over(struct join *j)
{
	join_free(j);
	joins.nr--;
	begin_some();
}

/*
 * What was written over the mark meanwhile was told meanwhile, and must not be followed by what was
 * before; what is written from now on is told after this answer.
 */
static void looked_again(void *arg, int rc, const char *data, size_t len)
{
	struct join *j = arg;

	if (rc || len != j->raw_len || memcmp(data, j->raw, len) != 0)
		j->fn(j->arg, rc == -ECANCELED ? rc : -ESTALE, NULL, 0);
	else if (j->whole)
		j->fn(j->arg, 0, j->whole, j->mark.len);
	else
		j->fn(j->arg, 0, data, len); /* no mark of ours: a value like any other */
	join_over(j);
}

static void join_end(struct join *j)
{
	if (!j->fn)
		return; /* who waits takes it */
	j->whole = whole_of(j);
	if (j->rc != -ECANCELED &&
	    xs_submit_str(store(), XS_READ, 0, j->path, looked_again, j) == 0)
		return;
	j->fn(j->arg, j->rc == -ECANCELED ? j->rc : -ESTALE, NULL, 0);
	join_over(j);
}

/* All parts but the last have as many bytes. */
static size_t len_of_part(const struct join *j, size_t i)
{
	size_t size = long_part_size(j->path), left = j->mark.len - i * size;

	return left < size ? left : size;
}

static void ask(struct join *j);

static void got_part(void *arg, int rc, const char *data, size_t len)
{
	struct part *p = arg;
	struct join *j = p->j;

	j->answered++;
	if (!rc && len != len_of_part(j, (size_t)(p - j->part)))
		rc = -EINVAL;
	if (rc) {
		j->rc = j->rc == -ECANCELED ? j->rc : rc;
	} else {
		p->data = must(malloc(len + 1));
		memcpy(p->data, data, len);
		p->len = len;
	}
	ask(j);
}

/* For as many parts as may be under way; it is over when none is. */
static void ask(struct join *j)
{
	size_t most = j->answered ? REQUESTS : 1;
	char path[LONG_PATH_MAX + LONG_NAME_MAX + 1];

	while (!j->rc && j->asked < j->mark.nr_parts && j->asked - j->answered < most) {
		struct part *p = &j->part[j->asked];

		p->j = j;
		long_part_path(path, j->path, j->asked);
		j->rc = xs_submit_str(store(), XS_READ, j->tx, path, got_part, p);
		j->asked += j->rc == 0;
	}
	if (j->asked == j->answered)
		join_end(j);
}

static void join_begin(struct join *j)
{
	if (long_is_mark_of(j->path, j->raw, j->raw_len, &j->mark))
		j->part = must(calloc(j->mark.nr_parts, sizeof(*j->part)));
	else
		j->rc = -EINVAL;
	ask(j);
}

/* Not one inside the other: where the store is away, each is over as it begins. */
static void begin_some(void)
{
	static bool busy;

	if (busy)
		return;
	busy = true;
	while (joins.first && joins.nr < JOINS) {
		struct join *j = joins.first;

		joins.first = j->next;
		if (!joins.first)
			joins.last = &joins.first;
		joins.nr++;
		join_begin(j);
	}
	busy = false;
}

/* The one of @path and @fn that has not begun, or NULL. */
static struct join *waiting_at(const char *path, xs_done_fn *fn)
{
	struct join *j = joins.first;

	while (j && (j->fn != fn || strcmp(j->path, path) != 0))
		j = j->next;
	return j;
}

int long_submit_join(const char *path, const char *mark, size_t len, xs_done_fn *fn, void *arg)
{
	struct join *j = waiting_at(path, fn);

	if (j) {
		xs_done_fn *old_fn = j->fn;
		void *old_arg = j->arg;

		/* who writes all the time makes no queue of it */
		set_raw(j, mark, len);
		j->fn = fn;
		j->arg = arg;
		old_fn(old_arg, -ESTALE, NULL, 0);
		return 0;
	}
	j = join_create(0, path, mark, len);
	j->fn = fn;
	j->arg = arg;
	*joins.last = j;
	joins.last = &j->next;
	begin_some();
	return 0;
}

char *long_join(uint32_t tx, const char *path, const char *mark, size_t *len, int *rc)
{
	struct join *j;
	char *whole;

	*rc = 0;
	if (!long_is_mark_of(path, mark, *len, NULL))
		return NULL;
	j = join_create(tx, path, mark, *len);
	join_begin(j);
	xs_client_wait(store());
	whole = whole_of(j);
	if (whole)
		*len = j->mark.len;
	else
		*rc = j->rc == -EAGAIN ? -EAGAIN : 0;
	join_free(j);
	return whole;
}
