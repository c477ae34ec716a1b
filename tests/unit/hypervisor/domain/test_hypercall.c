/* SPDX-License-Identifier: MIT */
/* Claims about the dispatcher, multicall, domctl, sysctl and the small calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/version.h>

#include "domain/evtchn.h"
#include "domain/frame_ref.h"
#include "domain/preempt.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/lock.h"
#include "x86/softirq.h"
#include "x86/spec_ctrl.h"

static struct domain *d1;

static int setup(void **state)
{
	spec_plan.guest_spec_ctrl_mask = 0;
	world_reset();
	d1 = world_domain(1, 2);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(world_end(), 0);
	return 0;
}

static void test_unknown_numbers_are_enosys(void **state)
{
	assert_int_equal(hypercall(14, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(hypercall(63, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(hypercall(0xff, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(hypercall(1UL << 32 | __HYPERVISOR_xen_version, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(hypercall(~0UL, 0, 0, 0, 0), -ENOSYS);
}

static void test_the_version_is_xen_4_17(void **state)
{
	assert_int_equal(hypercall(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), 4 << 16 | 17);
	assert_int_equal(hypercall(__HYPERVISOR_xen_version, 99, 0, 0, 0), -ENOSYS);
}

static void test_control_calls_are_for_dom0_only(void **state)
{
	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_domctl, 0, 0, 0, 0), -EPERM);
	assert_int_equal(hypercall(__HYPERVISOR_sysctl, 0, 0, 0, 0), -EPERM);
	assert_int_equal(hypercall(__HYPERVISOR_platform_op, 0, 0, 0, 0), -EPERM);
	assert_int_equal(hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, 1, GUEST(guest_mem),
				   0), -EPERM);
	world_run(dom0->vcpu[0]);
}

static void test_a_handler_that_sets_the_registers_keeps_them(void **state)
{
	struct cpu_user_regs regs = { .rax = __HYPERVISOR_iret, .rip = 7 };

	hypercall_entry(&regs);
	assert_int_equal(regs.rax, __HYPERVISOR_iret);
	assert_int_equal(regs.rip, 7);
}

static void test_multicall_stores_each_result(void **state)
{
	struct multicall_entry *m = guest_alloc(4 * sizeof(*m));

	m[0] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	m[1] = (struct multicall_entry){ .op = 99 };
	m[2] = (struct multicall_entry){ .op = __HYPERVISOR_multicall, .args = { GUEST(m), 4 } };
	m[3] = (struct multicall_entry){ .op = __HYPERVISOR_iret };
	world.preempt = true; /* stops before every entry but the first */
	assert_int_equal(hypercall(__HYPERVISOR_multicall, GUEST(m), 4, 0, 0), 0);
	world.preempt = false;
	assert_int_equal(m[0].result, 4 << 16 | 17);
	assert_int_equal((long)m[1].result, -ENOSYS);
	assert_int_equal((long)m[2].result, -EINVAL);
	assert_int_equal((long)m[3].result, -EINVAL);
	assert_int_equal(hypercall(__HYPERVISOR_multicall, 0xffff800000000000, 1, 0, 0), -EFAULT);
	assert_int_equal(hypercall(__HYPERVISOR_multicall, 16, 1, 0, 0), -EFAULT);
}

static void test_a_multicall_entry_restarts_where_it_stopped(void **state)
{
	struct multicall_entry *m = guest_alloc(sizeof(*m));
	struct xen_memory_reservation *r = guest_alloc(sizeof(*r));

	r->extent_start.p = guest_alloc(10 * 8);
	r->nr_extents = 10;
	r->domid = 1;
	*m = (struct multicall_entry){ .op = __HYPERVISOR_memory_op,
				       .args = { XENMEM_populate_physmap, GUEST(r) } };
	world.preempt = true;
	assert_int_equal(hypercall(__HYPERVISOR_multicall, GUEST(m), 1, 0, 0), 0);
	world.preempt = false;
	assert_int_equal(m->result, 10);
	assert_int_equal(d1->tot_pages, 10);
}

/*
 * The first of them stays done, all its arguments are the same when it is issued again, and so are
 * those behind.
 */
