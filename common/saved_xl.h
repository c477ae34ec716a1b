/* SPDX-License-Identifier: MIT */
/*
 * saved_xl.h - the head and the tail of a file that xl save makes, and xl restore takes: around the
 * same memory (xend/save/stream.h) stand xl's head, with what the domain was, and libxl's.
 *
 * Source: Xen's docs/specs/libxl-migration-stream; the head of xl itself is in no document: as
 * Debian's xl 4.17 writes and reads it (tests/boot/dom0/debian-xl.sh).
 */
#ifndef COMMON_SAVED_XL_H
#define COMMON_SAVED_XL_H

#include "saved_head.h"

#define SAVED_XL_MAGIC "Xen saved domain"	/* its first 16 bytes, no NUL */

/*
 * Reads on from behind SAVED_XL_MAGIC to where the memory begins: @h has .is_xl, perhaps .config,
 * and no name, uuid, record, or numbers. 0; -EINVAL: damaged, or of a release before 4.6; -errno.
 */
int saved_xl_take(int fd, struct saved_head *h);

/*
 * Writes xl's head, without what the domain was: xl restore is given a configuration file. That
 * what follows is checked as xm's files are says a flag that xl leaves alone. 0 or -errno.
 */
int saved_xl_write(int fd);

/* Writes what is to stand behind the memory. 0 or -errno. */
int saved_xl_write_end(int fd);

#endif
