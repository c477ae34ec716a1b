/* SPDX-License-Identifier: MIT */
/*
 * channel.h - a unix socket whose path a key of the store names, so that xend can be given the
 * stream of a moving domain: only who may write the store and is root reaches it.
 */
#ifndef XM_CHANNEL_H
#define XM_CHANNEL_H

#include "xm.h"

/* Below $STOREVISOR_CHANNEL_DIR, else: */
#define CHANNEL_DIR "/run/storevisor"
#define CHANNEL_PATH_MAX 108

struct channel {
	int fd;				/* listens */
	char path[CHANNEL_PATH_MAX];
};

/* 0, or 1 after saying why not. */
int channel_open(struct xm *xm, struct channel *c);
/* Nobody can connect any more. Twice is fine. */
void channel_close(struct channel *c);

#endif
