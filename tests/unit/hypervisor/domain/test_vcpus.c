/* SPDX-License-Identifier: MIT */
/*
 * Claims about all vcpus of a domain at once: what stops them and lets them go on, how one leaves a
 * CPU for another, and what the machine does when dom0 stops. ABI: xen/sched.h; docs/hypercalls.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/sched.h>

#include "domain/evtchn.h"
#include "domain/sched.h"
#include "lib/boot_options.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/softirq.h"

#define NR_VCPUS 3
#define FAR 2 /* a CPU that is not this one */

static struct domain *d1;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, NR_VCPUS);
	for (unsigned int i = 1; i < NR_VCPUS; i++)
		vcpu_up(d1->vcpu[i]);
	return 0;
}

static int teardown(void **state)
{
	fake_nr_cpus = 1;
	boot_options.noreboot = true;
	return world_end() != 0;
}

static void stop(void)
{
	assert_true(domain_stop(d1));
}

static void go_on(void)
{
	domain_go_on(d1);
}

static void pause_all(void)
{
	domain_pause(d1);
}

static void unpause_all(void)
{
	domain_unpause(d1);
}

static void pause_by_controller(void)
{
	domain_pause_by_controller(d1);
}

static void unpause_by_controller(void)
{
	assert_int_equal(domain_unpause_by_controller(d1), 0);
}

static void shut_down(void)
{
	domain_shutdown(d1, SHUTDOWN_suspend);
}

static void resume(void)
{
	domain_resume(d1);
}

static void crash(void)
{
	domain_crash(d1, "why not");
	assert_true(d1->is_crashed && d1->is_shut_down);
}

static void resume_crashed(void)
{
	domain_resume(d1);
	assert_false(d1->is_crashed || d1->is_shut_down || d1->is_shutting_down);
}

static void pause_each(void)
{
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		vcpu_pause(d1->vcpu[i]);
}

static void unpause_each(void)
{
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		vcpu_unpause(d1->vcpu[i]);
}

static void down_each(void)
{
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		vcpu_down(d1->vcpu[i]);
}

static void up_each(void)
{
	for (unsigned int i = 0; i < NR_VCPUS; i++)
		assert_int_equal(vcpu_up(d1->vcpu[i]), 0);
}

/* Whether any of them is in the queue, and what each says of itself. */
static void assert_all_are(int state)
{
	for (unsigned int i = 0; i < NR_VCPUS; i++) {
		assert_int_equal(d1->vcpu[i]->runstate.state, state);
		assert_int_equal(vcpu_is_runnable(d1->vcpu[i]), state == RUNSTATE_runnable);
	}
}

static void test_what_stops_a_domain_stops_each_vcpu_until_it_goes_on(void **state)
{
	static const struct {
		void (*stop)(void), (*go_on)(void);
	} ways[] = {
		{ stop, go_on }, { pause_all, unpause_all }, { pause_by_controller, unpause_by_controller }, { shut_down, resume },
		{ crash, resume_crashed }, { pause_each, unpause_each }, { down_each, up_each },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		assert_all_are(RUNSTATE_runnable);
		ways[i].stop();
		assert_all_are(RUNSTATE_offline);
		assert_null(credit_pick(world.now)); /* nobody waits but those */
		ways[i].go_on();
		assert_all_are(RUNSTATE_runnable);
	}
}

static void pretend_running(struct vcpu *v, bool is_running)
{
	v->is_running = is_running;
	v->state_cpu = is_running ? FAR : NO_CPU;
}

static void test_one_that_runs_elsewhere_is_waited_for(void **state)
{
	for (unsigned int i = 0; i < NR_VCPUS; i++) {
		struct vcpu *v = d1->vcpu[i];

		credit_remove(v);
		pretend_running(v, true);
		world.softirqs[FAR] = 0;
		assert_false(domain_stop(d1));
		assert_int_equal(world.softirqs[FAR], 1u << SOFTIRQ_SCHEDULE);
		assert_int_equal(v->runstate.state, RUNSTATE_runnable); /* as it was: it has not left yet */
		domain_shutdown(d1, SHUTDOWN_reboot);
		assert_false(d1->is_shut_down);
		pretend_running(v, false);
		domain_shutdown_check(d1);
		assert_true(d1->is_shut_down);
		vcpu_sleep(v);
		domain_resume(d1);
		domain_go_on(d1);
		assert_all_are(RUNSTATE_runnable);
	}
}

static void test_a_domain_that_dies_has_nothing_that_runs_or_fires(void **state)
{
	assert_int_equal(sched_watchdog(d1, 0, 5), 1);
	assert_int_equal(sched_watchdog(d1, 0, 5), 2);
	domain_hold(d1);
	assert_int_equal(domain_kill(d1), 0);
	for (unsigned int i = 0; i < d1->nr_vcpus_max; i++)
		assert_null(d1->vcpu[i]);
	assert_null(credit_pick(world.now));
	for (unsigned int i = 0; i < NR_WATCHDOGS; i++)
		assert_false(d1->watchdog_timer[i].is_initialised);
	domain_unhold(d1);
	assert_null(domain_find(1));
}