static void test_a_multicall_that_stops_goes_on_at_the_entry_it_came_to(void **state)
{
	struct multicall_entry *m = guest_alloc(3 * sizeof(*m));
	struct xen_memory_reservation *r = guest_alloc(3 * sizeof(*r));
	struct cpu_user_regs regs = { .rax = __HYPERVISOR_multicall, .rdi = GUEST(m), .rsi = 3 };
	unsigned int restarts = 0;

	for (unsigned int i = 0; i < 3; i++) {
		r[i] = (struct xen_memory_reservation){ .extent_start.p = guest_alloc(4 * 8), .nr_extents = 4, .domid = 1 };
		m[i] = (struct multicall_entry){ .op = __HYPERVISOR_memory_op,
						 .args = { XENMEM_populate_physmap, GUEST(&r[i]), 12, 13, 14, 15 } };
	}
	world.preempt = true;
	do {
		regs.rip = 0x1002;
		hypercall_entry(&regs);
		assert_true(regs.rip == 0x1002 || regs.rdi + regs.rsi * sizeof(*m) == GUEST(m + 3));
		restarts += regs.rip == 0x1000;
	} while (regs.rip == 0x1000);
	world.preempt = false;
	assert_int_equal(regs.rax, 0);
	assert_in_range(restarts, 3, 20);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(m[i].result, 4);
		for (unsigned int k = 2; k < 6; k++)
			assert_int_equal(m[i].args[k], 10 + k);
	}
	assert_int_equal(d1->tot_pages, 12); /* each once */
}

/* It stops inside its second entry, having come there without a stop. */
static void test_a_multicall_goes_on_at_the_entry_that_stopped(void **state)
{
	struct multicall_entry *m = guest_alloc(2 * sizeof(*m));
	struct xen_memory_reservation *r = guest_alloc(sizeof(*r));
	struct cpu_user_regs regs = { .rax = __HYPERVISOR_multicall, .rdi = GUEST(m), .rsi = 2, .rip = 0x1002 };

	*r = (struct xen_memory_reservation){ .extent_start.p = guest_alloc(4 * 8), .nr_extents = 4, .domid = 1 };
	m[0] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	m[1] = (struct multicall_entry){ .op = __HYPERVISOR_memory_op, .args = { XENMEM_populate_physmap, GUEST(r) } };
	world.preempt_at = 2;
	hypercall_entry(&regs);
	world.preempt_at = 0;
	assert_int_equal(regs.rip, 0x1000);
	assert_int_equal(regs.rdi, GUEST(&m[1]));
	assert_int_equal(regs.rsi, 1);
	regs.rip = 0x1002;
	hypercall_entry(&regs);
	assert_int_equal(regs.rip, 0x1002);
	assert_int_equal(m[1].result, 4);
}

/* An event that waits for the vcpu is a reason by itself; one that it does not want now is none. */
/* Decision 15: between what a call looks at and what it does, nothing old is given back. */
static void test_what_was_put_off_is_finished_before_a_call_does_anything(void **state)
{
	struct xen_memory_reservation *r = guest_alloc(sizeof(*r));
	struct cpu_user_regs regs = { .rax = __HYPERVISOR_memory_op, .rdi = XENMEM_populate_physmap, .rsi = GUEST(r) };

	*r = (struct xen_memory_reservation){ .extent_start.p = guest_alloc(8), .nr_extents = 1, .domid = 1 };
	current->pv.nr_deferred = 1;
	world.drains_stop = 2;
	for (unsigned int stops = 0; stops < 2; stops++) {
		regs.rip = 0x1002;
		hypercall_entry(&regs);
		assert_int_equal(regs.rip, 0x1000); /* again, as it was issued */
		assert_int_equal(regs.rax, __HYPERVISOR_memory_op);
		assert_int_equal(regs.rdi, XENMEM_populate_physmap);
		assert_int_equal(regs.rsi, GUEST(r));
		assert_int_equal(d1->tot_pages, 0);
		assert_false(hv_lock_is_held());
	}
	regs.rip = 0x1002;
	hypercall_entry(&regs);
	assert_int_equal(regs.rip, 0x1002);
	assert_int_equal(regs.rax, 1);
	assert_int_equal(d1->tot_pages, 1);
	assert_int_equal(current->pv.nr_deferred, 0);
}

/* The same of each entry: the one before may have put something off. */
static void test_what_was_put_off_is_finished_before_an_entry_does_anything(void **state)
{
	struct xen_memory_reservation *r = guest_alloc(sizeof(*r));
	struct hc_args args = { .a = { XENMEM_populate_physmap, GUEST(r) } };

	*r = (struct xen_memory_reservation){ .extent_start.p = guest_alloc(8), .nr_extents = 1, .domid = 1 };
	current->pv.nr_deferred = 1;
	world.drains_stop = 1;
	hv_lock(); /* the multicall's own */
	assert_int_equal(hypercall_call(__HYPERVISOR_memory_op, &args, true), -ERESTART);
	assert_int_equal(d1->tot_pages, 0);
	assert_int_equal(hypercall_call(__HYPERVISOR_memory_op, &args, true), 0);
	hv_unlock();
	assert_int_equal(d1->tot_pages, 1);
	assert_int_equal(current->pv.nr_deferred, 0);
}

