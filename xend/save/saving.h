/* SPDX-License-Identifier: MIT */
/*
 * saving.h - what saving and moving a domain share: its guest is asked to suspend itself, and what
 * comes of it. The domain is one with d->saving.file. request_save.c.
 */
#ifndef XEND_SAVING_H
#define XEND_SAVING_H

#include <stdbool.h>

struct xend;
struct domain;
struct request;

/* Whether the domain runs and its kernel can; else -errno after refusing. */
int saving_possible(struct xend *x, struct request *r, const struct domain *d);

/* A word of its own for this time, in r->epoch. 0 or -errno after refusing. */
int saving_epoch(struct request *r);

/* Asks its guest. 0 or -errno after refusing. */
int saving_ask(struct xend *x, struct request *r, struct domain *d);

/*
 * With SAVE_ASKED: -EINPROGRESS: the guest still runs; or it did not in time, the wish is taken
 * back and d->saving.file released: -ETIMEDOUT after refusing.
 */
int saving_poll_asked(struct xend *x, struct request *r, struct domain *d);

/* Lets a suspended guest go on where it was. 0 or -errno after refusing. */
int saving_go_on(struct xend *x, struct request *r, struct domain *d);

/* Nobody wants it any more: takes the wish back or resumes, and releases d->saving.file. */
int saving_give_up(struct xend *x, struct request *r, struct domain *d);

void saving_let_go(struct domain *d);

#endif
