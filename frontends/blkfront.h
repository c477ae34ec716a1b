/* SPDX-License-Identifier: MIT */
/*
 * blkfront.h - a disk: one ring page, one request in flight.
 *
 * The backend is not trusted (security.md C48, C49): its indices and ids are checked, its answers
 * only decide success; a broken ring is -EIO for good.
 */
#ifndef KIT_BLKFRONT_H
#define KIT_BLKFRONT_H

#include "xenbus/xenbus.h"

#include <xen/io/blkif.h>

#define BLK_SECTOR 512

struct blkfront {
	struct xenbus_device device;
	struct blkif_front_ring ring;
	grant_ref_t ring_ref;
	evtchn_port_t port;
	u64 nr_sectors, sector_size;
	bool writable, is_broken;
	u64 next_id;
};

/* Connects device/vbd/@id. 0, or -errno: no such device, a backend that will not connect. */
int blkfront_open(struct blkfront *b, unsigned int id);
/* Disconnects in order: Closing, Closed, then the ring is taken back. 0 or -errno. */
int blkfront_close(struct blkfront *b);
/* One page (8 sectors) at @sector. 0; -EIO refused or broken; -ETIMEDOUT: broken from now on. */
int blkfront_read(struct blkfront *b, u64 sector, void *page);
int blkfront_write(struct blkfront *b, u64 sector, const void *page);
/* All written before it is on the disk. -EOPNOTSUPP: the backend has no such request. */
int blkfront_flush(struct blkfront *b);

#endif
