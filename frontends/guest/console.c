/* SPDX-License-Identifier: MIT */
/*
 * console.c - bytes to a person: through the ring of xen/io/console.h, in dom0 through the
 * hypervisor's console. Believes nothing of the ring but that bytes may be lost.
 */
#include "guest/guest.h"

#include <xen/io/console.h>

#include "guest/events.h"
#include "guest/hypercall.h"
#include "guest/mm.h"

#define FLUSH_NS 10000000000ULL

static struct xencons_interface *ring; /* NULL in dom0 */

void console_init(void)
{
	if (!guest_is_dom0())
		ring = mfn_to_virt(start_info->console.domU.mfn);
}

static void notify(void)
{
	struct evtchn_send send = { start_info->console.domU.evtchn };

	hc_evtchn(EVTCHNOP_send, &send);
}

static u32 room(void)
{
	u32 used = ring->out_prod - READ_ONCE(ring->out_cons);

	return used > sizeof(ring->out) ? 0 : (u32)sizeof(ring->out) - used;
}

/* A full ring with nobody at the other end loses bytes after the wait, not the guest. */
static bool wait_for_room(void)
{
	u64 deadline = clock_ns() + FLUSH_NS;

	notify();
	while (!room()) {
		if (clock_ns() > deadline)
			return false;
		hc_sched(SCHEDOP_yield, NULL);
	}
	return true;
}

void console_write(const char *text, size_t len)
{
	if (!ring) {
		hypercall(console_io, CONSOLEIO_write, len, text);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (!room() && !wait_for_room())
			return;
		ring->out[MASK_XENCONS_IDX(ring->out_prod, ring->out)] = text[i];
		barrier(); /* the byte, then the index; the reader's pair is its load of out_prod */
		WRITE_ONCE(ring->out_prod, ring->out_prod + 1);
	}
	notify();
}

size_t console_read(char *text, size_t size)
{
	size_t n = 0;
	u32 prod;

	if (!ring)
		return MAX(hypercall(console_io, CONSOLEIO_read, size, text), 0);
	prod = READ_ONCE(ring->in_prod);
	barrier(); /* the index, then the bytes it covers */
	while (n < size && (u32)ring->in_cons != prod) {
		text[n++] = ring->in[MASK_XENCONS_IDX(ring->in_cons, ring->in)];
		WRITE_ONCE(ring->in_cons, ring->in_cons + 1);
	}
	if (n)
		notify();
	return n;
}

void console_flush(void)
{
	u64 deadline = clock_ns() + FLUSH_NS;

	if (!ring)
		return;
	notify();
	while (READ_ONCE(ring->out_cons) != ring->out_prod && clock_ns() < deadline)
		hc_sched(SCHEDOP_yield, NULL);
}
