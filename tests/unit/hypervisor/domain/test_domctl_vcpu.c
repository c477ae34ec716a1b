/* SPDX-License-Identifier: MIT */
/*
 * Claims about domctl: what is told of a vcpu, and what it is given: affinity, callbacks,
 * registers. ABI: xen/domctl.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/domctl.h>

#include "domain/evtchn.h"
#include "domain/frame_ref.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/layout.h"

#include "domctl_kit.h"

static void test_what_a_vcpu_does_is_told(void **state)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	struct vcpu *v = d1->vcpu[1];

	info->vcpu = 1;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuinfo, 1), 0);
	assert_int_equal(info->online, 0);
	assert_int_equal(info->cpu, 0);
	v->pause_flags = VPF_BLOCKED;
	v->last_cpu = 3;
	v->is_running = true;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuinfo, 1), 0);
	assert_int_equal(info->online, 1);
	assert_int_equal(info->blocked, 1);
	assert_int_equal(info->running, 1);
	assert_int_equal(info->cpu, 3);
	v->is_running = false;
	v->pause_flags = VPF_DOWN;
	v->last_cpu = NO_CPU;
	v->is_initialised = false;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpucontext, 1), -ENODATA);
	v->is_initialised = true;
}

/* Where a bitmap ends, and what comes behind the 64 CPUs that there may be. */
/* docs/hypercalls.md: a first context; later only general registers, else EBUSY. */
static void test_a_second_context_changes_general_registers_alone(void **state)
{
	struct vcpu_guest_context *c = guest_alloc(sizeof(*c));
	u64 *const others[] = { &c->ctrlreg[1], &c->ctrlreg[3], &c->user_regs.rip, &c->user_regs.rflags };
	const struct cpu_user_regs *r = &d1->vcpu[1]->regs;

	op->u.vcpucontext.vcpu = 1;
	set_xen_guest_handle(op->u.vcpucontext.ctxt, (vcpu_guest_context_t *)c);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		*others[i] = 1;
		assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), -EBUSY);
		*others[i] = 0;
	}
	c->user_regs.cs = 1;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), -EBUSY);
	c->user_regs.cs = 0;
	c->user_regs.ss = 1;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), -EBUSY);
	c->user_regs.ss = 0;
	c->user_regs.rax = 1;
	c->user_regs.rbx = 2;
	c->user_regs.rcx = 3;
	c->user_regs.rdx = 4;
	c->user_regs.rsi = 5;
	c->user_regs.rdi = 6;
	assert_int_equal(r->rax, 0);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), 0);
	assert_true(r->rax == 1 && r->rbx == 2 && r->rcx == 3 && r->rdx == 4 && r->rsi == 5 && r->rdi == 6);
	assert_true(d1->vcpu[1]->pause_flags & VPF_DOWN);
	c->flags = VGCF_online;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), 0);
	assert_false(d1->vcpu[1]->pause_flags & VPF_DOWN);
	assert_int_equal(d1->pause_count, 0);
	d1->vcpu[1]->is_initialised = false; /* the first one */
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), 0);
	assert_true(d1->vcpu[1]->is_initialised);
}

static void test_bitmaps_are_as_long_as_their_owner_says(void **state)
{
	static const struct {
		u32 nr_bits;
		u8 bytes[12]; /* of a map of all ones; 0xee: not touched */
	} maps[] = {
		{ 0, { 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee } },
		{ 1, { 0xff, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee } },
		{ 9, { 0xff, 0xff, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee } },
		{ 64, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xee, 0xee, 0xee, 0xee } },
		{ 65, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0xee, 0xee, 0xee } },
		{ 80, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xee, 0xee } },
	};
	u8 *map = guest_alloc(16);

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		memset(map, 0xee, 16);
		d1->vcpu[0]->affinity = ~0ULL;
		memset(op, 0, sizeof(*op));
		op->u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
		op->u.vcpuaffinity.cpumap_hard.nr_bits = maps[i].nr_bits;
		op->u.vcpuaffinity.cpumap_hard.bitmap.p = map;
		assert_int_equal(domctl(XEN_DOMCTL_getvcpuaffinity, 1), 0);
		assert_memory_equal(map, maps[i].bytes, sizeof(maps[i].bytes));
	}
}

