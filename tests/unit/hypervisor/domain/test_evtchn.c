/* SPDX-License-Identifier: MIT */
/* Claims about domain/evtchn.c and virq.c, through the hypercall where a guest would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/evtchn.h"
#include "lib/errno.h"
#include "x86/irq.h"

static struct domain *d1, *d2;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 2);
	d2 = world_domain(2, 1);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(world_end(), 0);
	return 0;
}

/* d1's port connected to d2's. */
static void connect(evtchn_port_t *p1, evtchn_port_t *p2)
{
	assert_int_equal(evtchn_alloc_unbound(d1, 2, p1), 0);
	assert_int_equal(evtchn_bind_interdomain(d2, d1, *p1, p2), 0);
}

static u32 status_of(struct domain *d, evtchn_port_t port)
{
	struct evtchn_status st = { 0 };

	assert_int_equal(evtchn_status(d, port, &st), 0);
	return st.status;
}

static void test_ports_start_at_one_and_are_reused_lowest_first(void **state)
{
	evtchn_port_t a, b, c;

	evtchn_alloc_unbound(d1, 0, &a);
	evtchn_alloc_unbound(d1, 0, &b);
	assert_int_equal(a, 1);
	assert_int_equal(b, 2);
	evtchn_close(d1, a);
	evtchn_alloc_unbound(d1, 0, &c);
	assert_int_equal(c, 1);
}

static void test_send_sets_pending_and_upcall_at_the_other_end(void **state)
{
	evtchn_port_t p1, p2;

	connect(&p1, &p2);
	/* The binder sees one event, in case one was lost. */
	assert_true(evtchn_is_pending(d2, p2));
	assert_int_equal(evtchn_send(d2, p2), 0);
	assert_true(evtchn_is_pending(d1, p1));
	assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_upcall_pending, 1);
	assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_pending_sel, 1);
}

static void test_a_masked_port_gets_pending_but_no_upcall_until_unmasked(void **state)
{
	evtchn_port_t p1, p2;

	connect(&p1, &p2);
	d1->shared_info->evtchn_mask[0] |= 1UL << p1;
	evtchn_send(d2, p2);
	assert_true(evtchn_is_pending(d1, p1));
	assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_upcall_pending, 0);
	assert_int_equal(evtchn_unmask(d1, p1), 0);
	assert_false(d1->shared_info->evtchn_mask[p1 / 64] >> p1 % 64 & 1);
	assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_upcall_pending, 1);
}

static void test_only_the_named_domain_can_bind_an_unbound_port(void **state)
{
	evtchn_port_t p1, p2;

	evtchn_alloc_unbound(d1, 0, &p1);
	assert_int_equal(evtchn_bind_interdomain(d2, d1, p1, &p2), -EINVAL);
	assert_int_equal(evtchn_bind_interdomain(dom0, d1, p1, &p2), 0);
	assert_int_equal(evtchn_bind_interdomain(dom0, d1, p1, &p2), -EINVAL);
}

static void test_close_leaves_the_other_end_unbound_and_sends_to_it_are_dropped(void **state)
{
	evtchn_port_t p1, p2, again;

	connect(&p1, &p2);
	assert_int_equal(evtchn_close(d2, p2), 0);
	assert_int_equal(status_of(d1, p1), EVTCHNSTAT_unbound);
	assert_int_equal(evtchn_send(d1, p1), 0);
	assert_int_equal(evtchn_bind_interdomain(d2, d1, p1, &again), 0);
	assert_int_equal(evtchn_close(d2, 4000), -EINVAL);
}

static void test_any_port_number_is_refused_cleanly(void **state)
{
	const evtchn_port_t bad[] = { 0, 100, 4095, 4096, 0x7fffffff, 0xffffffff };
	evtchn_port_t p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(evtchn_send(d1, bad[i]), -EINVAL);
		assert_int_equal(evtchn_close(d1, bad[i]), -EINVAL);
		assert_int_equal(evtchn_unmask(d1, bad[i]), -EINVAL);
		assert_int_equal(evtchn_bind_vcpu(d1, bad[i], 0), -EINVAL);
		assert_int_equal(evtchn_bind_interdomain(d2, d1, bad[i], &p), -EINVAL);
	}
}

