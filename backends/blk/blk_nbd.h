/* SPDX-License-Identifier: MIT */
/*
 * blk_nbd.h - a disk on another machine, or an image whose format a server reads for us: its
 * connection, and blk_io.h's operations over it.
 *
 * The connection is made while the process may, and never again: a process whose server is gone
 * ends without an answer to what is under way, and its successor connects and does all of that
 * again, as after a kill. What the server had acknowledged and not flushed is in blk_log.h.
 */
#ifndef BACKENDS_BLK_NBD_H
#define BACKENDS_BLK_NBD_H

#include "blk_image.h"
#include "blk_io.h"
#include "blk_server.h"

struct blk_nbd_want {
	const char *name; /* as nbd_name.h has it; else, by a server of ours: */
	const struct blk_server_want *server; /* its image, which is the name; or NULL */
	bool readonly;
	bool shared;	  /* with other writers: then nothing is kept that could be written again */
	bool resume;	  /* the guest goes on where a predecessor was: what that kept counts */
	uint64_t least_sectors; /* a smaller one is not that disk */
	const char *dir;  /* of locks, and of what is ours for a moment */
	const char *log;  /* file of its blk_log.h */
	/* The server is gone, for the reason @why. Must not return. */
	void (*lost)(const char *why);
};

/*
 * Connects, takes the disk as blk_image_open() does an image (for domains of this host: the
 * protocol knows no lock), fills in @img, and makes @io. On failure returns -errno and puts one
 * line for the user into @why. -EAGAIN: in use by somebody else, worth a few more tries.
 */
int blk_nbd_open(struct blk_image *img, struct blk_io **io, const struct blk_nbd_want *want,
		 char *why, size_t why_len);

#endif
