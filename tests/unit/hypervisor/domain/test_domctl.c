/* SPDX-License-Identifier: MIT */
/*
 * Claims about domctl, an operation at a time: which errno, and where each number ends. Errnos: Xen
 * 4.17's common/domctl.c and arch/x86/domctl.c, and docs/hypercalls.md where we differ; names and
 * limits: xen/domctl.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/domctl.h>

#include "domain/evtchn.h"
#include "domain/frame_ref.h"
#include "domain/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/layout.h"

#include "domctl_kit.h"

#define CASE(c, e, ...) {.op = { .cmd = XEN_DOMCTL_##c, .domain = 1, .u = { __VA_ARGS__ } }, .rc = (e)}
#define EXT_OLDEST offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap)

static void test_each_operation_says_what_is_wrong_with_its_arguments(void **state)
{
	static const struct {
		struct xen_domctl op;
		long rc;
	} cases[] = {
		CASE(setvcpucontext, -ENOENT, .vcpucontext = { .vcpu = NR_VCPUS }),
		CASE(setvcpucontext, -EINVAL, .vcpucontext = { .vcpu = 1 }),
		CASE(setvcpucontext, -EFAULT, .vcpucontext = { .vcpu = 1, .ctxt.p = NOWHERE }),
		CASE(getvcpucontext, -ESRCH, .vcpucontext = { .vcpu = NR_VCPUS }),
		CASE(getvcpucontext, -EFAULT, .vcpucontext = { .vcpu = 1, .ctxt.p = NOWHERE }),
		CASE(getvcpuinfo, -ESRCH, .getvcpuinfo = { .vcpu = NR_VCPUS }),
		CASE(getvcpuinfo, 0, .getvcpuinfo = { .vcpu = NR_VCPUS - 1 }),
		CASE(setvcpuaffinity, -ESRCH, .vcpuaffinity = { .vcpu = NR_VCPUS, .flags = XEN_VCPUAFFINITY_HARD }),
		CASE(setvcpuaffinity, -EFAULT, .vcpuaffinity = { .flags = XEN_VCPUAFFINITY_HARD,
			.cpumap_hard = { .nr_bits = 8, .bitmap.p = NOWHERE } }),
		CASE(setvcpuaffinity, -EFAULT, .vcpuaffinity = { .flags = XEN_VCPUAFFINITY_SOFT,
			.cpumap_soft = { .nr_bits = 8, .bitmap.p = NOWHERE } }),
		CASE(setvcpuaffinity, -EINVAL, .vcpuaffinity = { .flags = XEN_VCPUAFFINITY_HARD }),
		CASE(getvcpuaffinity, -ESRCH, .vcpuaffinity = { .vcpu = NR_VCPUS, .flags = XEN_VCPUAFFINITY_HARD }),
		CASE(getvcpuaffinity, -EFAULT, .vcpuaffinity = { .flags = XEN_VCPUAFFINITY_HARD,
			.cpumap_hard = { .nr_bits = 8, .bitmap.p = NOWHERE } }),
		CASE(getvcpuaffinity, -EFAULT, .vcpuaffinity = { .flags = XEN_VCPUAFFINITY_SOFT,
			.cpumap_soft = { .nr_bits = 8, .bitmap.p = NOWHERE } }),
		CASE(get_ext_vcpucontext, -ESRCH, .ext_vcpucontext = { .vcpu = NR_VCPUS }),
		CASE(set_ext_vcpucontext, -ESRCH, .ext_vcpucontext = { .vcpu = NR_VCPUS, .size = EXT_OLDEST }),
		CASE(set_ext_vcpucontext, -EINVAL, .ext_vcpucontext = { .size = EXT_OLDEST - 1 }),
		CASE(set_ext_vcpucontext, 0, .ext_vcpucontext = { .size = EXT_OLDEST }),
		CASE(set_ext_vcpucontext, -EINVAL, .ext_vcpucontext = { .size = EXT_OLDEST,
			.sysenter_callback_eip = HV_HOLE_START }),
		CASE(set_ext_vcpucontext, -EINVAL, .ext_vcpucontext = { .size = EXT_OLDEST,
			.syscall32_callback_eip = HV_HOLE_START }),
		CASE(get_vcpu_msrs, -EINVAL, .vcpu_msrs = { .vcpu = NR_VCPUS }),
		CASE(set_vcpu_msrs, -EINVAL, .vcpu_msrs = { .vcpu = NR_VCPUS }),
		CASE(set_vcpu_msrs, -EFAULT, .vcpu_msrs = { .vcpu = 1, .msr_count = 1, .msrs.p = NOWHERE }),
		CASE(getvcpuextstate, -ESRCH, .vcpuextstate = { .vcpu = NR_VCPUS }),
		CASE(setvcpuextstate, -EINVAL, .vcpuextstate = { .vcpu = NR_VCPUS, .size = 1040 }),
		CASE(sendtrigger, -ENOSYS, .sendtrigger = { .trigger = XEN_DOMCTL_SENDTRIGGER_POWER }),
		CASE(sendtrigger, -ESRCH, .sendtrigger = { .vcpu = NR_VCPUS }),
		CASE(scheduler_op, -EINVAL, .scheduler_op = { .sched_id = XEN_SCHEDULER_CREDIT2 }),
		CASE(scheduler_op, -EINVAL, .scheduler_op = { .sched_id = XEN_SCHEDULER_CREDIT,
			.cmd = XEN_DOMCTL_SCHEDOP_putvcpuinfo }),
		CASE(irq_permission, -EOPNOTSUPP, .irq_permission = { .allow_access = 1 }),
		CASE(irq_permission, 0, .irq_permission = { .pirq = 3 }),
		CASE(iomem_permission, -EOPNOTSUPP, .iomem_permission = { .allow_access = 1 }),
		CASE(iomem_permission, 0, .iomem_permission = { .nr_mfns = 1 }),
		CASE(ioport_permission, -EOPNOTSUPP, .ioport_permission = { .allow_access = 1 }),
		CASE(ioport_permission, 0, .ioport_permission = { .nr_ports = 1 }),
		CASE(hypercall_init, -EACCES, .hypercall_init = { .gmfn = ~0ULL }),
		CASE(hypercall_init, -EACCES, .hypercall_init = { .gmfn = 1 }), /* the hypervisor's */
		CASE(set_address_size, 0, .address_size = { .size = 64 }),
		CASE(set_address_size, -EOPNOTSUPP, .address_size = { .size = 32 }),
		CASE(set_address_size, -EINVAL, .address_size = { .size = 16 }),
		CASE(set_target, -ESRCH, .set_target = { .target = 77 }),
		CASE(set_target, -EINVAL, .set_target = { .target = 1 }), /* itself */
		CASE(set_target, -EINVAL, .set_target = { .target = 0 }), /* dom0 */
		CASE(subscribe, -EINVAL, .subscribe = { .port = EVTCHN_2L_NR_CHANNELS }),
		CASE(subscribe, 0, .subscribe = { .port = EVTCHN_2L_NR_CHANNELS - 1 }),
		CASE(settscinfo, 0, .tsc_info = { .tsc_mode = 0 }),
		CASE(settscinfo, -EOPNOTSUPP, .tsc_info = { .tsc_mode = 1 }),
		CASE(settscinfo, 0, .tsc_info = { .tsc_mode = 2 }),
		CASE(settscinfo, -EINVAL, .tsc_info = { .tsc_mode = 3 }),
		CASE(getpageframeinfo3, -E2BIG, .getpageframeinfo3 = { .num = 1025 }),
		CASE(getpageframeinfo3, -EFAULT, .getpageframeinfo3 = { .num = 1024, .array.p = NOWHERE }),
		CASE(getpageframeinfo3, 0, .getpageframeinfo3 = { .num = 0, .array.p = NOWHERE }),
		CASE(setnodeaffinity, -EINVAL, .nodeaffinity = {}),
		CASE(setnodeaffinity, -EFAULT, .nodeaffinity = { .nodemap = { .nr_bits = 1, .bitmap.p = NOWHERE } }),
		CASE(getnodeaffinity, -EFAULT, .nodeaffinity = { .nodemap = { .nr_bits = 1, .bitmap.p = NOWHERE } }),
		CASE(get_cpu_policy, -EFAULT, .cpu_policy = { .nr_leaves = 100, .leaves.p = NOWHERE }),
		CASE(set_cpu_policy, -E2BIG, .cpu_policy = { .nr_leaves = 513 }),
		CASE(set_cpu_policy, -EFAULT, .cpu_policy = { .nr_leaves = 512, .leaves.p = NOWHERE }),
		CASE(set_cpu_policy, -E2BIG, .cpu_policy = { .nr_msrs = 65 }),
		CASE(set_cpu_policy, -EFAULT, .cpu_policy = { .nr_msrs = 64, .msrs.p = NOWHERE }),
		CASE(set_cpu_policy, 0, .cpu_policy = {}),
		CASE(max_vcpus, 0, .max_vcpus = { .max = NR_VCPUS }),
		CASE(max_vcpus, -EINVAL, .max_vcpus = { .max = NR_VCPUS - 1 }),
		CASE(max_vcpus, -EINVAL, .max_vcpus = { .max = NR_VCPUS + 1 }),
		CASE(set_virq_handler, -EINVAL, .set_virq_handler = { .virq = NR_VIRQS }),
		CASE(set_virq_handler, -EINVAL, .set_virq_handler = { .virq = VIRQ_TIMER }), /* each vcpu's own */
		CASE(set_virq_handler, -EINVAL, .set_virq_handler = { .virq = VIRQ_DEBUG }),
		CASE(set_virq_handler, -EINVAL, .set_virq_handler = { .virq = VIRQ_XENOPROF }),
		CASE(set_virq_handler, -EINVAL, .set_virq_handler = { .virq = VIRQ_XENPMU }),
		CASE(setdebugging, 0, .setdebugging = { .enable = 1 }),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		*op = cases[i].op;
		rc = domctl(cases[i].op.cmd, 1);
		if (rc != cases[i].rc)
			fail_msg("case %zu, domctl %u: %ld, not %ld", i, cases[i].op.cmd, rc, cases[i].rc);
	}
}

