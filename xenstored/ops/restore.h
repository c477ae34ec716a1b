/* SPDX-License-Identifier: MIT */
/* restore.h - the persistent part becomes what a snapshot has. */
#ifndef XENSTORED_RESTORE_H
#define XENSTORED_RESTORE_H

struct buf;
struct server;

/*
 * Replaces /config and /history by the nodes in @answer (of the question snapshot-read: verified,
 * parents first), as one change. 0; -EBADMSG, -ENOSPC, -ENOMEM, -EROFS, -EIO: nothing has changed.
 */
int restore_nodes(struct server *srv, const struct buf *answer);

#endif
