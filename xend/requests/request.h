/* SPDX-License-Identifier: MIT */
/*
 * request.h - /request/ID: one-shot actions that are not a state to keep.
 */
#ifndef XEND_REQUEST_H
#define XEND_REQUEST_H

#include <stdint.h>

struct xend;

/* Something at /request/@id changed: takes it up if it is new, forgets it if it is gone. */
void request_event(struct xend *x, const char *id);
/* Takes up whatever lies there, after a start. */
void request_scan(struct xend *x);
/*
 * Handles new requests, answers those whose work has ended, removes answers nobody fetched.
 * Returns when to come again: a time or XEND_IDLE.
 */
uint64_t request_run(struct xend *x);
void request_drop_all(struct xend *x);

#endif
