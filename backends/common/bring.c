/* SPDX-License-Identifier: MIT */
/*
 * bring.c - shared ring, backend side: see bring.h. The only file that dereferences a ring page.
 * Single-threaded; the other party is a guest's CPU. Source: xen/io/ring.h.
 */
#include "bring.h"

#include <errno.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/io/ring.h>

#include "shm.h"

/* The header every ring type shares, spelled by the ABI's own macro. */
typedef struct {
	uint32_t word;
} any_t;
DEFINE_RING_TYPES(any, any_t, any_t);

#define SLOTS_OFFSET offsetof(struct any_sring, ring)
_Static_assert(SLOTS_OFFSET == 64, "xen/io/ring.h: slots follow a 64-byte header");

static struct any_sring *hdr(const struct bring *r)
{
	return r->page;
}

static uint8_t *slot(const struct bring *r, uint32_t idx)
{
	return (uint8_t *)r->page + SLOTS_OFFSET +
	       (size_t)(idx & (r->geo.nr_ents - 1)) * r->geo.stride;
}

/* Moves the noted responses into their slots and shows them to the frontend. */
static void publish_record(struct bring *r)
{
	const struct rsp_record *rec = r->rec;

	for (uint32_t i = 0; i < rec->count; i++)
		shm_write(slot(r, rec->start + i), rec->bytes + i * r->geo.rsp_len, r->geo.rsp_len);
	/* Pairs with the frontend's read barrier after reading rsp_prod. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	shm_write32(&hdr(r)->rsp_prod, rec->start + rec->count);
	r->rsp_prod = rec->start + rec->count;
}

/* The successor's first step: is the predecessor's last group out, or half out? */
static int resume_record(struct bring *r, uint32_t rsp_prod)
{
	const struct rsp_record *rec = r->rec;

	r->rsp_prod = rsp_prod;
	if (rec->count == 0)
		return 0;
	if (rec->count > BRING_MAX_GROUP)
		return -EPROTO;
	if (rsp_prod == rec->start)
		publish_record(r);
	else if (rsp_prod != rec->start + rec->count)
		return -EPROTO;
	return 0;
}

int bring_attach(struct bring *r, void *page, const struct bring_geometry *geo,
		 struct rsp_record *rec, bool resume)
{
	uint32_t rsp_prod, req_prod;

	*r = (struct bring){ .page = page, .geo = *geo, .rec = rec };
	rsp_prod = shm_read32(&hdr(r)->rsp_prod);
	if (!resume)
		memset(rec, 0, sizeof(*rec));
	if (resume_record(r, rsp_prod) < 0)
		return -EPROTO;
	r->req_cons = r->rsp_prod;
	/*
	 * The predecessor may have died between publishing and notifying: count the last ring-full
	 * as not yet announced, so that the next bring_must_notify() errs towards a notify.
	 */
	r->notified_prod = r->rsp_prod - (resume ? geo->nr_ents : 0);
	req_prod = shm_read32(&hdr(r)->req_prod);
	return req_prod - r->rsp_prod > geo->nr_ents ? -EPROTO : 0;
}

int bring_pending(struct bring *r)
{
	uint32_t req_prod = shm_read32(&hdr(r)->req_prod);

	if (req_prod - r->rsp_prod > r->geo.nr_ents ||
	    req_prod - r->req_cons > req_prod - r->rsp_prod)
		return -EPROTO;
	/* Pairs with the frontend's write barrier before it moves req_prod. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return (int)(req_prod - r->req_cons);
}

void bring_copy(const struct bring *r, uint32_t ahead, void *req)
{
	shm_read(req, slot(r, r->req_cons + ahead), r->geo.req_len);
}

/* Notes @count responses, the next from rsp_prod on, and shows them. */
static void note_and_publish(struct bring *r, const void *rsps, uint32_t count, uint32_t taken)
{
	struct rsp_record *rec = r->rec;

	/*
	 * Order matters only against this process being killed, so compiler fences are enough:
	 * while count is 0 a successor trusts rsp_prod, afterwards the note.
	 */
	*(volatile uint32_t *)&rec->count = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	rec->start = r->rsp_prod;
	rec->taken = taken;
	memcpy(rec->bytes, rsps, (size_t)count * r->geo.rsp_len);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)&rec->count = count;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	publish_record(r);
}

void bring_respond(struct bring *r, const void *rsps, uint32_t count)
{
	note_and_publish(r, rsps, count, 0);
	r->req_cons = r->rsp_prod;
}

static void set_used(struct bring_table *t, unsigned int entry, uint32_t used)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)&t->e[entry].used = used;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

int bring_attach_table(struct bring *r, struct bring_table *t, bool resume)
{
	uint32_t nr = 0;

	_Static_assert(sizeof(struct bring_table) % 4 == 0, "entries are copied in words");
	if (!resume) {
		memset(t, 0, sizeof(*t));
		return 0;
	}
	for (unsigned int i = 0; i < BRING_TAKEN; i++) {
		/* Its answer is out, since bring_attach() at the latest. */
		if (t->e[i].used && r->rec->count == 1 && t->e[i].index == r->rec->taken)
			set_used(t, i, 0);
		nr += t->e[i].used != 0;
	}
	/* Every request is answered, taken or still in the ring. */
	r->req_cons = r->rsp_prod + nr;
	return bring_pending(r) < 0 ? -EPROTO : 0;
}

int bring_take(struct bring *r, struct bring_table *t)
{
	unsigned int i = 0;

	while (i < BRING_TAKEN && t->e[i].used)
		i++;
	if (i == BRING_TAKEN)
		return -ENOSPC;
	bring_copy(r, 0, t->e[i].raw);
	t->e[i].index = r->req_cons;
	set_used(t, i, 1);
	r->req_cons++;
	return (int)i;
}

void bring_answer(struct bring *r, struct bring_table *t, unsigned int entry, const void *rsp)
{
	note_and_publish(r, rsp, 1, t->e[entry].index);
	set_used(t, entry, 0);
}

bool bring_must_notify(struct bring *r)
{
	uint32_t old = r->notified_prod, event;

	if (old == r->rsp_prod)
		return false;
	/* Full barrier: rsp_prod must be out before rsp_event is looked at; pairs with the
	 * frontend's. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = shm_read32(&hdr(r)->rsp_event);
	r->notified_prod = r->rsp_prod;
	return (uint32_t)(r->rsp_prod - event) < (uint32_t)(r->rsp_prod - old);
}

bool bring_want(struct bring *r, uint32_t ahead)
{
	shm_write32(&hdr(r)->req_event, r->req_cons + ahead);
	/* Full barrier: req_event must be out before req_prod is looked at again. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return shm_read32(&hdr(r)->req_prod) - r->req_cons >= ahead;
}

bool bring_more(struct bring *r)
{
	return bring_want(r, 1);
}
