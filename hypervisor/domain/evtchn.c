/* SPDX-License-Identifier: MIT */
/*
 * evtchn.c - event channel ports: the state machine of each port and the two-level pending bits.
 * Owns struct evtchn and d->evtchn; not the virq numbers (virq.c) nor the upcall itself (pv/).
 * ABI: xen/event_channel.h; rules C38-C40 of security.md.
 */
#include "domain/evtchn.h"

#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/irq.h"

#define PORTS_PER_BUCKET 128
#define NR_BUCKETS (EVTCHN_2L_NR_CHANNELS / PORTS_PER_BUCKET)
#define PORTS_PER_WORD 64
#define CLOSED_PER_CHECK 64 /* ports closed between two looks whether others wait */

/* Values as EVTCHNSTAT_* reports them. */
enum evtchn_state {
	ECS_FREE = EVTCHNSTAT_closed,
	ECS_UNBOUND = EVTCHNSTAT_unbound,
	ECS_INTERDOMAIN = EVTCHNSTAT_interdomain,
	ECS_PIRQ = EVTCHNSTAT_pirq,
	ECS_VIRQ = EVTCHNSTAT_virq,
	ECS_IPI = EVTCHNSTAT_ipi,
};

struct evtchn {
	u8 state;
	u16 vcpu_id; /* whose upcall it raises; always an existing vcpu */
	union {
		domid_t remote_domid; /* UNBOUND: who may bind */
		struct {
			evtchn_port_t port; /* open, INTERDOMAIN, and naming us back */
			struct domain *d;   /* alive: its ports close before it is freed */
		} remote;
		u32 pirq, virq;
	};
};

struct evtchn_table {
	struct evtchn *bucket[NR_BUCKETS]; /* NULL: never used; never freed before the domain is */
	evtchn_port_t first_free_hint;     /* no free port below it */
	/* no open port below it: where a reset goes on that was preempted */
	evtchn_port_t reset_at;
	u16 pirq_port[GSI_LIMIT];          /* 0: not bound */
};
_Static_assert(EVTCHN_2L_NR_CHANNELS == 4096, "xen/event_channel.h: two-level ABI on 64 bits");

int evtchn_init(struct domain *d)
{
	d->evtchn = xzalloc_obj(struct evtchn_table);
	if (!d->evtchn)
		return -ENOMEM;
	d->evtchn->first_free_hint = d->evtchn->reset_at = 1; /* port 0 means "none" */
	return 0;
}

/* NULL: out of range or in a bucket never used (such a port is closed). */
static struct evtchn *port_find(const struct domain *d, evtchn_port_t port)
{
	struct evtchn *bucket;

	if (port == 0 || port >= EVTCHN_2L_NR_CHANNELS || !d->evtchn)
		return NULL;
	port = (evtchn_port_t)index_nospec(port, EVTCHN_2L_NR_CHANNELS);
	bucket = d->evtchn->bucket[port / PORTS_PER_BUCKET];
	return bucket ? &bucket[port % PORTS_PER_BUCKET] : NULL;
}

static int port_alloc(struct domain *d, evtchn_port_t *port, struct evtchn **out)
{
	struct evtchn_table *t = d->evtchn;
	evtchn_port_t limit = MIN(d->max_evtchn_port, EVTCHN_2L_NR_CHANNELS - 1u);

	if (!t || d->is_dying)
		return -EINVAL;
	for (evtchn_port_t p = t->first_free_hint; p <= limit; p++) {
		struct evtchn **bucket = &t->bucket[p / PORTS_PER_BUCKET];

		if (!*bucket) {
			*bucket = xzalloc_array(struct evtchn, PORTS_PER_BUCKET);
			if (!*bucket)
				return -ENOMEM;
		}
		if ((*bucket)[p % PORTS_PER_BUCKET].state != ECS_FREE)
			continue;
		t->first_free_hint = p;
		/*
		 * a reset that was stopped and given up must not make the next one, which may be
		 * the domain's end, pass it by
		 */
		t->reset_at = MIN(t->reset_at, p);
		*port = p;
		*out = &(*bucket)[p % PORTS_PER_BUCKET];
		return 0;
	}
	return -ENOSPC;
}

/* --- pending bits --- */

