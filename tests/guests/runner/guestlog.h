/* SPDX-License-Identifier: MIT */
/*
 * guestlog.h - a guest in log-dirty mode while it runs: now and then it is asked what was written,
 * and all its memory is compared with what it was at the last question.
 */
#ifndef TESTS_GUESTS_RUNNER_GUESTLOG_H
#define TESTS_GUESTS_RUNNER_GUESTLOG_H

#include <stdbool.h>
#include <stdint.h>

struct hv;
struct guestlog;

/*
 * Into the mode. @mfn: a frame of the guest's; those beside it, to an aligned 2 MiB, are looked at.
 * NULL, and errno.
 */
struct guestlog *guestlog_begin(struct hv *hv, uint16_t domid, uint64_t mfn);
/* Asks and compares. 0; -errno, also -ENOENT when the guest has ended. What is wrong is kept. */
int guestlog_look(struct guestlog *l);
/* Out of the mode, if the guest still lives. */
int guestlog_off(struct guestlog *l);
/* Prints what was counted, and what was written and not told. True: nothing was. */
bool guestlog_judge(const struct guestlog *l, const char *name);
void guestlog_free(struct guestlog *l);

#endif
