/* SPDX-License-Identifier: MIT */
/*
 * Claims about a domain's life: what it begins with, what is left when memory ends at any of its
 * allocations, and what of it is gone when it is. ABI: xen/domctl.h (createdomain, set_target,
 * set_virq_handler); security.md C10, C24, C37, C39, D9.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "domain/evtchn.h"
#include "domain/frame_ref.h"
#include "domain/gnttab.h"
#include "domain/memory.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "pv/ptval.h"
#include "x86/layout.h"

static const struct xen_domctl_createdomain usual = {
	.max_vcpus = 2, .max_evtchn_port = 1023, .max_grant_frames = 4, .max_maptrack_frames = 8, .grant_opts = 1};

static int setup(void **state)
{
	world_reset();
	return 0;
}

static int teardown(void **state)
{
	world.alloc_fails_at = 0;
	return world_end() != 0;
}

static void kill_domain(struct domain *d)
{
	while (domain_kill(d) == -ERESTART)
		;
}

static void test_a_new_domain_begins_paused_with_what_it_was_given(void **state)
{
	static const struct {
		s32 asked;
		u32 grant, maptrack; /* 0: a limit of the hypervisor's */
	} limits[] = { { 0, 0, 0 }, { 1, 1, 1 }, { 5, 5, 5 } };
	struct xen_domctl_createdomain config = usual;
	struct domain *d, *all;

	config.max_grant_frames = config.max_maptrack_frames = -1;
	config.max_evtchn_port = ~0u;
	assert_int_equal(domain_create(5, &config, &all), 0);
	assert_int_equal(all->max_evtchn_port, EVTCHN_2L_NR_CHANNELS - 1);
	assert_int_equal(all->controller_pause_count, 1);
	assert_int_equal(all->scheduler_weight, 256);
	assert_int_equal(all->scheduler_cap, 0);
	assert_int_equal(all->created_ns, world.now);
	assert_false(all->is_privileged);
	assert_int_equal(all->shared_info->wc_sec, 1700000000);
	assert_int_equal(all->xenheap_pages, 2); /* shared_info and the first grant frame */
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		config.max_grant_frames = config.max_maptrack_frames = limits[i].asked;
		config.max_evtchn_port = (u32)limits[i].asked;
		assert_int_equal(domain_create(6, &config, &d), 0);
		assert_int_equal(d->max_grant_frames, limits[i].grant);
		assert_int_equal(d->max_maptrack_frames, limits[i].maptrack);
		assert_int_equal(d->max_evtchn_port, limits[i].asked);
		kill_domain(d);
	}
	config.max_grant_frames = config.max_maptrack_frames = 0x7fffffff;
	assert_int_equal(domain_create(6, &config, &d), 0);
	assert_in_range(d->max_grant_frames, all->max_grant_frames, 1 << 20); /* bounded, however much is asked for */
	assert_int_equal(d->max_maptrack_frames, all->max_maptrack_frames);
	assert_int_equal(domain_create(6, &usual, &d), -EEXIST);
	assert_int_equal(domain_create(DOMID_FIRST_RESERVED, &usual, &d), -EINVAL);
	config.max_vcpus = 0;
	assert_int_equal(domain_create(7, &config, &d), -EINVAL);
	config.max_vcpus = DOMAIN_MAX_VCPUS + 1;
	assert_int_equal(domain_create(7, &config, &d), -EINVAL);
}

static void test_a_new_vcpu_is_down_and_its_events_masked(void **state)
{
	struct domain *d;
	const struct vcpu *v;

	assert_int_equal(domain_create(5, &usual, &d), 0);
	assert_int_equal(vcpu_create(d, 2), -EINVAL);
	assert_int_equal(vcpu_create(d, 1), 0);
	assert_int_equal(vcpu_create(d, 1), -EEXIST);
	v = d->vcpu[1];
	assert_null(d->vcpu[0]);
	assert_int_equal(v->pause_flags, VPF_DOWN);
	assert_ptr_equal(v->vcpu_info, &d->shared_info->vcpu_info[1]);
	assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 1);
	assert_int_equal(v->runstate.state, RUNSTATE_offline);
	assert_int_equal(v->runstate.state_entry_time, world.now);
	assert_int_equal(v->periodic_period_ns, 10000000);
	assert_true(v->affinity == ~0ULL && v->soft_affinity == ~0ULL);
	assert_int_equal(v->state_cpu, NO_CPU);
	assert_int_equal(v->last_cpu, NO_CPU);
}

