/* SPDX-License-Identifier: MIT */
/*
 * vcpu.c - creation of vcpus, up and down, pause, and the areas they register in guest memory.
 * Owns vcpu_info placement and runstate accounting; scheduling is sched.c's, time info vtime.c's.
 */
#include "domain/domain.h"

#include "domain/evtchn.h"
#include "domain/fpu.h"
#include "domain/guest.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/clock.h"
#include "x86/guest_access.h"
#include "x86/layout.h"
#include "x86/pte.h"

/* Until the guest stops it; a blocked vcpu does not get it. */
#define PERIODIC_DEFAULT_NS 10000000ULL

static void singleshot_expired(void *arg)
{
	virq_raise_vcpu(arg, VIRQ_TIMER);
}

static void periodic_expired(void *arg)
{
	struct vcpu *v = arg;

	v->periodic_last_ns = now_ns();
	virq_raise_vcpu(v, VIRQ_TIMER);
	if (v->is_running && v->periodic_period_ns)
		timer_set(&v->periodic_timer, v->periodic_last_ns + v->periodic_period_ns);
}

static void poll_expired(void *arg)
{
	vcpu_kick(arg);
}

static int timers_init(struct vcpu *v)
{
	int rc = timer_init(&v->singleshot_timer, singleshot_expired, v);

	if (!rc)
		rc = timer_init(&v->periodic_timer, periodic_expired, v);
	if (!rc)
		rc = timer_init(&v->poll_timer, poll_expired, v);
	return rc;
}

int vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;
	int rc;

	if (id >= d->nr_vcpus_max)
		return -EINVAL;
	if (d->vcpu[id])
		return -EEXIST;
	v = xzalloc_obj(struct vcpu);
	if (!v)
		return -ENOMEM;
	v->vcpu_id = id;
	v->domain = d;
	v->pause_flags = VPF_DOWN;
	v->vcpu_info = &d->shared_info->vcpu_info[id];
	WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, 1);
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = now_ns();
	v->periodic_period_ns = PERIODIC_DEFAULT_NS;
	v->affinity = v->soft_affinity = ~0ULL;
	v->state_cpu = v->last_cpu = NO_CPU;
	rc = timers_init(v);
	if (!rc)
		rc = fpu_vcpu_init(v);
	if (!rc)
		rc = sched_vcpu_init(v);
	if (!rc)
		rc = pv_vcpu_init(v);
	if (rc) {
		vcpu_destroy(v);
		return rc;
	}
	d->vcpu[id] = v;
	return 0;
}

void vcpu_destroy(struct vcpu *v)
{
	BUG_ON(v->state_cpu != NO_CPU);
	if (v->domain->vcpu[v->vcpu_id] == v) {
		pv_vcpu_fini(v);
		v->domain->vcpu[v->vcpu_id] = NULL;
	}
	sched_vcpu_fini(v);
	fpu_vcpu_fini(v);
	timer_fini(&v->singleshot_timer);
	timer_fini(&v->periodic_timer);
	timer_fini(&v->poll_timer);
	xfree(v);
}

void vcpu_release_frames(struct vcpu *v)
{
	v->runstate_guest = 0;
	v->time_guest = 0;
	if (!v->vcpu_info_frame)
		return;
	v->vcpu_info = &v->domain->shared_info->vcpu_info[v->vcpu_id];
	frame_put_and_type(v->vcpu_info_frame);
	v->vcpu_info_frame = NULL;
}

int vcpu_up(struct vcpu *v)
{
	if (!v->is_initialised)
		return -EINVAL;
	if (v->pause_flags & VPF_DOWN) {
		v->pause_flags &= ~(unsigned long)VPF_DOWN;
		vcpu_wake(v);
	}
	return 0;
}

void vcpu_down(struct vcpu *v)
{
	v->pause_flags |= VPF_DOWN;
	vcpu_sleep(v);
}

void vcpu_pause(struct vcpu *v)
{
	v->pause_count++;
	v->pause_flags |= VPF_PAUSED;
	vcpu_sleep(v);
}

void vcpu_unpause(struct vcpu *v)
{
	if (v->pause_count == 0 || --v->pause_count)
		return;
	v->pause_flags &= ~(unsigned long)VPF_PAUSED;
	vcpu_wake(v);
}

/* --- registered areas --- */

