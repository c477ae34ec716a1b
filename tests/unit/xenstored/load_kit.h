/* SPDX-License-Identifier: MIT */
/*
 * load_kit.h - a daemon whose worker is the test: what the disk has is sent by it, and what the
 * daemon asks of the disk it sees. One at a time, for cmocka.
 */
#ifndef LOAD_KIT_H
#define LOAD_KIT_H

#include "durable_priv.h"
#include "harness.h"

/* t_write(): it was accepted, and its reply waits for the disk. */
#define HELD (-1)
/* More nodes than what is set aside for a turn has room for. */
#define NODES 3000u

/* The daemon, and a client of domain 0's. */
extern struct server *srv;
extern struct conn *c;
/* What is told stays in the pair, for a start that waits for it. */
extern bool in_pair;
/* What the nodes that are sent have: whose they are, and one more who may read; 0: none. */
extern unsigned int owner, reader;

int load_setup(void **state);
int load_teardown(void **state);

/* A message of the worker's, with 1 GiB of room. */
void tell(enum worker_op op, int err, uint64_t rev);
/* One node of the disk, as of revision 5. */
void send_node(const char *path, const char *value, size_t len);
/* Whether the daemon has said that since the last time. */
bool was_told(enum worker_op op);

/* All of the persistent part is there, and written down to be. */
bool is_loaded(void);
/* A disk with the two directories alone, as of revision 5. */
void load_nothing(void);

#endif
