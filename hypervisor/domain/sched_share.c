/* SPDX-License-Identifier: MIT */
/*
 * sched_share.c - dividing CPU time by weight, as water fills vessels: the level, time for each
 * unit of weight, rises until somebody is full, or a set of CPUs has no more to give; for those it
 * stops there, for the others it goes on.
 *
 * Owns the sets of CPUs seen in one round. Lock: the hypervisor's.
 */
#include "domain/sched_share.h"

/* Sets of CPUs that count: more than that, and those pinned to the last may get less time. */
#define NR_SETS 65
#define LEVEL_SHIFT 16 /* a level is a fraction of this many bits */
#define LEVEL_MAX INT64_MAX

static struct {
	u64 cpus;
	s64 left;   /* ns still to be given */
	s64 weight; /* of those who may run only there and want more */
} sets[NR_SETS];
static unsigned int nr_sets;

static bool is_part(u64 of, u64 cpus)
{
	return !(cpus & ~of);
}

static unsigned int count(u64 cpus)
{
	unsigned int nr = 0;

	for (; cpus; cpus &= cpus - 1)
		nr++;
	return nr;
}

static void set_add(u64 cpus, s64 elapsed)
{
	for (unsigned int i = 0; i < nr_sets; i++)
		if (sets[i].cpus == cpus)
			return;
	if (nr_sets == NR_SETS)
		return;
	sets[nr_sets].cpus = cpus;
	sets[nr_sets].left = elapsed * count(cpus);
	sets[nr_sets++].weight = 0;
}

static s64 level_of(s64 ns, s64 weight)
{
	return weight ? MAX(ns, 0) * (1LL << LEVEL_SHIFT) / weight : LEVEL_MAX;
}

/* @s has what it gets: out of the sets' accounts. */
static void settle(struct share *s, s64 ns)
{
	s->got = ns;
	for (unsigned int i = 0; i < nr_sets; i++) {
		if (!is_part(sets[i].cpus, s->cpus))
			continue;
		sets[i].left -= ns;
		sets[i].weight -= s->weight;
	}
}

/* The set that has no more to give first. */
static unsigned int scarcest(void)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < nr_sets; i++)
		if (level_of(sets[i].left, sets[i].weight) <
		    level_of(sets[best].left, sets[best].weight))
			best = i;
	return best;
}

/* All who are full before the water stands at @level; false: nobody. */
static bool settle_sated(struct share *first, s64 level)
{
	bool any = false;

	for (struct share *s = first; s; s = s->next) {
		if (s->got >= 0 || level_of(s->limit, s->weight) > level)
			continue;
		s->is_sated = any = true;
		settle(s, s->limit);
	}
	return any;
}

void shares_divide(struct share *first, u64 cpus, s64 elapsed)
{
	nr_sets = 0;
	set_add(cpus, elapsed);
	for (struct share *s = first; s; s = s->next) {
		s->cpus &= cpus;
		s->got = -1;
		s->is_sated = false;
		set_add(s->cpus, elapsed);
	}
	for (struct share *s = first; s; s = s->next)
		for (unsigned int i = 0; i < nr_sets; i++)
			sets[i].weight += is_part(sets[i].cpus, s->cpus) ? s->weight : 0;

	/* the machine's own set holds everybody: while it has weight, somebody is not settled */
	while (sets[0].weight) {
		unsigned int at = scarcest();
		u64 where = sets[at].cpus;
		s64 level = level_of(sets[at].left, sets[at].weight);

		if (settle_sated(first, level))
			continue;
		for (struct share *s = first; s; s = s->next)
			if (s->got < 0 && is_part(where, s->cpus))
				settle(s, level * s->weight >> LEVEL_SHIFT);
	}
}
