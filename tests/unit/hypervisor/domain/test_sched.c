/* SPDX-License-Identifier: MIT */
/* Claims about domain/sched.c and sched_credit.c, on a CPU whose time the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/evtchn.h"
#include "domain/fpu.h"
#include "domain/sched.h"
#include "lib/errno.h"
#include "x86/softirq.h"

#define MS 1000000LL

extern u64 fake_spec_life; /* tests/fakes/hvcpu/spec.c */
extern u32 fake_spec_ctrl;

static struct domain *d1, *d2;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 1);
	d2 = world_domain(2, 1);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(world_end(), 0);
	return 0;
}

static void block_current(void)
{
	current->vcpu_info->evtchn_upcall_pending = 0;
	sched_block();
	world_softirqs();
}

/* Lets @ns pass: timer interrupts at their deadlines, softirqs after each. */
static void run_for(s_time_t ns)
{
	s_time_t end = world.now + ns;

	while (world.hw_timer[0] && world.hw_timer[0] <= end) {
		world.now = MAX(world.now, world.hw_timer[0]);
		softirq_raise(SOFTIRQ_TIMER);
		world_softirqs();
	}
	world.now = end;
	world_softirqs();
}

static u64 ran(const struct domain *d)
{
	return vcpu_cpu_time_ns(d->vcpu[0]);
}

static void test_two_busy_domains_share_the_cpu_equally(void **state)
{
	block_current(); /* dom0 away */
	run_for(3000 * MS);
	assert_in_range(ran(d1), 1400 * MS, 1600 * MS);
	assert_in_range(ran(d1) + ran(d2), 2999 * MS, 3001 * MS);
}

static void test_cpu_time_follows_the_weights(void **state)
{
	assert_int_equal(credit_set_params(d1, 768, 0xffff), 0);
	block_current();
	run_for(6000 * MS);
	assert_in_range(ran(d1), 4100 * MS, 4900 * MS); /* 3 : 1 */
}

static void test_a_cap_holds_although_the_cpu_is_idle(void **state)
{
	assert_int_equal(credit_set_params(d1, 256, 25), 0);
	domain_pause(d2);
	block_current();
	run_for(3000 * MS);
	while (!world.hw_timer[0])
		fail();
	assert_in_range(ran(d1), 600 * MS, 950 * MS);
	domain_unpause(d2);
}

static void test_parameters_out_of_range_are_refused(void **state)
{
	assert_int_equal(credit_set_params(d1, 256, 101), -EINVAL);
	assert_int_equal(credit_set_params(d1, 0, 0xffff), 0); /* "leave as it is" */
	assert_int_equal(d1->scheduler_weight, 256);
}

/* dom0 sleeps until it owes nothing: it was charged for all the time before. */
static void dom0_pays(void)
{
	block_current();
	run_for(700 * MS);
}

static void test_a_vcpu_woken_by_an_event_preempts_a_busy_one(void **state)
{
	struct vcpu *v0 = dom0->vcpu[0];

	dom0_pays();
	assert_ptr_not_equal(current, v0);
	vcpu_mark_events_pending(v0);
	world_softirqs();
	assert_ptr_equal(current, v0);
}

static void test_a_vcpu_that_has_just_got_the_cpu_keeps_it_for_its_grace(void **state)
{
	struct vcpu *v0 = dom0->vcpu[0], *busy;

	dom0_pays();
	vcpu_mark_events_pending(v0);
	world_softirqs();
	block_current();
	busy = current;
	assert_ptr_not_equal(busy, v0);

	vcpu_mark_events_pending(v0);
	world_softirqs();
	assert_ptr_equal(current, busy);
	run_for(MS / 10);
	assert_ptr_equal(current, busy);
	run_for(MS / 5);
	assert_ptr_equal(current, v0);
}

static void test_a_lone_vcpu_is_not_disturbed_by_timers(void **state)
{
	domain_pause(d1);
	domain_pause(d2);
	world_softirqs();
	assert_ptr_equal(current, dom0->vcpu[0]);
	/* What Linux does first. */
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0, 0), 0);
	run_for(200 * MS); /* what was armed for the others runs out */
	timer_softirq();
	assert_int_equal(world.hw_timer[0], 0);
	current->periodic_period_ns = 10 * MS;
	domain_unpause(d1);
	domain_unpause(d2);
}

/* One that nobody sets again: each tick sets the next. */
static void test_a_periodic_timer_ticks_as_long_as_its_vcpu_runs(void **state)
{
	evtchn_port_t port;
	unsigned int ticks = 0;

	domain_pause(d1);
	domain_pause(d2);
	world_softirqs();
	assert_int_equal(evtchn_bind_virq(dom0, VIRQ_TIMER, 0, &port), 0);
	current->periodic_last_ns = world.now;
	vcpu_periodic_start(current);
	for (unsigned int i = 0; i < 50; i++) {
		run_for(MS);
		ticks += evtchn_is_pending(dom0, port);
		dom0->shared_info->evtchn_pending[0] = 0;
		current->vcpu_info->evtchn_upcall_pending = 0;
	}
	assert_in_range(ticks, 4, 6); /* each 10 ms */
	domain_unpause(d1);
	domain_unpause(d2);
}

