/* SPDX-License-Identifier: MIT */
/*
 * restore_link.h - between the process that reads a saved file and xend, which alone makes
 * hypercalls: one small question and answer at a time by a socket, pages in memory that both have.
 *
 * xend does what it is asked for the one new domain, and lets the hypervisor judge it.
 */
#ifndef XEND_RESTORE_LINK_H
#define XEND_RESTORE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "guest_ram.h"
#include "stream.h"
#include "worker.h"

struct restore;
struct vcpu_guest_context;

/* Memory of both. What xend takes from it, it takes once, as bytes from a stranger. */
struct restore_window {
	uint64_t frame[STREAM_BATCH];	/* pfns or mfns, with each question that has any */
	uint8_t page[STREAM_BATCH][GUEST_PAGE_SIZE];	/* or a virtual CPU's state */
	uint64_t store_mfn, console_mfn;	/* of the rings; with the end */
	char console[STREAM_CONSOLE_MAX];	/* what came of the guest's console; with the end */
	uint32_t console_len;
	char why[WORKER_WHY];		/* the words for what went wrong; with the end */
};

/* --- the reader's side (restore_ask.c); each 0 or -errno --- */

/* @mfn: the frames that the domain was given for the @nr of @pfn. */
int restore_ask_populate(struct restore *r, const uint64_t *pfn, size_t nr, uint64_t *mfn);
/* Frame @mfn of the domain to window->page[0]. */
int restore_ask_read(struct restore *r, uint64_t mfn);
/* The first @nr of window->page to the frames in window->frame. */
int restore_ask_write(struct restore *r, size_t nr);
int restore_ask_pin(struct restore *r, unsigned int level, uint64_t mfn);
int restore_ask_vcpu(struct restore *r, unsigned int vcpu, const struct vcpu_guest_context *ctx);
int restore_ask_callbacks(struct restore *r, unsigned int vcpu, const uint8_t *ext);
int restore_ask_fpu(struct restore *r, unsigned int vcpu, const void *state, size_t len);
int restore_ask_msrs(struct restore *r, unsigned int vcpu, const uint8_t *msrs, size_t len);

/* --- xend's side (restore_serve.c) --- */

/*
 * Starts the reader and serves it to its end: 0; -EINTR: nobody waits any more; else its error,
 * with the words in the worker. For the worker.
 */
int restore_serve(struct restore *r);

#endif