static void test_affinity_is_what_was_asked_for_and_the_answer_what_takes_effect(void **state)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = d1->vcpu[1];
	u64 *hard = guest_alloc(8), *soft = guest_alloc(8);

	a->vcpu = 1;
	a->flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
	a->cpumap_hard.bitmap.p = (u8 *)hard;
	a->cpumap_soft.bitmap.p = (u8 *)soft;
	a->cpumap_hard.nr_bits = a->cpumap_soft.nr_bits = 64;
	*hard = ~0ULL << 1;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, 1), -EINVAL); /* of none of the CPUs that there are */
	*hard = 1ULL << 63 | 1;
	*soft = 7;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, 1), 0);
	assert_int_equal(*hard, 1);
	assert_int_equal(*soft, 1);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuaffinity, 1), 0);
	assert_true(*hard == (1ULL << 63 | 1));
	assert_int_equal(*soft, 7);
	a->cpumap_hard.nr_bits = 1; /* what lies behind does not count */
	*hard = 3;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, 1), 0);
	assert_int_equal(v->affinity, 1);
	v->affinity_before_pin = 1;
	a->cpumap_hard.nr_bits = 2;
	*hard = 3;
	a->flags = XEN_VCPUAFFINITY_HARD;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, 1), 0);
	assert_int_equal(v->affinity, 1); /* pinned: later */
	assert_int_equal(v->affinity_before_pin, 3);
	v->affinity_before_pin = 0;
}

static void test_callbacks_of_an_extended_context_come_back(void **state)
{
	struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;

	*e = (struct xen_domctl_ext_vcpucontext){
		.vcpu = 1, .size = sizeof(*e), .sysenter_callback_eip = 0x1000, .sysenter_disables_events = 1,
		.syscall32_callback_eip = HV_HOLE_END};
	assert_int_equal(domctl(XEN_DOMCTL_set_ext_vcpucontext, 1), 0);
	memset(e, 0xee, sizeof(*e));
	e->vcpu = 1;
	assert_int_equal(domctl(XEN_DOMCTL_get_ext_vcpucontext, 1), 0);
	assert_int_equal(e->vcpu, 1);
	assert_int_equal(e->size, sizeof(*e));
	assert_int_equal(e->sysenter_callback_eip, 0x1000);
	assert_true(e->syscall32_callback_eip == HV_HOLE_END);
	assert_int_equal(e->sysenter_disables_events, 1);
	assert_int_equal(e->syscall32_disables_events, 0);
	assert_int_equal(e->sysenter_callback_cs, FLAT_KERNEL_CS);
	assert_int_equal(e->syscall32_callback_cs, FLAT_KERNEL_CS);
	assert_int_equal(e->mcg_cap, 0);
}

static void test_floating_point_state_is_of_one_size(void **state)
{
	struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;
	u64 *buffer = guest_alloc(16 + 1024);

	d1->vcpu[1]->pv.xcr0 = 3;
	d1->vcpu[1]->pv.xcr0_ever = 7;
	x->vcpu = 1;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), 0);
	assert_int_equal(x->size, 16 + 1024);
	assert_int_equal(x->xfeature_mask, 3);
	x->buffer.p = buffer;
	x->size--;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), -EINVAL);
	x->size += 2;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), -EINVAL);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, 1), -EINVAL);
	x->size--;
	x->xfeature_mask = 1;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), -EINVAL);
	x->xfeature_mask = 3;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), 0);
	assert_int_equal(buffer[0], 3);
	assert_int_equal(buffer[1], 7);
	buffer[0] = 1;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, 1), 0);
	assert_int_equal(d1->vcpu[1]->pv.xcr0, 1);
	assert_int_equal(d1->vcpu[1]->pv.xcr0_ever, 7);
	assert_int_equal(world.fpu_len, 1024);
	((u8 *)buffer)[16] = 0x5a;
	x->size = 16 + 512; /* from a CPU that has less */
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, 1), 0);
	assert_int_equal(world.fpu_len, 512);
	assert_int_equal(world.fpu_first, 0x5a);
	x->size = 15;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, 1), -EINVAL);
	x->size = 16;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, 1), 0);
	x->buffer.p = NOWHERE;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, 1), -EFAULT);
	x->size = 16 + 1024;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), -EFAULT);
	cpu_has_xsave = false;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), -EINVAL);
	assert_int_equal(domctl(XEN_DOMCTL_setvcpuextstate, 1), -EINVAL);
}

static void test_an_nmi_is_sent_to_the_vcpu_that_was_named(void **state)
{
	op->u.sendtrigger.vcpu = 1;
	assert_int_equal(domctl(XEN_DOMCTL_sendtrigger, 1), 0);
	assert_true(d1->vcpu[1]->pv.nmi_pending);
	assert_false(d1->vcpu[0]->pv.nmi_pending);
}

