/* SPDX-License-Identifier: MIT */
/*
 * move_progress.h - what /status says of a domain on its way to another host.
 */
#ifndef XEND_MOVE_PROGRESS_H
#define XEND_MOVE_PROGRESS_H

struct xend;
struct request;
struct domain;

/*
 * Writes /status/domain/NAME/move: @phase, and how much of its memory has gone. Has the request
 * looked at again in half a second.
 */
void move_progress(struct xend *x, struct request *r, const struct domain *d, const char *phase);

/* It is over, one way or the other. */
void move_progress_end(struct xend *x, const char *name);

#endif