static void test_the_quota_ends_allocation(void **state)
{
	evtchn_port_t p;
	unsigned int nr = 0;

	while (evtchn_alloc_unbound(d1, 0, &p) == 0)
		nr++;
	assert_int_equal(nr, 1023); /* world_domain's max_evtchn_port, port 0 unused */
	assert_int_equal(evtchn_alloc_unbound(d1, 0, &p), -ENOSPC);
}

static void test_virqs_bind_once_per_vcpu_or_once_global(void **state)
{
	evtchn_port_t p, q;

	assert_int_equal(evtchn_bind_virq(d1, VIRQ_TIMER, 0, &p), 0);
	assert_int_equal(evtchn_bind_virq(d1, VIRQ_TIMER, 0, &q), -EEXIST);
	assert_int_equal(evtchn_bind_virq(d1, VIRQ_TIMER, 1, &q), 0);
	assert_int_equal(evtchn_bind_virq(d1, VIRQ_DOM_EXC, 1, &q), -EINVAL);
	assert_int_equal(evtchn_bind_virq(d1, NR_VIRQS, 0, &q), -EINVAL);
	assert_int_equal(evtchn_bind_virq(d1, VIRQ_TIMER, 9, &q), -ENOENT);
	virq_raise_vcpu(d1->vcpu[0], VIRQ_TIMER);
	assert_true(evtchn_is_pending(d1, p));
}

static void test_a_global_virq_goes_to_dom0_unless_handed_over(void **state)
{
	evtchn_port_t p0, p1;

	evtchn_bind_virq(dom0, VIRQ_DOM_EXC, 0, &p0);
	evtchn_bind_virq(d1, VIRQ_DOM_EXC, 0, &p1);
	virq_raise_global(VIRQ_DOM_EXC);
	assert_true(evtchn_is_pending(dom0, p0));
	assert_false(evtchn_is_pending(d1, p1));
	assert_int_equal(virq_set_handler(d1, VIRQ_DOM_EXC), 0);
	virq_raise_global(VIRQ_DOM_EXC);
	assert_true(evtchn_is_pending(d1, p1));
	assert_int_equal(virq_set_handler(d1, VIRQ_TIMER), -EINVAL);
}

static void test_ipi_and_per_vcpu_virq_ports_cannot_move(void **state)
{
	evtchn_port_t ipi, virq, un;

	evtchn_bind_ipi(d1, 1, &ipi);
	evtchn_bind_virq(d1, VIRQ_TIMER, 0, &virq);
	evtchn_alloc_unbound(d1, 0, &un);
	assert_int_equal(evtchn_bind_vcpu(d1, ipi, 0), -EINVAL);
	assert_int_equal(evtchn_bind_vcpu(d1, virq, 1), -EINVAL);
	assert_int_equal(evtchn_bind_vcpu(d1, un, 1), 0);
	assert_int_equal(evtchn_bind_vcpu(d1, un, 2), -ENOENT);
}

static void test_an_ipi_raises_its_own_vcpu(void **state)
{
	evtchn_port_t ipi;

	evtchn_bind_ipi(d1, 1, &ipi);
	assert_int_equal(evtchn_send(d1, ipi), 0);
	assert_int_equal(d1->vcpu[1]->vcpu_info->evtchn_upcall_pending, 1);
	assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_upcall_pending, 0);
}

static void test_pirqs_need_a_mapping_and_bind_once(void **state)
{
	evtchn_port_t p, q;

	assert_int_equal(evtchn_bind_pirq(dom0, 11, &p), -EPERM);
	assert_int_equal(evtchn_bind_pirq(d1, 11, &p), -EPERM);
	dom0->pirq_to_gsi[11] = 11;
	assert_int_equal(evtchn_bind_pirq(dom0, 11, &p), 0);
	assert_int_equal(world.gsi_bound[11], 1);
	assert_int_equal(evtchn_bind_pirq(dom0, 11, &q), -EEXIST);
	assert_true(evtchn_raise_pirq(dom0, 11));
	assert_true(evtchn_is_pending(dom0, p));
	assert_int_equal(evtchn_close(dom0, p), 0);
	assert_int_equal(world.gsi_bound[11], 0);
	assert_false(evtchn_raise_pirq(dom0, 11));
	assert_false(evtchn_raise_pirq(dom0, GSI_LIMIT));
	assert_false(evtchn_raise_pirq(NULL, 11)); /* whose it was is gone */
	dom0->pirq_to_gsi[11] = 0xff;
}

