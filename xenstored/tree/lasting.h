/* SPDX-License-Identifier: MIT */
/*
 * lasting.h - which paths last: what is kept on the disk over a boot of the host, as the
 * administrator has it. /config and /history always do, unless they are made volatile.
 *
 * Set once, before anything is served; then only read. What lasts is the child of "/" and all
 * below it, less volatile parts of it: so that who removes a node knows all that goes on the disk.
 */
#ifndef XENSTORED_LASTING_H
#define XENSTORED_LASTING_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct server;

/*
 * @path lasts, too: a child of "/", or "/" for all children but those of the running machine
 * (/local, /vm, /libxl, /tool, /status, /request, /host). 0; -EINVAL: is no such path; -ENOSPC.
 */
int lasting_persist(const char *path);
/* @path, which is not "/", and what is below it do not last. As above. */
int lasting_volatile(const char *path);
/* Back to what it is when nothing is said (tests). */
void lasting_forget(void);

/* Whether the node with canonical path @path lasts. */
bool lasting_is(const char *path, size_t len);
/*
 * While something is fetched: whether it lasted before in this boot, or has been removed since that
 * was asked for. Then it was served, and what is not there now has been removed.
 */
bool lasting_was(const char *path, size_t len);
/*
 * While something is fetched: a client has removed @path, and what is below it; the disk may have
 * sent it before. 0; -ENOSPC, -ENOMEM: what comes from here on is not to be taken.
 */
int lasting_removed(const char *path, size_t len);
/*
 * Whether the disk may have the node at @path, or what is below it, though it does not last now: it
 * lasted by another rule of this boot, if only until that was settled, or was left there in an
 * earlier one. The disk hears of its removal: it must not come when it is to last again.
 */
bool lasting_may_be_kept(const char *path, size_t len);
/* While all comes from the disk: it has @path, which does not last. */
void lasting_left(const char *path, size_t len);
/* What may be kept, from the live environment at a start, and into it. 0; -ENOSPC; -ENOMEM. */
void lasting_read_kept(struct server *srv);
int lasting_write_kept(struct server *srv);
/* The same as bytes (last_rule.h), of static storage. */
const char *lasting_rule(size_t *len);

/* The children of "/" that are there and last, as paths, each ended by NUL. 0 or -ENOMEM. */
int lasting_tops(const struct server *srv, struct buf *out);

/*
 * After a start: if it was said otherwise before in this boot, what the disk has of what lasts now,
 * never did in this boot, and is not there, comes, and the disk gets all that lasts now. @fresh:
 * nothing was said before, the live environment is new. Waits for the disk as for its first word; a
 * part that is still to be loaded comes first. What is not settled then lasting_go_on() goes on
 * with, and so does the next start, whatever is said to it. 0; -ENOSPC; -ENOMEM; -EIO: not settled
 * yet.
 */
int lasting_settle(struct server *srv, bool fresh);
/* The disk has said something, or some time has gone. */
void lasting_go_on(struct server *srv);
/* What was asked for has come, or @err is why not all of it. True: that settles it. */
bool lasting_fetched(struct server *srv, int err);

#endif