static void test_a_call_stops_for_an_event(void **state)
{
	struct vcpu_info *info = current->vcpu_info;

	info->evtchn_upcall_mask = 0;
	info->evtchn_upcall_pending = 0;
	assert_false(hypercall_should_preempt());
	info->evtchn_upcall_pending = 1;
	assert_true(hypercall_should_preempt());
	info->evtchn_upcall_mask = 1;
	assert_false(hypercall_should_preempt());
	info->evtchn_upcall_pending = 0;
}

/* Interrupts are off in a hypercall: one that waits is let in, or a long one would not see it. */
static void test_a_call_stops_for_an_interrupt_that_waits(void **state)
{
	current->vcpu_info->evtchn_upcall_mask = 1;
	assert_false(hypercall_should_preempt());
	world.irqs_wait = 1u << SOFTIRQ_TIMER;
	assert_true(hypercall_should_preempt());
	world.softirqs[fake_cpu_id] = 0;
	assert_false(hypercall_should_preempt());
}

/*
 * Short steps are not worth a return each. Long ones: a guest chooses how long its calls' are, and
 * others have waited.
 */
static void test_a_call_lets_others_in_after_so_many_steps_or_so_long(void **state)
{
	unsigned int steps = 0;

	current->vcpu_info->evtchn_upcall_mask = 1;
	assert_false(hypercall_should_preempt());
	fake_lock_is_wanted = true;
	for (unsigned int turn = 0; turn < 3; turn++, steps = 0) {
		while (!hypercall_should_preempt())
			steps++;
		assert_int_equal(steps, 15);
	}
	for (unsigned int turn = 0; turn < 3; turn++) {
		assert_false(hypercall_should_preempt());
		world.now += 150000;
		assert_false(hypercall_should_preempt());
		world.now += 150000;
		assert_true(hypercall_should_preempt());
	}
	fake_lock_is_wanted = false;
	assert_false(hypercall_should_preempt());
}

static void test_a_list_of_calls_is_read_and_answered(void **state)
{
	struct multicall_entry *last = (struct multicall_entry *)(guest_mem + sizeof(guest_mem)) - 1;

	*last = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	assert_int_equal(hypercall(__HYPERVISOR_multicall, GUEST(last), 2, 0, 0), -EFAULT);
	assert_int_equal(last->result, 4 << 16 | 17); /* as far as it could be read */
	last->result = 0;
	world.is_read_only = true;
	assert_int_equal(hypercall(__HYPERVISOR_multicall, GUEST(last), 1, 0, 0), -EFAULT);
}

static void test_a_return_to_the_guest_is_the_guests(void **state)
{
	struct cpu_user_regs regs = { .rax = __HYPERVISOR_iret, .rip = 0x1002 };

	hypercall_entry(&regs);
	assert_int_equal(world.irets, 1);
	assert_int_equal(regs.rax, __HYPERVISOR_iret); /* no result is put over what it set */
}

static struct xen_domctl *domctl_new(u32 cmd, domid_t domid)
{
	struct xen_domctl *op = guest_alloc(sizeof(*op));

	*op = (struct xen_domctl){
		.cmd = cmd, .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = domid};
	return op;
}

static long domctl(struct xen_domctl *op)
{
	return hypercall(__HYPERVISOR_domctl, GUEST(op), 0, 0, 0);
}

static void test_domctl_refuses_other_versions_strangers_and_oneself(void **state)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_pausedomain, 1);

	op->interface_version--;
	assert_int_equal(domctl(op), -EACCES);
	op->interface_version++;
	assert_int_equal(domctl(op), 0);
	op->domain = 55;
	assert_int_equal(domctl(op), -ESRCH);
	op->domain = 0;
	assert_int_equal(domctl(op), -EINVAL);
	op->cmd = 200;
	assert_int_equal(domctl(op), -ENOSYS);
	op->cmd = XEN_DOMCTL_gdbsx_guestmemio;
	assert_int_equal(domctl(op), -ENOSYS);
	op->cmd = XEN_DOMCTL_destroydomain;
	assert_int_equal(domctl(op), -EINVAL);
}