/*
 * At each allocation of it in turn. The frames are counted here, the heap's objects by the
 * sanitizer.
 */
static void test_without_memory_no_half_of_a_domain_is_left(void **state)
{
	unsigned int n = 0;
	struct domain *d = NULL;
	const u64 free = page_alloc_free_frames();
	int rc;

	do {
		world.alloc_fails_at = ++n;
		rc = domain_create(5, &usual, &d);
		assert_true(rc == 0 || rc == -ENOMEM);
		if (rc) {
			assert_null(domain_find(5));
			assert_null(dom0->next);
			assert_int_equal(page_alloc_free_frames(), free);
		}
	} while (rc);
	assert_true(n > 8); /* domain, shared page, chunks, ports, grants... */
	n = 0;
	do {
		world.alloc_fails_at = ++n;
		rc = vcpu_create(d, 0);
		assert_true(rc == 0 || rc == -ENOMEM);
		assert_int_equal(d->vcpu[0] == NULL, rc != 0);
	} while (rc);
	assert_true(n > 2);
}

static long failing(u64 nr, u64 a0, u64 a1, u64 a2)
{
	long rc;

	world.alloc_fails_at = 1;
	rc = hypercall(nr, a0, a1, a2, 0);
	world.alloc_fails_at = 0;
	return rc;
}

static void test_without_memory_an_operation_says_so(void **state)
{
	struct domain *d = world_domain(1, 1);
	struct xen_domctl *op = guest_alloc(sizeof(*op));
	struct vcpu_guest_context *ctxt = guest_alloc(sizeof(*ctxt));
	struct xen_foreign_memory_map *map = guest_alloc(sizeof(*map));
	struct gnttab_setup_table *t = guest_alloc(sizeof(*t));
	struct gnttab_map_grant_ref *m = guest_alloc(sizeof(*m));
	evtchn_port_t port;

	*op = (struct xen_domctl){ .interface_version = XEN_DOMCTL_INTERFACE_VERSION, .domain = 1, .cmd = XEN_DOMCTL_getvcpucontext };
	set_xen_guest_handle(op->u.vcpucontext.ctxt, (vcpu_guest_context_t *)ctxt);
	assert_int_equal(failing(__HYPERVISOR_domctl, GUEST(op), 0, 0), -ENOMEM);
	op->cmd = XEN_DOMCTL_setvcpucontext;
	assert_int_equal(failing(__HYPERVISOR_domctl, GUEST(op), 0, 0), -ENOMEM);
	*map = (struct xen_foreign_memory_map){ .domid = 1, .map = { .nr_entries = 1, .buffer.p = ctxt } };
	assert_int_equal(failing(__HYPERVISOR_memory_op, XENMEM_set_memory_map, GUEST(map), 0), -ENOMEM);
	*t = (struct gnttab_setup_table){ .dom = 1, .nr_frames = 2 };
	assert_int_equal(failing(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, GUEST(t), 1), 0);
	assert_int_equal(t->status, GNTST_general_error);
	assert_int_equal(d->gnttab->nr_frames, 1);
	if (!dom0->gnttab->nr_maptrack_pages) { /* of whoever maps first in this process */
		*m = (struct gnttab_map_grant_ref){ .dom = 1, .ref = 8, .flags = GNTMAP_host_map };
		assert_int_equal(failing(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, GUEST(m), 1), 0);
		assert_int_equal(m->status, GNTST_no_device_space);
	}
	world.alloc_fails_at = 1;
	assert_int_equal(evtchn_alloc_unbound(d, 0, &port), -ENOMEM);
	world.alloc_fails_at = 0;
	assert_int_equal(evtchn_alloc_unbound(d, 0, &port), 0);
	assert_int_equal(port, 1);
}

