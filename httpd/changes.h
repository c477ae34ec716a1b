/* SPDX-License-Identifier: MIT */
/*
 * changes.h - the newest changes of the store, in order and numbered, so that a reader who was away
 * goes on where it was. Bounded: what is older is forgotten, and who needs it is told so. Pure.
 */
#ifndef STOREVISOR_HTTPD_CHANGES_H
#define STOREVISOR_HTTPD_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANGES_MAX 8192u
#define CHANGES_BYTES_MAX (16u << 20)
#define CHANGES_EPOCH_LEN 16
#define CHANGES_ID_BUF 48

struct change_note {
	uint64_t nr;
	char *path;
	char *json;	/* what is told of it */
	bool gone;
};

struct changes {
	struct change_note *ring;
	uint64_t first, next;	/* free-running indices into the ring */
	size_t bytes;
	uint64_t newest, forgotten; /* numbers: of the last one; of the last one not to be had */
	char epoch[CHANGES_EPOCH_LEN + 1]; /* numbers are those of this row only */
};

/* 0, -ENOMEM, or -errno: there is no randomness. */
int changes_init(struct changes *c);
void changes_fini(struct changes *c);
/* Some changes are not known: a new row begins behind @nr. */
int changes_begin(struct changes *c, uint64_t nr);
/* @nr rises. Takes @json, malloc'd. Without memory it is as if it were forgotten. */
void changes_add(struct changes *c, uint64_t nr, const char *path, bool gone, char *json);

/* The id of the place behind @nr of the row @epoch, which may have ended: EPOCH.NR. */
void changes_id(const char *epoch, uint64_t nr, char buf[CHANGES_ID_BUF]);
/* Whether all behind @id, anybody's text, is still known; then its number in *@nr. */
bool changes_place(const struct changes *c, const char *id, uint64_t *nr);
/* The first change behind @nr, or NULL. */
const struct change_note *changes_behind(const struct changes *c, uint64_t nr);
/* Whether it is one of @path: at it, below it, or the end of something above it. */
bool change_is_about(const struct change_note *n, const char *path);

#endif
