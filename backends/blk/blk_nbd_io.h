/* SPDX-License-Identifier: MIT */
/* blk_nbd_io.h - blk_io.h over a connection of libnbd's; how it is made is blk_nbd.c's. */
#ifndef BACKENDS_BLK_NBD_IO_H
#define BACKENDS_BLK_NBD_IO_H

#include "blk_io_priv.h"
#include "blk_server.h"
#include "nbd_lib.h"

/* Over @h, which is its own from here on, also on failure. NULL: errno. */
struct blk_io *blk_nbd_io_open(const struct nbd_lib *lib, struct nbd_handle *h,
			       void (*lost)(const char *why));

/*
 * Keeps changes in the log @file (blk_log.h) of disk @name from here on. @resume: first makes
 * those again that are in it, and has them flushed; else they are dropped. A server without a flush
 * has nothing kept. 0; -EBADMSG: the log is damaged; -errno: the server has not taken all of them.
 * Then they are all there still.
 */
int blk_nbd_io_keep(struct blk_io *io, const char *file, const char *name, bool resume);

/*
 * The server is a process of ours, @s, of which the io has what it says and the conn from here on:
 * that is quoted when it goes, and waited for when the disk is closed.
 */
void blk_nbd_io_own_server(struct blk_io *io, struct blk_server *s);

/* From here on a server that goes is told to lost(). */
void blk_nbd_io_serve(struct blk_io *io);

/* Its server is not waited for any more: closing it flushes nothing. */
void blk_nbd_io_abandon(struct blk_io *io);

extern const struct blk_io_way blk_io_nbd;

#endif
