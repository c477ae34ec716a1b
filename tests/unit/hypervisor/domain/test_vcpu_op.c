/* SPDX-License-Identifier: MIT */
/*
 * Claims about vcpu_op, sched_op and the small calls: which errno, where each number ends, and what
 * is done. ABI: xen/vcpu.h, xen/sched.h, xen/nmi.h, xen/xen.h; docs/hypercalls.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/nmi.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "domain/evtchn.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/layout.h"
#include "x86/softirq.h"

#define NOWHERE 16 /* no memory of a guest's */
#define MS 1000000ULL

static struct domain *d1;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 2);
	world_run(d1->vcpu[0]);
	return 0;
}

static int teardown(void **state)
{
	world_run(dom0->vcpu[0]);
	return world_end() != 0;
}

static long vcpu_op(u32 cmd, u32 id, const void *arg)
{
	return hypercall(__HYPERVISOR_vcpu_op, cmd, id, GUEST(arg), 0);
}

static void test_each_operation_wants_a_vcpu_that_there_is(void **state)
{
	static const u32 cmds[] = {
		VCPUOP_initialise, VCPUOP_up, VCPUOP_down, VCPUOP_is_up, VCPUOP_get_runstate_info,
		VCPUOP_register_runstate_memory_area, VCPUOP_set_periodic_timer, VCPUOP_stop_periodic_timer,
		VCPUOP_set_singleshot_timer, VCPUOP_stop_singleshot_timer, VCPUOP_register_vcpu_info, VCPUOP_send_nmi,
		VCPUOP_get_physid, VCPUOP_register_vcpu_time_memory_area};

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		assert_int_equal(vcpu_op(cmds[i], 2, NULL), -ENOENT);
		assert_int_equal(vcpu_op(cmds[i], DOMAIN_MAX_VCPUS, NULL), -ENOENT);
		assert_int_equal(vcpu_op(cmds[i], ~0u, NULL), -ENOENT);
	}
	for (u32 cmd = VCPUOP_register_vcpu_time_memory_area + 1; cmd < 40; cmd++)
		assert_int_equal(vcpu_op(cmd, 0, NULL), -ENOSYS);
	assert_int_equal(vcpu_op(VCPUOP_get_physid, 0, NULL), -EINVAL); /* none is pinned */
}

static void test_a_vcpu_gets_one_context_then_goes_up_and_down(void **state)
{
	struct vcpu_guest_context *c = guest_alloc(sizeof(*c));

	d1->vcpu[1]->is_initialised = false;
	assert_int_equal(vcpu_op(VCPUOP_up, 1, NULL), -EINVAL);
	assert_int_equal(vcpu_op(VCPUOP_initialise, 1, (void *)NOWHERE), -EFAULT);
	assert_false(d1->vcpu[1]->is_initialised);
	assert_int_equal(vcpu_op(VCPUOP_initialise, 1, c), 0);
	assert_int_equal(vcpu_op(VCPUOP_initialise, 1, c), -EEXIST);
	assert_int_equal(vcpu_op(VCPUOP_initialise, 0, c), -EEXIST);
	assert_int_equal(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
	assert_int_equal(vcpu_op(VCPUOP_up, 1, NULL), 0);
	assert_int_equal(vcpu_op(VCPUOP_is_up, 1, NULL), 1);
	assert_int_equal(vcpu_op(VCPUOP_down, 1, NULL), 0);
	assert_int_equal(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

static void test_areas_lie_where_a_guest_may_have_memory(void **state)
{
	static const u64 bad[] = { HV_HOLE_START, HV_HOLE_END - 8, 1ULL << 47, ~7ULL };
	struct vcpu_register_runstate_memory_area *r = guest_alloc(sizeof(*r));
	struct vcpu_register_time_memory_area *t = guest_alloc(sizeof(*t));

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		r->addr.p = t->addr.p = bad[i];
		assert_int_equal(vcpu_op(VCPUOP_register_runstate_memory_area, 0, r), -EFAULT);
		assert_int_equal(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, t), -EFAULT);
	}
	assert_int_equal(d1->vcpu[0]->runstate_guest, 0);
	assert_int_equal(d1->vcpu[0]->time_guest, 0);
	r->addr.p = t->addr.p = HV_HOLE_END;
	assert_int_equal(vcpu_op(VCPUOP_register_runstate_memory_area, 0, r), 0);
	assert_int_equal(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, t), 0);
	assert_true(d1->vcpu[0]->runstate_guest == HV_HOLE_END);
	assert_true(d1->vcpu[0]->time_guest == HV_HOLE_END);
	d1->vcpu[0]->runstate_guest = d1->vcpu[0]->time_guest = 0;
}