static void test_create_gives_a_paused_domain_and_destroy_takes_it_away(void **state)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_createdomain, 0);
	domid_t domid;

	op->u.createdomain = (struct xen_domctl_createdomain){
		.max_vcpus = 2, .max_evtchn_port = 1023, .max_grant_frames = 4,
		.max_maptrack_frames = 1, .grant_opts = 1, .handle = { 1, 2, 3 }};
	assert_int_equal(domctl(op), 0);
	domid = op->domain;
	assert_in_range(domid, 2, 0x7fef);

	op = domctl_new(XEN_DOMCTL_max_vcpus, domid);
	op->u.max_vcpus.max = 3;
	assert_int_equal(domctl(op), -EINVAL);
	op->u.max_vcpus.max = 2;
	assert_int_equal(domctl(op), 0);

	op = domctl_new(XEN_DOMCTL_getdomaininfo, domid);
	assert_int_equal(domctl(op), 0);
	assert_true(op->u.getdomaininfo.flags & XEN_DOMINF_paused);
	assert_int_equal(op->u.getdomaininfo.nr_online_vcpus, 0);
	assert_int_equal(op->u.getdomaininfo.max_vcpu_id, 1);
	assert_int_equal(op->u.getdomaininfo.handle[2], 3);

	assert_int_equal(domctl(domctl_new(XEN_DOMCTL_destroydomain, domid)), 0);
	assert_int_equal(domctl(domctl_new(XEN_DOMCTL_destroydomain, domid)), -ESRCH);
}

static void test_domids_are_not_reused_at_once(void **state)
{
	domid_t a = domain_next_free_domid(), b;
	struct domain *d = world_domain(a, 1);

	while (domain_kill(d) == -ERESTART)
		;
	b = domain_next_free_domid();
	assert_int_equal(b, a + 1);
}

static void test_domains_of_one_hash_bucket_are_told_apart(void **state)
{
	struct domain *a = world_domain(257, 1), *b = world_domain(513, 1);

	assert_ptr_equal(domain_find(1), d1);
	assert_ptr_equal(domain_find(257), a);
	assert_ptr_equal(domain_find(513), b);
	while (domain_kill(a) == -ERESTART)
		;
	assert_null(domain_find(257));
	assert_ptr_equal(domain_find(1), d1);
	assert_ptr_equal(domain_find(513), b);
	assert_null(domain_find(DOMID_SELF));
}

static void test_nothing_new_refers_to_a_dying_domain(void **state)
{
	struct domain *d2 = world_domain(2, 1);
	struct xen_domctl *op;
	struct frame *f = world_page(d1);
	evtchn_port_t port;

	assert_true(frame_get(f, d1)); /* keeps it from going */
	while (domain_kill(d1) == -ERESTART)
		;
	assert_ptr_equal(domain_find(1), d1);
	op = domctl_new(XEN_DOMCTL_set_virq_handler, 1);
	op->u.set_virq_handler.virq = VIRQ_DOM_EXC;
	assert_int_equal(domctl(op), -EINVAL);
	op = domctl_new(XEN_DOMCTL_set_target, 2);
	op->u.set_target.target = 1;
	assert_int_equal(domctl(op), -ESRCH);
	op = domctl_new(XEN_DOMCTL_max_vcpus, 1);
	op->u.max_vcpus.max = 2;
	assert_int_equal(domctl(op), -EINVAL);
	assert_int_equal(evtchn_alloc_unbound(d1, 0, &port), -EINVAL);
	op = domctl_new(XEN_DOMCTL_getdomaininfo, 1);
	assert_int_equal(domctl(op), 0);
	assert_true(op->u.getdomaininfo.flags & XEN_DOMINF_dying);
	assert_ptr_equal(domain_find(2), d2);
	frame_put(f);
	assert_null(domain_find(1));
}

static void test_create_refuses_what_this_hypervisor_cannot_do(void **state)
{
	const struct xen_domctl_createdomain good = { .max_vcpus = 1, .grant_opts = 1 };
	struct xen_domctl_createdomain bad[6] = { good, good, good, good, good, good };

	bad[0].flags = XEN_DOMCTL_CDF_hvm;
	bad[1].max_vcpus = 0;
	bad[2].max_vcpus = DOMAIN_MAX_VCPUS + 1;
	bad[3].arch.emulation_flags = 1;
	bad[4].grant_opts = 0;
	bad[5].cpupool_id = 3;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct xen_domctl *op = domctl_new(XEN_DOMCTL_createdomain, 0);

		op->u.createdomain = bad[i];
		assert_int_equal(domctl(op), -EINVAL);
	}
}

static long msrs(u32 cmd, struct xen_domctl_vcpu_msr *msr, u32 nr, u32 *got)
{
	struct xen_domctl *op = domctl_new(cmd, 1);
	long rc;

	op->u.vcpu_msrs.msr_count = nr;
	set_xen_guest_handle(op->u.vcpu_msrs.msrs, msr);
	rc = domctl(op);
	if (got)
		*got = op->u.vcpu_msrs.msr_count;
	return rc;
}

