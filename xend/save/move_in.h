/* SPDX-License-Identifier: MIT */
/*
 * move_in.h - a domain that comes from another host: what the target says, on the channel that its
 * record names as saved= and xm migrate-receive serves (move_msg.h).
 */
#ifndef XEND_MOVE_IN_H
#define XEND_MOVE_IN_H

struct xend;
struct domain;
struct restore;

/* Connects to d->rec.saved, a unix socket. The descriptor, or -errno with d->error. */
int move_in_connect(struct domain *d);

/* There is room: the source may send. 0 or -errno with d->error. */
int move_in_accept(struct domain *d);

/*
 * The step in which a domain that could run here is handed over: asks for it, -EINPROGRESS until
 * the source has said so, then writes down that it is this host's. 0 also for one that only starts.
 * Else -errno with d->error: it will never run under this epoch.
 */
int move_in_step(struct xend *x, struct domain *d);

/* To the log, of one that runs: how long that took. */
void move_in_tell_times(const struct domain *d);

void move_in_late(struct xend *x, struct domain *d);

#endif