static void test_numbers_are_given_out_in_a_circle(void **state)
{
	struct domain *last;
	domid_t next;

	assert_int_equal(domain_create(DOMID_FIRST_RESERVED - 1, &usual, &last), 0);
	next = domain_next_free_domid();
	assert_int_equal(next, 1); /* 0 is dom0's for ever */
	world_domain(1, 1);
	world_domain(3, 1);
	world_domain(2, 1);
	assert_int_equal(domain_next_free_domid(), 4);
	next = 0;
	for (const struct domain *d = domain_list; d; d = d->next) { /* and the list is in their order */
		assert_true(d == domain_list || d->domain_id > next);
		next = d->domain_id;
	}
}

static void test_who_may_name_whom(void **state)
{
	struct domain *d1 = world_domain(1, 1), *d2 = world_domain(2, 1), *out;

	assert_int_equal(domain_find_remote(DOMID_SELF, &out), 0);
	assert_ptr_equal(out, dom0);
	assert_int_equal(domain_find_remote(2, &out), 0);
	assert_ptr_equal(out, d2);
	assert_int_equal(domain_find_remote(77, &out), -ESRCH);
	world_run(d1->vcpu[0]);
	assert_int_equal(domain_find_remote(DOMID_SELF, &out), 0);
	assert_ptr_equal(out, d1);
	assert_int_equal(domain_find_remote(1, &out), 0);
	assert_ptr_equal(out, d1);
	assert_int_equal(domain_find_remote(2, &out), -EPERM);
	assert_int_equal(domain_find_remote(0, &out), -EPERM);
	assert_int_equal(domain_find_remote(77, &out), -ESRCH);
	d1->target = d2; /* its device model */
	assert_int_equal(domain_find_remote(2, &out), 0);
	assert_ptr_equal(out, d2);
	assert_int_equal(domain_find_remote(0, &out), -EPERM);
	world_run(dom0->vcpu[0]);
	kill_domain(d2);
	assert_null(d1->target); /* the next one with its number is another */
}

static void test_what_a_domain_handled_is_dom0s_again(void **state)
{
	struct domain *d1 = world_domain(1, 2);
	evtchn_port_t mine, its;

	assert_int_equal(evtchn_bind_virq(dom0, VIRQ_CON_RING, 0, &mine), 0);
	assert_int_equal(evtchn_bind_virq(d1, VIRQ_CON_RING, 0, &its), 0);
	assert_int_equal(virq_set_handler(d1, VIRQ_CON_RING), 0);
	virq_raise_global(VIRQ_CON_RING);
	assert_true(evtchn_is_pending(d1, its));
	assert_false(evtchn_is_pending(dom0, mine));
	memset(d1->shared_info, 0, sizeof(*d1->shared_info));
	assert_int_equal(evtchn_bind_vcpu(d1, its, 1), 0); /* it may have moved */
	virq_raise_global(VIRQ_CON_RING);
	assert_true(evtchn_is_pending(d1, its));
	assert_int_equal(d1->vcpu[1]->vcpu_info->evtchn_upcall_pending, 1);
	assert_int_equal(d1->vcpu[0]->vcpu_info->evtchn_upcall_pending, 0);
	kill_domain(d1);
	virq_raise_global(VIRQ_CON_RING);
	assert_true(evtchn_is_pending(dom0, mine));
	dom0->vcpu[0]->vcpu_info->evtchn_upcall_pending = 0;
}