static void test_a_dying_domain_leaves_no_port_behind(void **state)
{
	evtchn_port_t p1, p2;

	connect(&p1, &p2);
	while (domain_kill(d2) == -ERESTART)
		;
	assert_null(domain_find(2));
	assert_int_equal(status_of(d1, p1), EVTCHNSTAT_unbound);
	assert_int_equal(evtchn_send(d1, p1), 0);
}

#define NR_PORTS (EVTCHN_2L_NR_CHANNELS - 1)
#define CLOSED_PER_STEP 64

/* As many as there can be, each connected to one of d2's. */
static void connect_all(void)
{
	d1->max_evtchn_port = d2->max_evtchn_port = NR_PORTS;
	for (unsigned int i = 0; i < NR_PORTS; i++) {
		evtchn_port_t p1, p2;

		connect(&p1, &p2);
	}
	world.preempt = true;
}

static unsigned int nr_connected(void)
{
	unsigned int nr = 0;

	for (evtchn_port_t p = 1; p <= NR_PORTS; p++)
		nr += status_of(d2, p) == EVTCHNSTAT_interdomain;
	return nr;
}

/* A step has been made; that many were still connected before it. */
static unsigned int step_was_short(unsigned int before)
{
	const unsigned int now = nr_connected();

	assert_true(now < before && before - now <= CLOSED_PER_STEP);
	return now;
}

/*
 * d1 is stopped in a reset, does not go on, and opens a port below where it stopped: to the one of
 * d2's that is returned.
 */
static evtchn_port_t give_up_a_reset(evtchn_port_t *below)
{
	evtchn_port_t p1, p2;

	for (unsigned int i = 0; i < 2 * CLOSED_PER_STEP; i++)
		connect(&p1, &p2);
	world.preempt = true;
	assert_int_equal(evtchn_reset(d1), -ERESTART);
	world.preempt = false;
	assert_int_equal(evtchn_alloc_unbound(d2, 1, &p2), 0);
	assert_int_equal(evtchn_bind_interdomain(d1, d2, p2, below), 0);
	assert_true(*below < CLOSED_PER_STEP);
	return p2;
}

static void test_a_reset_that_was_given_up_hides_no_port_from_the_next(void **state)
{
	evtchn_port_t below, p2 = give_up_a_reset(&below);

	assert_int_equal(evtchn_reset(d1), 0);
	assert_int_equal(status_of(d1, below), EVTCHNSTAT_closed);
	assert_int_equal(status_of(d2, p2), EVTCHNSTAT_unbound);
}

/*
 * Or the other end would name a domain that is no more: whoever sends or closes there takes the
 * host along.
 */
static void test_a_reset_that_was_given_up_hides_no_port_from_the_end(void **state)
{
	evtchn_port_t below, p2 = give_up_a_reset(&below);

	while (domain_kill(d1) == -ERESTART)
		;
	assert_null(domain_find(1));
	assert_int_equal(status_of(d2, p2), EVTCHNSTAT_unbound);
	assert_int_equal(evtchn_send(d2, p2), 0);
	assert_int_equal(evtchn_close(d2, p2), 0);
}

static void test_a_domain_with_every_port_dies_in_steps(void **state)
{
	unsigned int left = NR_PORTS, steps = 0;
	evtchn_port_t port;

	connect_all();
	while (domain_kill(d1) == -ERESTART) {
		if (!left)
			continue; /* what else it had */
		left = step_was_short(left);
		steps++;
		assert_int_equal(evtchn_send(d2, NR_PORTS), 0); /* nobody is woken by it */
		assert_int_equal(evtchn_bind_interdomain(d2, d1, NR_PORTS, &port), -EINVAL);
		assert_int_equal(evtchn_alloc_unbound(d1, 2, &port), -EINVAL);
	}
	world.preempt = false;
	assert_true(steps >= NR_PORTS / CLOSED_PER_STEP);
	assert_null(domain_find(1));
	assert_int_equal(nr_connected(), 0);
	for (evtchn_port_t p = 1; p <= NR_PORTS; p++)
		assert_int_equal(status_of(d2, p), EVTCHNSTAT_unbound);
}

