/* SPDX-License-Identifier: MIT */
/* blk_ring.c - block request engine: see blk_ring.h. */
#include "blk_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <log.h>

struct blk_ring *blk_ring_create(const struct blk_image *image, struct blk_io *io,
				 xengnttab_handle *gnt, uint32_t domid, unsigned int nr)
{
	struct blk_ring *b = calloc(1, sizeof(*b));

	if (!b || granted_make(&b->arena, BLK_ARENA_PAGES / nr, BLK_GRANTED_PAGES / nr) < 0) {
		free(b);
		return NULL;
	}
	b->copy.own = &b->arena;
	b->io = io;
	b->place = (struct blk_place){
		.image = image, .gnt = gnt, .domid = domid, .lists = &b->lists};
	return b;
}

void blk_ring_destroy(struct blk_ring *b)
{
	if (!b)
		return;
	granted_drop(&b->arena);
	free(b);
}

static bool is_before(const struct blk_op *a, const struct blk_op *b)
{
	return (int32_t)(a->index - b->index) < 0;
}

static void note_taken(struct blk_ring *b, unsigned int entry)
{
	b->op[entry].state = BLK_OP_TAKEN;
	b->op[entry].index = b->table->e[entry].index;
	b->taken[(b->taken_head + b->nr_taken++) % BRING_TAKEN] = (uint8_t)entry;
	b->nr_used++;
}

/* What the predecessor had begun or only taken: all of it from the start, in ring order. */
static void take_over(struct blk_ring *b)
{
	for (unsigned int i = 0; i < BRING_TAKEN; i++) {
		if (!b->table->e[i].used)
			continue;
		note_taken(b, i);
		for (unsigned int j = b->nr_taken - 1; j > 0; j--) {
			uint8_t later = b->taken[j - 1];

			if (!is_before(&b->op[i], &b->op[later]))
				break;
			b->taken[j - 1] = b->taken[j];
			b->taken[j] = later;
		}
	}
}

int blk_ring_attach(struct blk_ring *b, const struct blk_wire *wire, void *page,
		    struct rsp_record *rec, struct bring_table *table, bool resume)
{
	int rc = bring_attach(&b->ring, page, &wire->geo, rec, resume);

	if (rc == 0)
		rc = bring_attach_table(&b->ring, table, resume);
	if (rc < 0)
		return rc;
	b->place.wire = wire;
	b->table = table;
	b->nr_used = b->nr_waiting = b->nr_taken = b->taken_head = 0;
	b->barrier = false;
	b->arena_at = b->arena.mem;
	for (unsigned int i = 0; i < BRING_TAKEN; i++)
		b->op[i].state = BLK_OP_FREE;
	take_over(b);
	return 0;
}

/* --- buffers -------------------------------------------------------------------------------- */

static size_t whole_pages(size_t len)
{
	return (len + GCOPY_PAGE - 1) / GCOPY_PAGE * GCOPY_PAGE;
}

/* The first place of @want bytes between @at and @end that no request has, or NULL. */
static char *place_from(const struct blk_ring *b, char *at, const char *end, size_t want)
{
	bool moved = true;

	/* Over each buffer in the way; that may get into the way of one looked at before. */
	while (moved && at + want <= end) {
		moved = false;
		for (unsigned int i = 0; i < BRING_TAKEN; i++) {
			const struct blk_op *op = &b->op[i];

			if (op->buf && at < op->buf + whole_pages(op->len) &&
			    op->buf < at + want) {
				at = op->buf + whole_pages(op->len);
				moved = true;
			}
		}
	}
	return at + want <= end ? at : NULL;
}

/* Behind the last one first: there it is mostly free. But rather where memory is granted. */
static char *find_buffer(struct blk_ring *b, size_t len)
{
	const struct granted *a = &b->arena;
	const char *end = a->mem + a->nr_pages * GCOPY_PAGE;
	size_t want = whole_pages(len);
	char *at = place_from(b, b->arena_at,
			      a->nr_granted ? a->mem + a->nr_granted * GCOPY_PAGE : end, want);

	if (!at)
		at = place_from(b, a->mem, end, want);
	if (at)
		b->arena_at = at + want;
	return at;
}

/* --- the end of a request ------------------------------------------------------------------- */