/* Both are the guest's memory, which its other vcpus may write meanwhile. */
static void info_copy(struct vcpu_info *to, const struct vcpu_info *from)
{
	_Static_assert(sizeof(*to) % sizeof(u64) == 0, "copied by words");
	for (size_t i = 0; i < sizeof(*to) / sizeof(u64); i++)
		WRITE_ONCE(((u64 *)to)[i], READ_ONCE(((const u64 *)from)[i]));
}

int vcpu_register_info(struct vcpu *v, u64 mfn, u32 offset)
{
	struct domain *d = v->domain;
	struct vcpu_info *new;
	struct frame *f;
	int rc;

	if (v->vcpu_info_frame)
		return -EINVAL; /* once only: the guest's other cpus may use the old one */
	if (v != current && !(v->pause_flags & VPF_DOWN))
		return -EINVAL; /* it looks at its own without the lock */
	if (offset > PAGE_SIZE - sizeof(struct vcpu_info) || offset % 8 || !mfn_is_ram(_mfn(mfn)))
		return -EINVAL;
	f = mfn_to_frame(_mfn(mfn));
	rc = frame_get_and_type(f, d, FT_WR);
	if (rc)
		return -EINVAL;
	new = (struct vcpu_info *)((char *)mfn_to_virt(_mfn(mfn)) + offset);
	info_copy(new, v->vcpu_info);
	v->vcpu_info = new;
	v->vcpu_info_frame = f;
	v->time_tsc_base = 0;
	vcpu_time_update(v);
	/* Nothing that came during the move is lost: look at every port once. */
	WRITE_ONCE(new->evtchn_pending_sel, ~0UL);
	vcpu_mark_events_pending(v);
	return 0;
}

/* The machine address behind @va in @v's kernel page table, if mapped writable; 0: not. */
static maddr_t guest_va_to_maddr(const struct vcpu *v, u64 va)
{
	mfn_t table;
	u64 pte = 0;

	if (!v->pv.cr3_kernel || !guest_address_ok(va))
		return 0;
	table = frame_to_mfn(v->pv.cr3_kernel);
	for (unsigned int level = 4; level > 0; level--) {
		pte = ((const u64 *)mfn_to_virt(table))[pt_index(va, level)];
		if ((pte & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW) || (level > 1 && (pte & PTE_PS)))
			return 0;
		table = pte_mfn(pte);
	}
	return mfn_is_ram(table) ? mfn_to_maddr(table) | (va & PAGE_OFFSET_MASK) : 0;
}

bool vcpu_write_guest(const struct vcpu *v, u64 va, const void *src, size_t len)
{
	while (len) {
		size_t chunk = MIN(len, PAGE_SIZE - (va & PAGE_OFFSET_MASK));
		maddr_t ma = guest_va_to_maddr(v, va);

		if (!ma)
			return false;
		memcpy(maddr_to_virt(ma), src, chunk);
		frame_note_write(mfn_to_frame(maddr_to_mfn(ma)));
		va += chunk;
		src = (const char *)src + chunk;
		len -= chunk;
	}
	return true;
}

/* --- runstate --- */

void vcpu_runstate_change(struct vcpu *v, int new_state, s_time_t now)
{
	struct vcpu_runstate_info *r = &v->runstate;

	if (r->state == new_state)
		return;
	if ((u64)now > r->state_entry_time) {
		r->time[r->state] += now - r->state_entry_time;
		r->state_entry_time = now;
	}
	r->state = new_state;
}

void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out)
{
	s_time_t now = now_ns();

	*out = v->runstate;
	if ((u64)now > out->state_entry_time)
		out->time[out->state] += now - out->state_entry_time;
}

void vcpu_runstate_publish(struct vcpu *v)
{
	if (v->runstate_guest)
		vcpu_write_guest(v, v->runstate_guest, &v->runstate, sizeof(v->runstate));
}

u64 vcpu_cpu_time_ns(const struct vcpu *v)
{
	struct vcpu_runstate_info r;

	vcpu_runstate_get(v, &r);
	return r.time[RUNSTATE_running];
}

/* --- periodic timer --- */

void vcpu_periodic_start(struct vcpu *v)
{
	s_time_t now, next;

	if (!v->periodic_period_ns)
		return;
	now = now_ns();
	next = v->periodic_last_ns + (s_time_t)v->periodic_period_ns;
	if (now >= next) {
		virq_raise_vcpu(v, VIRQ_TIMER);
		v->periodic_last_ns = now;
		next = now + (s_time_t)v->periodic_period_ns;
	}
	timer_set(&v->periodic_timer, next);
}

void vcpu_periodic_stop(struct vcpu *v)
{
	timer_stop(&v->periodic_timer);
}
