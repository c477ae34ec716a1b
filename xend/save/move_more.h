/* SPDX-License-Identifier: MIT */
/*
 * move_more.h - what goes to another host beside a domain's record, as more pairs of the head: what happened to it
 * (history/NUMBER), and what its disks have (marker/VDEV, disk_marker.h). cli/xm/arrival.c takes it there; who
 * does not know it leaves it.
 */
#ifndef XEND_MOVE_MORE_H
#define XEND_MOVE_MORE_H

struct xend;
struct save;

/* For the loop: reads what the store has of it into @s. What cannot be had is not sent. */
void move_more_read(struct xend *x, struct save *s);

/* For the worker: writes the head of @s with all of that to the channel. 0 or -errno. */
int move_more_write_head(struct save *s);

#endif