static void test_why_a_domain_stopped_is_said_in_words(void **state)
{
	static const char *const words[] = { "power off", "reboot", "suspend", "crash", "watchdog", "soft reset", "unknown code" };

	for (u8 code = 0; code < ARRAY_SIZE(words); code++) {
		domain_shutdown(d1, code);
		assert_non_null(__builtin_strstr(world.last_line, words[code]));
		assert_int_equal(d1->shutdown_code, code);
		domain_shutdown(d1, code + 1); /* the first is the one that counts */
		assert_int_equal(d1->shutdown_code, code);
		domain_resume(d1);
	}
}

static char stops_by(u8 code)
{
	jmp_buf back;

	world.on_stop = &back;
	if (setjmp(back) == 0)
		domain_shutdown(dom0, code);
	world.on_stop = NULL;
	return world.stopped_by;
}

static void test_the_machine_does_as_dom0_does(void **state)
{
	boot_options.noreboot = false;
	assert_int_equal(stops_by(SHUTDOWN_poweroff), 'p');
	assert_int_equal(stops_by(SHUTDOWN_reboot), 'r');
	assert_int_equal(stops_by(SHUTDOWN_crash), 'r');
	assert_int_equal(stops_by(SHUTDOWN_MAX + 1), 'r');
	assert_non_null(__builtin_strstr(world.last_line, "shutdown"));
	boot_options.noreboot = true;
	assert_int_equal(stops_by(SHUTDOWN_poweroff), 'p');
	assert_int_equal(stops_by(SHUTDOWN_reboot), 'h');
	assert_int_equal(stops_by(SHUTDOWN_soft_reset), 'h');
	assert_non_null(__builtin_strstr(world.last_line, "soft reset"));
	assert_false(dom0->is_shutting_down);
}

/*
 * Its registers, the FPU's and the rest go out in this order and come in the other; then its own
 * time.
 */
static void test_who_leaves_takes_his_state_along(void **state)
{
	struct vcpu *me = dom0->vcpu[0];
	struct cpu_user_regs *regs = guest_regs();

	domain_pause(d1);
	d1->vcpu[1]->regs.rax = 0x22;
	d1->vcpu[1]->time_tsc_base = 0;
	regs->rax = 0x11;
	vcpu_down(d1->vcpu[0]);
	vcpu_down(d1->vcpu[2]);
	domain_unpause(d1);
	me->vcpu_info->evtchn_upcall_pending = 0;
	sched_block();
	world_softirqs();
	assert_ptr_equal(current, d1->vcpu[1]);
	assert_string_equal(world.switched, "fpPF");
	assert_int_equal(me->regs.rax, 0x11);
	assert_int_equal(me->state_cpu, NO_CPU);
	assert_int_equal(regs->rax, 0x22);
	assert_int_equal(current->state_cpu, fake_cpu_id);
	assert_int_equal(current->vcpu_info->time.tsc_timestamp, 5); /* tests/fakes/hvdom/devices.c */
	vcpu_kick(me);
	vcpu_down(current);
	world_softirqs();
	assert_ptr_equal(current, me);
	assert_int_equal(regs->rax, 0x11);
	assert_string_equal(world.switched, "fpPFfpPF");
}

static void test_a_kick_reaches_who_runs_and_wakes_who_waits(void **state)
{
	struct vcpu *v = d1->vcpu[1];

	vcpu_kick(v); /* does not run, and waits for nothing */
	assert_int_equal(world.kicks[FAR], 0);
	credit_remove(v);
	pretend_running(v, true);
	vcpu_kick(v);
	assert_int_equal(world.kicks[FAR], 1);
	pretend_running(v, false);
	v->pause_flags |= VPF_POLLING;
	v->poll_evtchn = 7;
	timer_set(&v->poll_timer, world.now + 100);
	vcpu_kick(v);
	assert_false(v->pause_flags & VPF_POLLING);
	assert_int_equal(v->poll_evtchn, 0);
	assert_false(timer_is_armed(&v->poll_timer));
	v->pause_flags |= VPF_BLOCKED;
	v->poll_evtchn = 9; /* not of this wait */
	vcpu_kick(v);
	assert_false(v->pause_flags & VPF_BLOCKED);
	assert_int_equal(v->poll_evtchn, 9);
	v->poll_evtchn = 0;
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_stops_a_domain_stops_each_vcpu_until_it_goes_on),
		T(test_one_that_runs_elsewhere_is_waited_for),
		T(test_a_domain_that_dies_has_nothing_that_runs_or_fires),
		T(test_why_a_domain_stopped_is_said_in_words),
		T(test_the_machine_does_as_dom0_does),
		T(test_who_leaves_takes_his_state_along),
		T(test_a_kick_reaches_who_runs_and_wakes_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