static struct xen_domctl_vcpu_msr *msr_list; /* of the guest's memory */

static long msr_set(u32 index, u32 reserved, u64 value)
{
	msr_list[0] = (struct xen_domctl_vcpu_msr){ index, reserved, value };
	return msrs(XEN_DOMCTL_set_vcpu_msrs, msr_list, 1, NULL);
}

static void test_a_saved_vcpu_has_its_registers_again(void **state)
{
	const struct pv_vcpu *pv = &d1->vcpu[0]->pv;
	u32 nr;

	domain_pause(d1);
	spec_plan.guest_spec_ctrl_mask = SPEC_CTRL_SSBD;
	msr_list = guest_alloc(3 * sizeof(*msr_list));
	assert_int_equal(msrs(XEN_DOMCTL_get_vcpu_msrs, NULL, 0, &nr), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(msrs(XEN_DOMCTL_get_vcpu_msrs, msr_list, 2, &nr), 0);
	assert_int_equal(nr, 0); /* as after a reset */
	assert_int_equal(msr_set(MSR_SPEC_CTRL, 0, SPEC_CTRL_SSBD), 0);
	assert_int_equal(msr_set(MSR_TSC_AUX, 0, 7), 0);
	assert_int_equal(pv->spec_ctrl, SPEC_CTRL_SSBD);
	assert_int_equal(pv->tsc_aux, 7);

	memset(msr_list, 0, 2 * sizeof(*msr_list));
	assert_int_equal(msrs(XEN_DOMCTL_get_vcpu_msrs, msr_list, 1, NULL), -ENOBUFS);
	assert_int_equal(msrs(XEN_DOMCTL_get_vcpu_msrs, msr_list, 2, &nr), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(msr_list[0].index, MSR_SPEC_CTRL);
	assert_int_equal(msr_list[0].value, SPEC_CTRL_SSBD);
	assert_int_equal(msr_list[1].value, 7);
	assert_int_equal(msrs(XEN_DOMCTL_set_vcpu_msrs, msr_list, 2, NULL), 0);
	assert_int_equal(msrs(XEN_DOMCTL_set_vcpu_msrs, msr_list, 3, NULL), -EINVAL);

	/* what a CPU has of it would not follow */
	d1->vcpu[0]->state_cpu = 0;
	assert_int_equal(msr_set(MSR_TSC_AUX, 0, 8), -EBUSY);
	assert_int_equal(pv->tsc_aux, 7);
	d1->vcpu[0]->state_cpu = NO_CPU;
	domain_unpause(d1);
}

static void test_a_restored_register_is_one_that_the_guest_could_have_written(void **state)
{
	const struct pv_vcpu *pv = &d1->vcpu[0]->pv;

	domain_pause(d1);
	spec_plan.guest_spec_ctrl_mask = SPEC_CTRL_SSBD;
	msr_list = guest_alloc(sizeof(*msr_list));
	assert_int_equal(msr_set(MSR_SPEC_CTRL, 0, SPEC_CTRL_IBRS), -EINVAL);
	assert_int_equal(msr_set(MSR_SPEC_CTRL, 0, 1ULL << 40), -EINVAL);
	assert_int_equal(msr_set(MSR_SPEC_CTRL, 1, SPEC_CTRL_SSBD), -EINVAL);
	assert_int_equal(msr_set(MSR_TSC_AUX, 0, 1ULL << 32), -EINVAL);
	assert_int_equal(msr_set(MSR_EFER, 0, 0), -EINVAL);
	spec_plan.guest_spec_ctrl_mask = 0; /* another host, whose CPU lacks it */
	assert_int_equal(msr_set(MSR_SPEC_CTRL, 0, SPEC_CTRL_SSBD), -EINVAL);
	assert_int_equal(pv->spec_ctrl, 0);
	assert_int_equal(pv->tsc_aux, 0);
	domain_unpause(d1);
}

static void test_a_shut_down_domain_shows_its_reason_and_resumes(void **state)
{
	struct sched_shutdown *s = guest_alloc(sizeof(*s));
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_getdomaininfo, 1);

	world_run(d1->vcpu[0]);
	s->reason = SHUTDOWN_MAX + 1;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, GUEST(s), 0, 0),
			 -EINVAL);
	s->reason = SHUTDOWN_suspend;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, GUEST(s), 0, 0), 0);
	world_run(dom0->vcpu[0]);
	domctl(op);
	assert_true(op->u.getdomaininfo.flags & XEN_DOMINF_shutdown);
	assert_int_equal(op->u.getdomaininfo.flags >> XEN_DOMINF_shutdownshift & 255,
			 SHUTDOWN_suspend);
	assert_false(vcpu_is_runnable(d1->vcpu[0]));
	assert_int_equal(domctl(domctl_new(XEN_DOMCTL_resumedomain, 1)), 0);
	assert_true(vcpu_is_runnable(d1->vcpu[0]));
}

