/* SPDX-License-Identifier: MIT */
/*
 * Claims about event_channel_op: errnos, the states a port can be in, and who is told. ABI:
 * xen/event_channel.h; docs/hypercalls.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/event_channel.h>

#include "domain/evtchn.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/irq.h"

#define LAST (EVTCHN_2L_NR_CHANNELS - 1)

union arg {
	struct evtchn_alloc_unbound alloc;
	struct evtchn_bind_interdomain interdomain;
	struct evtchn_bind_virq virq;
	struct evtchn_bind_ipi ipi;
	struct evtchn_bind_pirq pirq;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_bind_vcpu vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
};

static struct domain *d1, *d2;
static union arg *arg; /* of the guest's memory */

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 2);
	d2 = world_domain(2, 1);
	arg = guest_alloc(sizeof(*arg));
	world_run(d1->vcpu[0]);
	return 0;
}

static int teardown(void **state)
{
	world_run(dom0->vcpu[0]);
	return world_end() != 0;
}

static long evtchn(u32 cmd, union arg a)
{
	*arg = a;
	return hypercall(__HYPERVISOR_event_channel_op, cmd, GUEST(arg), 0, 0);
}

#define EVTCHN(c, ...) evtchn(EVTCHNOP_##c, (union arg){ __VA_ARGS__ })

/*
 * Of the first guest: port 1 is unbound, for domain 2; 2 an IPI of vcpu 1; 3 its timer; 4 a
 * console's virq.
 */
static void ports_make(void)
{
	assert_int_equal(EVTCHN(alloc_unbound, .alloc = { .dom = DOMID_SELF, .remote_dom = 2 }), 0);
	assert_int_equal(arg->alloc.port, 1);
	assert_int_equal(EVTCHN(bind_ipi, .ipi = { .vcpu = 1 }), 0);
	assert_int_equal(arg->ipi.port, 2);
	assert_int_equal(EVTCHN(bind_virq, .virq = { .virq = VIRQ_TIMER, .vcpu = 1 }), 0);
	assert_int_equal(arg->virq.port, 3);
	assert_int_equal(EVTCHN(bind_virq, .virq = { .virq = VIRQ_ARGO, .vcpu = 0 }), 0);
	assert_int_equal(arg->virq.port, 4);
}

#define CASE(c, e, ...) {EVTCHNOP_##c, { __VA_ARGS__ }, (e)}

static void test_each_operation_says_what_is_wrong_with_its_argument(void **state)
{
	static const struct {
		u32 cmd;
		union arg arg;
		long rc;
	} cases[] = {
		CASE(alloc_unbound, -EPERM, .alloc = { .dom = 2, .remote_dom = 1 }),
		CASE(alloc_unbound, -ESRCH, .alloc = { .dom = 77, .remote_dom = 1 }),
		CASE(bind_interdomain, -ESRCH, .interdomain = { .remote_dom = 77, .remote_port = 1 }),
		CASE(bind_interdomain, -EINVAL, .interdomain = { .remote_dom = 2, .remote_port = 1 }),
		CASE(bind_interdomain, -EINVAL, .interdomain = { .remote_dom = DOMID_SELF, .remote_port = 1 }), /* for another */
		CASE(bind_interdomain, -EINVAL, .interdomain = { .remote_dom = DOMID_SELF, .remote_port = 2 }), /* an IPI */
		CASE(bind_interdomain, -EINVAL, .interdomain = { .remote_dom = DOMID_SELF, .remote_port = 0 }),
		CASE(bind_virq, -EINVAL, .virq = { .virq = NR_VIRQS, .vcpu = 0 }),
		CASE(bind_virq, -EINVAL, .virq = { .virq = VIRQ_DOM_EXC, .vcpu = 1 }), /* global ones begin on vcpu 0 */
		CASE(bind_virq, -ENOENT, .virq = { .virq = VIRQ_TIMER, .vcpu = 2 }),
		CASE(bind_virq, -ENOENT, .virq = { .virq = VIRQ_TIMER, .vcpu = ~0u }),
		CASE(bind_virq, -EEXIST, .virq = { .virq = VIRQ_TIMER, .vcpu = 1 }),
		CASE(bind_ipi, -ENOENT, .ipi = { .vcpu = 2 }),
		CASE(bind_ipi, -ENOENT, .ipi = { .vcpu = ~0u }),
		CASE(bind_pirq, -EINVAL, .pirq = { .pirq = GSI_LIMIT }),
		CASE(bind_pirq, -EPERM, .pirq = { .pirq = GSI_LIMIT - 1 }), /* a guest has no device */
		CASE(close, -EINVAL, .close = { .port = 0 }),
		CASE(close, -EINVAL, .close = { .port = 5 }),
		CASE(close, -EINVAL, .close = { .port = LAST }),
		CASE(close, -EINVAL, .close = { .port = LAST + 1 }),
		CASE(send, -EINVAL, .send = { .port = 0 }),
		CASE(send, -EINVAL, .send = { .port = 3 }), /* the hypervisor's to raise */
		CASE(send, -EINVAL, .send = { .port = 5 }),
		CASE(send, -EINVAL, .send = { .port = LAST + 1 }),
		CASE(send, 0, .send = { .port = 1 }), /* nobody is there yet */
		CASE(send, 0, .send = { .port = 2 }),
		CASE(status, -EPERM, .status = { .dom = 2, .port = 1 }),
		CASE(status, -EINVAL, .status = { .dom = DOMID_SELF, .port = LAST + 1 }),
		CASE(status, 0, .status = { .dom = DOMID_SELF, .port = LAST }),
		CASE(bind_vcpu, -ENOENT, .vcpu = { .port = 1, .vcpu = 2 }),
		CASE(bind_vcpu, -EINVAL, .vcpu = { .port = 0, .vcpu = 1 }),
		CASE(bind_vcpu, -EINVAL, .vcpu = { .port = 2, .vcpu = 0 }),
		CASE(bind_vcpu, -EINVAL, .vcpu = { .port = 3, .vcpu = 0 }),
		CASE(bind_vcpu, -EINVAL, .vcpu = { .port = 5, .vcpu = 0 }),
		CASE(bind_vcpu, 0, .vcpu = { .port = 4, .vcpu = 1 }),
		CASE(unmask, -EINVAL, .unmask = { .port = 0 }),
		CASE(unmask, -EINVAL, .unmask = { .port = LAST + 1 }),
		CASE(unmask, 0, .unmask = { .port = 1 }),
		CASE(reset, -EPERM, .reset = { .dom = 2 }),
		CASE(init_control, -ENOSYS, .reset = { .dom = 0 }),
		CASE(expand_array, -ENOSYS, .reset = { .dom = 0 }),
		CASE(set_priority, -ENOSYS, .reset = { .dom = 0 }),
	};

	ports_make();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc = evtchn(cases[i].cmd, cases[i].arg);

		if (rc != cases[i].rc)
			fail_msg("case %zu, event_channel_op %u: %ld, not %ld", i, cases[i].cmd, rc, cases[i].rc);
	}
}

