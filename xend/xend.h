/* SPDX-License-Identifier: MIT */
/*
 * xend.h - the domain manager's core: events in, hypercalls and store writes out.
 *
 * Has no event loop and no clock of its own, so that tests drive it step by step; main.c binds
 * it to libevent. Single-threaded.
 */
#ifndef XEND_XEND_H
#define XEND_XEND_H

#include <stdint.h>
#include <xenstore.h>

#include "domain.h"
#include "hv.h"

struct request;

struct xend {
	struct xs_handle *xs;
	struct hv *hv;
	const char *root;		/* /proc and /sys are below: "", but in tests */
	int wake_fd;			/* eventfd a thread wakes the loop by; -1: no threads */
	struct domain *domains;
	struct request *requests;	/* answered, waiting to be read or to expire */
	uint64_t now_ns;		/* monotonic, set by xend_run() */
	uint64_t next_check_ns;		/* safety look at the hypervisor's list */
	bool check_domains;		/* @releaseDomain came */
	bool has_foreign;		/* /status tells of domains that others built, or may */
	bool degraded, loss_told;	/* loss.c: the store has lost something; that is in /status */
	char *lost;			/* what, as it says; NULL: not known */
	uint64_t lost_ns, list_ns;	/* when it was asked whether, and what */
};

#define XEND_IDLE UINT64_MAX
#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

/*
 * Writes what must exist, takes over what an earlier xend left (running domains are adopted,
 * half-built ones undone) and registers the watches. @wake_fd: see struct xend. @now_ns:
 * monotonic clock. 0 or -errno of the store or the hypervisor.
 */
int xend_start(struct xend *x, struct xs_handle *xs, struct hv *hv, int wake_fd, uint64_t now_ns);

/* One watch event. Only notes what must be done: xend_run() does it. */
void xend_event(struct xend *x, const char *path, const char *token);

/*
 * Does one piece of what is to be done. Returns when to come again: 0 at once, a monotonic
 * time in ns, or XEND_IDLE.
 */
uint64_t xend_run(struct xend *x, uint64_t now_ns);

/* Forgets everything; domains stay as they are. */
void xend_stop(struct xend *x);

#endif