/* What cannot be written back was not said. */
static void test_an_answer_that_cannot_be_written_is_efault(void **state)
{
	struct xen_domctl_vcpu_msr *msr = guest_alloc(sizeof(*msr));

	d1->vcpu[1]->pv.tsc_aux = 9;
	op->u.vcpu_msrs.vcpu = 1;
	op->u.vcpu_msrs.msrs.p = NOWHERE;
	op->u.vcpu_msrs.msr_count = 1;
	assert_int_equal(domctl(XEN_DOMCTL_get_vcpu_msrs, 1), -EFAULT);
	op->u.vcpu_msrs.msrs.p = msr;
	op->u.vcpu_msrs.msr_count = 0;
	assert_int_equal(domctl(XEN_DOMCTL_get_vcpu_msrs, 1), -ENOBUFS);
	op->u.vcpu_msrs.msr_count = 1;
	assert_int_equal(domctl(XEN_DOMCTL_get_vcpu_msrs, 1), 0);
	assert_int_equal(msr->value, 9);
}

static void test_time_and_registers_of_a_vcpu_are_told(void **state)
{
	struct vcpu_guest_context *c = guest_alloc(sizeof(*c));
	struct vcpu *v = d1->vcpu[1];

	v->runstate.time[RUNSTATE_running] = 0x1234;
	op->u.getvcpuinfo.vcpu = 1;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuinfo, 1), 0);
	assert_int_equal(op->u.getvcpuinfo.cpu_time, 0x1234);
	v->regs.rax = 0x77;
	v->regs.rip = 0x1000;
	op->u.vcpucontext.vcpu = 1;
	set_xen_guest_handle(op->u.vcpucontext.ctxt, (vcpu_guest_context_t *)c);
	assert_int_equal(domctl(XEN_DOMCTL_getvcpucontext, 1), 0);
	assert_int_equal(c->user_regs.rax, 0x77);
	c->user_regs.rip = 0;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), -EBUSY); /* not where it is */
	c->user_regs.rip = 0x1000;
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), 0);
}

/* The builder has emptied the shared page: the first vcpu's context brings the time back. */
static void test_the_wall_clock_comes_with_the_first_vcpu(void **state)
{
	struct vcpu_guest_context *c = guest_alloc(sizeof(*c));

	set_xen_guest_handle(op->u.vcpucontext.ctxt, (vcpu_guest_context_t *)c);
	for (u32 id = NR_VCPUS; id-- > 0;) {
		d1->shared_info->wc_sec = 0;
		d1->vcpu[id]->is_initialised = false;
		op->u.vcpucontext.vcpu = id;
		assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), 0);
		assert_int_equal(d1->shared_info->wc_sec, id ? 0 : 1700000000);
	}
	d1->shared_info->wc_sec = 0;
	op->u.vcpucontext.vcpu = 0;
	c->ctrlreg[3] = 1; /* refused */
	assert_int_equal(domctl(XEN_DOMCTL_setvcpucontext, 1), -EBUSY);
	assert_int_equal(d1->shared_info->wc_sec, 0);
}

static void test_who_may_not_stay_on_its_cpu_is_told_to_leave(void **state)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = d1->vcpu[1];
	u8 *map = guest_alloc(8);

	fake_nr_cpus = 3;
	v->is_running = true;
	v->state_cpu = 2;
	a->vcpu = 1;
	a->flags = XEN_VCPUAFFINITY_HARD;
	a->cpumap_hard.bitmap.p = map;
	a->cpumap_hard.nr_bits = 8;
	for (u8 cpus = 1; cpus < 8; cpus++) {
		world.softirqs[2] = 0;
		*map = cpus;
		assert_int_equal(domctl(XEN_DOMCTL_setvcpuaffinity, 1), 0);
		assert_int_equal(world.softirqs[2] != 0, !(cpus & 4));
	}
	v->is_running = false;
	v->state_cpu = NO_CPU;
	v->affinity = ~0ULL;
	fake_nr_cpus = 1;
}

static void test_a_map_that_cannot_be_told_is_efault(void **state)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	u8 *map = guest_alloc(8);

	a->flags = XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT;
	a->cpumap_hard.nr_bits = a->cpumap_soft.nr_bits = 8;
	a->cpumap_hard.bitmap.p = NOWHERE;
	a->cpumap_soft.bitmap.p = map;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuaffinity, 1), -EFAULT);
	a->cpumap_hard.nr_bits = 128; /* the first half is there */
	a->cpumap_hard.bitmap.p = guest_mem + sizeof(guest_mem) - 8;
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuaffinity, 1), -EFAULT);
}

