/* SPDX-License-Identifier: MIT */
/*
 * sched.c - who has the CPU: runnable or not, the switch, and idling. Owns `current`; the choice
 * of the next is sched_credit.c's. Runs as SOFTIRQ_SCHEDULE on the way out to a guest.
 */
#include "domain/sched.h"

#include "domain/evtchn.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "pv/pv.h"
#include "x86/machine.h"

static bool is_idling; /* sched_softirq is waiting; a nested call returns at once */
static bool is_yielding;
static s_time_t idle_ns;

void sched_init(void)
{
	credit_init();
}

int sched_vcpu_init(struct vcpu *v)
{
	return credit_vcpu_init(v);
}

void sched_vcpu_fini(struct vcpu *v)
{
	credit_vcpu_fini(v);
}

u64 sched_idle_time_ns(void)
{
	return idle_ns;
}

static int stopped_state(const struct vcpu *v)
{
	return v->pause_flags & (VPF_BLOCKED | VPF_POLLING) && !(v->pause_flags & VPF_DOWN) ?
		       RUNSTATE_blocked :
		       RUNSTATE_offline;
}

void vcpu_wake(struct vcpu *v)
{
	s_time_t now;

	if (v->is_running || v->runstate.state == RUNSTATE_runnable)
		return;
	now = now_ns();
	if (!vcpu_is_runnable(v)) {
		vcpu_runstate_change(v, stopped_state(v), now);
		return;
	}
	if (credit_insert(v, v->runstate.state == RUNSTATE_blocked, now))
		softirq_raise(SOFTIRQ_SCHEDULE);
	vcpu_runstate_change(v, RUNSTATE_runnable, now);
}

void vcpu_sleep(struct vcpu *v)
{
	if (vcpu_is_runnable(v))
		return;
	if (v->is_running) {
		softirq_raise(SOFTIRQ_SCHEDULE);
		return;
	}
	credit_remove(v);
	vcpu_runstate_change(v, stopped_state(v), now_ns());
}

void vcpu_kick(struct vcpu *v)
{
	if (!(v->pause_flags & (VPF_BLOCKED | VPF_POLLING)))
		return; /* running, queued or stopped: it sees the event on its way out */
	if (v->pause_flags & VPF_POLLING) {
		timer_stop(&v->poll_timer);
		v->poll_evtchn = 0;
	}
	v->pause_flags &= ~(unsigned long)(VPF_BLOCKED | VPF_POLLING);
	vcpu_wake(v);
}

/* --- what a running vcpu asks for --- */

void sched_block(void)
{
	struct vcpu *v = current;

	if (vcpu_event_is_deliverable(v))
		return;
	v->pause_flags |= VPF_BLOCKED;
	softirq_raise(SOFTIRQ_SCHEDULE);
}

void sched_yield(void)
{
	is_yielding = true;
	softirq_raise(SOFTIRQ_SCHEDULE);
}

void sched_poll(const evtchn_port_t *ports, unsigned int nr, s_time_t timeout_ns)
{
	struct vcpu *v = current;

	for (unsigned int i = 0; i < nr; i++)
		if (evtchn_is_pending(v->domain, ports[i]))
			return;
	if (vcpu_event_is_deliverable(v))
		return;
	v->poll_evtchn = nr == 1 ? ports[0] : VCPU_POLL_ANY;
	v->pause_flags |= VPF_POLLING;
	if (timeout_ns)
		timer_set(&v->poll_timer, timeout_ns);
	softirq_raise(SOFTIRQ_SCHEDULE);
}

static void watchdog_expired(void *arg)
{
	struct domain *d = arg;

	log_warn("d%u: watchdog expired", d->domain_id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

long sched_watchdog(struct domain *d, u32 id, u32 timeout_s)
{
	s_time_t deadline = now_ns() + (s_time_t)timeout_s * 1000000000;

	if (id > NR_WATCHDOGS || (id == 0 && timeout_s == 0))
		return -EINVAL;
	if (id == 0) {
		for (unsigned int i = 0; i < NR_WATCHDOGS; i++) {
			if (d->watchdog_timer_set >> i & 1)
				continue;
			if (!d->watchdog_timer[i].is_initialised &&
			    timer_init(&d->watchdog_timer[i], watchdog_expired, d))
				return -ENOMEM;
			d->watchdog_timer_set |= 1u << i;
			timer_set(&d->watchdog_timer[i], deadline);
			return i + 1;
		}
		return -EEXIST;
	}
	id--;
	if (!(d->watchdog_timer_set >> id & 1))
		return -EINVAL;
	if (timeout_s == 0) {
		d->watchdog_timer_set &= ~(1u << id);
		timer_stop(&d->watchdog_timer[id]);
	} else {
		timer_set(&d->watchdog_timer[id], deadline);
	}
	return 0;
}

/* --- the switch --- */

static void vcpu_leave(struct vcpu *prev)
{
	prev->regs = *guest_regs();
	vcpu_runstate_publish(prev);
	fpu_switch_out(prev);
	pv_vcpu_switch_out(prev);
}

static void vcpu_enter(struct vcpu *next)
{
	current = next;
	*guest_regs() = next->regs;
	pv_vcpu_switch_in(next);
	fpu_switch_in(next);
	vcpu_time_update(next);
}

static struct vcpu *idle_until_runnable(void)
{
	struct vcpu *next;

	is_idling = true;
	do {
		s_time_t start = now_ns();

		cpu_idle_wait();
		idle_ns += now_ns() - start;
		softirq_process();
		next = credit_pick(now_ns());
	} while (!next);
	is_idling = false;
	return next;
}

/* Accounts for the vcpu that ran until now and puts it where it belongs. */
static void vcpu_stop_running(struct vcpu *prev, s_time_t now)
{
	credit_charge(prev, now);
	prev->is_running = false;
	vcpu_periodic_stop(prev);
	if (vcpu_is_runnable(prev)) {
		vcpu_runstate_change(prev, RUNSTATE_runnable, now);
		credit_requeue(prev, is_yielding);
	} else {
		vcpu_runstate_change(prev, stopped_state(prev), now);
	}
	is_yielding = false;
}

void sched_softirq(void)
{
	struct vcpu *prev = current, *next;
	s_time_t now;

	if (is_idling || !prev)
		return;
	now = now_ns();
	if (prev->is_running)
		vcpu_stop_running(prev, now);
	next = credit_pick(now);
	if (!next)
		next = idle_until_runnable();
	if (next != prev) {
		vcpu_runstate_change(next, RUNSTATE_running, now_ns());
		vcpu_leave(prev);
		vcpu_enter(next);
	} else {
		vcpu_runstate_change(next, RUNSTATE_running, now_ns());
	}
	next->is_running = true;
	vcpu_periodic_start(next);
	vcpu_runstate_publish(next);
}

void sched_start(void)
{
	struct vcpu *next = credit_pick(now_ns());

	if (!next)
		hv_panic("no vcpu can run: dom0 was not unpaused");
	vcpu_runstate_change(next, RUNSTATE_running, now_ns());
	next->is_running = true;
	vcpu_enter(next);
	vcpu_periodic_start(next);
	return_to_guest();
}