static void test_page_types_are_told_and_bounded(void **state)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_getpageframeinfo3, 1);
	struct frame *f = world_page(d1);
	xen_pfn_t *list = guest_alloc(3 * sizeof(*list));

	f->type = (u32)FT_L2 << FT_SHIFT | FT_PINNED | FT_VALID | 1;
	list[0] = mfn_x(frame_to_mfn(f));
	list[1] = ~0UL;
	list[2] = 1; /* the hypervisor's */
	op->u.getpageframeinfo3.num = 3;
	op->u.getpageframeinfo3.array.p = list;
	assert_int_equal(domctl(op), 0);
	assert_int_equal(list[0], XEN_DOMCTL_PFINFO_L2TAB | XEN_DOMCTL_PFINFO_LPINTAB);
	assert_int_equal(list[1], XEN_DOMCTL_PFINFO_XTAB);
	assert_int_equal(list[2], XEN_DOMCTL_PFINFO_XTAB);
	op->u.getpageframeinfo3.num = 1025;
	assert_int_equal(domctl(op), -E2BIG);
	f->type = 0;
}

static void test_the_list_of_domains_is_bounded_by_the_callers_buffer(void **state)
{
	struct xen_sysctl *op = guest_alloc(sizeof(*op));
	struct xen_domctl_getdomaininfo *info = guest_alloc(2 * sizeof(*info));

	*op = (struct xen_sysctl){ .cmd = XEN_SYSCTL_getdomaininfolist,
				   .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	op->u.getdomaininfolist.max_domains = 1;
	op->u.getdomaininfolist.buffer.p = info;
	assert_int_equal(hypercall(__HYPERVISOR_sysctl, GUEST(op), 0, 0, 0), 0);
	assert_int_equal(op->u.getdomaininfolist.num_domains, 1);
	assert_int_equal(info[0].domain, 0);
	op->u.getdomaininfolist.first_domain = 1;
	op->u.getdomaininfolist.max_domains = 100;
	assert_int_equal(hypercall(__HYPERVISOR_sysctl, GUEST(op), 0, 0, 0), 0);
	assert_int_equal(op->u.getdomaininfolist.num_domains, 1);
	assert_int_equal(info[0].domain, 1);
	op->interface_version = 7;
	assert_int_equal(hypercall(__HYPERVISOR_sysctl, GUEST(op), 0, 0, 0), -EACCES);
}

static void test_the_first_16_debug_keys_count_and_unknown_ones_are_nothing(void **state)
{
	struct xen_sysctl *op = guest_alloc(sizeof(*op));
	char *keys = guest_alloc(32);

	memset(keys, 'A', 32);
	keys[3] = '~';
	*op = (struct xen_sysctl){ .cmd = XEN_SYSCTL_debug_keys,
				   .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	op->u.debug_keys.keys.p = keys;
	op->u.debug_keys.nr_keys = 2;
	assert_int_equal(hypercall(__HYPERVISOR_sysctl, GUEST(op), 0, 0, 0), 0);
	assert_int_equal(world.audits, 2);
	op->u.debug_keys.nr_keys = 32;
	assert_int_equal(hypercall(__HYPERVISOR_sysctl, GUEST(op), 0, 0, 0), 0);
	assert_int_equal(world.audits, 2 + 15);
}

static void test_cpu_leaves_fit_the_buffer_or_are_refused(void **state)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_get_cpu_policy, 1);

	assert_int_equal(domctl(op), 0); /* no buffers: how large they must be */
	assert_true(op->u.cpu_policy.nr_leaves > 20);
	op->u.cpu_policy.leaves.p = guest_alloc(128 * sizeof(xen_cpuid_leaf_t));
	op->u.cpu_policy.nr_leaves = 3;
	assert_int_equal(domctl(op), -ENOBUFS);
	op->u.cpu_policy.nr_leaves = 128;
	assert_int_equal(domctl(op), 0);
	assert_in_range(op->u.cpu_policy.nr_leaves, 20, 128);
}