static void test_dom0_is_told_when_a_domain_is_gone(void **state)
{
	struct domain *d1 = world_domain(1, 1);
	struct frame *f = world_page(d1);
	evtchn_port_t port;

	d1->outstanding_claim = 0;
	claim_set(d1, 7);
	assert_int_equal(claims_outstanding(), 7);
	assert_int_equal(evtchn_bind_virq(dom0, VIRQ_DOM_EXC, 0, &port), 0);
	assert_true(frame_get(f, d1)); /* somebody still has a page of it */
	kill_domain(d1);
	assert_int_equal(claims_outstanding(), 0);
	assert_true(evtchn_is_pending(dom0, port));
	assert_ptr_equal(domain_find(1), d1);
	dom0->shared_info->evtchn_pending[0] = 0;
	kill_domain(d1); /* once more: nothing to do */
	assert_false(evtchn_is_pending(dom0, port));
	frame_put(f);
	assert_null(domain_find(1));
	assert_true(evtchn_is_pending(dom0, port));
	dom0->vcpu[0]->vcpu_info->evtchn_upcall_pending = 0;
}

/*
 * The hypervisor's own pages that others may map: shared_info and grant frames. Each keeps the
 * domain.
 */
static void test_a_shared_page_that_is_mapped_keeps_its_domain(void **state)
{
	for (int which = 0; which < 2; which++) {
		struct domain *d = world_domain(1, 1);
		struct frame *f = virt_to_frame(which ? (void *)d->gnttab->shared[0] : (void *)d->shared_info);

		assert_true(frame_get(f, d));
		kill_domain(d);
		assert_ptr_equal(domain_find(1), d);
		assert_true(d->is_dying);
		frame_put(f);
		assert_null(domain_find(1));
	}
}

/*
 * xen/domctl.h, subscribe: its own port is told of a suspension, and VIRQ_DOM_EXC of every other
 * end.
 */
static void test_who_is_told_why_a_domain_stops(void **state)
{
	static const struct {
		u8 code;
		bool has_port, tells_port;
	} cases[] = { { SHUTDOWN_suspend, true, true }, { SHUTDOWN_suspend, false, false }, { SHUTDOWN_poweroff, true, false },
		      { SHUTDOWN_crash, true, false } };
	evtchn_port_t virq;

	assert_int_equal(evtchn_bind_virq(dom0, VIRQ_DOM_EXC, 0, &virq), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct domain *d = world_domain(1, 1);
		evtchn_port_t its, mine;

		assert_int_equal(evtchn_alloc_unbound(d, 0, &its), 0);
		assert_int_equal(evtchn_bind_interdomain(dom0, d, its, &mine), 0);
		d->suspend_evtchn = cases[i].has_port ? its : 0;
		dom0->shared_info->evtchn_pending[0] = 0;
		domain_shutdown(d, cases[i].code);
		assert_true(d->is_shut_down);
		assert_int_equal(d->shutdown_code, cases[i].code);
		assert_int_equal(evtchn_is_pending(dom0, mine), cases[i].tells_port);
		assert_int_equal(evtchn_is_pending(dom0, virq), !cases[i].tells_port);
		domain_shutdown(d, SHUTDOWN_reboot); /* the first reason counts */
		assert_int_equal(d->shutdown_code, cases[i].code);
		kill_domain(d);
		evtchn_close(dom0, mine);
	}
	dom0->vcpu[0]->vcpu_info->evtchn_upcall_pending = 0;
}

static void test_a_watchdog_goes_with_its_domain(void **state)
{
	struct domain *d1 = world_domain(1, 1);
	struct sched_watchdog *w = guest_alloc(sizeof(*w));

	*w = (struct sched_watchdog){ .timeout = 1 };
	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, GUEST(w), 0, 0), 1);
	world_run(dom0->vcpu[0]);
	kill_domain(d1);
	assert_null(domain_find(1));
	world.now += 2000000000;
	timer_softirq(); /* reads no freed memory: the sanitizer would say so */
}

#define TIMERS_IN_USE (NR_CPUS + 1 + 2 * 3)