static void test_runstates_are_told(void **state)
{
	struct vcpu_runstate_info *info = guest_alloc(sizeof(*info));

	memset(info, 0xee, sizeof(*info));
	assert_int_equal(vcpu_op(VCPUOP_get_runstate_info, 1, info), 0);
	assert_int_equal(info->state, RUNSTATE_offline);
	assert_int_equal(vcpu_op(VCPUOP_get_runstate_info, 1, (void *)NOWHERE), -EFAULT);
}

/* xen/xen.h, vcpu_time_info: the version is odd while it changes, and changes when that does. */
static void test_time_is_published_when_it_changes(void **state)
{
	struct vcpu *v = d1->vcpu[0];
	volatile struct vcpu_time_info *t = &v->vcpu_info->time;
	u32 version;

	v->time_tsc_base = 0; /* as before it ran */
	vcpu_time_update(v);
	version = t->version;
	assert_int_equal(version % 2, 0);
	assert_int_equal(t->tsc_timestamp, 5); /* tests/fakes/hvdom/devices.c */
	assert_int_equal(t->system_time, 7);
	assert_int_equal(t->tsc_to_system_mul, 1u << 31);
	assert_int_equal(t->tsc_shift, 1);
	vcpu_time_update(v);
	assert_int_equal(t->version, version);
	v->time_tsc_base = 0;
	vcpu_time_update(v);
	assert_int_equal(t->version, version + 2);
}

/*
 * xen/vcpu.h: the period is at least a millisecond; Xen's limit at the other end keeps sums of
 * times from going round.
 */
static void test_a_tick_comes_at_most_every_millisecond(void **state)
{
	static const struct {
		u64 ns;
		long rc;
	} periods[] = { { 0, -EINVAL }, { MS - 1, -EINVAL }, { MS, 0 }, { 1ULL << 62, 0 }, { (1ULL << 62) + 1, -EINVAL }, { ~0ULL, -EINVAL } };
	struct vcpu_set_periodic_timer *t = guest_alloc(sizeof(*t));
	struct vcpu *v = d1->vcpu[1];

	for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
		u64 before = v->periodic_period_ns;

		t->period_ns = periods[i].ns;
		assert_int_equal(vcpu_op(VCPUOP_set_periodic_timer, 1, t), periods[i].rc);
		assert_true(v->periodic_period_ns == (periods[i].rc ? before : periods[i].ns));
	}
	assert_int_equal(vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL), 0);
	assert_int_equal(v->periodic_period_ns, 0);
}

static void test_a_tick_of_who_runs_begins_at_once_and_stops(void **state)
{
	struct vcpu_set_periodic_timer *t = guest_alloc(sizeof(*t));
	evtchn_port_t port;

	world_run(dom0->vcpu[0]);
	assert_int_equal(evtchn_bind_virq(dom0, VIRQ_TIMER, 0, &port), 0);
	t->period_ns = 2 * MS;
	assert_int_equal(vcpu_op(VCPUOP_set_periodic_timer, 0, t), 0);
	world.now += 2 * MS - 1;
	timer_softirq();
	assert_false(evtchn_is_pending(dom0, port));
	world.now += 1;
	timer_softirq();
	assert_true(evtchn_is_pending(dom0, port));
	dom0->shared_info->evtchn_pending[0] = 0;
	assert_int_equal(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	world.now += 10 * MS;
	timer_softirq();
	assert_false(evtchn_is_pending(dom0, port));
	dom0->vcpu[0]->vcpu_info->evtchn_upcall_pending = 0;
}

static void test_a_single_shot_is_the_callers_own(void **state)
{
	struct vcpu_set_singleshot_timer *t = guest_alloc(sizeof(*t));
	evtchn_port_t port;

	assert_int_equal(evtchn_bind_virq(d1, VIRQ_TIMER, 0, &port), 0);
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 1, t), -EINVAL);
	assert_int_equal(vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL), -EINVAL);
	*t = (struct vcpu_set_singleshot_timer){ .timeout_abs_ns = (u64)world.now - 1, .flags = VCPU_SSHOTTMR_future };
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, t), -ETIME);
	t->timeout_abs_ns = (u64)world.now;
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, t), 0);
	assert_int_equal(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	world.now += 100;
	timer_softirq();
	assert_false(evtchn_is_pending(d1, port));
	*t = (struct vcpu_set_singleshot_timer){ .timeout_abs_ns = (u64)world.now - 1 }; /* past, and no flag: at once */
	assert_int_equal(vcpu_op(VCPUOP_set_singleshot_timer, 0, t), 0);
	timer_softirq();
	assert_true(evtchn_is_pending(d1, port));
}

