/* SPDX-License-Identifier: MIT */
/*
 * move_more.h - what goes to another host beside a domain's record, as more pairs of the head: what
 * happened to it (history/NUMBER), and what its disks have (marker/VDEV, disk_marker.h), which
 * cli/xm/arrival.c takes there; weight and cap (share) and the CPUs that a virtual one is pinned to
 * (pin/NUMBER) as they are, whatever the record says, which xend takes there. Who does not know it
 * leaves it.
 */
#ifndef XEND_MOVE_MORE_H
#define XEND_MOVE_MORE_H

struct xend;
struct domain;
struct save;
struct saved_head;

/* For the loop: reads what the store has of it into @s. What cannot be had is not sent. */
void move_more_read(struct xend *x, struct save *s);

/* For the worker: writes the head of @s with all of that to the channel. 0 or -errno. */
int move_more_write_head(struct save *s);

/*
 * On the other host: gives @d, not running yet, the share and the pins that came with @head. What
 * this machine has not got is left, and logged.
 */
void move_more_apply(struct xend *x, const struct domain *d, const struct saved_head *head);

#endif
