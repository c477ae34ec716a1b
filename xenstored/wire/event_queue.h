/* SPDX-License-Identifier: MIT */
/*
 * event_queue.h - events that wait because their client does not read: each (watch, path) once.
 * Owns copies of the paths; the watches belong to the connection. Bounded by the caller.
 */
#ifndef XENSTORED_EVENT_QUEUE_H
#define XENSTORED_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch;

struct queued_event {
	struct queued_event *next, *prev;
	struct queued_event *hash_next;
	struct watch *watch;
	uint32_t hash;
	uint32_t len;
	char path[];		/* NUL-terminated */
};

struct event_queue {
	struct queued_event *first, *last;
	struct queued_event **bucket;
	size_t nr_buckets;	/* power of two, or 0 */
	size_t nr;
	size_t bytes;
};

/* Adds an event unless the same one waits. Returns 1 when added, 0 when merged, -ENOMEM. */
int event_queue_add(struct event_queue *q, struct watch *w, const char *path, size_t len);
/* Removes the first event; the caller frees it. NULL: empty. */
struct queued_event *event_queue_take(struct event_queue *q);
void event_queue_forget(struct event_queue *q, const struct watch *w);
void event_queue_fini(struct event_queue *q);

#endif
