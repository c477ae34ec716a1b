/* SPDX-License-Identifier: MIT */
/*
 * start.h - following a domain from "power = on" to running, or to the reason why not.
 */
#ifndef XM_START_H
#define XM_START_H

#include "store.h"
#include "xm.h"

/*
 * In the transaction that asks for a start: removes what /status still says about the last one, so
 * that everything read afterwards is about this one. 0; -EBUSY while xend is taking steps for the
 * domain (its journal is there too); -errno.
 */
int start_forget(struct xs_handle *xs, xs_transaction_t t, const char *name);

/*
 * Waits until @name runs (or is paused); prints progress when a person watches and one line of
 * outcome (not with @quiet). Stores its ID in @domid.
 * Returns 0; 1 after saying why it did not start; 130 after the user's interrupt, which withdraws
 * the start. A transient record whose start failed is removed.
 */
int start_follow(struct xm *xm, const char *name, bool quiet, int *domid);

#endif