static bool word_test_and_set(volatile xen_ulong_t *words, u32 bit)
{
	xen_ulong_t mask = 1UL << (bit % PORTS_PER_WORD);

	/* guests change the same words meanwhile, on other CPUs */
	return __atomic_fetch_or(&words[bit / PORTS_PER_WORD], mask, __ATOMIC_SEQ_CST) & mask;
}

static bool word_test(const volatile xen_ulong_t *words, u32 bit)
{
	return words[bit / PORTS_PER_WORD] >> (bit % PORTS_PER_WORD) & 1;
}

static void word_clear(volatile xen_ulong_t *words, u32 bit)
{
	__atomic_and_fetch(&words[bit / PORTS_PER_WORD], ~(1UL << (bit % PORTS_PER_WORD)),
			   __ATOMIC_SEQ_CST);
}

void vcpu_mark_events_pending(struct vcpu *v)
{
	if (READ_ONCE(v->vcpu_info->evtchn_upcall_pending))
		return;
	WRITE_ONCE(v->vcpu_info->evtchn_upcall_pending, 1);
	vcpu_kick(v);
}

/* Vcpus in SCHEDOP_poll wait for masked ports too. */
static void wake_pollers(struct domain *d, evtchn_port_t port)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		struct vcpu *v = d->vcpu[i];

		if (v && v->pause_flags & VPF_POLLING &&
		    (v->poll_evtchn == VCPU_POLL_ANY || v->poll_evtchn == port))
			vcpu_kick(v);
	}
}

static void raise_selector(struct vcpu *v, evtchn_port_t port)
{
	if (!word_test_and_set(&v->vcpu_info->evtchn_pending_sel, port / PORTS_PER_WORD))
		vcpu_mark_events_pending(v);
}

void evtchn_set_pending(struct domain *d, struct vcpu *v, evtchn_port_t port)
{
	struct shared_info *s = d->shared_info;

	if (!s || word_test_and_set(s->evtchn_pending, port))
		return;
	if (!word_test(s->evtchn_mask, port))
		raise_selector(v, port);
	wake_pollers(d, port);
}

bool evtchn_is_pending(const struct domain *d, evtchn_port_t port)
{
	return port < EVTCHN_2L_NR_CHANNELS && d->shared_info &&
	       word_test(d->shared_info->evtchn_pending,
			 (u32)index_nospec(port, EVTCHN_2L_NR_CHANNELS));
}

bool evtchn_is_masked(const struct domain *d, evtchn_port_t port)
{
	return port < EVTCHN_2L_NR_CHANNELS && d->shared_info &&
	       word_test(d->shared_info->evtchn_mask, port);
}

static void port_notify(struct domain *d, evtchn_port_t port, const struct evtchn *c)
{
	struct vcpu *v = d->vcpu[c->vcpu_id];

	if (v)
		evtchn_set_pending(d, v, port);
}

static struct vcpu *vcpu_of(const struct domain *d, u32 vcpu_id)
{
	return vcpu_id < d->nr_vcpus_max ? d->vcpu[index_nospec(vcpu_id, DOMAIN_MAX_VCPUS)] : NULL;
}

/* --- binding --- */

int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port)
{
	struct evtchn *c;
	int rc = port_alloc(d, port, &c);

	if (rc)
		return rc;
	*c = (struct evtchn){ .state = ECS_UNBOUND, .remote_domid = remote };
	return 0;
}

int evtchn_bind_interdomain(struct domain *ld, struct domain *rd, evtchn_port_t rport,
			    evtchn_port_t *lport)
{
	struct evtchn *rc_port = port_find(rd, rport), *c;
	int rc;

	if (!rc_port || rc_port->state != ECS_UNBOUND || rc_port->remote_domid != ld->domain_id ||
	    rd->is_dying)
		return -EINVAL;
	rc = port_alloc(ld, lport, &c);
	if (rc)
		return rc;
	*c = (struct evtchn){ .state = ECS_INTERDOMAIN, .remote = { .port = rport, .d = rd } };
	rc_port->state = ECS_INTERDOMAIN;
	rc_port->remote.port = *lport;
	rc_port->remote.d = ld;
	/* The other end may have sent while unbound: one spurious event loses nothing. */
	port_notify(ld, *lport, c);
	return 0;
}

