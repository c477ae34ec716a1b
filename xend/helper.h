/* SPDX-License-Identifier: MIT */
/*
 * helper.h - a process beside xend for what hostile bytes may crash or take over. It has xend's
 * memory as it was, two or three descriptors, no user, no files, no hypervisor and no store.
 */
#ifndef XEND_HELPER_H
#define XEND_HELPER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "confined.h"

#define HELPER_KEEP_MAX 4

struct helper {
	int (*work)(void *arg);		/* 0 or -Exxx; may use memory and what it keeps, no more */
	void *arg;
	int keep[HELPER_KEEP_MAX];	/* descriptors */
	size_t nr_keep;
	struct confined_limits limits;
};

/* Begins it; it ends with who began it. The process, or -errno. */
pid_t helper_start(const struct helper *h);

/*
 * Waits for its end; when @stop becomes true it is killed. What it returned; -EBADMSG: it died of
 * what it did, or returned -EINPROGRESS or -EINTR; -EAGAIN: somebody killed it, or it used up its
 * time; -EINTR: @stop.
 */
int helper_wait(pid_t pid, const atomic_bool *stop);

/* The same for one that should be ending: after a second it is killed, which is -EAGAIN. */
int helper_end(pid_t pid, const atomic_bool *stop);

/* Both. */
int helper_run(const struct helper *h, const atomic_bool *stop);

#endif