/* As many timers as there is room for; one more needs memory. */
static void test_a_watchdog_without_memory_says_so(void **state)
{
	static struct timer others[1024];
	struct sched_watchdog *w = guest_alloc(sizeof(*w));
	unsigned int nr = 0;

	*w = (struct sched_watchdog){ .timeout = 100 };
	world_run(world_domain(1, 1)->vcpu[0]);
	do {
		world.alloc_fails_at = 1;
		assert_true(nr < ARRAY_SIZE(others));
	} while (!timer_init(&others[nr++], NULL, NULL));
	assert_int_equal(failing(__HYPERVISOR_sched_op, SCHEDOP_watchdog, GUEST(w), 0), -ENOMEM);
	nr--; /* the last was refused */
	/*
	 * with the scheduler's and the two vcpus' there are as many as there are places, which
	 * double each time
	 */
	assert_int_equal((nr + TIMERS_IN_USE) & (nr + TIMERS_IN_USE - 1), 0);
	for (unsigned int i = 0; i < nr; i++)
		timer_fini(&others[i]);
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_watchdog, GUEST(w), 0, 0), 1);
	world_run(dom0->vcpu[0]);
}

static void test_a_vcpus_areas_are_forgotten_before_its_memory_goes(void **state)
{
	struct domain *d1 = world_domain(1, 1);
	struct vcpu *v = d1->vcpu[0];
	struct frame *f = world_page(d1);

	assert_int_equal(vcpu_register_info(v, mfn_x(frame_to_mfn(f)), PAGE_SIZE - sizeof(struct vcpu_info) + 8), -EINVAL);
	assert_int_equal(vcpu_register_info(v, mfn_x(frame_to_mfn(f)), 4), -EINVAL);
	assert_int_equal(vcpu_register_info(v, ~0ULL, 0), -EINVAL);
	v->pause_flags = VPF_DOWN;
	memset(&v->vcpu_info->time, 0, sizeof(v->vcpu_info->time));
	assert_int_equal(vcpu_register_info(v, mfn_x(frame_to_mfn(f)), PAGE_SIZE - sizeof(struct vcpu_info)), 0);
	assert_true(v->vcpu_info->evtchn_pending_sel == ~0UL); /* every port is looked at once */
	assert_int_equal(v->vcpu_info->evtchn_upcall_pending, 1);
	assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 1); /* as it was */
	assert_int_equal(v->vcpu_info->time.tsc_to_system_mul, 1u << 31); /* the time is told there at once */
	v->runstate_guest = v->time_guest = 0x1000;
	vcpu_release_frames(v);
	assert_ptr_equal(v->vcpu_info, &d1->shared_info->vcpu_info[0]);
	assert_int_equal(v->runstate_guest | v->time_guest, 0);
	assert_int_equal(frame_ref_count(f), 1);
	assert_int_equal(frame_type_count(f), 0);
}

static void test_pauses_of_a_vcpu_are_counted(void **state)
{
	struct vcpu *v = world_domain(1, 1)->vcpu[0];
	const unsigned long before = v->pause_flags;

	vcpu_unpause(v); /* nobody paused it */
	assert_int_equal(v->pause_count, 0);
	vcpu_pause(v);
	vcpu_pause(v);
	assert_true(v->pause_flags & VPF_PAUSED);
	assert_false(vcpu_is_runnable(v));
	vcpu_unpause(v);
	assert_true(v->pause_flags & VPF_PAUSED);
	vcpu_unpause(v);
	assert_int_equal(v->pause_flags, before);
	assert_true(vcpu_is_runnable(v));
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_new_domain_begins_paused_with_what_it_was_given),
		T(test_a_new_vcpu_is_down_and_its_events_masked),
		T(test_without_memory_no_half_of_a_domain_is_left),
		T(test_without_memory_an_operation_says_so),
		T(test_numbers_are_given_out_in_a_circle),
		T(test_who_may_name_whom),
		T(test_what_a_domain_handled_is_dom0s_again),
		T(test_dom0_is_told_when_a_domain_is_gone),
		T(test_a_shared_page_that_is_mapped_keeps_its_domain),
		T(test_who_is_told_why_a_domain_stops),
		T(test_a_watchdog_goes_with_its_domain),
		T(test_a_watchdog_without_memory_says_so),
		T(test_a_vcpus_areas_are_forgotten_before_its_memory_goes),
		T(test_pauses_of_a_vcpu_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