/*
 * What a domain may see of the CPU's speculation is its own: the barrier between domains is there.
 */
static void test_a_switch_tells_the_cpu_whose_turn_it_is(void **state)
{
	d1->vcpu[0]->pv.spec_ctrl = 4;
	domain_pause(d2);
	block_current();
	assert_ptr_equal(current, d1->vcpu[0]);
	assert_int_equal(fake_spec_life, d1->life);
	assert_int_equal(fake_spec_ctrl, 4);
	domain_unpause(d2);
}

static int idles;

static void wake_dom0(void)
{
	idles++;
	world.now += 5 * MS;
	vcpu_mark_events_pending(dom0->vcpu[0]);
}

static void test_an_idle_cpu_resumes_the_same_vcpu_without_a_switch(void **state)
{
	u64 idle_before = sched_idle_time_ns(0);
	unsigned int switches;

	domain_pause(d1);
	domain_pause(d2);
	world_softirqs();
	world.on_idle = wake_dom0;
	idles = 0;
	switches = world.switches_in;
	block_current();
	assert_int_equal(idles, 1);
	assert_int_equal(world.switches_in, switches);
	assert_ptr_equal(current, dom0->vcpu[0]);
	assert_int_equal(sched_idle_time_ns(0) - idle_before, 5 * MS);
	world.on_idle = NULL;
	domain_unpause(d1);
	domain_unpause(d2);
}

static void test_runstate_times_add_up_to_all_time(void **state)
{
	struct vcpu_runstate_info r;
	s_time_t start = d1->vcpu[0]->runstate.state_entry_time;
	u64 sum = 0;

	block_current();
	run_for(2000 * MS);
	domain_pause(d1);
	world_softirqs();
	run_for(100 * MS);
	domain_unpause(d1);
	run_for(400 * MS);
	vcpu_runstate_get(d1->vcpu[0], &r);
	for (int i = 0; i < 4; i++)
		sum += r.time[i];
	assert_in_range(sum, world.now - start - 2000, world.now - start + 2000);
	assert_in_range(r.time[RUNSTATE_offline], 100 * MS, 101 * MS);
}

static void test_block_with_an_event_pending_returns_at_once(void **state)
{
	current->vcpu_info->evtchn_upcall_pending = 1;
	current->vcpu_info->evtchn_upcall_mask = 0;
	sched_block();
	assert_int_equal(current->pause_flags, 0);
	current->vcpu_info->evtchn_upcall_pending = 0;
}

static void test_poll_ends_by_its_port_or_by_its_timeout(void **state)
{
	struct vcpu *v = d1->vcpu[0];
	evtchn_port_t p1, p2;

	evtchn_alloc_unbound(d1, 2, &p1);
	evtchn_bind_interdomain(d2, d1, p1, &p2);
	d1->shared_info->evtchn_mask[0] = ~0UL; /* as a spinning kernel does */
	domain_pause(d2);
	block_current();
	assert_ptr_equal(current, v);
	sched_poll(&p1, 1, 0);
	assert_int_equal(v->pause_flags, VPF_POLLING);
	evtchn_send(d2, p2);
	assert_int_equal(v->pause_flags, 0);
	world_softirqs();

	d1->shared_info->evtchn_pending[0] = 0;
	v->vcpu_info->evtchn_upcall_pending = 0;
	sched_poll(&p1, 1, world.now + 20 * MS);
	assert_int_equal(v->pause_flags, VPF_POLLING);
	run_for(21 * MS);
	assert_int_equal(v->pause_flags, 0);
	domain_unpause(d2);
}

static void test_who_yields_lets_the_next_one_run(void **state)
{
	const struct vcpu *first;

	block_current();
	run_for(MS);
	first = current;
	sched_yield();
	world_softirqs();
	assert_ptr_not_equal(current, first);
	assert_true(current->domain == d1 || current->domain == d2);
}

/*
 * xen/sched.h: of one port: that one ends it; of several, any. A port that is there already does
 * not wait.
 */
static void test_a_poll_is_of_the_ports_that_were_named(void **state)
{
	struct domain *d3 = world_domain(3, 2);
	struct vcpu *v = d3->vcpu[1];
	evtchn_port_t port[3];

	for (int i = 0; i < 3; i++)
		assert_int_equal(evtchn_bind_ipi(d3, 0, &port[i]), 0);
	d3->shared_info->evtchn_mask[0] = ~0UL;
	domain_pause(d1);
	domain_pause(d2);
	domain_pause_by_controller(d3);
	for (unsigned int nr = 1; nr <= 2; nr++) {
		d3->shared_info->evtchn_pending[0] = 0;
		world_run(v);
		sched_poll(port, nr, 0);
		assert_true(v->pause_flags & VPF_POLLING);
		assert_int_equal(evtchn_send(d3, port[2]), 0);
		assert_int_equal(!!(v->pause_flags & VPF_POLLING), nr == 1);
		sched_poll(port, nr, 0);
		assert_int_equal(evtchn_send(d3, port[0]), 0);
		assert_false(v->pause_flags & VPF_POLLING);
		sched_poll(port, nr, 0); /* it is still there */
		assert_false(v->pause_flags & VPF_POLLING);
	}
	world_run(dom0->vcpu[0]);
	v->pause_flags |= VPF_DOWN;
	domain_unpause(d1);
	domain_unpause(d2);
}

