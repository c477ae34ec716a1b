/* SPDX-License-Identifier: MIT */
/*
 * informer.h - the one process of the store daemon that may make hypercalls, and the one question
 * it answers: what is true of a domain.
 *
 * A descriptor of privcmd is as good as root, whoever holds it, and no filter of system calls sees
 * what a hypercall is about. So the daemon has none. The informer is forked while the daemon is
 * still root, opens its source itself, becomes nobody, and may from then on receive, send, and make
 * the one ioctl on the one descriptor. It takes a number and gives four facts; it ends with the
 * daemon.
 */
#ifndef XENSTORED_INFORMER_H
#define XENSTORED_INFORMER_H

#include <stdint.h>

#include "hv.h"

/* Where the informer has it from. Both run in the informer only. */
struct informer_source {
	/* As root. Returns the descriptor that ioctl @request goes to, or -Exxx. */
	int (*open)(void *arg);
	/* Fills @out. 0; -ENOENT: no such domain; other -Exxx: the source does not answer. */
	int (*ask)(void *arg, unsigned int domid, struct hv_domain *out);
	unsigned long request;
	void *arg;
};

/* Starts it. Returns the descriptor to ask on; -Exxx when the source cannot be opened. */
int informer_start(const struct informer_source *src);

/*
 * Asks about @domid (any value). 0; -ENOENT: no such domain; -EIO: there is no informer any more,
 * or its source does not answer. Waits for the answer: a hypercall's time.
 */
int informer_ask(int fd, uint32_t domid, struct hv_domain *out);

#endif
