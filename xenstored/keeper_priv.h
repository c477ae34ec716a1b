/* SPDX-License-Identifier: MIT */
/* keeper_priv.h - messages between the daemon (keeper.c) and its keeper (keeper_child.c). */
#ifndef XENSTORED_KEEPER_PRIV_H
#define XENSTORED_KEEPER_PRIV_H

#include "journal.h"
#include "keeper.h"

enum keeper_op {
	KEEPER_LOADED,		/* child: start is over; seq: last frame applied */
	KEEPER_SYNC,		/* daemon: make persistent records up to seq durable */
	KEEPER_SYNCED,		/* child: done up to seq; err: what is behind it failed */
	KEEPER_APPLY,		/* daemon: half is full */
	KEEPER_APPLIED,		/* child: it may be given back */
	KEEPER_SNAPSHOT,	/* daemon: copy the persistent environment to text */
	KEEPER_SNAPPED,
};

struct keeper_msg {
	uint32_t op;
	int32_t err;
	uint64_t seq;
	uint32_t half;
	uint32_t env;		/* KEEPER_LOADED with err: which environment */
	char text[112];
};

/* A record in the stream that fills the daemon at start; then key and value follow. */
struct keeper_record {
	uint32_t env;
	uint32_t key_len;
	uint32_t value_len;
};

/* Descriptors that the child keeps; the daemon's others are closed in it. -1: none. */
struct keeper_fds {
	int channel;
	int stream;		/* file for the records of the start */
	int lock[2];		/* so that a new daemon waits for an old keeper too */
};

/* The child's whole life. */
_Noreturn void keeper_child(struct journal *j, const struct keeper_config *cfg,
			    const struct keeper_fds *fds);

#endif