/* A domain with vcpus running cannot wait for itself to be stopped. */
static void test_nobody_does_to_himself_what_stops_him(void **state)
{
	static const u32 cmds[] = {
		XEN_DOMCTL_destroydomain, XEN_DOMCTL_pausedomain, XEN_DOMCTL_resumedomain, XEN_DOMCTL_setvcpucontext,
		XEN_DOMCTL_getvcpucontext, XEN_DOMCTL_setdebugging, XEN_DOMCTL_set_target, XEN_DOMCTL_settscinfo,
		XEN_DOMCTL_setvcpuextstate, XEN_DOMCTL_set_vcpu_msrs, XEN_DOMCTL_set_cpu_policy, XEN_DOMCTL_shadow_op,
		XEN_DOMCTL_max_vcpus};

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		memset(op, 0, sizeof(*op));
		assert_int_equal(domctl(cmds[i], 0), -EINVAL);
		assert_int_equal(domctl(cmds[i], DOMID_SELF), -EINVAL);
	}
}

/* What reads or writes a vcpu's state while that is in a CPU waits; nothing else does. */
static void test_what_needs_a_stopped_domain_waits_for_it(void **state)
{
	static const u32 waits[] = {
		XEN_DOMCTL_destroydomain, XEN_DOMCTL_pausedomain, XEN_DOMCTL_shadow_op, XEN_DOMCTL_setvcpucontext,
		XEN_DOMCTL_getvcpucontext, XEN_DOMCTL_set_ext_vcpucontext, XEN_DOMCTL_get_ext_vcpucontext,
		XEN_DOMCTL_setvcpuextstate, XEN_DOMCTL_getvcpuextstate, XEN_DOMCTL_get_vcpu_msrs,
		XEN_DOMCTL_set_vcpu_msrs};
	struct vcpu *v = d1->vcpu[0];

	credit_remove(v);
	v->is_running = true;
	v->state_cpu = NR_CPUS - 1;
	for (u32 cmd = 1; cmd <= XEN_DOMCTL_vmtrace_op; cmd++) {
		struct cpu_user_regs regs = { .rax = __HYPERVISOR_domctl, .rdi = GUEST(op), .rip = 0x1002 };
		bool is_waiting = false;

		for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
			is_waiting |= waits[i] == cmd;
		memset(op, 0, sizeof(*op));
		op->cmd = cmd;
		op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
		op->domain = 1;
		hypercall_entry(&regs);
		if ((regs.rip == 0x1000) != is_waiting)
			fail_msg("domctl %u: %s", cmd, is_waiting ? "does not wait" : "waits");
	}
	assert_false(d1->is_dying);
	v->is_running = false;
	v->state_cpu = NO_CPU;
	domain_go_on(d1);
}

