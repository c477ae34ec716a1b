/* SPDX-License-Identifier: MIT */
/*
 * events.c - pending bits, waiting, time. Two-level ABI of xen/xen.h; the clock: struct
 * vcpu_time_info there.
 */
#include "guest/events.h"

#include "guest/hypercall.h"

#define BITS 64

static event_handler_fn handler;

static struct vcpu_info *info(void)
{
	return &shared_info->vcpu_info[0];
}

void events_init(void)
{
	/* everything quiet until somebody asks */
	for (unsigned int i = 0; i < ARRAY_SIZE(shared_info->evtchn_mask); i++)
		__atomic_store_n(&shared_info->evtchn_mask[i], ~0UL, __ATOMIC_SEQ_CST);
}

u64 clock_ns(void)
{
	const struct vcpu_time_info *t = &info()->time;
	u64 ns, delta;
	u32 version;

	do {
		version = READ_ONCE(t->version) & ~1u;
		barrier(); /* the version, then what it covers; written in the same order */
		delta = __builtin_ia32_rdtsc() - t->tsc_timestamp;
		if (t->tsc_shift >= 0)
			delta <<= t->tsc_shift;
		else
			delta >>= -t->tsc_shift;
		ns = t->system_time +
		     (u64)((unsigned __int128)delta * t->tsc_to_system_mul >> 32);
		barrier();
	} while (READ_ONCE(t->version) != version);
	return ns;
}

static void poll_until(evtchn_port_t *port, u64 deadline_ns)
{
	struct sched_poll poll = { .nr_ports = port ? 1 : 0, .timeout = deadline_ns };

	set_xen_guest_handle(poll.ports, port);
	hc_sched(SCHEDOP_poll, &poll);
}

void sleep_ns(u64 ns)
{
	u64 deadline = clock_ns() + ns;

	while (clock_ns() < deadline)
		poll_until(NULL, deadline);
}

long port_pair(evtchn_port_t *a, evtchn_port_t *b)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
	long rc = hc_evtchn(EVTCHNOP_alloc_unbound, &alloc);

	if (rc)
		return rc;
	*a = bind.remote_port = alloc.port;
	rc = hc_evtchn(EVTCHNOP_bind_interdomain, &bind);
	*b = bind.local_port;
	if (!rc)
		port_take(*b); /* binding raises the new end once */
	return rc;
}

domid_t guest_domid(void)
{
	static domid_t domid = DOMID_SELF;
	struct evtchn_status status = { .dom = DOMID_SELF };
	evtchn_port_t a, b;

	if (domid != DOMID_SELF || port_pair(&a, &b))
		return domid;
	status.port = a;
	if (!hc_evtchn(EVTCHNOP_status, &status) && status.status == EVTCHNSTAT_interdomain)
		domid = status.u.interdomain.dom;
	port_close(a);
	port_close(b);
	return domid;
}

long port_send(evtchn_port_t port)
{
	struct evtchn_send send = { port };

	return hc_evtchn(EVTCHNOP_send, &send);
}

long port_close(evtchn_port_t port)
{
	struct evtchn_close close = { port };

	return hc_evtchn(EVTCHNOP_close, &close);
}

bool port_take(evtchn_port_t port)
{
	u64 bit = 1UL << (port % BITS);

	return __atomic_fetch_and(&shared_info->evtchn_pending[port / BITS], ~bit,
				  __ATOMIC_SEQ_CST) & bit;
}

bool port_wait(evtchn_port_t port, u64 timeout_ns)
{
	u64 deadline = timeout_ns == FOREVER ? 0 : clock_ns() + timeout_ns;

	while (!port_take(port)) {
		if (deadline && clock_ns() >= deadline)
			return false;
		poll_until(&port, deadline);
	}
	return true;
}

void port_mask(evtchn_port_t port)
{
	__atomic_fetch_or(&shared_info->evtchn_mask[port / BITS], 1UL << (port % BITS),
			  __ATOMIC_SEQ_CST);
}

long port_unmask(evtchn_port_t port)
{
	struct evtchn_unmask unmask = { port };

	return hc_evtchn(EVTCHNOP_unmask, &unmask);
}

void events_handle(event_handler_fn h)
{
	handler = h;
}

bool events_are_masked(void)
{
	return READ_ONCE(info()->evtchn_upcall_mask);
}

void events_disable(void)
{
	WRITE_ONCE(info()->evtchn_upcall_mask, 1);
	barrier();
}

void events_enable(void)
{
	barrier();
	WRITE_ONCE(info()->evtchn_upcall_mask, 0);
	/* unmask, then look: an event before it was only noted */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (READ_ONCE(info()->evtchn_upcall_pending))
		hc_version(XENVER_version, NULL); /* any call lets it in */
}

static void deliver(unsigned int word)
{
	u64 ready = shared_info->evtchn_pending[word] & ~shared_info->evtchn_mask[word];

	while (ready) {
		evtchn_port_t port = word * BITS + (unsigned int)__builtin_ctzl(ready);

		ready &= ready - 1;
		if (port_take(port) && handler)
			handler(port);
	}
}

void events_upcall(void)
{
	WRITE_ONCE(info()->evtchn_upcall_pending, 0);
	while (true) {
		u64 words = __atomic_exchange_n(&info()->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);

		if (!words)
			return;
		for (; words; words &= words - 1)
			deliver((unsigned int)__builtin_ctzl(words));
	}
}
