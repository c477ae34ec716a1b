/* SPDX-License-Identifier: MIT */
/*
 * journal.h - the commit point: a log of frames in shared memory on the runtime file system.
 *
 * A request's records are written behind the last frame and become true by one store of the end
 * mark, or, when there are none, of the next frame's number: whoever kills the process leaves
 * either all of a change or nothing, that of the nodes' memory (undo.h) included. The keeper
 * applies frames to the two LMDB environments afterwards; a restart applies what it had not. The
 * file is allocated in full beforehand, so writing it cannot fail for lack of space.
 * Contents: record.h. No knowledge of nodes here.
 */
#ifndef XENSTORED_JOURNAL_H
#define XENSTORED_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/* The two halves of the file: one is written while the keeper applies the other. */
#define JOURNAL_HALVES 2

struct journal_hooks {
	/* Half @half is full and must be applied; called once for it. */
	void (*filled)(void *arg, unsigned int half);
	/* Waits until some half is given back. False: that is not going to happen. */
	bool (*wait)(void *arg);
	void *arg;
};

/*
 * Opens the journal in directory @dir, or makes it with halves of @half_size bytes. One that
 * belongs to another boot than @boot_id, or makes no sense, is replaced by an empty one and
 * *@fresh set. NULL with the reason in errno.
 */
struct journal *journal_open(const char *dir, size_t half_size, const char *boot_id, bool *fresh);
void journal_close(struct journal *j);

/*
 * What is in @dir, before it is opened: 0 when it is a whole journal of this or an earlier boot;
 * -ENOENT: there is none; -EBADMSG: it has been cut or overwritten; -EIO: it cannot be read.
 */
int journal_probe(const char *dir, size_t half_size);
void journal_set_hooks(struct journal *j, const struct journal_hooks *hooks);

/* Which environment a record belongs to. */
#define JOURNAL_RUNTIME		0u
#define JOURNAL_PERSISTENT	1u

#define JOURNAL_KEY_MAX 32

/* Bytes a record takes in a frame besides key and value. */
#define JOURNAL_RECORD_HDR 8

/*
 * Makes sure that @bytes more (record headers included) fit into the frame being written, waiting
 * for the keeper if need be. @frees: may use the last part, kept for deletions (rule C14).
 * Returns 0 or -ENOSPC.
 */
int journal_reserve(struct journal *j, size_t bytes, bool frees);

/*
 * Adds one record to the frame being written; room has been reserved. Returns where the value of
 * @value_len bytes goes. A deletion has no value: use journal_del().
 */
void *journal_put(struct journal *j, unsigned int env, const void *key, size_t key_len,
		  size_t value_len);
void journal_del(struct journal *j, unsigned int env, const void *key, size_t key_len);

/* Whether the frame being written has any record. */
bool journal_dirty(const struct journal *j);

/*
 * Has the next journal_publish() give out a number although there may be no record: something
 * outside becomes true with it.
 */
void journal_touch(struct journal *j);

/*
 * Publishes the frame. Returns its sequence number, 0 when there was nothing in it.
 * *@persistent tells whether it has records for the persistent environment.
 */
uint64_t journal_publish(struct journal *j, bool *persistent);

/* Number the next frame gets. Never goes back, also not over restarts of one boot. */
uint64_t journal_next_seq(const struct journal *j);
/* Where it is kept: one store there, or to a half's end, makes a change true. */
const uint64_t *journal_seq(const struct journal *j);
void journal_set_next_seq(struct journal *j, uint64_t seq);

/* Asks for the half being written to be applied now, if it has frames and the other is free. */
void journal_turn_over(struct journal *j);
/* All frames of @half have been applied: it may be written again. */
void journal_give_back(struct journal *j, unsigned int half);

/* Whether @half is waiting to be applied. */
bool journal_half_is_full(const struct journal *j, unsigned int half);
/* How often @half has been given back: tells a reader that its position in it is void. */
uint64_t journal_half_turn(const struct journal *j, unsigned int half);
/*
 * Publishes the frame, also an empty one (room has been reserved), and with the same store makes
 * the persistent records of all frames behind @from void: the frame undoes what else they did.
 */
void journal_publish_void(struct journal *j, uint64_t from);
/* Whether a frame in the journal made the frame @seq void. */
bool journal_frame_is_void(struct journal *j, uint64_t seq);
/* The persistent records of frames up to @seq failed for good and must never be applied. */
void journal_void(struct journal *j, uint64_t seq);
uint64_t journal_void_upto(const struct journal *j);

/* --- reading: the keeper, and a start after a crash --- */

struct journal_frame {
	uint64_t seq;
	bool persistent;	/* has records of the persistent environment */
	uint32_t voids;		/* the persistent parts of so many frames before it are void */
	size_t next;		/* offset of the frame after it */
	const char *records;
	size_t records_len;
	char *spilled;		/* memory to free, when the frame was in a file of its own */
};

struct journal_record {
	unsigned int env;
	bool deletion;
	const void *key, *value;
	size_t key_len, value_len;
};

/*
 * The frame at @offset (0: the first) of @half. Returns 1; 0 at the end of what is published;
 * -EBADMSG when the file makes no sense; -EIO, -ENOMEM.
 */
int journal_frame_at(struct journal *j, unsigned int half, size_t offset,
		     struct journal_frame *out);
void journal_frame_done(struct journal_frame *f);

/* The record at *@offset of the frame, moving it on. 1; 0 at the end; -EBADMSG. */
int journal_record_at(const struct journal_frame *f, size_t *offset, struct journal_record *out);

#endif