static bool fires_at_once(s64 timeout, evtchn_port_t port)
{
	d1->shared_info->evtchn_pending[0] = 0;
	assert_int_equal(hypercall(__HYPERVISOR_set_timer_op, (u64)timeout, 0, 0, 0), 0);
	timer_softirq();
	return evtchn_is_pending(d1, port);
}

/* xen/xen.h: 0 stops it. */
static void test_the_first_timer_call_is_the_same_timer(void **state)
{
	evtchn_port_t port;

	assert_int_equal(evtchn_bind_virq(d1, VIRQ_TIMER, 0, &port), 0);
	assert_true(fires_at_once(world.now, port));
	assert_true(fires_at_once(-1, port));
	assert_false(fires_at_once(world.now + 50, port));
	assert_false(fires_at_once(0, port));
	world.now += 50;
	timer_softirq();
	assert_false(evtchn_is_pending(d1, port));
}

static void test_an_nmi_is_for_the_vcpu_that_was_named(void **state)
{
	assert_int_equal(vcpu_op(VCPUOP_send_nmi, 1, NULL), 0);
	assert_true(d1->vcpu[1]->pv.nmi_pending);
	assert_false(d1->vcpu[0]->pv.nmi_pending);
}

static void test_a_callback_for_nmis_is_an_address_of_the_guests(void **state)
{
	struct xennmi_callback *cb = guest_alloc(sizeof(*cb));

	cb->handler_address = HV_HOLE_START;
	assert_int_equal(hypercall(__HYPERVISOR_nmi_op, XENNMI_register_callback, GUEST(cb), 0, 0), -EINVAL);
	cb->handler_address = HV_HOLE_END;
	assert_int_equal(hypercall(__HYPERVISOR_nmi_op, XENNMI_register_callback, GUEST(cb), 0, 0), 0);
	assert_true(d1->vcpu[0]->pv.nmi_cb == HV_HOLE_END);
	assert_int_equal(hypercall(__HYPERVISOR_nmi_op, XENNMI_unregister_callback, 0, 0, 0), 0);
	assert_int_equal(d1->vcpu[0]->pv.nmi_cb, 0);
	assert_int_equal(hypercall(__HYPERVISOR_nmi_op, 2, 0, 0, 0), -ENOSYS);
	assert_int_equal(hypercall(__HYPERVISOR_xenpmu_op, 0, 0, 0, 0), -EOPNOTSUPP);
}

static void test_assists_are_those_of_the_abi(void **state)
{
	for (u32 type = 0; type < 70; type++) {
		bool is_known = type <= VMASST_TYPE_runstate_update_flag;
		long rc = hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_enable, type, 0, 0);

		if (rc != (is_known ? 0 : -EINVAL))
			fail_msg("type %u: %ld", type, rc);
	}
	assert_int_equal(d1->vm_assist, 0x3f);
	assert_int_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag, 0, 0), 0);
	assert_int_equal(d1->vm_assist, 0x1f);
	assert_int_equal(hypercall(__HYPERVISOR_vm_assist, VMASST_CMD_disable + 1, 0, 0, 0), -ENOSYS);
}

static long poll_ports(const evtchn_port_t *ports, u32 nr)
{
	struct sched_poll *p = guest_alloc(sizeof(*p));
	evtchn_port_t *list = guest_alloc(200 * sizeof(*list));

	for (u32 i = 0; i < 200; i++)
		list[i] = i == 0 && ports ? ports[0] : 1;
	p->nr_ports = nr;
	set_xen_guest_handle(p->ports, list);
	p->timeout = 1; /* past: does not wait */
	return hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, GUEST(p), 0, 0);
}

