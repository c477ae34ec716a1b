/* SPDX-License-Identifier: MIT */
/*
 * saved_head.h - the head of a file that xm save makes: whose memory follows, and its record.
 *
 * The record is text as it stood in /config/domain/NAME, key for key, so that the domain can be
 * restored where nobody knows it. What follows the head is xend's (xend/save/stream.h). From
 * version 2 on the head has a checksum, and so has each record behind it.
 */
#ifndef COMMON_SAVED_HEAD_H
#define COMMON_SAVED_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAVED_MAGIC "storevisor saved"	/* 16 bytes, no NUL */
#define SAVED_UNCHECKED 1u		/* the version before checksums: read still */
#define SAVED_VERSION 2u
#define SAVED_NAME_MAX 64
#define SAVED_RECORD_MAX (256u * 1024u)	/* bytes of keys and values */

struct saved_head {
	uint32_t version;		/* SAVED_UNCHECKED or SAVED_VERSION */
	char name[SAVED_NAME_MAX + 1];	/* this and the next: printable, without blanks */
	char uuid[37];
	uint32_t nr_vcpus;		/* at most this many had run */
	uint64_t nr_pages;		/* the domain had */
	char *record;			/* pairs key NUL value NUL; keys below the record's path */
	size_t record_len;
	/* Of xl save (saved_xl.h): none of the above but .version. */
	bool is_xl, config_is_json;
	char *config;			/* what xl was told of the domain; NULL: it is not there */
};

/* Writes @h at the place of @fd. 0 or -errno. */
int saved_head_write(int fd, const struct saved_head *h);

/*
 * Reads a head from the beginning of the file @path. 0 and the file open behind the head in *@fd
 * (NULL: closed); -EINVAL: no file of xm save or xl save, or a damaged one; else -errno. Then
 * saved_head_free().
 */
int saved_head_read(const char *path, struct saved_head *h, int *fd);
/* Only xm's, from where @fd is, which is not closed. -EINVAL also for an end too early. */
int saved_head_take(int fd, struct saved_head *h);
void saved_head_free(struct saved_head *h);

/* Calls @each for every pair until it returns other than 0, which is returned. */
int saved_head_each(const struct saved_head *h,
		    int (*each)(void *arg, const char *key, const char *value), void *arg);

#endif
