/* SPDX-License-Identifier: MIT */
/*
 * refstore.h - the store as plainly as it can be said: a flat list of nodes, linear searches,
 * strings for permissions. The oracle of the model test; shares no code with the daemon.
 */
#ifndef REFSTORE_H
#define REFSTORE_H

#include <stdbool.h>
#include <stdint.h>

#define REF_PATH 64
#define REF_VALUE 32
#define REF_PERMS 64
#define REF_NODES 400
#define REF_TXNS 8
#define REF_CLIENTS 6
#define REF_WATCHES 40
#define REF_EVENTS 4000

struct ref_node {
	char path[REF_PATH];
	char value[REF_VALUE];
	char perms[REF_PERMS];	/* "n0 r1" */
	unsigned long id;	/* order of creation */
	unsigned long version;	/* of the value */
	unsigned long children;	/* version of the set of children */
};

enum ref_state { REF_SEEN, REF_WRITTEN, REF_CREATED, REF_DELETED };

/* What a transaction knows of one path. */
/* Room for the names of all children, each ended by a space. */
#define REF_NAMES 256

struct ref_touch {
	char path[REF_PATH];
	struct ref_node base;	/* base.id 0: was not there */
	struct ref_node now;
	enum ref_state state;
	bool seen_exist, seen_value, seen_perms, seen_children;
	bool new_value, new_perms, fire;
	unsigned long made;	/* order of changes, 0: none */
	bool listed;			/* names: the children when it was first listed */
	char names[REF_NAMES];
};

struct ref_txn {
	bool open;
	int client;
	struct ref_touch touch[REF_NODES];
	int nr;
	unsigned long made;
};

struct ref_event {
	int client;
	char path[REF_PATH];
	char token[16];
};

struct ref_watch {
	int client;		/* -1: free */
	char path[REF_PATH];
	char token[16];
	int depth;		/* -1: any */
};

struct ref {
	struct ref_node node[REF_NODES];
	int nr;
	unsigned long next_id, version;
	struct ref_txn txn[REF_TXNS];
	struct ref_watch watch[REF_WATCHES];
	struct ref_event event[REF_EVENTS];	/* of the last operation */
	int nr_events;
	int domid[REF_CLIENTS];
};

void ref_init(struct ref *r);

/* All answer 0 or an errno value; @t is -1 outside transactions. Paths are legal and absolute. */
int ref_read(struct ref *r, int c, int t, const char *path, char *value);
int ref_write(struct ref *r, int c, int t, const char *path, const char *value);
int ref_mkdir(struct ref *r, int c, int t, const char *path);
int ref_rm(struct ref *r, int c, int t, const char *path);
int ref_ls(struct ref *r, int c, int t, const char *path, char *names);
int ref_getp(struct ref *r, int c, int t, const char *path, char *perms);
int ref_setp(struct ref *r, int c, int t, const char *path, const char *perms);
int ref_watch_add(struct ref *r, int c, const char *path, const char *token, int depth);
int ref_unwatch(struct ref *r, int c, const char *path, const char *token);
void ref_reset(struct ref *r, int c);
int ref_begin(struct ref *r, int c);	/* number of the transaction */
int ref_end(struct ref *r, int t, bool commit);

#endif