static void test_each_callback_of_an_extended_context_masks_by_itself(void **state)
{
	struct xen_domctl_ext_vcpucontext *e = &op->u.ext_vcpucontext;

	for (int which = 0; which < 2; which++) {
		*e = (struct xen_domctl_ext_vcpucontext){ .vcpu = 1, .size = sizeof(*e), .sysenter_disables_events = which == 0,
							  .syscall32_disables_events = which == 1 };
		assert_int_equal(domctl(XEN_DOMCTL_set_ext_vcpucontext, 1), 0);
		memset(e, 0, sizeof(*e));
		e->vcpu = 1;
		assert_int_equal(domctl(XEN_DOMCTL_get_ext_vcpucontext, 1), 0);
		assert_int_equal(e->sysenter_disables_events, which == 0);
		assert_int_equal(e->syscall32_disables_events, which == 1);
	}
}

/* No buffer, or none of any size: how large it is to be. */
static void test_the_size_of_a_state_is_asked_for_in_two_ways(void **state)
{
	struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;

	*x = (struct xen_domctl_vcpuextstate){ .vcpu = 1, .size = 1 };
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), 0);
	assert_int_equal(x->size, 16 + 1024);
	*x = (struct xen_domctl_vcpuextstate){ .vcpu = 1, .buffer.p = NOWHERE };
	assert_int_equal(domctl(XEN_DOMCTL_getvcpuextstate, 1), 0);
	assert_int_equal(x->size, 16 + 1024);
}

static void test_each_register_of_a_list_is_looked_at(void **state)
{
	struct xen_domctl_vcpu_msr *msr = guest_alloc(2 * sizeof(*msr));

	msr[0] = (struct xen_domctl_vcpu_msr){ .index = MSR_TSC_AUX, .value = 7 };
	msr[1] = (struct xen_domctl_vcpu_msr){ .index = 0x10 };
	op->u.vcpu_msrs.vcpu = 1;
	op->u.vcpu_msrs.msrs.p = msr;
	op->u.vcpu_msrs.msr_count = 2;
	assert_int_equal(domctl(XEN_DOMCTL_set_vcpu_msrs, 1), -EINVAL);
	op->u.vcpu_msrs.msr_count = 1;
	assert_int_equal(domctl(XEN_DOMCTL_set_vcpu_msrs, 1), 0);
	assert_int_equal(d1->vcpu[1]->pv.tsc_aux, 7);
}

static void test_an_nmi_wakes_who_waits(void **state)
{
	struct vcpu *v = d1->vcpu[1];

	vcpu_up(v);
	v->pause_flags |= VPF_BLOCKED;
	op->u.sendtrigger.vcpu = 1;
	assert_int_equal(domctl(XEN_DOMCTL_sendtrigger, 1), 0);
	assert_false(v->pause_flags & VPF_BLOCKED);
}

/* While it is told or changed it runs nowhere, and afterwards as before. */
static void test_a_domain_goes_on_after_each_question(void **state)
{
	struct vcpu *v = d1->vcpu[0];

	op->u.vcpu_msrs.vcpu = 0;
	assert_int_equal(v->runstate.state, RUNSTATE_runnable);
	assert_int_equal(domctl(XEN_DOMCTL_get_vcpu_msrs, 1), 0);
	assert_int_equal(v->runstate.state, RUNSTATE_runnable);
	assert_false(v->pause_flags & VPF_SYNC);
	assert_int_equal(d1->nr_holds, 0);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_a_vcpu_does_is_told),
		T(test_a_second_context_changes_general_registers_alone),
		T(test_bitmaps_are_as_long_as_their_owner_says),
		T(test_affinity_is_what_was_asked_for_and_the_answer_what_takes_effect),
		T(test_callbacks_of_an_extended_context_come_back),
		T(test_floating_point_state_is_of_one_size),
		T(test_an_nmi_is_sent_to_the_vcpu_that_was_named),
		T(test_an_answer_that_cannot_be_written_is_efault),
		T(test_time_and_registers_of_a_vcpu_are_told),
		T(test_the_wall_clock_comes_with_the_first_vcpu),
		T(test_who_may_not_stay_on_its_cpu_is_told_to_leave),
		T(test_a_map_that_cannot_be_told_is_efault),
		T(test_each_callback_of_an_extended_context_masks_by_itself),
		T(test_the_size_of_a_state_is_asked_for_in_two_ways),
		T(test_each_register_of_a_list_is_looked_at),
		T(test_an_nmi_wakes_who_waits),
		T(test_a_domain_goes_on_after_each_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