static void test_a_polls_ports_are_read(void **state)
{
	struct sched_poll *p = guest_alloc(sizeof(*p));

	p->nr_ports = 1;
	p->timeout = 1;
	p->ports.p = (evtchn_port_t *)NOWHERE;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, GUEST(p), 0, 0), -EFAULT);
}

static void test_a_poll_is_of_at_most_128_ports_that_there_can_be(void **state)
{
	static const evtchn_port_t first_bad = EVTCHN_2L_NR_CHANNELS, last_good = EVTCHN_2L_NR_CHANNELS - 1;

	d1->shared_info->evtchn_pending[0] = 2; /* one that is there already ends it */
	assert_int_equal(poll_ports(NULL, 129), -EINVAL);
	assert_int_equal(poll_ports(NULL, 128), 0);
	assert_int_equal(poll_ports(&first_bad, 2), -EINVAL);
	assert_int_equal(poll_ports(&last_good, 2), 0);
}

static void test_watchdogs_are_two_a_domain(void **state)
{
	struct sched_watchdog *w = guest_alloc(sizeof(*w));
	static const struct {
		u32 id, timeout;
		long rc;
	} cases[] = {
		{ 0, 0, -EINVAL }, { 3, 5, -EINVAL }, { 2, 5, -EINVAL }, /* none was given out */
		{ 0, 5, 1 }, { 0, 5, 2 }, { 0, 5, -EEXIST }, { 1, 6, 0 }, { 2, 0, 0 }, { 2, 5, -EINVAL }, { 0, 5, 2 }, { 1, 0, 0 }, { 2, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		*w = (struct sched_watchdog){ .id = cases[i].id, .timeout = cases[i].timeout };
		rc = hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, GUEST(w), 0, 0);
		if (rc != cases[i].rc)
			fail_msg("case %zu: %ld, not %ld", i, rc, cases[i].rc);
	}
}

static void test_shutting_down_says_why(void **state)
{
	struct sched_shutdown *s = guest_alloc(sizeof(*s));
	struct sched_remote_shutdown *r = guest_alloc(sizeof(*r));
	struct sched_pin_override *p = guest_alloc(sizeof(*p));

	*r = (struct sched_remote_shutdown){ .domain_id = 0, .reason = SHUTDOWN_poweroff };
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, GUEST(r), 0, 0), -EPERM);
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_pin_override, GUEST(p), 0, 0), -EPERM);
	s->reason = SHUTDOWN_MAX;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown_code, GUEST(s), 0, 0), 0);
	assert_int_equal(d1->shutdown_code, SHUTDOWN_MAX);
	assert_false(d1->is_shutting_down);
	s->reason = SHUTDOWN_MAX;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, GUEST(s), 0, 0), 0);
	assert_true(d1->is_shutting_down);
}

static void test_the_first_sched_call_shuts_down_too(void **state)
{
	assert_int_equal(hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_poll, 0, 0, 0), -ENOSYS);
	assert_int_equal(hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, SHUTDOWN_MAX, 0, 0), 0);
	assert_true(d1->is_shutting_down);
	assert_int_equal(d1->shutdown_code, SHUTDOWN_MAX);
}

/*
 * xen/sched.h: a CPU; any negative number ends it, "-ENOENT" if there is none, "-EBUSY" where there
 * is one.
 */
static void test_dom0_pins_itself_until_it_says_otherwise(void **state)
{
	struct sched_pin_override *p = guest_alloc(sizeof(*p));
	struct vcpu *v = dom0->vcpu[0];
	static const struct {
		s32 cpu;
		long rc;
		u64 affinity;
		bool moves;
	} cases[] = {
		{ -1, -ENOENT, 7, false }, { 3, -EINVAL, 7, false }, { 2, 0, 4, true }, { 2, -EBUSY, 4, false }, { 0, -EBUSY, 4, false },
		{ 3, -EINVAL, 4, false }, { -5, 0, 7, false }, { -5, -ENOENT, 7, false }, { 0, 0, 1, false }, { -1, 0, 7, false },
	};

	fake_nr_cpus = 3;
	world_run(v);
	v->affinity = 7;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		p->pcpu = cases[i].cpu;
		world.softirqs[0] = 0;
		rc = hypercall(__HYPERVISOR_sched_op, SCHEDOP_pin_override, GUEST(p), 0, 0);
		if (rc != cases[i].rc || v->affinity != cases[i].affinity ||
		    !!(world.softirqs[0] & 1u << SOFTIRQ_SCHEDULE) != cases[i].moves)
			fail_msg("case %zu: %ld, affinity %#lx, softirqs %#x", i, rc, (unsigned long)v->affinity,
				 world.softirqs[0]);
	}
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_pin_override, NOWHERE, 0, 0), -EFAULT);
	v->affinity = ~0ULL;
	fake_nr_cpus = 1;
}

