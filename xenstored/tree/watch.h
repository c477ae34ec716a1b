/* SPDX-License-Identifier: MIT */
/*
 * watch.h - watches, found by the path they are on; events, sent after the reply.
 *
 * A watch belongs to its connection's list; the table by path is derived and left by the same
 * destructor (rule C5). An event for a changed path is looked up at each of its ancestors: the
 * cost does not depend on how many watches there are elsewhere. Changes are collected while a
 * request is carried out and turned into events when its reply is queued (watch_fire_collected).
 */
#ifndef XENSTORED_WATCH_H
#define XENSTORED_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "perms.h"
#include "xs_path.h"

struct conn;
struct server;

#define WATCH_DEPTH_ANY 0xffffffffu

struct watch_path;

struct watch {
	struct watch *next, *prev;		/* of the connection, oldest first */
	struct watch *path_next, *path_prev;	/* on the same path */
	struct watch_path *on;
	struct conn *conn;
	uint64_t id;		/* key of a ring's watch in the store */
	uint32_t depth;		/* how far below the path changes count */
	uint16_t strip;		/* bytes cut off event paths, for relative watches */
	uint16_t token_len;
	char token[];		/* NUL-terminated */
};

/* All watches on one path. */
struct watch_path {
	struct watch_path *hash_next;
	struct watch *first, *last;
	uint32_t hash;
	uint32_t len;
	char path[];		/* NUL-terminated */
};

struct watch_table {
	struct watch_path **bucket;
	size_t nr_buckets;	/* power of two */
	size_t nr_paths;
	size_t nr_watches;
	uint64_t next_id;
	bool events_lost;	/* no memory for one: see watch_make_up() */
};

/* One change waiting for its events. */
struct fire {
	size_t path_at;		/* in the collection's bytes, NUL-terminated */
	size_t path_len;
	struct perms *before, *after;	/* who could read it; either may be NULL */
	unsigned int domid;	/* for "@" events: whom it is about */
	bool exact;		/* only watches on this very path, not on its ancestors */
};

struct fire_list {
	struct fire *e;
	size_t nr, cap;
	struct buf paths;
};

int watch_table_init(struct watch_table *t);
void watch_table_fini(struct watch_table *t);
void fire_list_fini(struct fire_list *l);

/*
 * Registers a watch. @path is canonical; @strip says how much of it the client did not write;
 * @id is 0 for a new one. Quota is the caller's. Returns 0, -EEXIST (same path and token),
 * -ENOMEM.
 */
int watch_add(struct server *srv, struct conn *conn, const struct xs_path *path, uint16_t strip,
	      const char *token, uint32_t depth, uint64_t id, struct watch **out);

/* The watch of @conn on @path with @token, or NULL. */
struct watch *watch_find(struct server *srv, struct conn *conn, const struct xs_path *path,
			 const char *token);
void watch_remove(struct server *srv, struct watch *w);
void watch_remove_all(struct server *srv, struct conn *conn);

/*
 * Notes that the node at @path changed. @before and @after (either may be NULL) are its
 * permissions on both sides of the change; references are taken. @exact: see struct fire.
 */
void watch_note(struct server *srv, const char *path, size_t len, struct perms *before,
		struct perms *after, bool exact);
/* Notes "@introduceDomain" or "@releaseDomain" about @domid. */
void watch_note_special(struct server *srv, const char *name, unsigned int domid);

/*
 * Each watch on what @is_one says fires once, whether or not the node is there: what it is has
 * become another one behind the client's back.
 */
void watch_fire_all(struct server *srv, bool (*is_one)(const char *path, size_t len));
/* Queues the events of everything noted so far, and forgets it. */
void watch_fire_collected(struct server *srv);

/* Queues the event that a new watch gets at once, or a restored one after a restart. */
void watch_fire_first(struct server *srv, struct watch *w);

/*
 * Fires every watch once, as after a restart, when an event was lost for want of memory: which
 * one it was, nobody knows any more. Called every second.
 */
void watch_make_up(struct server *srv);

#endif
