/* SPDX-License-Identifier: MIT */
/*
 * cons_log.h - the console log on disk, bounded however much a guest prints.
 *
 * Two files: NAME.log and, once that is full, its predecessor NAME.log.1. Both descriptors are
 * opened before privileges go, so turning over moves bytes, not names.
 */
#ifndef BACKENDS_CONS_LOG_H
#define BACKENDS_CONS_LOG_H

#include <stddef.h>

#define CONS_LOG_MAX (4u << 20) /* bytes a file */

struct cons_log {
	int fd, old_fd; /* -1: not kept */
	size_t len;
};

/*
 * Opens DIR/guest-@guest.log and .log.1, appending. @guest: the domain's name, refused with
 * -EINVAL when it could name another place. Returns 0 or -errno; a guest runs without a log too.
 */
int cons_log_open(struct cons_log *log, const char *dir, const char *guest);

/* Appends; a full disk loses log, never stops the console. */
void cons_log_write(struct cons_log *log, const char *buf, size_t len);
void cons_log_close(struct cons_log *log);

#endif
