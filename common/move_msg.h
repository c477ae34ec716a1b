/* SPDX-License-Identifier: MIT */
/*
 * move_msg.h - what two hosts say to each other when a domain moves, beside its memory.
 *
 *     source: OFFER, the head of saved_head.h    target: ACCEPT, or NO
 *     source: the stream of xend/save/stream.h        target: READY, or NO
 *     source: HANDOVER                           target: RUNS, or NO
 *     source: DONE
 * or, after a connection was lost:
 *     source: ASK                                target: RUNS, or NO
 *     source: DONE, after RUNS
 *
 * HANDOVER: the source has written down, durably, that it will not let the domain run. RUNS: the
 * target has written down that it does. NO: it never will, under this epoch. DONE: the source has
 * forgotten the domain, so the target may forget the epoch. Decision 30; model: tests/model/spin.
 */
#ifndef COMMON_MOVE_MSG_H
#define COMMON_MOVE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum move_type {
	MOVE_OFFER = 1, MOVE_ASK, MOVE_ACCEPT, MOVE_READY, MOVE_HANDOVER, MOVE_RUNS, MOVE_NO,
	MOVE_DONE, MOVE_TYPES_END
};

#define MOVE_MAGIC "storevisor move1"	/* 16 bytes, no NUL */
#define MOVE_EPOCH_MAX 36		/* a uuid, made anew for each attempt */
#define MOVE_TEXT_MAX 439

/* As it goes over the line, little-endian. */
struct move_msg {
	char magic[16];
	uint32_t type;
	uint32_t crc;			/* CRC-32C of all, itself as 0 */
	char epoch[MOVE_EPOCH_MAX + 1 + 3];
	char text[MOVE_TEXT_MAX + 1 + 8]; /* OFFER: the CPU's features; ACCEPT: "zstd" if pages may come packed; NO: why; else "" */
};

/* A message that is coming in. Zeroed at the start, and by move_take() after each. */
struct move_in {
	struct move_msg msg;
	size_t have;
};

/* Whether it has the form of a uuid: it becomes a part of paths in the store. */
bool move_epoch_ok(const char *epoch);

/* Writes a message whole, to a socket or pipe that blocks. @text: cut if too long. 0 or -errno. */
int move_send(int fd, enum move_type type, const char *epoch, const char *text);

/*
 * Waits up to @wait_ms for more of a message and reads no byte beyond it. 1: it is whole, in *@out,
 * what is not printable ASCII in its texts as '?'; 0: not yet; -EPIPE: the other end is gone;
 * -EBADMSG: that is no message of ours, or is damaged; else -errno.
 */
int move_take(int fd, struct move_in *in, int wait_ms, struct move_msg *out);

#endif