static void test_a_crashed_domain_never_runs_again_and_keeps_its_first_reason(void **state)
{
	block_current();
	run_for(MS);
	domain_crash(d1, "first %d", 1);
	domain_crash(d1, "second");
	assert_string_equal(d1->crash_reason, "first 1");
	assert_int_equal(d1->shutdown_code, SHUTDOWN_crash);
	world_softirqs();
	run_for(200 * MS);
	assert_ptr_equal(current, d2->vcpu[0]);
}

static void let_d2_run(void)
{
	world.on_idle = NULL;
	domain_unpause(d2);
}

static void test_a_domain_that_crashes_in_the_switch_to_it_does_not_run(void **state)
{
	domain_pause(d2);
	world.on_idle = let_d2_run;
	fpu_is_eager = true;
	world.bad_fpu = d1;
	block_current();
	world_softirqs(); /* what is due before the way out to a guest */
	fpu_is_eager = false;

	assert_true(d1->is_crashed);
	assert_true(d1->is_shut_down);
	assert_false(d1->vcpu[0]->is_running);
	assert_int_equal(d1->vcpu[0]->runstate.state, RUNSTATE_offline);
	assert_int_equal(ran(d1), 0);
	assert_ptr_equal(current, d2->vcpu[0]);
}

static void test_the_watchdog_shuts_its_domain_down_unless_fed(void **state)
{
	assert_int_equal(sched_watchdog(d1, 0, 2), 1);
	assert_int_equal(sched_watchdog(d1, 0, 2), 2);
	assert_int_equal(sched_watchdog(d1, 0, 2), -EEXIST);
	assert_int_equal(sched_watchdog(d1, 2, 0), 0);
	assert_int_equal(sched_watchdog(d1, 2, 0), -EINVAL);
	assert_int_equal(sched_watchdog(d1, 3, 1), -EINVAL);
	block_current();
	run_for(1900 * MS);
	assert_int_equal(sched_watchdog(d1, 1, 2), 0);
	run_for(1900 * MS);
	assert_false(d1->is_shut_down);
	run_for(200 * MS);
	assert_true(d1->is_shut_down);
	assert_int_equal(d1->shutdown_code, SHUTDOWN_watchdog);
}

static void test_an_uninitialised_vcpu_cannot_come_up(void **state)
{
	struct vcpu *v = d1->vcpu[0];

	vcpu_down(v);
	v->is_initialised = false;
	assert_int_equal(vcpu_up(v), -EINVAL);
	v->is_initialised = true;
	assert_int_equal(vcpu_up(v), 0);
}

static void test_controller_pauses_are_counted(void **state)
{
	struct vcpu *v = d1->vcpu[0];

	domain_pause_by_controller(d1);
	domain_pause_by_controller(d1);
	domain_unpause_by_controller(d1);
	assert_false(vcpu_is_runnable(v));
	domain_unpause_by_controller(d1);
	assert_true(vcpu_is_runnable(v));
	assert_int_equal(domain_unpause_by_controller(d1), -EINVAL);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_two_busy_domains_share_the_cpu_equally),
		T(test_cpu_time_follows_the_weights),
		T(test_a_cap_holds_although_the_cpu_is_idle),
		T(test_parameters_out_of_range_are_refused),
		T(test_a_vcpu_woken_by_an_event_preempts_a_busy_one),
		T(test_a_vcpu_that_has_just_got_the_cpu_keeps_it_for_its_grace),
		T(test_a_lone_vcpu_is_not_disturbed_by_timers),
		T(test_a_periodic_timer_ticks_as_long_as_its_vcpu_runs),
		T(test_a_switch_tells_the_cpu_whose_turn_it_is),
		T(test_an_idle_cpu_resumes_the_same_vcpu_without_a_switch),
		T(test_runstate_times_add_up_to_all_time),
		T(test_block_with_an_event_pending_returns_at_once),
		T(test_poll_ends_by_its_port_or_by_its_timeout),
		T(test_who_yields_lets_the_next_one_run),
		T(test_a_poll_is_of_the_ports_that_were_named),
		T(test_a_crashed_domain_never_runs_again_and_keeps_its_first_reason),
		T(test_a_domain_that_crashes_in_the_switch_to_it_does_not_run),
		T(test_the_watchdog_shuts_its_domain_down_unless_fed),
		T(test_an_uninitialised_vcpu_cannot_come_up),
		T(test_controller_pauses_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
