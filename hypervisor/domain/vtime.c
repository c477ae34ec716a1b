/* SPDX-License-Identifier: MIT */
/*
 * vtime.c - how a guest tells the time: vcpu_time_info (version protocol of xen/xen.h) and wall
 * clock. The clock itself is x86/clock.c's.
 */
#include "domain/domain.h"

#include "x86/asm.h"
#include "x86/clock.h"

static void time_info_fill(struct vcpu_time_info *t, const struct clock_params *p)
{
	t->tsc_timestamp = p->tsc_base;
	t->system_time = p->ns_base;
	t->tsc_to_system_mul = p->mul;
	t->tsc_shift = p->shift;
	/* One pCPU and its one TSC: never goes backwards between vcpus. */
	t->flags = XEN_PVCLOCK_TSC_STABLE_BIT;
}

void vcpu_time_update(struct vcpu *v)
{
	struct vcpu_time_info *t = &v->vcpu_info->time, copy;
	struct clock_params p;

	clock_get_params(&p);
	if (v->time_tsc_base == p.tsc_base + 1)
		return; /* published already; the parameters change only with their base */
	v->time_tsc_base = p.tsc_base + 1;

	/* Odd while it changes; readers retry. Pairs with the guest's rmb around its reads. */
	WRITE_ONCE(t->version, t->version | 1);
	wmb();
	time_info_fill(t, &p);
	wmb();
	WRITE_ONCE(t->version, t->version + 1);

	if (!v->time_guest)
		return;
	copy = *t;
	if (!vcpu_write_guest(v, v->time_guest, &copy, sizeof(copy)))
		v->time_tsc_base = 0; /* not mapped now: try again at the next switch-in */
}

void wallclock_update(struct domain *d)
{
	struct shared_info *s = d->shared_info;
	u64 sec;
	u32 nsec;

	clock_get_wall(&sec, &nsec);
	sec += d->time_offset_s;
	WRITE_ONCE(s->wc_version, s->wc_version | 1);
	wmb();
	s->wc_sec = (u32)sec;
	s->wc_nsec = nsec;
	s->wc_sec_hi = sec >> 32;
	wmb();
	WRITE_ONCE(s->wc_version, s->wc_version + 1);
}
