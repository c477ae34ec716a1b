/* SPDX-License-Identifier: MIT */
/*
 * keeper.h - the process that owns the two LMDB environments, and the daemon's side of it.
 *
 * The daemon publishes frames in the shared journal; the keeper applies them: full halves to the
 * runtime environment, frames with persistent records to the synced one, at once, as many as have
 * gathered in one commit (group commit). It is a process of its own because a disk may be slow,
 * and a damaged file may raise SIGBUS: neither must touch the daemon. It dies with the daemon.
 */
#ifndef XENSTORED_KEEPER_H
#define XENSTORED_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;
struct keeper;
struct server;

struct keeper_config {
	const char *run_dir, *state_dir;
	size_t runtime_size, persistent_size;	/* largest size of each environment, bytes */
	bool fresh;	/* a new boot: what the runtime environment has is void */
};

/* Which environment a loaded record comes from: JOURNAL_RUNTIME or JOURNAL_PERSISTENT. */
typedef int keeper_each(void *arg, unsigned int env, const void *key, size_t key_len,
			const void *value, size_t value_len);

/*
 * Starts the process, which first applies what the journal still has, and hands every record to
 * @each (unless NULL): first the runtime ones, each environment in key order.
 * 0; -EBADMSG: an environment is damaged (logged which); -ENOSPC, -EROFS, -EIO, -ENOMEM.
 */
int keeper_start(struct server *srv, const struct keeper_config *cfg, keeper_each *each,
		 void *arg);
/* Ends the process after what it is doing. */
void keeper_stop(struct server *srv);

/* Asks for everything persistent published so far to be synced; answers come by the loop. */
void keeper_sync(struct server *srv);

/* Waits until the keeper has nothing under way. */
void keeper_settle(struct server *srv);

/* The event loop's side: to be called once the loop exists. */
int keeper_listen(struct server *srv);

/* Tries again what the runtime environment refused for lack of space. */
void keeper_retry(struct server *srv);

/* Deals with answers that came while a request was being carried out. */
void keeper_turn(struct server *srv);

/*
 * Asks for a copy of the persistent environment as STATE-DIR/@name; the answer goes to the log.
 * 0, -EINVAL (not a plain name), -EBUSY.
 */
int keeper_snapshot(struct server *srv, const char *name);

/* Replaces the persistent environment's file by the snapshot @name, keeping the old file. */
int keeper_adopt_snapshot(const char *state_dir, const char *name);

#endif