static void test_a_new_domain_is_one_that_can_be_had(void **state)
{
	const struct xen_domctl_createdomain good = {
		.max_vcpus = DOMAIN_MAX_VCPUS, .max_evtchn_port = ~0u, .max_grant_frames = 1, .max_maptrack_frames = 1,
		.grant_opts = XEN_DOMCTL_GRANT_version(2), .flags = XEN_DOMCTL_CDF_xs_domain};
	struct xen_domctl_createdomain bad[] = { good, good, good, good, good, good };

	bad[0].iommu_opts = 1;
	bad[1].vmtrace_size = 4096;
	bad[2].arch.misc_flags = XEN_X86_MISC_FLAGS_MAX << 1;
	bad[3].grant_opts = XEN_DOMCTL_GRANT_version_mask + 1;
	bad[4].flags = XEN_DOMCTL_CDF_iommu;
	bad[5].flags = XEN_DOMCTL_CDF_vpmu;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		op->u.createdomain = bad[i];
		assert_int_equal(domctl(XEN_DOMCTL_createdomain, 0), -EINVAL);
	}
	op->u.createdomain = good;
	assert_int_equal(domctl(XEN_DOMCTL_createdomain, 1), -EEXIST);
	assert_int_equal(domctl(XEN_DOMCTL_createdomain, DOMID_FIRST_RESERVED - 1), 0);
	assert_int_equal(op->domain, DOMID_FIRST_RESERVED - 1);
	assert_int_equal(domctl(XEN_DOMCTL_createdomain, DOMID_FIRST_RESERVED), 0); /* any: the next */
	assert_in_range(op->domain, 2, DOMID_FIRST_RESERVED - 1);
}