static u32 status(domid_t domid, evtchn_port_t port)
{
	assert_int_equal(EVTCHN(status, .status = { .dom = domid, .port = port }), 0);
	return arg->status.status;
}

static void test_a_port_says_what_it_is_bound_to(void **state)
{
	ports_make();
	assert_int_equal(status(DOMID_SELF, 1), EVTCHNSTAT_unbound);
	assert_int_equal(arg->status.u.unbound.dom, 2);
	assert_int_equal(status(1, 2), EVTCHNSTAT_ipi);
	assert_int_equal(arg->status.vcpu, 1);
	assert_int_equal(status(1, 3), EVTCHNSTAT_virq);
	assert_int_equal(arg->status.u.virq, VIRQ_TIMER);
	assert_int_equal(arg->status.vcpu, 1);
	assert_int_equal(status(1, 5), EVTCHNSTAT_closed);
	assert_int_equal(status(1, LAST), EVTCHNSTAT_closed); /* of a part of the table never used */
	world_run(d2->vcpu[0]);
	assert_int_equal(EVTCHN(bind_interdomain, .interdomain = { .remote_dom = 1, .remote_port = 1 }), 0);
	assert_int_equal(arg->interdomain.local_port, 1);
	assert_int_equal(status(DOMID_SELF, 1), EVTCHNSTAT_interdomain);
	assert_int_equal(arg->status.u.interdomain.dom, 1);
	assert_int_equal(arg->status.u.interdomain.port, 1);
	world_run(dom0->vcpu[0]);
	assert_int_equal(status(1, 1), EVTCHNSTAT_interdomain);
	assert_int_equal(arg->status.u.interdomain.dom, 2);
	assert_int_equal(EVTCHN(reset, .reset = { .dom = 1 }), 0);
	assert_int_equal(status(1, 1), EVTCHNSTAT_closed);
	assert_int_equal(status(1, 4), EVTCHNSTAT_closed);
	assert_int_equal(status(2, 1), EVTCHNSTAT_unbound); /* for who left */
	assert_int_equal(arg->status.u.unbound.dom, 1);
}

static bool is_raised(const struct domain *d, unsigned int vcpu, evtchn_port_t port)
{
	return evtchn_is_pending(d, port) && d->vcpu[vcpu]->vcpu_info->evtchn_upcall_pending &&
	       d->vcpu[vcpu]->vcpu_info->evtchn_pending_sel >> (port / 64) & 1;
}