int evtchn_bind_virq(struct domain *d, u32 virq, u32 vcpu_id, evtchn_port_t *port)
{
	struct vcpu *v;
	struct evtchn *c;
	int rc;

	if (virq >= NR_VIRQS || (!virq_is_per_vcpu(virq) && vcpu_id != 0))
		return -EINVAL;
	virq = (u32)index_nospec(virq, NR_VIRQS);
	v = vcpu_of(d, vcpu_id);
	if (!v)
		return -ENOENT;
	if (v->virq_to_evtchn[virq])
		return -EEXIST;
	rc = port_alloc(d, port, &c);
	if (rc)
		return rc;
	*c = (struct evtchn){ .state = ECS_VIRQ, .vcpu_id = vcpu_id, .virq = virq };
	v->virq_to_evtchn[virq] = *port;
	return 0;
}

int evtchn_bind_ipi(struct domain *d, u32 vcpu_id, evtchn_port_t *port)
{
	struct evtchn *c;
	int rc;

	if (!vcpu_of(d, vcpu_id))
		return -ENOENT;
	rc = port_alloc(d, port, &c);
	if (rc)
		return rc;
	*c = (struct evtchn){ .state = ECS_IPI, .vcpu_id = vcpu_id };
	return 0;
}

int evtchn_bind_pirq(struct domain *d, u32 pirq, evtchn_port_t *port)
{
	struct evtchn *c;
	int rc;

	if (pirq >= GSI_LIMIT)
		return -EINVAL;
	if (!d->pirq_to_gsi || d->pirq_to_gsi[pirq] == 0xff)
		return -EPERM;
	if (d->evtchn->pirq_port[pirq])
		return -EEXIST;
	rc = port_alloc(d, port, &c);
	if (rc)
		return rc;
	rc = gsi_bind_guest(d->pirq_to_gsi[pirq]);
	if (rc)
		return rc;
	*c = (struct evtchn){ .state = ECS_PIRQ, .pirq = pirq };
	d->evtchn->pirq_port[pirq] = *port;
	if (d->pirq_eoi_map && gsi_needs_eoi(d->pirq_to_gsi[pirq]))
		word_test_and_set(d->pirq_eoi_map, pirq);
	return 0;
}

evtchn_port_t evtchn_of_pirq(const struct domain *d, u32 pirq)
{
	return d->evtchn && pirq < GSI_LIMIT ? d->evtchn->pirq_port[pirq] : 0;
}

bool evtchn_raise_pirq(struct domain *d, unsigned int pirq)
{
	struct evtchn *c;
	evtchn_port_t port;

	if (!d || !d->evtchn || pirq >= GSI_LIMIT)
		return false;
	port = d->evtchn->pirq_port[pirq];
	c = port_find(d, port);
	if (!c)
		return false;
	port_notify(d, port, c);
	return true;
}

unsigned int evtchn_pirq_cpu(const struct domain *d, u32 pirq)
{
	const struct evtchn *c = port_find(d, evtchn_of_pirq(d, pirq));
	const struct vcpu *v = c ? d->vcpu[c->vcpu_id] : NULL;

	return v ? v->last_cpu : NO_CPU;
}

/* --- closing --- */

static void unbind_remote(const struct domain *d, struct evtchn *c)
{
	struct evtchn *other = port_find(c->remote.d, c->remote.port);

	BUG_ON(!other || other->state != ECS_INTERDOMAIN || other->remote.d != d);
	*other = (struct evtchn){
		.state = ECS_UNBOUND, .vcpu_id = other->vcpu_id, .remote_domid = d->domain_id};
}

static void port_close(struct domain *d, evtchn_port_t port, struct evtchn *c)
{
	switch ((enum evtchn_state)c->state) {
	case ECS_INTERDOMAIN:
		unbind_remote(d, c);
		break;
	case ECS_PIRQ:
		gsi_unbind_guest(d->pirq_to_gsi[c->pirq]);
		d->evtchn->pirq_port[c->pirq] = 0;
		break;
	case ECS_VIRQ:
		d->vcpu[c->vcpu_id]->virq_to_evtchn[c->virq] = 0;
		break;
	case ECS_FREE: /* nobody closes one */
	case ECS_UNBOUND:
	case ECS_IPI:
		break;
	}
	*c = (struct evtchn){ .state = ECS_FREE };
	if (d->shared_info)
		word_clear(d->shared_info->evtchn_pending, port);
	if (port < d->evtchn->first_free_hint)
		d->evtchn->first_free_hint = port;
}