static void test_the_list_is_walked_by_number_and_ends(void **state)
{
	struct xen_domctl_getdomaininfo *info = &op->u.getdomaininfo;

	world_domain(9, 1);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1), 0);
	assert_int_equal(op->domain, 1);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 2), 0);
	assert_int_equal(op->domain, 9);
	assert_int_equal(info->domain, 9);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 10), -ESRCH);
}

static u32 flags_of(domid_t domid)
{
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, domid), 0);
	return op->u.getdomaininfo.flags & ((1u << XEN_DOMINF_shutdownshift) - 1);
}

static void test_what_a_domain_does_is_told(void **state)
{
	struct vcpu *v0 = d1->vcpu[0], *v1 = d1->vcpu[1];
	const u32 flags = v0->pause_flags;

	assert_int_equal(flags_of(1), 0); /* could run */
	assert_int_equal(op->u.getdomaininfo.nr_online_vcpus, 1);
	assert_int_equal(op->u.getdomaininfo.max_vcpu_id, NR_VCPUS - 1);
	v0->pause_flags |= VPF_BLOCKED;
	assert_int_equal(flags_of(1), XEN_DOMINF_blocked);
	v0->pause_flags = flags | VPF_POLLING;
	assert_int_equal(flags_of(1), XEN_DOMINF_blocked);
	v1->pause_flags = 0; /* one that waits for nothing is enough */
	assert_int_equal(flags_of(1), 0);
	assert_int_equal(op->u.getdomaininfo.nr_online_vcpus, 2);
	v1->pause_flags = VPF_DOWN;
	v0->pause_flags = flags;
	assert_int_equal(domctl(XEN_DOMCTL_pausedomain, 1), 0);
	assert_int_equal(flags_of(1), XEN_DOMINF_paused);
	assert_int_equal(domctl(XEN_DOMCTL_unpausedomain, 1), 0);
	assert_int_equal(flags_of(1), 0);
	assert_int_equal(domctl(XEN_DOMCTL_unpausedomain, 1), -EINVAL); /* pauses are counted */
	assert_int_equal(flags_of(0), XEN_DOMINF_running);
	d1->create_flags = XEN_DOMCTL_CDF_xs_domain;
	assert_int_equal(flags_of(1), XEN_DOMINF_xs_domain);
}