/* Far up the table: the word, the bit and the selector are those of the port. */
static void test_the_bits_of_a_port_are_its_own(void **state)
{
	evtchn_port_t port = 0;

	d1->max_evtchn_port = 500;
	while (port < 500) {
		assert_int_equal(EVTCHN(bind_ipi, .ipi = { .vcpu = 1 }), 0);
		assert_int_equal(arg->ipi.port, port + 1);
		port = arg->ipi.port;
	}
	assert_int_equal(EVTCHN(bind_ipi, .ipi = { .vcpu = 1 }), -ENOSPC);
	for (evtchn_port_t p = 1; p <= 500; p += 83) {
		memset(d1->shared_info, 0, sizeof(*d1->shared_info));
		assert_int_equal(EVTCHN(send, .send = { .port = p }), 0);
		assert_true(is_raised(d1, 1, p));
		for (evtchn_port_t other = 0; other < 512; other++)
			assert_int_equal(evtchn_is_pending(d1, other), other == p);
		assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_upcall_pending, 0);
	}
	assert_int_equal(EVTCHN(close, .close = { .port = 250 }), 0);
	assert_int_equal(EVTCHN(close, .close = { .port = 100 }), 0);
	assert_int_equal(EVTCHN(bind_ipi, .ipi = { .vcpu = 0 }), 0);
	assert_int_equal(arg->ipi.port, 100); /* the lowest that is free */
	assert_int_equal(EVTCHN(bind_ipi, .ipi = { .vcpu = 0 }), 0);
	assert_int_equal(arg->ipi.port, 250);
}

static void test_a_port_that_is_closed_is_not_pending(void **state)
{
	ports_make();
	assert_int_equal(EVTCHN(send, .send = { .port = 2 }), 0);
	assert_true(evtchn_is_pending(d1, 2));
	assert_int_equal(EVTCHN(close, .close = { .port = 2 }), 0);
	assert_false(evtchn_is_pending(d1, 2));
	assert_int_equal(EVTCHN(close, .close = { .port = 3 }), 0);
	assert_int_equal(EVTCHN(bind_virq, .virq = { .virq = VIRQ_TIMER, .vcpu = 1 }), 0); /* the timer is free again */
}

static void test_an_event_while_masked_comes_when_it_is_not(void **state)
{
	ports_make();
	d1->shared_info->evtchn_mask[0] = 1UL << 2;
	assert_int_equal(EVTCHN(send, .send = { .port = 2 }), 0);
	assert_true(evtchn_is_pending(d1, 2));
	assert_false(is_raised(d1, 1, 2));
	assert_int_equal(EVTCHN(unmask, .unmask = { .port = 2 }), 0);
	assert_true(is_raised(d1, 1, 2));
	assert_false(evtchn_is_masked(d1, 2));
	memset(d1->vcpu[1]->vcpu_info, 0, sizeof(struct vcpu_info));
	assert_int_equal(EVTCHN(unmask, .unmask = { .port = 2 }), 0); /* was not masked: nothing to tell */
	assert_false(is_raised(d1, 1, 2));
}

static void test_a_port_that_moved_raises_its_new_vcpu(void **state)
{
	ports_make();
	assert_int_equal(EVTCHN(bind_vcpu, .vcpu = { .port = 1, .vcpu = 1 }), 0);
	world_run(d2->vcpu[0]);
	assert_int_equal(EVTCHN(bind_interdomain, .interdomain = { .remote_dom = 1, .remote_port = 1 }), 0);
	assert_true(is_raised(d2, 0, 1)); /* what was sent before is not lost */
	world_run(d1->vcpu[0]);
	assert_int_equal(EVTCHN(bind_vcpu, .vcpu = { .port = 1, .vcpu = 1 }), 0);
	world_run(d2->vcpu[0]);
	assert_int_equal(EVTCHN(send, .send = { .port = 1 }), 0);
	assert_true(is_raised(d1, 1, 1));
	assert_false(is_raised(d1, 0, 1));
}

/* The first ABI: command and argument behind one pointer. */
static void test_the_first_abi_is_the_same(void **state)
{
	struct evtchn_op *op = guest_alloc(sizeof(*op));

	*op = (struct evtchn_op){ .cmd = EVTCHNOP_bind_ipi, .u.bind_ipi = { .vcpu = 1 } };
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op_compat, GUEST(op), 0, 0, 0), 0);
	assert_int_equal(op->u.bind_ipi.port, 1);
	op->cmd = EVTCHNOP_set_priority + 1;
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op_compat, GUEST(op), 0, 0, 0), -ENOSYS);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_operation_says_what_is_wrong_with_its_argument),
		T(test_a_port_says_what_it_is_bound_to),
		T(test_the_bits_of_a_port_are_its_own),
		T(test_a_port_that_is_closed_is_not_pending),
		T(test_an_event_while_masked_comes_when_it_is_not),
		T(test_a_port_that_moved_raises_its_new_vcpu),
		T(test_the_first_abi_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
