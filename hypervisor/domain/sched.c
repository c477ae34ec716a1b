/* SPDX-License-Identifier: MIT */
/*
 * sched.c - who has a CPU: runnable or not, the switch, and idling. Owns each CPU's `current` and
 * vcpu.state_cpu; the choice of the next is sched_credit.c's. Runs as SOFTIRQ_SCHEDULE on the way
 * out to a guest. Lock: the hypervisor's, which idling lets go.
 *
 * Where it is the only one, a CPU that idles keeps the vcpu that ran last: if it is the next to
 * run, nothing has to be loaded. Else it leaves the vcpu's page tables, so that nobody ever has to
 * interrupt an idle CPU, and a vcpu that does not run is on no CPU.
 */
#include "domain/sched.h"

#include "domain/evtchn.h"
#include "domain/fpu.h"
#include "domain/guest.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/nospec.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/lock.h"
#include "x86/smp.h"
#include "x86/softirq.h"
#include "x86/spec_ctrl.h"

static struct {
	bool is_yielding;
	s_time_t idle_ns;
} percpu[NR_CPUS];

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

u64 sched_idle_time_ns(unsigned int cpu)
{
	return percpu[cpu].idle_ns;
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
	u32 cpu;

	if (v->is_running || v->runstate.state == RUNSTATE_runnable)
		return;
	now = now_ns();
	if (!vcpu_is_runnable(v)) {
		vcpu_runstate_change(v, stopped_state(v), now);
		return;
	}
	cpu = credit_insert(v, v->runstate.state == RUNSTATE_blocked, now);
	vcpu_runstate_change(v, RUNSTATE_runnable, now);
	if (cpu != NO_CPU)
		softirq_raise_on(cpu, SOFTIRQ_SCHEDULE);
}

void vcpu_sleep(struct vcpu *v)
{
	if (vcpu_is_runnable(v))
		return;
	if (v->is_running) {
		softirq_raise_on(v->state_cpu, SOFTIRQ_SCHEDULE);
		return;
	}
	credit_remove(v);
	vcpu_runstate_change(v, stopped_state(v), now_ns());
}

void vcpu_kick(struct vcpu *v)
{
	if (!(v->pause_flags & (VPF_BLOCKED | VPF_POLLING))) {
		/* It sees the event on its next way out: at once, if it runs. */
		if (v->is_running)
			smp_kick(v->state_cpu);
		return;
	}
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
	percpu[this_cpu_id()].is_yielding = true;
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

	domain_log(d, LOG_WARN, "d%u: watchdog expired", d->domain_id);
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
	id = (u32)index_nospec(id - 1, NR_WATCHDOGS);
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

/* --- stopping others --- */

bool domain_stop(struct domain *d)
{
	bool is_stopped = true;

	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		struct vcpu *v = d->vcpu[i];

		if (!v)
			continue;
		v->pause_flags |= VPF_SYNC;
		vcpu_sleep(v);
		is_stopped &= !v->is_running;
	}
	return is_stopped;
}

void domain_go_on(struct domain *d)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		if (!d->vcpu[i])
			continue;
		d->vcpu[i]->pause_flags &= ~(unsigned long)VPF_SYNC;
		vcpu_wake(d->vcpu[i]);
	}
}

void sched_affinity_changed(struct vcpu *v)
{
	if (!v->is_running)
		credit_call_idle();
	else if (!(v->affinity >> v->state_cpu & 1))
		softirq_raise_on(v->state_cpu, SOFTIRQ_SCHEDULE);
}

int sched_pin(struct vcpu *v, s32 cpu)
{
	if (cpu < 0) {
		if (!v->affinity_before_pin)
			return -ENOENT;
		v->affinity = v->affinity_before_pin;
		v->affinity_before_pin = 0;
	} else {
		if ((u32)cpu >= smp_nr_cpus())
			return -EINVAL;
		if (v->affinity_before_pin)
			return -EBUSY;
		v->affinity_before_pin = v->affinity;
		v->affinity = 1ULL << cpu;
	}
	sched_affinity_changed(v);
	return 0;
}

/* --- the switch --- */

static void vcpu_leave(struct vcpu *prev)
{
	vcpu_runstate_publish(prev);
	prev->regs = *guest_regs();
	fpu_switch_out(prev);
	pv_vcpu_switch_out(prev);
	prev->state_cpu = NO_CPU;
}

static void vcpu_enter(struct vcpu *next)
{
	this_cpu()->vcpu = next;
	next->state_cpu = next->last_cpu = this_cpu_id();
	*guest_regs() = next->regs;
	spec_ctrl_switch_in(next->domain->life, next->pv.spec_ctrl);
	pv_vcpu_switch_in(next);
	fpu_switch_in(next);
	if (fpu_is_eager)
		fpu_load_early(next);
	vcpu_time_update(next);
}

/* Where others could want the vcpu, or change the tables that are loaded: off with them. */
static void unload(struct cpu_info *c)
{
	if (!c->vcpu || smp_nr_cpus() == 1)
		return;
	vcpu_leave(c->vcpu);
	c->vcpu = NULL;
	pv_tables_leave();
}

static struct vcpu *idle_until_runnable(void)
{
	struct cpu_info *c = this_cpu();
	struct vcpu *next;

	unload(c);
	c->is_idle = true;
	do {
		s_time_t start = now_ns();

		hv_unlock();
		cpu_idle_wait();
		hv_lock();
		percpu[c->cpu_id].idle_ns += now_ns() - start;
		softirq_process();
		next = credit_pick(now_ns());
	} while (!next);
	c->is_idle = false;
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
		credit_requeue(prev, percpu[this_cpu_id()].is_yielding);
	} else {
		vcpu_runstate_change(prev, stopped_state(prev), now);
	}
	percpu[this_cpu_id()].is_yielding = false;
	domain_shutdown_check(prev->domain);
}

static void vcpu_start_running(struct vcpu *next)
{
	vcpu_runstate_change(next, RUNSTATE_running, now_ns());
	next->is_running = true; /* first: what is loaded may crash its domain, which stops those */
	if (next != current) {
		if (current)
			vcpu_leave(current);
		vcpu_enter(next);
	}
	vcpu_periodic_start(next);
	vcpu_runstate_publish(next);
}

/* Nothing of this CPU's is running: chooses, or waits until there is something to choose. */
static void run_next(s_time_t now)
{
	struct vcpu *next = credit_pick(now);

	vcpu_start_running(next ? next : idle_until_runnable());
}

void sched_softirq(void)
{
	bool yielded = percpu[this_cpu_id()].is_yielding;
	s_time_t now;

	/* Idling is inside the call below: the loop there looks itself. */
	if (this_cpu()->is_idle || !current)
		return;
	now = now_ns();
	if (current->is_running)
		vcpu_stop_running(current, now);
	run_next(now);
	if (yielded)
		cpu_relax(); /* a vcpu that yields waits for another CPU, more often than not */
}

void sched_start_cpu(void)
{
	run_next(now_ns());
	hv_unlock();
	return_to_guest();
}
