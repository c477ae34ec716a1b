/* SPDX-License-Identifier: MIT */
/*
 * change_record.h - one change of one node of the persistent part, as it is queued for the disk.
 *
 * The live environment's database "queue" has it by (revision, index in it); the disk half keeps
 * the same bytes in its log. Pure; a reader trusts nothing. Layout: docs/store-format.md.
 */
#ifndef XENSTORED_CHANGE_RECORD_H
#define XENSTORED_CHANGE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define CHANGE_PROGRAM_MAX 15

enum change_op {
	CHANGE_PUT = 1,		/* the node is made, or its value, permissions or type replaced */
	CHANGE_REMOVE = 2,	/* the node and all below it go */
	/* All nodes go that last by the rule in the value; those that follow are all there are. */
	CHANGE_RESET = 3,
};

/* On whose behalf: of a ring's domain only @domid means something, uid and pid are 0. */
struct change_who {
	uint16_t domid;
	uint32_t uid, pid;
	char program[CHANGE_PROGRAM_MAX + 1];	/* NUL-terminated, "" when not known; untrusted */
};

/* Pointers are the caller's, or into the record that was read. */
struct change {
	uint8_t op;		/* enum change_op */
	uint8_t mark;		/* enum xs_kind; kept, not looked at */
	uint16_t flags;		/* 0 today; others are kept */
	uint64_t time_ns;	/* CLOCK_REALTIME */
	uint64_t prev;		/* the revision with persistent changes before this one, 0: none */
	struct change_who who;
	const char *path;	/* canonical; of RESET "/" */
	const char *value;	/* of RESET last_rule.h */
	const unsigned char *perms;	/* packed_perms.h; nr_perms of them, 0 unless PUT */
	uint16_t path_len, nr_perms;
	uint32_t value_len;
};

/* Key in the queue: revision, index, both big-endian. */
#define CHANGE_KEY 12
#define CHANGE_DB 'q'	/* letter for checked.h */

void change_key(unsigned char out[CHANGE_KEY], uint64_t rev, uint32_t index);
/* 0 or -EBADMSG. */
int change_key_read(const void *key, size_t len, uint64_t *rev, uint32_t *index);

/* Bytes of the whole value of @c in the queue, checksum included. */
size_t change_len(const struct change *c);

/* Writes the value of change_len() bytes for @key. Lengths must be within the protocol's limits. */
void change_write(const struct change *c, const unsigned char key[CHANGE_KEY], void *out);

/*
 * Reads a value of the queue. 0, or -EBADMSG: checksum, lengths, operation, a path that is not
 * canonical, a permission set that is empty where there must be one. Nothing then in @out.
 */
int change_read(const unsigned char key[CHANGE_KEY], const void *value, size_t len,
		struct change *out);

#endif
