/* SPDX-License-Identifier: MIT */
/*
 * fake_xen.h - grants, events and store without a hypervisor, in place of the real libraries.
 *
 * The tests play the guest: they own its memory and its grant table, and read what the backend
 * did. The fakes are strict where the hypervisor is: a wrong grant fails that operation only, a
 * mapping not unmapped is counted.
 */
#ifndef TESTS_FAKE_XEN_H
#define TESTS_FAKE_XEN_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_PAGES 600
#define FAKE_PAGE 4096u
#define FAKE_OWN 5000u

struct fake_grant {
	bool valid, readonly;
	uint32_t page;
};

struct fake_guest {
	uint8_t (*page)[FAKE_PAGE]; /* FAKE_PAGES pages of guest memory */
	struct fake_grant grant[FAKE_PAGES];
	unsigned int mapped;   /* grants mapped now */
	unsigned int bound;    /* event channels bound now */
	unsigned int notified; /* events the backend sent */
	uint32_t notified_port; /* the last of them: 100 more than the guest's */
	unsigned int copies;   /* grant copies done, good or bad */
	unsigned int copy_calls;
	bool copy_fails;       /* the whole copy call fails */
	bool map_fails;
	/* The backend's memory that is granted to itself: page i of it has number FAKE_OWN + i. */
	uint8_t *own;
	unsigned int own_copies; /* that named it by number */
	unsigned int lost_txns; /* transactions whose connection is lost with their first write */
	/* Called before each single grant copy: the guest may change its memory meanwhile. */
	void (*meanwhile)(void);
};

extern struct fake_guest fake;

/* Clears everything; every page granted writable under its own number, except page 0's. */
void fake_reset(void);

/* The store: absolute path -> value. NULL: no such key. */
const char *fake_store_get(const char *path);
void fake_store_set(const char *path, const char *value);
void fake_store_rm(const char *path); /* with everything below */

#endif