static void test_what_a_domain_has_is_told(void **state)
{
	struct xen_domctl_getdomaininfo *info = &op->u.getdomaininfo;
	xen_domain_handle_t handle = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 };

	memcpy(op->u.setdomainhandle.handle, handle, sizeof(handle));
	assert_int_equal(domctl(XEN_DOMCTL_setdomainhandle, 1), 0);
	op->u.max_mem.max_memkb = 4095;
	assert_int_equal(domctl(XEN_DOMCTL_max_mem, 1), 0);
	world_page(d1);
	d1->outstanding_claim = 5;
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1), 0);
	assert_memory_equal(info->handle, handle, sizeof(handle));
	assert_int_equal(info->max_pages, 1023); /* whole pages */
	assert_int_equal(info->tot_pages, 1);
	assert_int_equal(info->outstanding_pages, 5);
	assert_int_equal(info->shared_info_frame, mfn_x(virt_to_mfn(d1->shared_info)));
	assert_int_equal(info->gpaddr_bits, cpu_maxphys_bits);
	d1->outstanding_claim = 0;
	op->u.max_mem.max_memkb = ~0ULL;
	assert_int_equal(domctl(XEN_DOMCTL_max_mem, 1), 0);
	assert_int_equal(d1->max_pages, ~0u);
	op->u.max_mem.max_memkb = 4;
	assert_int_equal(domctl(XEN_DOMCTL_max_mem, 1), 0);
	assert_int_equal(d1->max_pages, 1);
}

static void test_weight_and_cap_are_kept_within_their_ends(void **state)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

	*s = (struct xen_domctl_scheduler_op){ .sched_id = XEN_SCHEDULER_CREDIT, .cmd = XEN_DOMCTL_SCHEDOP_getinfo };
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, 1), 0);
	assert_int_equal(s->u.credit.weight, 256);
	assert_int_equal(s->u.credit.cap, 0);
	s->cmd = XEN_DOMCTL_SCHEDOP_putinfo;
	s->u.credit.weight = 77;
	s->u.credit.cap = 100 * NR_VCPUS + 1;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, 1), -EINVAL);
	assert_int_equal(d1->scheduler_weight, 256);
	s->u.credit.cap = 100 * NR_VCPUS;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, 1), 0);
	s->u.credit.weight = 0; /* as it is */
	s->u.credit.cap = (u16)~0u;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, 1), 0);
	s->cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	assert_int_equal(domctl(XEN_DOMCTL_scheduler_op, 1), 0);
	assert_int_equal(s->u.credit.weight, 77);
	assert_int_equal(s->u.credit.cap, 100 * NR_VCPUS);
}

static void test_time_is_offset_and_told(void **state)
{
	const u32 before = d1->shared_info->wc_sec, version = d1->shared_info->wc_version;
	struct xen_domctl_tsc_info *t = &op->u.tsc_info;

	op->u.settimeoffset.time_offset_seconds = -3600;
	assert_int_equal(domctl(XEN_DOMCTL_settimeoffset, 1), 0);
	assert_int_equal(d1->shared_info->wc_sec, before - 3600);
	assert_int_equal(d1->shared_info->wc_nsec, 5);
	assert_int_equal(d1->shared_info->wc_version, version + 2); /* odd: while it changes */
	op->u.settimeoffset.time_offset_seconds = 1LL << 32;
	assert_int_equal(domctl(XEN_DOMCTL_settimeoffset, 1), 0);
	assert_int_equal(d1->shared_info->wc_sec, before);
	assert_int_equal(d1->shared_info->wc_sec_hi, 1);
	t->tsc_mode = 2;
	assert_int_equal(domctl(XEN_DOMCTL_settscinfo, 1), 0);
	memset(t, 0xee, sizeof(*t));
	assert_int_equal(domctl(XEN_DOMCTL_gettscinfo, 1), 0);
	assert_int_equal(t->tsc_mode, 2);
	assert_int_equal(t->incarnation, 0);
	assert_int_equal(t->elapsed_nsec, world.now);
}

