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

/* The children of "/" that are there and last, as paths, each ended by NUL. 0 or -ENOMEM. */
int lasting_tops(const struct server *srv, struct buf *out);

/*
 * After a start, when the disk's part is there: if it was said otherwise before in this boot, the
 * disk gets all that lasts now. @fresh: nothing was said before, the live environment is new. 0;
 * -ENOSPC; -EIO: the disk does not answer, or is another store's.
 */
int lasting_settle(struct server *srv, bool fresh);

#endif
