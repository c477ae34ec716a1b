/* SPDX-License-Identifier: MIT */
/* linear.c - see linear.h. */
#include "linear.h"

#include <stdlib.h>
#include <string.h>

#define WORDS (LINEAR_OPS / 64)

struct state {
	uint16_t value[LINEAR_KEYS];
};

/* What has been placed so far, and the store then. */
struct tried {
	uint64_t placed[WORDS];
	struct state state;
	bool used;
};

/* One end of an operation, in the list of those not yet placed. */
struct event {
	struct event *next, *prev;
	struct event *match;	/* of a beginning: its end; of an end: NULL */
	unsigned int op, at;
};

struct placed {
	struct event *event;
	struct state before;
	bool skipped;		/* an unknown one, taken as not done */
};

struct search {
	const struct linear_op *op;
	unsigned int nr;
	struct event event[2 * LINEAR_OPS], head;
	struct placed stack[LINEAR_OPS];
	unsigned int depth;
	struct tried now, *seen;
	size_t nr_seen, cap;
};

/* Whether the answers fit @s; then *@s is the state behind it. */
static bool take_step(struct state *s, const struct linear_step *step, bool unknown)
{
	uint16_t there = 0;

	switch (step->kind) {
	case LINEAR_READ:
		return unknown || s->value[step->key] == step->value;
	case LINEAR_WRITE:
		s->value[step->key] = step->value;
		return true;
	case LINEAR_RM:
		s->value[step->key] = LINEAR_ABSENT;
		return true;
	case LINEAR_LIST:
		for (unsigned int i = 0; i < LINEAR_KEYS; i++)
			there |= (uint16_t)((s->value[i] != LINEAR_ABSENT) << i);
		return unknown || there == step->value;
	}
	return false;
}

static bool take(struct state *s, const struct linear_op *op)
{
	for (unsigned int i = 0; i < op->nr; i++) {
		if (!take_step(s, &op->step[i], op->unknown))
			return false;
	}
	return true;
}

static uint64_t hash_of(const struct tried *t)
{
	uint64_t h = 0xcbf29ce484222325ull;
	const unsigned char *p = (const unsigned char *)t;

	for (size_t i = 0; i < offsetof(struct tried, used); i++)
		h = (h ^ p[i]) * 0x100000001b3ull;
	return h ^ h >> 29;
}

static struct tried *slot_of(struct search *s, const struct tried *t)
{
	size_t i = hash_of(t) & (s->cap - 1);

	while (s->seen[i].used && memcmp(&s->seen[i], t, offsetof(struct tried, used)) != 0)
		i = (i + 1) & (s->cap - 1);
	return &s->seen[i];
}

static void grow(struct search *s)
{
	struct tried *old = s->seen;
	size_t nr_old = s->cap;

	s->cap = nr_old ? nr_old * 2 : 1024;
	s->seen = calloc(s->cap, sizeof(*s->seen));
	if (!s->seen)
		abort();
	for (size_t i = 0; i < nr_old; i++) {
		if (old[i].used)
			*slot_of(s, &old[i]) = old[i];
	}
	free(old);
}

/* Whether this is new. */
static bool remember(struct search *s)
{
	struct tried *t;

	if (2 * s->nr_seen >= s->cap)
		grow(s);
	t = slot_of(s, &s->now);
	if (t->used)
		return false;
	*t = s->now;
	t->used = true;
	s->nr_seen++;
	return true;
}

static void unlink_event(struct event *e)
{
	e->prev->next = e->next;
	if (e->next)
		e->next->prev = e->prev;
}

static void relink_event(struct event *e)
{
	e->prev->next = e;
	if (e->next)
		e->next->prev = e;
}

static void mark(struct search *s, unsigned int op, bool on)
{
	if (on)
		s->now.placed[op / 64] |= 1ull << op % 64;
	else
		s->now.placed[op / 64] &= ~(1ull << op % 64);
}

/* Places the operation that begins at @e next, unless that leads where we were. */
static bool place(struct search *s, struct event *e, bool skip)
{
	struct state before = s->now.state;

	if (!skip && !take(&s->now.state, &s->op[e->op])) {
		s->now.state = before;
		return false;
	}
	mark(s, e->op, true);
	if (!remember(s)) {
		mark(s, e->op, false);
		s->now.state = before;
		return false;
	}
	s->stack[s->depth++] = (struct placed){ e, before, skip };
	unlink_event(e);
	unlink_event(e->match);
	return true;
}

/* Takes the last one back. Returns where to go on; @skip: with it, but as not done. */
static struct event *take_back(struct search *s, bool *skip)
{
	struct placed *p = &s->stack[--s->depth];
	struct event *e = p->event;

	relink_event(e->match);
	relink_event(e);
	mark(s, e->op, false);
	s->now.state = p->before;
	*skip = s->op[e->op].unknown && !p->skipped;
	return *skip ? e : e->next;
}

static int by_moment(const void *pa, const void *pb)
{
	const struct event *a = pa, *b = pb;

	return (a->at > b->at) - (a->at < b->at);
}

static void list_events(struct search *s)
{
	struct event *ends[LINEAR_OPS], *begins[LINEAR_OPS], *last = &s->head;

	for (unsigned int i = 0; i < s->nr; i++) {
		s->event[2 * i] = (struct event){ .op = i, .at = s->op[i].begin };
		s->event[2 * i + 1] = (struct event){ .op = i, .at = s->op[i].end };
	}
	qsort(s->event, 2 * s->nr, sizeof(s->event[0]), by_moment);
	for (unsigned int i = 0; i < 2 * s->nr; i++) {
		struct event *e = &s->event[i];

		if (e->at == s->op[e->op].begin)
			begins[e->op] = e;
		else
			ends[e->op] = e;
		e->prev = last;
		last->next = e;
		last = e;
	}
	for (unsigned int i = 0; i < s->nr; i++)
		begins[i]->match = ends[i];
}

static bool search(struct search *s)
{
	struct event *e = s->head.next;
	bool skip = false;

	while (s->head.next) {
		bool placed = e && e->match && place(s, e, skip);

		/*
		 * What may be tried both ways is tried as not done as well, here and in its turn.
		 */
		if (!placed && e && e->match && !skip && s->op[e->op].unknown)
			placed = place(s, e, true);
		skip = false;
		if (placed) {
			e = s->head.next;
		} else if (e && e->match) {
			e = e->next;
		} else {
			/* An answer came, and nothing before it can be placed any more. */
			if (s->depth == 0)
				return false;
			e = take_back(s, &skip);
		}
	}
	return true;
}

bool linear_check(const struct linear_op *op, unsigned int nr)
{
	struct search *s = calloc(1, sizeof(*s));
	bool good;

	if (!s || nr > LINEAR_OPS)
		abort();
	s->op = op;
	s->nr = nr;
	list_events(s);
	good = search(s);
	free(s->seen);
	free(s);
	return good;
}