/* Any guest may, as often as it likes. */
static void test_a_reset_of_every_port_goes_in_steps(void **state)
{
	struct evtchn_reset *op = guest_alloc(sizeof(*op));
	struct cpu_user_regs regs = { .rax = __HYPERVISOR_event_channel_op, .rdi = EVTCHNOP_reset, .rsi = GUEST(op) };
	unsigned int left = NR_PORTS, steps = 0;
	evtchn_port_t port;

	*op = (struct evtchn_reset){ .dom = DOMID_SELF };
	connect_all();
	world_run(d1->vcpu[0]);
	for (;;) {
		regs.rip = 0x1002;
		hypercall_entry(&regs);
		if (regs.rip == 0x1002)
			break;
		left = step_was_short(left);
		steps++;
	}
	world.preempt = false;
	world_run(dom0->vcpu[0]);
	assert_int_equal(regs.rax, 0);
	assert_int_equal(steps, NR_PORTS / CLOSED_PER_STEP);
	assert_int_equal(nr_connected(), 0);
	/* the next one begins at the first again */
	assert_int_equal(evtchn_alloc_unbound(d1, 2, &port), 0);
	assert_int_equal(port, 1);
	assert_int_equal(evtchn_reset(d1), 0);
	assert_int_equal(status_of(d1, 1), EVTCHNSTAT_closed);
}

static void test_an_event_ends_block(void **state)
{
	struct vcpu *v = d1->vcpu[0];
	evtchn_port_t p1, p2;

	connect(&p1, &p2);
	v->pause_flags |= VPF_BLOCKED;
	vcpu_sleep(v);
	assert_int_equal(v->runstate.state, RUNSTATE_blocked);
	evtchn_send(d2, p2);
	assert_int_equal(v->pause_flags, 0);
	assert_int_equal(v->runstate.state, RUNSTATE_runnable);
}

static void test_fifo_is_refused_and_so_is_an_unprivileged_foreign_op(void **state)
{
	struct evtchn_alloc_unbound *op = guest_alloc(sizeof(*op));

	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_init_control, 0, 0, 0),
			 -ENOSYS);
	op->dom = 2;
	op->remote_dom = DOMID_SELF;
	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, GUEST(op),
				   0, 0), -EPERM);
	op->dom = 77;
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, GUEST(op),
				   0, 0), -ESRCH);
	op->dom = DOMID_SELF;
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, GUEST(op),
				   0, 0), 0);
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, 8, 0, 0), -EFAULT);
	world_run(dom0->vcpu[0]);
	op->dom = 2;
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, GUEST(op),
				   0, 0), 0);
	assert_int_equal(op->port, 1);
}

static void test_no_line_has_a_port_where_there_are_no_ports(void **state)
{
	static const struct domain without;

	assert_int_equal(evtchn_of_pirq(&without, 0), 0);
	assert_int_equal(evtchn_of_pirq(&without, GSI_LIMIT), 0);
	assert_int_equal(evtchn_of_pirq(d1, GSI_LIMIT), 0);
	assert_int_equal(evtchn_of_pirq(d1, ~0u), 0);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_ports_start_at_one_and_are_reused_lowest_first),
		T(test_send_sets_pending_and_upcall_at_the_other_end),
		T(test_a_masked_port_gets_pending_but_no_upcall_until_unmasked),
		T(test_only_the_named_domain_can_bind_an_unbound_port),
		T(test_close_leaves_the_other_end_unbound_and_sends_to_it_are_dropped),
		T(test_any_port_number_is_refused_cleanly),
		T(test_the_quota_ends_allocation),
		T(test_virqs_bind_once_per_vcpu_or_once_global),
		T(test_a_global_virq_goes_to_dom0_unless_handed_over),
		T(test_ipi_and_per_vcpu_virq_ports_cannot_move),
		T(test_an_ipi_raises_its_own_vcpu),
		T(test_pirqs_need_a_mapping_and_bind_once),
		T(test_no_line_has_a_port_where_there_are_no_ports),
		T(test_a_dying_domain_leaves_no_port_behind),
		T(test_a_reset_that_was_given_up_hides_no_port_from_the_next),
		T(test_a_reset_that_was_given_up_hides_no_port_from_the_end),
		T(test_a_domain_with_every_port_dies_in_steps),
		T(test_a_reset_of_every_port_goes_in_steps),
		T(test_an_event_ends_block),
		T(test_fifo_is_refused_and_so_is_an_unprivileged_foreign_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