static void test_who_waits_does_not_run(void **state)
{
	struct sched_remote_shutdown *r = guest_alloc(sizeof(*r));
	struct vcpu *v = d1->vcpu[0];
	static const evtchn_port_t port = 5;

	d1->shared_info->evtchn_pending[0] = 0;
	v->vcpu_info->evtchn_upcall_pending = 0;
	world.softirqs[0] = 0;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0), 0);
	assert_int_equal(world.softirqs[0], 1u << SOFTIRQ_SCHEDULE);
	assert_false(v->pause_flags & VPF_BLOCKED);
	v->vcpu_info->evtchn_upcall_mask = 1;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0), 0);
	assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 0);
	assert_true(v->pause_flags & VPF_BLOCKED);
	v->pause_flags = 0;
	v->vcpu_info->evtchn_upcall_mask = v->vcpu_info->evtchn_upcall_pending = 1;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0, 0), 0);
	assert_false(v->pause_flags & VPF_BLOCKED); /* there is an event, now that it may come */
	v->vcpu_info->evtchn_upcall_pending = 0;
	world.softirqs[0] = 0;
	assert_int_equal(poll_ports(&port, 1), 0);
	assert_true(v->pause_flags & VPF_POLLING);
	assert_int_equal(v->poll_evtchn, 5);
	assert_true(world.softirqs[0] & 1u << SOFTIRQ_SCHEDULE);
	vcpu_kick(v);
	assert_int_equal(poll_ports(&port, 2), 0);
	assert_int_equal(v->poll_evtchn, VCPU_POLL_ANY);
	vcpu_kick(v);
	world_run(dom0->vcpu[0]);
	*r = (struct sched_remote_shutdown){ .domain_id = 1, .reason = SHUTDOWN_reboot };
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, GUEST(r), 0, 0), 0);
	assert_true(d1->is_shutting_down);
	assert_int_equal(d1->shutdown_code, SHUTDOWN_reboot);
}

/* What is registered is written at once, not at the next switch. */
static void test_an_area_is_there_when_it_was_registered(void **state)
{
	struct vcpu_register_time_memory_area *t = guest_alloc(sizeof(*t));
	struct vcpu *v = d1->vcpu[1];

	t->addr.p = GUEST(guest_mem);
	v->vcpu_info->time.tsc_timestamp = 0;
	v->time_tsc_base = 6; /* told already: the fake clock's, and one */
	assert_int_equal(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 1, t), 0);
	assert_int_equal(v->vcpu_info->time.tsc_timestamp, 5);
	v->time_guest = 0;
	v->pause_flags |= VPF_BLOCKED;
	assert_int_equal(vcpu_op(VCPUOP_send_nmi, 1, NULL), 0);
	assert_false(v->pause_flags & VPF_BLOCKED); /* it wakes */
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_operation_wants_a_vcpu_that_there_is),
		T(test_a_vcpu_gets_one_context_then_goes_up_and_down),
		T(test_areas_lie_where_a_guest_may_have_memory),
		T(test_runstates_are_told),
		T(test_time_is_published_when_it_changes),
		T(test_a_tick_comes_at_most_every_millisecond),
		T(test_a_tick_of_who_runs_begins_at_once_and_stops),
		T(test_a_single_shot_is_the_callers_own),
		T(test_the_first_timer_call_is_the_same_timer),
		T(test_an_nmi_is_for_the_vcpu_that_was_named),
		T(test_a_callback_for_nmis_is_an_address_of_the_guests),
		T(test_assists_are_those_of_the_abi),
		T(test_a_polls_ports_are_read),
		T(test_a_poll_is_of_at_most_128_ports_that_there_can_be),
		T(test_watchdogs_are_two_a_domain),
		T(test_shutting_down_says_why),
		T(test_the_first_sched_call_shuts_down_too),
		T(test_dom0_pins_itself_until_it_says_otherwise),
		T(test_who_waits_does_not_run),
		T(test_an_area_is_there_when_it_was_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
