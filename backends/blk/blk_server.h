/* SPDX-License-Identifier: MIT */
/*
 * blk_server.h - a process that reads an image's format for us, or speaks iSCSI: Debian's qemu-nbd,
 * in a jail, at the other end of a socket that nobody else can reach. It lives as long as the
 * disk's process.
 */
#ifndef BACKENDS_BLK_SERVER_H
#define BACKENDS_BLK_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "disk_cache.h"
#include "disk_format.h"

struct blk_server_want {
	const char *image; /* absolute path, or as iscsi_name.h has it */
	enum disk_format format;
	const char *backing; /* files it may stand on, absolute, with commas between; or "" */
	bool readonly;	     /* shared with other readers; else taken exclusively */
	enum disk_cache cache;
	const char *user;    /* whom it becomes: jail.h */
	int lock;	     /* of an iSCSI disk: what is kept open as long as the server is there */
};

#define BLK_SERVER_NONE { -1, -1, -1, 0 }

struct blk_server {
	int image; /* open, with its lock; the server has both, too. -1 of an iSCSI disk */
	int conn;  /* the client's end of the connection */
	int says;  /* its standard error; ends when it does */
	pid_t pid; /* 0: it is left alone */
};

/*
 * Opens and locks the files and starts the server; @dir is one of ours. 0, or -errno with one line
 * for the user in @why, without the disk's name; -EAGAIN: a file is in use by another domain.
 */
int blk_server_start(struct blk_server *s, const struct blk_server_want *want, const char *dir,
		     char *why, size_t why_len);

/* What it said last, one line, to @text; waits at most @ms for its end. Whether it has ended. */
bool blk_server_last_words(struct blk_server *s, int ms, char *text, size_t len);

/* Closes what is open of it, and ends the process, while that may be done. */
void blk_server_close(struct blk_server *s);

#endif
