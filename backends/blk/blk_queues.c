/* SPDX-License-Identifier: MIT */
/* blk_queues.c - see blk_queues.h. */
#include "blk_queues.h"

#include <errno.h>

int blk_queues_make(struct blk_queues *q, unsigned int nr, const struct blk_image *image,
		    struct backend *be)
{
	for (q->nr = 0; q->nr < nr; q->nr++) {
		struct blk_queue *one = &q->queue[q->nr];

		if (!one->io)
			one->io = blk_io_open(image->fd, false);
		if (!one->io)
			return -errno;
		one->engine = blk_ring_create(image, one->io, be->gnt, be->domid, nr);
		if (!one->engine)
			return -ENOMEM;
	}
	return 0;
}

void blk_queues_drop(struct blk_queues *q)
{
	for (unsigned int i = 0; i < JOURNAL_QUEUES; i++) {
		if (q->queue[i].engine)
			blk_ring_stop(q->queue[i].engine, -1);
		blk_ring_destroy(q->queue[i].engine);
		blk_io_close(q->queue[i].io);
	}
	q->nr = 0;
}

int blk_queues_attach(struct blk_queues *q, struct backend *be, const struct blk_wire *wire)
{
	struct bring_table *table =
		(struct bring_table *)((char *)be->journal.page + JOURNAL_HEAD);

	for (unsigned int i = 0; i < be->nr_queues; i++) {
		int rc = blk_ring_attach(q->queue[i].engine, wire, be->ring_page[i],
					 backend_record(be, i), table + i, be->resumed);

		if (rc == 0)
			continue;
		/* What those before took over has no ring to be answered in. */
		while (i > 0)
			blk_ring_abandon(q->queue[--i].engine);
		return rc;
	}
	return 0;
}

bool blk_queues_are_idle(struct blk_queues *q, const struct backend *be)
{
	for (unsigned int i = 0; i < q->nr; i++)
		if (!blk_ring_is_idle(q->queue[i].engine, be->connected && i < be->nr_queues))
			return false;
	return true;
}

bool blk_queues_stop(struct blk_queues *q, int ms)
{
	bool stopped = true;

	for (unsigned int i = 0; stopped && i < q->nr; i++)
		stopped = blk_ring_stop(q->queue[i].engine, ms);
	return stopped;
}

struct blk_sum blk_queues_sum(const struct blk_queues *q)
{
	struct blk_sum s = { 0 };

	for (unsigned int i = 0; i < q->nr; i++) {
		const struct blk_ring *e = q->queue[i].engine;

		s.requests += e->nr_requests;
		s.errors += e->nr_errors;
		s.out += e->nr_used;
		if (e->most_at_once > s.most_at_once)
			s.most_at_once = e->most_at_once;
	}
	return s;
}