static void finish(struct blk_ring *b, struct blk_op *op, int rc)
{
	uint8_t rsp[BRING_MAX_RSP];

	if (rc < 0 && rc != -EOPNOTSUPP) {
		b->nr_errors++;
		log_debug("d%u: op %u sector %llu: %s", b->place.domid, op->req.op,
			  (unsigned long long)op->req.sector, strerror(-rc));
	}
	if (op->barrier)
		b->barrier = false;
	op->buf = NULL;
	op->barrier = false;
	op->state = BLK_OP_FREE;
	/* Alone, always the same memory. */
	if (--b->nr_used == 0)
		b->arena_at = b->arena.mem;
	b->nr_requests++;
	/* The answer to an indirect request names the inner operation: Linux's frontend insists. */
	b->place.wire->encode(rsp, op->req.id, op->req.op, blk_op_status(rc));
	bring_answer(&b->ring, b->table, (unsigned int)(op - b->op), rsp);
}

/* --- order ---------------------------------------------------------------------------------- */

/* Is there a request that must end before @op's flush may begin? */
static bool must_wait(const struct blk_ring *b, const struct blk_op *op)
{
	for (unsigned int i = 0; i < BRING_TAKEN; i++) {
		const struct blk_op *o = &b->op[i];

		if (o->state != BLK_OP_FREE && is_before(o, op) && (o->changes || op->barrier))
			return true;
	}
	return false;
}

static void run_step(struct blk_ring *b, struct blk_op *op)
{
	struct blk_io_op io;

	if (op->step[op->at] == BLK_IO_SYNC && must_wait(b, op)) {
		op->state = BLK_OP_WAITING;
		b->nr_waiting++;
		return;
	}
	op->state = BLK_OP_RUNNING;
	io = blk_op_io(op, (uint32_t)(op - b->op));
	blk_io_add(b->io, &io);
}

static void run_waiting(struct blk_ring *b)
{
	for (unsigned int i = 0; b->nr_waiting && i < BRING_TAKEN; i++) {
		if (b->op[i].state != BLK_OP_WAITING)
			continue;
		b->nr_waiting--;
		run_step(b, &b->op[i]);
	}
}

/* --- data of several requests at a time ----------------------------------------------------- */

/* Copies what was put together. Who waits for it goes on, or is finished. */
static void copy_all(struct blk_ring *b)
{
	int rc = b->nr_after ? gcopy_run(&b->copy) : 0;
	unsigned int nr = b->nr_after;

	b->nr_after = 0;
	for (unsigned int i = 0; i < nr; i++) {
		struct blk_op *op = b->after[i];
		int own = blk_op_copied(op, &b->copy);

		if (rc < 0 && op->copies != BLK_NO_COPIES)
			own = rc;
		if (own < 0 || op->at == op->nr_steps)
			finish(b, op, own);
		else
			run_step(b, op);
	}
}

/* Has @op go on after the copies put together here, with or without some of its own. */
static void go_on_after_copies(struct blk_ring *b, struct blk_op *op, bool copies)
{
	int rc = 0;

	if (b->nr_after && copies && b->copy.nr + op->req.nr_segs > GCOPY_MAX)
		copy_all(b);
	if (!b->nr_after)
		gcopy_start(&b->copy, b->place.gnt, b->place.domid);
	if (copies)
		rc = blk_op_add_copies(op, &b->copy);
	else
		op->copies = BLK_NO_COPIES;
	if (rc < 0)
		finish(b, op, rc);
	else
		b->after[b->nr_after++] = op;
}

/* --- the start of a request ----------------------------------------------------------------- */

/* Begins @op, or ends it at once. false: there is no memory for it now. */
static bool start(struct blk_ring *b, struct blk_op *op)
{
	int rc = blk_op_prepare(op, &b->place, b->table->e[op - b->op].raw);

	if (rc == 0 && op->len) {
		op->buf = find_buffer(b, op->len);
		if (!op->buf)
			return false;
	}
	if (rc < 0 || op->nr_steps == 0) {
		finish(b, op, rc);
		return true;
	}
	b->barrier |= op->barrier;
	go_on_after_copies(b, op, op->changes && op->len);
	return true;
}

