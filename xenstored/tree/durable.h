/* SPDX-License-Identifier: MIT */
/*
 * durable.h - the daemon's side of the persistent part: what the disk is still to have, how far it
 * is, and what is asked of it. The other side is the worker process (storage/worker.h).
 *
 * The live environment is the truth. Changes of the persistent part are queued there in the commit
 * that makes them; their replies are held until the worker says that the disk has them. Nothing
 * here waits for the disk but durable_up() at the first start of a boot, lasting_settle() when
 * something else is to last than before, and durable_down().
 */
#ifndef XENSTORED_DURABLE_H
#define XENSTORED_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "worker.h"
#include "loop.h"

struct change_need;
struct conn;
struct node;
struct question;
struct server;

/* Whether what is to last has been brought together with what the disk has (lasting.h). */
enum durable_settling {
	SETTLED,
	SETTLE_NOTE,		/* it is all the disk's once that has come: to be written down */
	SETTLE_FETCH,		/* what was left there is to come, then the disk gets all anew */
};

struct durable {
	bool off;		/* in-memory: nothing is kept, nobody waits */
	uint64_t rev;		/* all persistent changes up to it are on the disk */
	uint64_t last;		/* the last revision that has any */
	uint64_t now, prev;	/* the one being made, and the one with changes before it */
	uint32_t index;		/* changes in it so far */
	uint64_t told;		/* the worker knows that there is something up to here */
	size_t nr_queued, bytes_queued;
	uint64_t trim;		/* what is up to here can leave the queue; 0: done */
	struct disk_room room;
	int refused;		/* why the disk takes nothing, negative errno; 0: it does */
	uint64_t refused_since_ns;
	unsigned int not_served;	/* paths on the disk that are not to last any more */
	bool degraded;		/* something was lost that nobody has said he knows of */
	bool loading;		/* the nodes are still to come: the part is not served yet */
	bool fetching;		/* what was left there of what lasts again is coming */
	enum durable_settling settling;
	uint64_t settle_again_ns;	/* after what failed; 0: it is under way, or waits for the disk */
	bool known;		/* they have come once in this boot: its domains are named there */
	int load_err;		/* why one of those that have come could not be taken in */
	uint64_t load_again_ns;	/* when to ask for them again; 0: they have been asked for */
	bool foreign;		/* the disk is another store's: nothing is to be written there */
	bool ready;		/* the worker has opened the disk's environment */
	pid_t pid;
	struct loop_fd io;	/* fd -1: no worker */
	unsigned int deaths;
	uint64_t first_death_ns;
	uint64_t retry_ns;	/* when to start a worker again; 0: not to */
	struct question *questions;
	uint32_t next_id;
	uint64_t room_asked, room_answered;	/* requests for more room, in order */
	uint64_t room_void;	/* those up to it were a worker's that has died */
	bool room_lacked;	/* somebody was refused for want of it since it was asked for last */
};

/*
 * Starts the worker. @load: the live environment is new, the nodes are to come from the disk: waits
 * for them, but not longer than the disk is silent for some seconds; they are taken in when they
 * come, and until then the persistent part is refused. 0 or -ENOMEM.
 */
int durable_up(struct server *srv, bool load);
/* To be called once the event loop exists. */
int durable_listen(struct server *srv);
/* Before durable_down(): the worker is to write nothing more. */
void durable_kill(struct server *srv);
/* Waits for what is queued, at most three seconds; what is left stays in the live environment. */
void durable_down(struct server *srv);
/* The end of a turn, after its commit. */
void durable_turn(struct server *srv);
/* Once a second. */
void durable_tick(struct server *srv);

/* Whether a persistent change can be accepted. 0; -ENOSPC: no room on the disk; -EROFS, -EIO. */
int durable_room(struct server *srv, const struct change_need *need);
/*
 * The request under way of @c has been refused: true if it lacked room on the disk and the worker
 * has been asked for it: it is parked, tries again when the answer is there, asks again if others
 * have taken it meanwhile, and is refused if the disk has not got it. Called where it ends, before
 * it has changed anything.
 */
bool durable_await_room(struct conn *c);
/* The disk is to have the node as it is now; or the node at @path, and all below, is to go. */
void durable_put(struct server *srv, const char *path, size_t len, const struct node *n);
void durable_remove(struct server *srv, const char *path, size_t len);
/*
 * The request under way asks for what is there, or gone, since revision @rev: its reply waits as
 * long as that of who has made it so.
 */
void durable_had(struct server *srv, uint64_t rev);
/* The revision that is about to be complete, if it has persistent changes, else 0. */
uint64_t durable_published(struct server *srv);

/*
 * Asks the worker (worker.h: questions) on behalf of the request under way of @c. -EINPROGRESS:
 * the request is parked until the answer is there, then it asks again and gets it: 0 with all parts
 * of the answer in *@out, or the error. -ENOSYS: nothing is kept; -EIO: there is no worker.
 */
int durable_ask(struct conn *c, const char *const *word, unsigned int nr, struct buf *out);
/* The same, of the list of what was lost: nobody needs it any more. */
int durable_lost_known(struct conn *c);
/* The connection goes. */
void durable_forget(struct conn *c);

#endif
