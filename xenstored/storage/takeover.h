/* SPDX-License-Identifier: MIT */
/*
 * takeover.h - reads the persistent environment of the release before: format 2, in which nodes
 * have numbers and name their parent, and numbers are in the machine's byte order. Private to
 * storage/; docs/store-format.md says what it looks like.
 */
#ifndef XENSTORED_TAKEOVER_H
#define XENSTORED_TAKEOVER_H

#include <stdint.h>

struct takeover {
	const char *from, *to;	/* files */
	uint64_t map_size;
	uint64_t time_ns;	/* when: that of the one revision which has all nodes */
};

/*
 * The work, for in_child(); @arg: a struct takeover. 0: @from is of format 2, whole, and all its
 * nodes are in the new file @to, synced. -ENOENT: there is none; -EBADMSG: it is damaged or not of
 * that format; -ENOMEM; of @to as disk_copy(). @to is removed again unless the answer is 0.
 */
int takeover(void *arg);

#endif