int evtchn_close(struct domain *d, evtchn_port_t port)
{
	struct evtchn *c = port_find(d, port);

	if (!c || c->state == ECS_FREE)
		return -EINVAL;
	port_close(d, port, c);
	return 0;
}

int evtchn_reset(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;
	unsigned int nr_closed = 0;

	if (!t)
		return 0;
	for (; t->reset_at < EVTCHN_2L_NR_CHANNELS; t->reset_at++) {
		struct evtchn *c = port_find(d, t->reset_at);

		if (!c) {
			t->reset_at |= PORTS_PER_BUCKET - 1; /* the rest of a bucket never used */
			continue;
		}
		if (c->state == ECS_FREE)
			continue;
		if (nr_closed == CLOSED_PER_CHECK) {
			if (hypercall_should_preempt())
				return -ERESTART;
			nr_closed = 0;
		}
		port_close(d, t->reset_at, c);
		nr_closed++;
	}
	t->reset_at = 1;
	return 0;
}

int evtchn_destroy(struct domain *d)
{
	int rc = evtchn_reset(d);

	if (rc || !d->evtchn)
		return rc;
	for (unsigned int i = 0; i < NR_BUCKETS; i++)
		xfree(d->evtchn->bucket[i]);
	xfree(d->evtchn);
	d->evtchn = NULL;
	return 0;
}

/* --- use --- */

int evtchn_send(struct domain *d, evtchn_port_t port)
{
	struct evtchn *c = port_find(d, port), *other;

	if (!c)
		return -EINVAL;
	switch ((enum evtchn_state)c->state) {
	case ECS_INTERDOMAIN:
		other = port_find(c->remote.d, c->remote.port);
		port_notify(c->remote.d, c->remote.port, other);
		return 0;
	case ECS_IPI:
		port_notify(d, port, c);
		return 0;
	case ECS_UNBOUND:
		return 0;
	case ECS_FREE:
	case ECS_PIRQ:
	case ECS_VIRQ:
		break;
	}
	return -EINVAL;
}

int evtchn_status(struct domain *d, evtchn_port_t port, struct evtchn_status *st)
{
	struct evtchn *c = port_find(d, port);

	if (port >= EVTCHN_2L_NR_CHANNELS)
		return -EINVAL;
	st->status = c ? c->state : ECS_FREE;
	st->vcpu = c ? c->vcpu_id : 0;
	if (!c)
		return 0;
	switch ((enum evtchn_state)c->state) {
	case ECS_UNBOUND:
		st->u.unbound.dom = c->remote_domid;
		break;
	case ECS_INTERDOMAIN:
		st->u.interdomain.dom = c->remote.d->domain_id;
		st->u.interdomain.port = c->remote.port;
		break;
	case ECS_PIRQ:
		st->u.pirq = c->pirq;
		break;
	case ECS_VIRQ:
		st->u.virq = c->virq;
		break;
	case ECS_FREE:
	case ECS_IPI:
		break;
	}
	return 0;
}

int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, u32 vcpu_id)
{
	struct evtchn *c = port_find(d, port);
	struct vcpu *v = vcpu_of(d, vcpu_id);

	if (!v)
		return -ENOENT;
	if (!c || c->state == ECS_FREE || c->state == ECS_IPI ||
	    (c->state == ECS_VIRQ && virq_is_per_vcpu(c->virq)))
		return -EINVAL;
	if (c->state == ECS_VIRQ && vcpu_id != c->vcpu_id) {
		/* The binding is found through its vcpu: it moves with the notification. */
		v->virq_to_evtchn[c->virq] = port;
		d->vcpu[c->vcpu_id]->virq_to_evtchn[c->virq] = 0;
	}
	c->vcpu_id = vcpu_id;
	return 0;
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
	struct evtchn *c = port_find(d, port);
	struct shared_info *s = d->shared_info;

	if (!c)
		return -EINVAL;
	if (!word_test(s->evtchn_mask, port))
		return 0;
	word_clear(s->evtchn_mask, port);
	if (word_test(s->evtchn_pending, port) && d->vcpu[c->vcpu_id])
		raise_selector(d->vcpu[c->vcpu_id], port);
	return 0;
}
