/* SPDX-License-Identifier: MIT */
/* load.h - takes the keeper's records one by one and builds the state in memory from them. */
#ifndef XENSTORED_LOAD_H
#define XENSTORED_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct server;

struct load {
	struct server *srv;
	bool persistent_only;	/* the rest is in memory and stays */
	struct node **by_id;	/* open addressing */
	size_t nr_slots, nr;
	unsigned int skipped;	/* records that made no sense */
};

int load_init(struct load *l, struct server *srv, bool persistent_only);
void load_fini(struct load *l);

/* One record, as a keeper_each: 0, -ENOMEM. Senseless records are counted and logged. */
int load_record(void *arg, unsigned int env, const void *key, size_t key_len, const void *value,
		size_t value_len);

#endif