static void test_types_of_pages_are_those_of_tables_in_use(void **state)
{
	static const struct {
		u32 type, told;
	} types[] = {
		{ (u32)FT_L1 << FT_SHIFT | 1, XEN_DOMCTL_PFINFO_L1TAB },
		{ (u32)FT_L2 << FT_SHIFT | 1, XEN_DOMCTL_PFINFO_L2TAB },
		{ (u32)FT_L3 << FT_SHIFT | 1, XEN_DOMCTL_PFINFO_L3TAB },
		{ (u32)FT_L4 << FT_SHIFT | 1, XEN_DOMCTL_PFINFO_L4TAB },
		{ (u32)FT_L4 << FT_SHIFT | FT_PINNED | 1, XEN_DOMCTL_PFINFO_L4TAB | XEN_DOMCTL_PFINFO_LPINTAB },
		{ (u32)FT_L4 << FT_SHIFT, XEN_DOMCTL_PFINFO_NOTAB },
		{ (u32)FT_SEG << FT_SHIFT | 1, XEN_DOMCTL_PFINFO_NOTAB },
		{ (u32)FT_WR << FT_SHIFT | 1, XEN_DOMCTL_PFINFO_NOTAB },
	};
	struct frame *f = world_page(d1);
	xen_pfn_t *list = guest_alloc(2 * sizeof(*list));

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		f->type = types[i].type;
		list[0] = mfn_x(frame_to_mfn(f));
		list[1] = 0x1234;
		op->u.getpageframeinfo3.num = 1;
		op->u.getpageframeinfo3.array.p = list;
		assert_int_equal(domctl(XEN_DOMCTL_getpageframeinfo3, 1), 0);
		assert_int_equal(list[0], types[i].told);
		assert_int_equal(list[1], 0x1234);
	}
	f->type = 0;
	list[0] = mfn_x(frame_to_mfn(world_page(dom0)));
	assert_int_equal(domctl(XEN_DOMCTL_getpageframeinfo3, 1), 0);
	assert_int_equal(list[0], XEN_DOMCTL_PFINFO_XTAB);
}

static void test_there_is_one_node(void **state)
{
	u64 *map = guest_alloc(8);

	op->u.nodeaffinity.nodemap.bitmap.p = (u8 *)map;
	op->u.nodeaffinity.nodemap.nr_bits = 64;
	*map = 2;
	assert_int_equal(domctl(XEN_DOMCTL_setnodeaffinity, 1), -EINVAL);
	*map = 3;
	assert_int_equal(domctl(XEN_DOMCTL_setnodeaffinity, 1), 0);
	assert_int_equal(domctl(XEN_DOMCTL_getnodeaffinity, 1), 0);
	assert_int_equal(*map, 1);
}

static void test_a_policy_is_refused_by_the_number_of_what_is_wrong(void **state)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	xen_msr_entry_t *msr = guest_alloc(2 * sizeof(*msr));

	msr[0] = (xen_msr_entry_t){ .idx = 0xce };
	msr[1] = (xen_msr_entry_t){ .idx = 0x8b, .flags = 1 };
	p->msrs.p = msr;
	p->nr_msrs = 1;
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 1), 0);
	assert_int_equal(p->err_msr, ~0u);
	p->nr_msrs = 2;
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 1), -EINVAL);
	assert_int_equal(p->err_msr, 0x8b);
	assert_int_equal(p->err_leaf, ~0u);
	assert_int_equal(p->err_subleaf, ~0u);
	p->nr_msrs = 0;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1), -ENOBUFS);
	p->nr_msrs = 9;
	memset(msr, 0xee, 2 * sizeof(*msr));
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1), 0);
	assert_int_equal(p->nr_msrs, 1);
	assert_int_equal(msr[0].idx, 0xce);
	assert_int_equal(msr[0].flags, 0);
	assert_int_equal(msr[0].val, 0);
	p->msrs.p = NOWHERE;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1), -EFAULT);
}

