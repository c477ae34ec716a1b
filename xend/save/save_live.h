/* SPDX-License-Identifier: MIT */
/*
 * save_live.h - a domain's memory is sent while it runs: all once, then in rounds what was written
 * meanwhile, until the rest is so little that the guest can stand still for it.
 */
#ifndef XEND_SAVE_LIVE_H
#define XEND_SAVE_LIVE_H

struct save;

/*
 * The rounds, for a worker: everything up to where the guest must stand still. 0, also when the
 * hypervisor cannot note what a guest writes (s->live.is_refused): then nothing was sent.
 */
int save_put_rounds(struct save *s);

#endif
