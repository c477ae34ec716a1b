/* SPDX-License-Identifier: MIT */
/* event_queue.c - waiting events, each (watch, path) once (rule C8). No lock. */
#include "event_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 64

static uint32_t event_hash(const struct watch *w, const char *path, size_t len)
{
	uint32_t h = (uint32_t)((uintptr_t)w >> 4);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)path[i]) * 0x01000193u;
	return h ^ h >> 16;
}

static void rehash(struct event_queue *q, size_t nr)
{
	struct queued_event **bucket = calloc(nr, sizeof(*bucket));

	if (!bucket)
		return;
	for (struct queued_event *e = q->first; e; e = e->next) {
		e->hash_next = bucket[e->hash & (nr - 1)];
		bucket[e->hash & (nr - 1)] = e;
	}
	free(q->bucket);
	q->bucket = bucket;
	q->nr_buckets = nr;
}

int event_queue_add(struct event_queue *q, struct watch *w, const char *path, size_t len)
{
	uint32_t hash = event_hash(w, path, len);
	struct queued_event *e;

	if (q->nr >= q->nr_buckets)
		rehash(q, q->nr_buckets ? q->nr_buckets * 2 : FIRST_BUCKETS);
	if (q->nr_buckets == 0)
		return -ENOMEM;
	for (e = q->bucket[hash & (q->nr_buckets - 1)]; e; e = e->hash_next) {
		if (e->hash == hash && e->watch == w && e->len == len &&
		    memcmp(e->path, path, len) == 0)
			return 0;
	}
	e = malloc(sizeof(*e) + len + 1);
	if (!e)
		return -ENOMEM;
	e->watch = w;
	e->hash = hash;
	e->len = (uint32_t)len;
	memcpy(e->path, path, len);
	e->path[len] = '\0';
	e->hash_next = q->bucket[hash & (q->nr_buckets - 1)];
	q->bucket[hash & (q->nr_buckets - 1)] = e;
	e->next = NULL;
	e->prev = q->last;
	if (q->last)
		q->last->next = e;
	else
		q->first = e;
	q->last = e;
	q->nr++;
	q->bytes += sizeof(*e) + len + 1;
	return 1;
}

static void event_unlink(struct event_queue *q, struct queued_event *e)
{
	struct queued_event **at = &q->bucket[e->hash & (q->nr_buckets - 1)];

	while (*at != e)
		at = &(*at)->hash_next;
	*at = e->hash_next;
	if (e->prev)
		e->prev->next = e->next;
	else
		q->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		q->last = e->prev;
	q->nr--;
	q->bytes -= sizeof(*e) + e->len + 1;
	if (q->nr == 0) {
		free(q->bucket);
		q->bucket = NULL;
		q->nr_buckets = 0;
	}
}

struct queued_event *event_queue_take(struct event_queue *q)
{
	struct queued_event *e = q->first;

	if (e)
		event_unlink(q, e);
	return e;
}

void event_queue_forget(struct event_queue *q, const struct watch *w)
{
	struct queued_event *next;

	for (struct queued_event *e = q->first; e; e = next) {
		next = e->next;
		if (e->watch == w) {
			event_unlink(q, e);
			free(e);
		}
	}
}

void event_queue_fini(struct event_queue *q)
{
	struct queued_event *e;

	while ((e = event_queue_take(q)))
		free(e);
}