static void test_vcpu_numbers_are_checked_and_info_moves_once(void **state)
{
	struct vcpu_register_vcpu_info *op = guest_alloc(sizeof(*op));
	struct frame *f = world_page(d1);

	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 0, 0, 0), 1);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0, 0), 0);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 2, 0, 0), -ENOENT);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_is_up, ~0u, 0, 0), -ENOENT);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, 99, 0, 0, 0), -ENOSYS);

	op->mfn = mfn_x(frame_to_mfn(f));
	op->offset = PAGE_SIZE - 8;
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, GUEST(op),
				   0), -EINVAL);
	op->offset = 128;
	d1->vcpu[0]->vcpu_info->evtchn_upcall_pending = 1;
	d1->vcpu[0]->vcpu_info->arch.cr2 = 0x1234;
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, GUEST(op),
				   0), 0);
	assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_upcall_pending, 1);
	assert_int_equal(d1->vcpu[0]->vcpu_info->arch.cr2, 0x1234);
	assert_int_equal(frame_ref_count(f), 2);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, GUEST(op),
				   0), -EINVAL);
	world_run(dom0->vcpu[0]);
	op->mfn = mfn_x(frame_to_mfn(f));
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, GUEST(op),
				   0), -EINVAL); /* another's page */
}

static void test_info_of_another_vcpu_moves_only_while_that_is_down(void **state)
{
	struct vcpu_register_vcpu_info *op = guest_alloc(sizeof(*op));

	op->mfn = mfn_x(frame_to_mfn(world_page(d1)));
	world_run(d1->vcpu[0]);
	vcpu_up(d1->vcpu[1]);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, GUEST(op),
				   0), -EINVAL);
	vcpu_down(d1->vcpu[1]);
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 1, GUEST(op),
				   0), 0);
	world_run(dom0->vcpu[0]);
}

static void test_a_singleshot_timer_raises_its_virq(void **state)
{
	struct vcpu_set_singleshot_timer *op = guest_alloc(sizeof(*op));
	evtchn_port_t port;

	evtchn_bind_virq(dom0, VIRQ_TIMER, 0, &port);
	op->timeout_abs_ns = world.now - 1;
	op->flags = VCPU_SSHOTTMR_future;
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, GUEST(op),
				   0), -ETIME);
	op->timeout_abs_ns = world.now + 1000;
	assert_int_equal(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, GUEST(op),
				   0), 0);
	assert_false(evtchn_is_pending(dom0, port));
	world.now += 1001;
	timer_softirq();
	assert_true(evtchn_is_pending(dom0, port));
}

static void test_the_hypercall_page_holds_a_stub_a_number(void **state)
{
	u8 *page = guest_alloc(4096);
	u32 nr;

	hypercall_page_fill(page);
	memcpy(&nr, page + 12 * 32 + 4, 4);
	assert_int_equal(nr, 12);
	assert_int_equal(page[12 * 32], 0x51);
	memcpy(&nr, page + __HYPERVISOR_iret * 32 + 5, 4);
	assert_int_equal(nr, __HYPERVISOR_iret);
	assert_int_equal(page[__HYPERVISOR_iret * 32 + 9], 0x0f);
}

static void test_platform_op_knows_no_firmware_and_no_hotplug(void **state)
{
	struct xen_platform_op *op = guest_alloc(sizeof(*op));

	*op = (struct xen_platform_op){ .cmd = XENPF_firmware_info,
					.interface_version = XENPF_INTERFACE_VERSION };
	op->u.firmware_info.type = XEN_FW_DISK_INFO;
	assert_int_equal(hypercall(__HYPERVISOR_platform_op, GUEST(op), 0, 0, 0), -ESRCH);
	op->cmd = XENPF_cpu_online;
	assert_int_equal(hypercall(__HYPERVISOR_platform_op, GUEST(op), 0, 0, 0), -EOPNOTSUPP);
	op->cmd = ~0u;
	assert_int_equal(hypercall(__HYPERVISOR_platform_op, GUEST(op), 0, 0, 0), -EOPNOTSUPP);
	op->cmd = XENPF_enter_acpi_sleep;
	op->u.enter_acpi_sleep.sleep_state = 5;
	assert_int_equal(hypercall(__HYPERVISOR_platform_op, GUEST(op), 0, 0, 0), 0);
	assert_int_equal(world.machine_stops, 1);
}

/* A result is not mistaken for the wish to go on later: the number is the guest's to choose. */
static void test_a_result_that_looks_like_a_restart_is_a_result(void **state)
{
	domid_t *domid = guest_alloc(sizeof(*domid));
	struct multicall_entry *e = guest_alloc(sizeof(*e));

	*domid = 1;
	for (long value = -ERESTART - 2; value <= 2; value++) {
		d1->shared_info->arch.max_pfn = (unsigned long)value + 1;
		if (value == -1)
			continue; /* says nothing */
		assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, GUEST(domid), 0, 0), value);
		*e = (struct multicall_entry){ .op = __HYPERVISOR_memory_op,
					       .args = { XENMEM_maximum_gpfn, GUEST(domid) } };
		assert_int_equal(hypercall(__HYPERVISOR_multicall, GUEST(e), 1, 0, 0), 0);
		assert_int_equal(e->result, value);
	}
	/* what tells the dispatcher to leave all registers alone */
	d1->shared_info->arch.max_pfn = (unsigned long)HC_REGS_SET + 1;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_maximum_gpfn, GUEST(domid), 0, 0), HC_REGS_SET);
}

