/* SPDX-License-Identifier: MIT */
/* move_progress.c - see move_progress.h. */
#include "move_progress.h"

#include <inttypes.h>

#include "request_ops.h"
#include "save_pv.h"
#include "store.h"
#include "xend.h"

#define LOOK_NS (500 * NS_PER_MS)

struct progress {
	const char *name, *phase;
	uint64_t sent_kib, total_kib, rate, stop_ms, round, slow;
};

static void put(struct txn *tx, const struct progress *p, const char *key, uint64_t value)
{
	txn_writef(tx, path_status(p->name, key), "%" PRIu64, value);
}

static int body(struct txn *tx, void *arg)
{
	const struct progress *p = arg;

	txn_write(tx, path_status(p->name, "move/phase"), p->phase);
	put(tx, p, "move/sent_kib", p->sent_kib);
	put(tx, p, "move/total_kib", p->total_kib);
	put(tx, p, "move/rate_kib_s", p->rate);
	put(tx, p, "move/stop_ms", p->stop_ms);
	put(tx, p, "move/round", p->round);
	if (p->slow)
		put(tx, p, "move/slow_percent", p->slow);
	return 0;
}

void move_progress(struct xend *x, struct request *r, const struct domain *d, const char *phase)
{
	struct progress p = { .name = d->name, .phase = phase };
	uint64_t ns = x->now_ns - r->began_ns;
	struct save_rounds now;

	r->deadline_ns = x->now_ns + LOOK_NS;
	/* A guest that stands still does not wait for what nobody can read in that time. */
	if (r->began_ns && ns < LOOK_NS)
		return;
	save_progress(d->saving.file, &p.sent_kib, &p.total_kib);
	save_rounds(d->saving.file, &now);
	/* Whole pages go, none for one of zeros: the stop is as long as all that is left takes. */
	if (r->began_ns && ns >= NS_PER_MS) {
		p.rate = p.sent_kib * 1000 / (ns / NS_PER_MS);
		p.stop_ms = p.rate ? p.total_kib * 1000 / p.rate : 0;
	}
	if (now.rate_kib_s) {
		p.rate = now.rate_kib_s;
		p.stop_ms = now.stop_ms;
		p.round = now.round;
		p.slow = now.slow_percent;
	}
	store_transact(x->xs, body, &p);
}

void move_progress_end(struct xend *x, const char *name)
{
	store_rm(x->xs, path_status(name, "move"));
}
