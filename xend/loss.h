/* SPDX-License-Identifier: MIT */
/*
 * loss.h - what the store has lost of the records, or has brought back from an earlier state, until
 * the administrator says that he knows ("xs control lost known"). Nothing is started or
 * stopped for such a record; it may not be what anybody wrote. But a guest that reboots goes on
 * under one that says what it ran with, and what is asked of xend (destroy) is done.
 */
#ifndef XEND_LOSS_H
#define XEND_LOSS_H

#include <stdbool.h>

struct xend;

/*
 * Asks the store, writes down in /status/store whether it is "whole" or "degraded", and has all
 * records looked at again when it has become whole. A store of another kind loses nothing; one that
 * does not answer is as it was, and before its first answer not whole.
 */
void loss_look(struct xend *x);
/* Whether the record of @name is not to be acted on. */
bool loss_holds(struct xend *x, const char *name);
void loss_fini(struct xend *x);

#endif
