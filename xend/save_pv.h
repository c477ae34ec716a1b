/* SPDX-License-Identifier: MIT */
/*
 * save_pv.h - a suspended domain's memory and vcpus, into a file.
 *
 * One struct save lives from xm's request to its answer. The file is written beside its place and
 * moved there when it is whole and on the disk.
 */
#ifndef XEND_SAVE_PV_H
#define XEND_SAVE_PV_H

#include "worker.h"

struct xend;
struct domain;
struct save;

/*
 * Before the guest is asked: makes the file beside @path, with the record as it is. 0 or -errno
 * with @why (WORKER_WHY bytes) in the user's words.
 */
int save_open(struct xend *x, const struct domain *d, const char *path, struct save **out,
	      char *why);

/* The guest has suspended itself: a worker writes it. 0; -EAGAIN: no thread, and @s is released. */
int save_begin(struct save *s, struct xend *x);

/* -EINPROGRESS; 0: the file is in its place; else -errno with @why. */
int save_result(struct save *s, char *why);

/* Removes what is not complete. NULL is fine. */
void save_release(struct save *s);

#endif
