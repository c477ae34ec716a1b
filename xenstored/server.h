/* SPDX-License-Identifier: MIT */
/*
 * server.h - the daemon's whole state, passed to everything; its event loop.
 *
 * Single-threaded: whatever runs, runs to its end between two turns of the loop.
 */
#ifndef XENSTORED_SERVER_H
#define XENSTORED_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bond.h"
#include "domain.h"
#include "durable.h"
#include "loop.h"
#include "ops_state.h"
#include "people.h"
#include "quota.h"
#include "tree.h"
#include "turns.h"
#include "watch.h"
#include "wire.h"
#include "xs_wire.h"

struct conn;
struct hv;
struct store;

struct server_config {
	const char *run_dir;		/* live environment, socket */
	const char *state_dir;		/* disk environment */
	const char *socket_path;
	const char *ro_socket_path;	/* NULL: no read-only socket */
	const char *trace_path;		/* -T: NULL: none */
	const char *log_path;
	size_t map_size;		/* limit of the persistent part, bytes; 0: default */
	bool in_memory;			/* tests: keep nothing on any disk */
	bool no_domain_init;		/* -D */
	bool verbose;
	bool restart;			/* started again by live update */
	int live_fd;			/* listening socket inherited by live update, or -1 */
	uid_t uid;			/* to become after start; 0: stay */
	gid_t gid;
	gid_t socket_gid;		/* who may use the socket, too; 0: nobody */
	struct rights others;		/* of people without a row in the table */
	unsigned int people_conns;	/* PEOPLE_CONNS_ALL, or as the descriptors allow; 0: no limit */
};

struct op_stats {
	uint64_t count, errors;
	uint64_t time_ns, worst_ns;
};

struct server_stats {
	struct op_stats op[XS_WIRE_OP_NR];
	uint64_t unknown_ops;
	uint64_t events, events_merged;
	uint64_t conflicts, commits;
	uint64_t conns_accepted, conns_dropped;
	uint64_t start_ns;
};

struct server {
	struct server_config cfg;
	struct loop *loop;
	struct hv *hv;

	struct tree tree;
	struct domains domains;
	struct watch_table watches;
	struct fire_list fires;
	struct quotas quotas;

	struct wire wire;
	struct ops_state ops;

	struct durable durable;
	bool serving;			/* the event loop is running */
	bool rights_stale;		/* the table of people was changed: people.h */
	bool restarted;			/* this boot had a daemon before */
	int state_lock, run_lock;
	struct loop_fd state_asked;	/* own_dir.c: of a disk that has not answered; or fd -1 */

	struct loop_fd hv_events, tick, signals;
	bool keep_rings;		/* going down for a restart: records stay */

	struct turns turns;
	struct bonds bonds;
	struct server_stats stats;
	bool stop;
	bool want_live_update;
	int successor;			/* program to go on as: successor.h; -1: the same */
	int live_fd;
};

/* Monotonic nanoseconds. */
uint64_t now_ns(void);

/*
 * All but the live environment, which cfg->in_memory makes a private one; @hv is kept. Returns 0 or
 * -ENOMEM.
 */
int server_init(struct server *srv, const struct server_config *cfg, struct hv *hv);
/*
 * Gives the server its live environment, with all that is in it. @damaged: not all of it is there
 * any more; the persistent part is taken out, for the disk has it whole. 0; -ENOMEM, -ENOSPC.
 */
int server_take_store(struct server *srv, struct store *store, bool damaged);
void server_fini(struct server *srv);
/*
 * Instead of server_fini() before another program takes the place of this one: does what the end
 * of a process does not do by itself. Freeing 100,000 nodes one by one would keep clients waiting.
 */
void server_leave(struct server *srv);

/* Makes "/" if it is not there. 0 or -ENOMEM. */
int server_root(struct server *srv);
/* Creates "/", "/tool/xenstored", the "@" nodes and the persistent roots where missing. */
int server_standard_nodes(struct server *srv);

/*
 * Ends the revision that the changes collected so far belong to. Returns it when it has to be on
 * the disk before anybody may be told, else 0. The commit comes with the end of the turn.
 */
uint64_t server_publish(struct server *srv);

/* The end of a callback that carried out requests: flush, try again, free the dead. */
void server_turn(struct server *srv);

/* Sets a limit, of @d or (NULL) the global one, for good. 0 or -ENOSPC. */
int server_set_quota(struct server *srv, struct domain *d, enum quota_kind kind, uint64_t value);

/* Serves until stopped by a signal. Returns 0, or 1 when live update is to follow. */
int server_run(struct server *srv);

#endif
