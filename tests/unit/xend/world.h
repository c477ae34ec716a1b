/* SPDX-License-Identifier: MIT */
/*
 * world.h - a whole small host for xend's core: store, machine, backends, clock.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "fake_hv.h"
#include "fake_store.h"
#include "xend.h"

enum world_backends { BACKENDS_GOOD, BACKENDS_SILENT, BACKENDS_BROKEN, BACKENDS_NEVER_CLOSE };

struct world {
	struct xs_handle *xs;
	struct hv *hv;
	struct xend x;
	uint64_t now;
	enum world_backends backends;
	const char *words; /* of those that are broken; NULL: of a bridge */
	bool disks_hang;		/* a disk's server does not answer: none comes to rest */
	bool running;			/* xend lives */
	char kernel[64], ramdisk[64];	/* files in a directory of its own */
	char dir[32];
};

/* 64 MiB of machine; xend started. cmocka setup and teardown: *state is the world. */
int world_setup(void **state);
int world_teardown(void **state);

void world_start(struct world *w);
/* kill -9: memory and connection gone, store and machine stay. */
void world_kill(struct world *w);

/* Events, backends and xend until nothing is to be done before now + @seconds: then it is then. */
void world_run(struct world *w, unsigned int seconds);
/* At most @n calls of xend_run(), events and backends between; time stands still. */
void world_steps(struct world *w, unsigned int n);

/* A good record (16 MiB, one disk, one card) with power=on. */
void world_record(struct world *w, const char *name);

/* Status of a domain: its state ("none" when there is none) and its error (""). */
const char *state_of(const char *name);
const char *error_of(const char *name);
/* Makes request r1 and lets xend work for a second. */
void request(struct world *w, const char *op, const char *domain);
/* Fails the test if anything of a guest is left in machine or store. */
void assert_clean(uint64_t free_kib);

#endif
