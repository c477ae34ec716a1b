/* SPDX-License-Identifier: MIT */
/*
 * ring_slot.h - what a ring's connection must not forget when the daemon is killed.
 *
 * One slot a domain, in shared memory on the runtime file system: the request being taken in, the
 * bytes not yet delivered, and where both stand in the ring. The state is kept twice and switched
 * by one store, so at every instruction one of them is whole. Layout: docs/store-format.md.
 */
#ifndef XENSTORED_RING_SLOT_H
#define XENSTORED_RING_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_slots;

struct ring_state {
	uint64_t msg_seq;	/* number of the request being taken in */
	uint32_t in_cons;	/* bytes taken from the request ring (free-running) */
	uint32_t in_len;	/* of them, bytes of the unfinished request */
	uint32_t rsp_prod;	/* bytes put into the response ring (free-running) */
	uint32_t out_first;	/* undelivered bytes: start and length in the output area */
	uint32_t out_len;
	uint32_t zero;
};

struct ring_slot_page;

struct ring_slot {
	struct ring_slots *all;
	struct ring_slot_page *page;
	unsigned int domid;
	uint64_t identity;
};

/* Output that always fits: one reply of the largest size behind an empty area. */
#define SLOT_OUT_SIZE (12288u - 2048u)

/* Opens (or makes) the slot file @path; NULL: slots in plain memory, lost with the process. */
struct ring_slots *ring_slots_open(const char *path);
void ring_slots_close(struct ring_slots *s);

/*
 * The slot of @domid for the life @identity. *@found: it was in use for that life already, and
 * its state counts. Returns 0 or -ENOSPC.
 */
int ring_slot_get(struct ring_slots *s, unsigned int domid, uint64_t identity,
		  struct ring_slot *out, bool *found);
/* Gives the slot up, unless another life of the domid has it by now. */
void ring_slot_drop(struct ring_slot *slot);

/* The state that counts. Change a copy and switch to it. */
const struct ring_state *ring_slot_state(const struct ring_slot *slot);
void ring_slot_switch(struct ring_slot *slot, const struct ring_state *next);

/*
 * Where byte @at of a request of @total bytes (0: not known yet) is kept. NULL: the memory for a
 * long one cannot be had now.
 */
char *ring_slot_in(struct ring_slot *slot, size_t total);

/* The output area of SLOT_OUT_SIZE bytes; NULL when @end, how far it is used, cannot be had. */
char *ring_slot_out(struct ring_slot *slot, size_t end);

#endif