static void test_a_page_of_the_guests_becomes_its_hypercall_page(void **state)
{
	struct frame *f = world_page(d1);
	const u8 *page = mfn_to_virt(frame_to_mfn(f));

	op->u.hypercall_init.gmfn = mfn_x(frame_to_mfn(f));
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 0), -EACCES); /* not its page */
	assert_int_equal(page[0], 0);
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 1), 0);
	assert_int_not_equal(page[0], 0);
	assert_int_equal(frame_type_count(f), 0);
	assert_int_equal(frame_ref_count(f), 1);
}

/*
 * Each leaf that a policy has, once, and of those with subleaves as many as its reader takes
 * (xen/lib/x86/cpu-policy.h).
 */
static void test_a_policy_has_each_leaf_once(void **state)
{
	static const struct {
		u32 leaf, nr;
	} with_subleaves[] = { { 4, 6 }, { 7, 2 }, { 0xb, 2 }, { 0xd, 10 } };
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	xen_cpuid_leaf_t *got = guest_alloc(100 * sizeof(*got));
	u32 at = 0;

	p->leaves.p = got;
	p->nr_leaves = 100;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1), 0);
	for (u64 leaf = 0; leaf <= 0x80000008; leaf = leaf == 0xd ? 0x80000000 : leaf + 1) { /* of the fake CPU */
		u32 nr = 0;

		for (size_t i = 0; i < ARRAY_SIZE(with_subleaves); i++)
			if (with_subleaves[i].leaf == leaf)
				nr = with_subleaves[i].nr;
		for (u32 sub = 0; sub < MAX(nr, 1u); sub++, at++) {
			assert_int_equal(got[at].leaf, leaf);
			assert_int_equal(got[at].subleaf, nr ? sub : XEN_CPUID_NO_SUBLEAF);
		}
	}
	assert_int_equal(p->nr_leaves, at);
	assert_int_equal(got[0].a, 0xd); /* what the guest sees, and in its place */
	for (u32 short_of = 1; short_of < 4; short_of++) {
		p->nr_leaves = at - short_of;
		assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1), -ENOBUFS);
	}
	p->nr_leaves = at;
	assert_int_equal(domctl(XEN_DOMCTL_get_cpu_policy, 1), 0);
}

static void test_a_question_is_of_so_many_pages(void **state)
{
	struct xen_domctl_shadow_op *s = &op->u.shadow_op;

	s->op = XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY;
	assert_int_equal(domctl(XEN_DOMCTL_shadow_op, 1), 0);
	*s = (struct xen_domctl_shadow_op){ .op = XEN_DOMCTL_SHADOW_OP_PEEK, .pages = 1ULL << 40 };
	assert_int_equal(domctl(XEN_DOMCTL_shadow_op, 1), 0);
	s->pages++;
	assert_int_equal(domctl(XEN_DOMCTL_shadow_op, 1), -EINVAL);
	s->op = XEN_DOMCTL_SHADOW_OP_OFF;
	assert_int_equal(domctl(XEN_DOMCTL_shadow_op, 1), 0);
}

static void test_what_was_set_is_kept(void **state)
{
	struct domain *d2 = world_domain(2, 1);

	op->u.set_target.target = 2;
	assert_int_equal(domctl(XEN_DOMCTL_set_target, 1), 0);
	assert_ptr_equal(d1->target, d2);
	op->u.subscribe.port = 77;
	assert_int_equal(domctl(XEN_DOMCTL_subscribe, 1), 0);
	assert_int_equal(d1->suspend_evtchn, 77);
	op->u.address_size.size = 7;
	assert_int_equal(domctl(XEN_DOMCTL_get_address_size, 1), 0);
	assert_int_equal(op->u.address_size.size, 64);
	memset(&op->u.tsc_info, 0xee, sizeof(op->u.tsc_info));
	assert_int_equal(domctl(XEN_DOMCTL_gettscinfo, 1), 0);
	assert_int_equal(op->u.tsc_info.gtsc_khz, 2000000); /* tests/fakes/hvdom/devices.c */
	assert_int_equal(op->u.tsc_info.elapsed_nsec, world.now);
	assert_int_equal(op->u.tsc_info.incarnation, 0);
}