static void start_taken(struct blk_ring *b)
{
	unsigned int used;

	/* Again when some ended at their copies: they may have been in the way, and nothing else
	 * will bring us back. */
	do {
		while (!b->barrier && b->nr_taken &&
		       start(b, &b->op[b->taken[b->taken_head]])) {
			b->taken_head = (b->taken_head + 1) % BRING_TAKEN;
			b->nr_taken--;
		}
		used = b->nr_used;
		copy_all(b);
	} while (b->nr_taken && b->nr_used < used);
	/* A flush may have waited for a write that failed. */
	run_waiting(b);
}

/* --- work ----------------------------------------------------------------------------------- */

static void ended(struct blk_ring *b, struct blk_op *op, int32_t res)
{
	int rc = blk_op_advance(op, res);

	if (rc > 0) {
		run_step(b, op);
		return;
	}
	if (rc == 0 && op->len && !op->changes)
		go_on_after_copies(b, op, true);
	else
		finish(b, op, rc);
}

/* Returns how many operations had ended. */
static unsigned int reap(struct blk_ring *b)
{
	struct blk_io_done done[BLK_IO_DEPTH];
	unsigned int n = blk_io_reap(b->io, done, BLK_IO_DEPTH);

	for (unsigned int i = 0; i < n; i++) {
		if (b->sync == BLK_SYNC_OUT) {
			b->sync_res = done[i].res;
			b->sync = BLK_SYNC_ENDED;
		} else {
			ended(b, &b->op[done[i].tag], done[i].res);
		}
	}
	copy_all(b);
	if (n)
		run_waiting(b);
	return n;
}

/* Begins and ends what can be without waiting. */
static void advance(struct blk_ring *b)
{
	do {
		start_taken(b);
		b->unstarted = blk_io_start(b->io) < 0;
	} while (reap(b) > 0);
}

static bool may_take(struct blk_ring *b)
{
	return !b->barrier && b->nr_used < BRING_TAKEN && !b->nr_taken &&
	       b->sync != BLK_SYNC_OUT;
}

static void take(struct blk_ring *b, int n)
{
	while (n-- > 0 && b->nr_used < BRING_TAKEN) {
		int i = bring_take(&b->ring, b->table);

		if (i < 0)
			return;
		note_taken(b, (unsigned int)i);
	}
	if (b->nr_used > b->most_at_once)
		b->most_at_once = b->nr_used;
}

int blk_ring_work(struct blk_ring *b, bool *notify)
{
	int n;

	*notify = false;
	reap(b);
	advance(b);
	n = bring_pending(&b->ring);
	if (n < 0)
		return n;
	if (may_take(b)) {
		take(b, n);
		advance(b);
	}
	*notify = bring_must_notify(&b->ring);
	if (b->unstarted)
		return 1;
	/* Held up: the end of what is out brings us back, not the frontend. */
	return may_take(b) ? bring_more(&b->ring) : 0;
}

static bool is_out(const struct blk_ring *b)
{
	return b->nr_used || b->sync == BLK_SYNC_OUT;
}

bool blk_ring_stop(struct blk_ring *b, int ms)
{
	while (is_out(b)) {
		advance(b);
		if (is_out(b) && !b->unstarted && !blk_io_wait_ms(b->io, ms) && ms >= 0)
			return false;
	}
	return true;
}

void blk_ring_leave(struct blk_ring *b)
{
	for (unsigned int i = 0; i < BRING_TAKEN; i++)
		b->op[i].state = BLK_OP_FREE;
	b->nr_used = b->nr_waiting = b->nr_taken = 0;
	b->barrier = b->unstarted = false;
}

void blk_ring_abandon(struct blk_ring *b)
{
	blk_ring_leave(b);
	b->sync = BLK_SYNC_NONE;
}

void blk_ring_reap(struct blk_ring *b)
{
	reap(b);
}

bool blk_ring_is_idle(struct blk_ring *b, bool attached)
{
	return !is_out(b) && (!attached || bring_pending(&b->ring) == 0);
}

bool blk_ring_sync(struct blk_ring *b, bool attached)
{
	const struct blk_io_op op = { .kind = BLK_IO_SYNC };

	if (!blk_ring_is_idle(b, attached))
		return false;
	b->sync = BLK_SYNC_OUT;
	blk_io_add(b->io, &op);
	while (blk_io_start(b->io) < 0)
		;
	reap(b);
	return true;
}

int blk_ring_sync_result(struct blk_ring *b)
{
	if (b->sync != BLK_SYNC_ENDED)
		return -EINPROGRESS;
	b->sync = BLK_SYNC_NONE;
	return b->sync_res;
}