static long shadow_op(struct xen_domctl *op, u32 what, u32 mode)
{
	op->u.shadow_op.op = what;
	op->u.shadow_op.mode = mode;
	return domctl(op);
}

static void test_log_dirty_mode_is_entered_asked_and_left(void **state)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_shadow_op, 1);
	struct xen_domctl_shadow_op *s = &op->u.shadow_op;

	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_CLEAN, 0), -EINVAL);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, 0), 0);
	assert_int_equal(s->mb, 0);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), 0);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), -EINVAL);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION, 0), 0);
	assert_int_equal(s->mb, 2); /* 300 pages */
	s->pages = 77;
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_CLEAN, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL), 0);
	assert_int_equal(s->pages, 77);
	assert_int_equal(s->stats.fault_count, 1);
	assert_int_equal(s->stats.dirty_count, 77);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_PEEK, 0), 0);
	assert_int_equal(s->stats.fault_count, 0);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY), 0);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_OFF, 0), 0);
}

static void test_of_shadow_paging_there_is_nothing_else(void **state)
{
	struct xen_domctl *op = domctl_new(XEN_DOMCTL_shadow_op, 1);

	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_ENABLE, 0), -EOPNOTSUPP);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_ENABLE, XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY |
					   XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT), -EOPNOTSUPP);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_ENABLE_TEST, 0), -EOPNOTSUPP);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION, 0), -EOPNOTSUPP);
	assert_int_equal(shadow_op(op, ~0u, 0), -EOPNOTSUPP);
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_CLEAN, 2), -EINVAL);
	op->u.shadow_op.pages = ~0ULL;
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_CLEAN, 0), -EINVAL);
	op->domain = 0; /* not oneself */
	assert_int_equal(shadow_op(op, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, 0), -EINVAL);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_unknown_numbers_are_enosys),
		T(test_the_version_is_xen_4_17),
		T(test_control_calls_are_for_dom0_only),
		T(test_a_handler_that_sets_the_registers_keeps_them),
		T(test_multicall_stores_each_result),
		T(test_a_multicall_entry_restarts_where_it_stopped),
		T(test_a_multicall_that_stops_goes_on_at_the_entry_it_came_to),
		T(test_a_list_of_calls_is_read_and_answered),
		T(test_a_multicall_goes_on_at_the_entry_that_stopped),
		T(test_what_was_put_off_is_finished_before_a_call_does_anything),
		T(test_what_was_put_off_is_finished_before_an_entry_does_anything),
		T(test_a_call_stops_for_an_event),
		T(test_a_call_stops_for_an_interrupt_that_waits),
		T(test_a_call_lets_others_in_after_so_many_steps_or_so_long),
		T(test_a_return_to_the_guest_is_the_guests),
		T(test_a_result_that_looks_like_a_restart_is_a_result),
		T(test_domctl_refuses_other_versions_strangers_and_oneself),
		T(test_create_gives_a_paused_domain_and_destroy_takes_it_away),
		T(test_domids_are_not_reused_at_once),
		T(test_domains_of_one_hash_bucket_are_told_apart),
		T(test_nothing_new_refers_to_a_dying_domain),
		T(test_create_refuses_what_this_hypervisor_cannot_do),
		T(test_a_saved_vcpu_has_its_registers_again),
		T(test_a_restored_register_is_one_that_the_guest_could_have_written),
		T(test_a_shut_down_domain_shows_its_reason_and_resumes),
		T(test_page_types_are_told_and_bounded),
		T(test_the_list_of_domains_is_bounded_by_the_callers_buffer),
		T(test_the_first_16_debug_keys_count_and_unknown_ones_are_nothing),
		T(test_cpu_leaves_fit_the_buffer_or_are_refused),
		T(test_vcpu_numbers_are_checked_and_info_moves_once),
		T(test_info_of_another_vcpu_moves_only_while_that_is_down),
		T(test_a_singleshot_timer_raises_its_virq),
		T(test_the_hypercall_page_holds_a_stub_a_number),
		T(test_log_dirty_mode_is_entered_asked_and_left),
		T(test_of_shadow_paging_there_is_nothing_else),
		T(test_platform_op_knows_no_firmware_and_no_hotplug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