static void test_a_domain_without_vcpus_says_so(void **state)
{
	op->u.createdomain = (struct xen_domctl_createdomain){
		.max_vcpus = 2, .max_evtchn_port = 5, .max_grant_frames = 1, .max_maptrack_frames = 1, .grant_opts = 1};
	assert_int_equal(domctl(XEN_DOMCTL_createdomain, 5), 0);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 5), 0);
	assert_int_equal(op->u.getdomaininfo.max_vcpu_id, XEN_INVALID_MAX_VCPU_ID);
	assert_int_equal(op->u.getdomaininfo.cpu_time, 0);
	d1->vcpu[0]->runstate.time[RUNSTATE_running] = 1000;
	d1->vcpu[1]->runstate.time[RUNSTATE_running] = 234;
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1), 0);
	assert_int_equal(op->u.getdomaininfo.cpu_time, 1234); /* of all */
}

static void test_lists_are_read_to_their_ends(void **state)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

	p->leaves.p = (void *)(guest_mem + sizeof(guest_mem) - sizeof(xen_cpuid_leaf_t)); /* the second is not there */
	p->nr_leaves = 2;
	assert_int_equal(domctl(XEN_DOMCTL_set_cpu_policy, 1), -EFAULT);
	op->u.getpageframeinfo3.num = 1;
	op->u.getpageframeinfo3.array.p = (void *)HV_HOLE_START;
	assert_int_equal(domctl(XEN_DOMCTL_getpageframeinfo3, 1), -EFAULT);
	op->u.getpageframeinfo3.array.p = guest_alloc(8);
	world.is_read_only = true;
	assert_int_equal(domctl(XEN_DOMCTL_getpageframeinfo3, 1), -EFAULT);
	assert_int_equal(domctl(XEN_DOMCTL_gettscinfo, 1), -EFAULT);
	assert_int_equal(domctl(XEN_DOMCTL_getdomaininfo, 1), -EFAULT);
}

static void test_a_hypercall_page_is_sent_again(void **state)
{
	struct frame *f = world_page(d1);
	const u8 *page = mfn_to_virt(frame_to_mfn(f));

	f->ref &= ~FRAME_WRITTEN;
	op->u.hypercall_init.gmfn = mfn_x(frame_to_mfn(f));
	assert_int_equal(domctl(XEN_DOMCTL_hypercall_init, 1), 0);
	assert_true(f->ref & FRAME_WRITTEN);
	assert_int_equal(page[31], 0xcc); /* behind the first stub: stops who goes on */
	assert_int_equal(page[PAGE_SIZE - 1], 0xcc);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_operation_says_what_is_wrong_with_its_arguments),
		T(test_nobody_does_to_himself_what_stops_him),
		T(test_what_needs_a_stopped_domain_waits_for_it),
		T(test_a_new_domain_is_one_that_can_be_had),
		T(test_the_list_is_walked_by_number_and_ends),
		T(test_what_a_domain_does_is_told),
		T(test_what_a_domain_has_is_told),
		T(test_weight_and_cap_are_kept_within_their_ends),
		T(test_time_is_offset_and_told),
		T(test_types_of_pages_are_those_of_tables_in_use),
		T(test_there_is_one_node),
		T(test_a_policy_is_refused_by_the_number_of_what_is_wrong),
		T(test_a_policy_has_each_leaf_once),
		T(test_a_question_is_of_so_many_pages),
		T(test_a_page_of_the_guests_becomes_its_hypercall_page),
		T(test_what_was_set_is_kept),
		T(test_a_domain_without_vcpus_says_so),
		T(test_lists_are_read_to_their_ends),
		T(test_a_hypercall_page_is_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
