/* SPDX-License-Identifier: MIT */
/*
 * Claims about what is told of the machine: sysctl, platform_op, console_io and xen_version. ABI:
 * xen/sysctl.h, xen/platform.h, xen/xen.h, xen/version.h; docs/hypercalls.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/platform.h>
#include <xen/sysctl.h>
#include <xen/version.h>

#include "domain/memory.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/e820.h"
#include "x86/efi.h"
#include "x86/layout.h"
#include "x86/smp.h"

#define NOWHERE ((void *)16) /* no memory of a guest's */
#define NR_CPUS_HERE 3

static struct domain *d1;
static struct xen_sysctl *s;
static struct xen_platform_op *p;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 1);
	s = guest_alloc(sizeof(*s));
	p = guest_alloc(sizeof(*p));
	fake_nr_cpus = NR_CPUS_HERE;
	return 0;
}

static int teardown(void **state)
{
	fake_nr_cpus = 1;
	memset(&efi_facts, 0, sizeof(efi_facts));
	return world_end() != 0;
}

static long sysctl(u32 cmd)
{
	s->cmd = cmd;
	s->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hypercall(__HYPERVISOR_sysctl, GUEST(s), 0, 0, 0);
}

static long platform(u32 cmd)
{
	p->cmd = cmd;
	p->interface_version = XENPF_INTERFACE_VERSION;
	return hypercall(__HYPERVISOR_platform_op, GUEST(p), 0, 0, 0);
}

#define SYSCTL(c, e, ...) {.op = { .cmd = XEN_SYSCTL_##c, .u = { __VA_ARGS__ } }, .rc = (e)}

static void test_each_sysctl_says_what_is_wrong_with_its_arguments(void **state)
{
	static const struct {
		struct xen_sysctl op;
		long rc;
	} cases[] = {
		SYSCTL(debug_keys, -EFAULT, .debug_keys = { .nr_keys = 1, .keys.p = NOWHERE }),
		SYSCTL(debug_keys, 0, .debug_keys = { .nr_keys = 0, .keys.p = NOWHERE }),
		SYSCTL(getdomaininfolist, -EFAULT, .getdomaininfolist = { .max_domains = 1, .buffer.p = NOWHERE }),
		SYSCTL(getdomaininfolist, 0, .getdomaininfolist = { .max_domains = 0, .buffer.p = NOWHERE }),
		SYSCTL(getcpuinfo, -EFAULT, .getcpuinfo = { .max_cpus = 1, .info.p = NOWHERE }),
		SYSCTL(getcpuinfo, 0, .getcpuinfo = { .max_cpus = 0, .info.p = NOWHERE }),
		SYSCTL(cputopoinfo, -EFAULT, .cputopoinfo = { .num_cpus = 1, .cputopo.p = NOWHERE }),
		SYSCTL(numainfo, -EFAULT, .numainfo = { .num_nodes = 1, .meminfo.p = NOWHERE }),
		SYSCTL(numainfo, -EFAULT, .numainfo = { .num_nodes = 1, .distance.p = NOWHERE }),
		SYSCTL(numainfo, 0, .numainfo = { .num_nodes = 0, .meminfo.p = NOWHERE, .distance.p = NOWHERE }),
		SYSCTL(cpupool_op, -EOPNOTSUPP, .cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_CREATE }),
		SYSCTL(cpupool_op, -EOPNOTSUPP, .cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_DESTROY }),
		SYSCTL(cpupool_op, -ENOENT, .cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_INFO, .cpupool_id = 1 }),
		SYSCTL(cpupool_op, -EFAULT, .cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_INFO,
			.cpumap = { .nr_bits = 1, .bitmap.p = NOWHERE } }),
		SYSCTL(cpupool_op, -EFAULT, .cpupool_op = { .op = XEN_SYSCTL_CPUPOOL_OP_FREEINFO,
			.cpumap = { .nr_bits = 1, .bitmap.p = NOWHERE } }),
		SYSCTL(scheduler_op, -ESRCH, .scheduler_op = { .cpupool_id = 1, .sched_id = XEN_SCHEDULER_CREDIT,
			.cmd = XEN_SYSCTL_SCHEDOP_getinfo }),
		SYSCTL(scheduler_op, -EINVAL, .scheduler_op = { .sched_id = XEN_SCHEDULER_RTDS,
			.cmd = XEN_SYSCTL_SCHEDOP_getinfo }),
		SYSCTL(scheduler_op, -EOPNOTSUPP, .scheduler_op = { .sched_id = XEN_SCHEDULER_CREDIT,
			.cmd = XEN_SYSCTL_SCHEDOP_putinfo }),
		SYSCTL(get_cpu_featureset, -EINVAL, .cpu_featureset = { .index = XEN_SYSCTL_cpu_featureset_hvm_max + 1 }),
		SYSCTL(get_cpu_featureset, -EOPNOTSUPP, .cpu_featureset = { .index = XEN_SYSCTL_cpu_featureset_hvm }),
		SYSCTL(get_cpu_featureset, -EOPNOTSUPP, .cpu_featureset = { .index = XEN_SYSCTL_cpu_featureset_hvm_max }),
		SYSCTL(get_cpu_featureset, -EFAULT, .cpu_featureset = { .nr_features = 40, .features.p = NOWHERE }),
		SYSCTL(get_cpu_policy, -EINVAL, .cpu_policy = { .index = XEN_SYSCTL_cpu_policy_hvm_default + 1 }),
		SYSCTL(get_cpu_policy, -EINVAL, .cpu_policy = { ._rsvd = 1 }),
		SYSCTL(get_cpu_policy, -EOPNOTSUPP, .cpu_policy = { .index = XEN_SYSCTL_cpu_policy_hvm_max }),
		SYSCTL(get_cpu_policy, -EOPNOTSUPP, .cpu_policy = { .index = XEN_SYSCTL_cpu_policy_hvm_default }),
		SYSCTL(get_cpu_policy, -EFAULT, .cpu_policy = { .nr_leaves = 100, .leaves.p = NOWHERE }),
		SYSCTL(get_cpu_policy, -EFAULT, .cpu_policy = { .nr_msrs = 1, .msrs.p = NOWHERE }),
		SYSCTL(get_cpu_policy, -ENOBUFS, .cpu_policy = { .nr_msrs = 0, .msrs.p = NOWHERE }),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		*s = cases[i].op;
		rc = sysctl(cases[i].op.cmd);
		if (rc != cases[i].rc)
			fail_msg("case %zu, sysctl %u: %ld, not %ld", i, cases[i].op.cmd, rc, cases[i].rc);
	}
}

static void test_the_machine_is_described(void **state)
{
	struct xen_sysctl_physinfo *i = &s->u.physinfo;

	memset(i, 0xee, sizeof(*i));
	assert_int_equal(sysctl(XEN_SYSCTL_physinfo), 0);
	assert_int_equal(i->nr_cpus, NR_CPUS_HERE);
	assert_int_equal(i->max_cpu_id, NR_CPUS_HERE - 1);
	assert_int_equal(i->threads_per_core, 1);
	assert_int_equal(i->cores_per_socket, 1);
	assert_int_equal(i->nr_nodes, 1);
	assert_int_equal(i->max_node_id, 0);
	assert_int_equal(i->capabilities, XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1);
	assert_int_equal(i->total_pages, WORLD_FRAMES);
	assert_int_equal(i->free_pages, page_alloc_free_frames());
	assert_int_equal(i->max_mfn, WORLD_FRAMES - 1);
	assert_int_equal(i->outstanding_pages, 0);
	assert_int_equal(sysctl(XEN_SYSCTL_availheap), 0);
	assert_int_equal(s->u.availheap.avail_bytes, page_alloc_free_frames() * PAGE_SIZE);
	assert_int_equal(sysctl(XEN_SYSCTL_sched_id), 0);
	assert_int_equal(s->u.sched_id.sched_id, XEN_SCHEDULER_CREDIT);
	s->u.cpu_levelling_caps.caps = ~0u;
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_levelling_caps), 0);
	assert_int_equal(s->u.cpu_levelling_caps.caps, 0);
}

/* As many as there are, and no more than the caller has room for. */
static void test_cpus_are_listed(void **state)
{
	struct xen_sysctl_cpuinfo *info = guest_alloc(5 * sizeof(*info));
	struct xen_sysctl_cputopo *topo = guest_alloc(5 * sizeof(*topo));

	for (u32 room = 1; room < 5; room++) {
		const u32 nr = MIN(room, (u32)NR_CPUS_HERE);

		memset(info, 0xee, 5 * sizeof(*info));
		memset(topo, 0xee, 5 * sizeof(*topo));
		s->u.getcpuinfo = (struct xen_sysctl_getcpuinfo){ .max_cpus = room, .info.p = info };
		assert_int_equal(sysctl(XEN_SYSCTL_getcpuinfo), 0);
		assert_int_equal(s->u.getcpuinfo.nr_cpus, nr);
		assert_true(info[nr - 1].idletime != 0xeeeeeeeeeeeeeeee);
		assert_true(info[nr].idletime == 0xeeeeeeeeeeeeeeee);
		s->u.cputopoinfo = (struct xen_sysctl_cputopoinfo){ .num_cpus = room, .cputopo.p = topo };
		assert_int_equal(sysctl(XEN_SYSCTL_cputopoinfo), 0);
		assert_int_equal(s->u.cputopoinfo.num_cpus, nr);
		assert_int_equal(topo[nr - 1].socket, nr - 1); /* each a socket of its own */
		assert_int_equal(topo[nr - 1].core, 0);
		assert_int_equal(topo[nr].socket, 0xeeeeeeee);
	}
	s->u.cputopoinfo = (struct xen_sysctl_cputopoinfo){};
	assert_int_equal(sysctl(XEN_SYSCTL_cputopoinfo), 0); /* no list: how many there are */
	assert_int_equal(s->u.cputopoinfo.num_cpus, NR_CPUS_HERE);
}

static void test_the_one_node_is_as_near_as_can_be(void **state)
{
	struct xen_sysctl_meminfo *mem = guest_alloc(sizeof(*mem));
	u32 *distance = guest_alloc(8);

	s->u.numainfo = (struct xen_sysctl_numainfo){ .num_nodes = 4, .meminfo.p = mem, .distance.p = distance };
	assert_int_equal(sysctl(XEN_SYSCTL_numainfo), 0);
	assert_int_equal(s->u.numainfo.num_nodes, 1);
	assert_int_equal(mem->memsize, page_alloc_total_frames() * PAGE_SIZE);
	assert_int_equal(mem->memfree, page_alloc_free_frames() * PAGE_SIZE);
	assert_int_equal(distance[0], 10);
	assert_int_equal(distance[1], 0);
	s->u.numainfo = (struct xen_sysctl_numainfo){ .num_nodes = 1 };
	assert_int_equal(sysctl(XEN_SYSCTL_numainfo), 0); /* no lists: how many there are */
	assert_int_equal(s->u.numainfo.num_nodes, 1);
}

static void test_the_one_pool_has_all_cpus_and_all_domains(void **state)
{
	static const u32 ids[] = { 0, XEN_SYSCTL_CPUPOOL_PAR_ANY };
	u64 *map = guest_alloc(8);

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		*map = ~0ULL;
		s->u.cpupool_op = (struct xen_sysctl_cpupool_op){
			.op = XEN_SYSCTL_CPUPOOL_OP_INFO, .cpupool_id = ids[i], .cpumap = { .nr_bits = 64, .bitmap.p = (u8 *)map }};
		assert_int_equal(sysctl(XEN_SYSCTL_cpupool_op), 0);
		assert_int_equal(s->u.cpupool_op.cpupool_id, 0);
		assert_int_equal(s->u.cpupool_op.sched_id, XEN_SCHEDULER_CREDIT);
		assert_int_equal(s->u.cpupool_op.n_dom, 2);
		assert_int_equal(*map, (1 << NR_CPUS_HERE) - 1);
	}
	s->u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_FREEINFO;
	assert_int_equal(sysctl(XEN_SYSCTL_cpupool_op), 0);
	assert_int_equal(*map, 0);
	s->u.scheduler_op = (struct xen_sysctl_scheduler_op){ .sched_id = XEN_SCHEDULER_CREDIT, .cmd = XEN_SYSCTL_SCHEDOP_getinfo };
	assert_int_equal(sysctl(XEN_SYSCTL_scheduler_op), 0);
	assert_int_equal(s->u.scheduler_op.u.sched_credit.tslice_ms, 30);
	assert_int_equal(s->u.scheduler_op.u.sched_credit.ratelimit_us, 1000);
	assert_int_equal(s->u.scheduler_op.u.sched_credit.vcpu_migr_delay_us, 0);
}

/* xen/sysctl.h: no list: how many words there are; one that is too short is refused. */
static void test_features_come_in_words(void **state)
{
	u32 *words = guest_alloc(64 * 4), nr;

	for (u32 index = XEN_SYSCTL_cpu_featureset_raw; index <= XEN_SYSCTL_cpu_featureset_pv_max; index++) {
		if (index == XEN_SYSCTL_cpu_featureset_hvm)
			continue;
		s->u.cpu_featureset = (struct xen_sysctl_cpu_featureset){ .index = index };
		assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset), 0);
		nr = s->u.cpu_featureset.nr_features;
		assert_in_range(nr, 10, 32);
		s->u.cpu_featureset.features.p = words;
		s->u.cpu_featureset.nr_features = nr - 1;
		assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset), -ENOBUFS);
		memset(words, 0xee, 64 * 4);
		s->u.cpu_featureset.nr_features = nr;
		assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset), 0);
		assert_int_equal(words[nr], 0xeeeeeeee);
		s->u.cpu_featureset.nr_features = nr + 1;
		assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset), 0);
		assert_int_equal(s->u.cpu_featureset.nr_features, nr);
	}
}

#define PLATFORM(c, e, ...) {.op = { .cmd = XENPF_##c, .u = { __VA_ARGS__ } }, .rc = (e)}

static void test_each_platform_op_says_what_is_wrong_with_its_arguments(void **state)
{
	static const struct {
		struct xen_platform_op op;
		long rc;
	} cases[] = {
		PLATFORM(settime32, 0, .settime32 = { .nsecs = 999999999 }),
		PLATFORM(settime32, -EINVAL, .settime32 = { .nsecs = 1000000000 }),
		PLATFORM(settime64, 0, .settime64 = { .nsecs = 999999999 }),
		PLATFORM(settime64, -EINVAL, .settime64 = { .nsecs = 1000000000 }),
		PLATFORM(settime64, -EOPNOTSUPP, .settime64 = { .mbz = 1 }),
		PLATFORM(firmware_info, 0, .firmware_info = { .type = XEN_FW_KBD_SHIFT_FLAGS }),
		PLATFORM(firmware_info, -ESRCH, .firmware_info = { .type = XEN_FW_DISK_INFO }),
		PLATFORM(firmware_info, -ESRCH, .firmware_info = { .type = XEN_FW_DISK_MBR_SIGNATURE }),
		PLATFORM(firmware_info, -ESRCH, .firmware_info = { .type = XEN_FW_VBEDDC_INFO }),
		PLATFORM(firmware_info, -ESRCH, .firmware_info = { .type = XEN_FW_EFI_INFO }),
		PLATFORM(firmware_info, -EINVAL, .firmware_info = { .type = XEN_FW_KBD_SHIFT_FLAGS + 1 }),
		/* Linux is silent about this one alone */
		PLATFORM(set_processor_pminfo, -ENOSYS, .set_pminfo = { .type = XEN_PM_CX }),
		PLATFORM(set_processor_pminfo, -ENOSYS, .set_pminfo = { .type = XEN_PM_PX }),
		PLATFORM(enter_acpi_sleep, -ENODEV, .enter_acpi_sleep = { .flags = XENPF_ACPI_SLEEP_EXTENDED }),
		PLATFORM(getidletime, -EINVAL, .getidletime = { .cpumap_nr_cpus = 0 }),
		PLATFORM(getidletime, -EFAULT, .getidletime = { .cpumap_nr_cpus = 1, .cpumap_bitmap.p = NOWHERE }),
		PLATFORM(get_cpu_version, -ENODEV, .pcpu_version = { .xen_cpuid = NR_CPUS_HERE }),
		PLATFORM(get_cpu_version, 0, .pcpu_version = { .xen_cpuid = NR_CPUS_HERE - 1 }),
		PLATFORM(cpu_online, -EOPNOTSUPP, .cpu_ol = {}),
		PLATFORM(microcode_update, -EOPNOTSUPP, .microcode = {}),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		*p = cases[i].op;
		rc = platform(cases[i].op.cmd);
		if (rc != cases[i].rc)
			fail_msg("case %zu, platform_op %u: %ld, not %ld", i, cases[i].op.cmd, rc, cases[i].rc);
	}
	p->interface_version = XENPF_INTERFACE_VERSION - 1;
	assert_int_equal(hypercall(__HYPERVISOR_platform_op, GUEST(p), 0, 0, 0), -EACCES);
	for (u32 cmd = XENPF_get_symbol; cmd < 100; cmd++)
		assert_int_equal(platform(cmd), -EOPNOTSUPP);
}

static long efi_info(u32 index)
{
	p->u.firmware_info.type = XEN_FW_EFI_INFO;
	p->u.firmware_info.index = index;
	return platform(XENPF_firmware_info);
}

static void test_uefi_is_described_where_it_is(void **state)
{
	union xenpf_efi_info *i = &p->u.firmware_info.u.efi_info;

	for (u32 index = 0; index < 9; index++)
		assert_int_equal(efi_info(index), -ESRCH);

	efi_facts = (struct efi_facts){ .tables = 0x7f000018, .nr_tables = 9, .revision = 0x20046 };
	assert_int_equal(efi_info(XEN_FW_EFI_VERSION), 0);
	assert_int_equal(i->version, 0x20046);
	assert_int_equal(efi_info(XEN_FW_EFI_CONFIG_TABLE), 0);
	assert_int_equal(i->cfg.addr, 0x7f000018);
	assert_int_equal(i->cfg.nent, 9);
	/* its services are not there */
	assert_int_equal(efi_info(XEN_FW_EFI_RT_VERSION), -EOPNOTSUPP);
	assert_int_equal(efi_info(XEN_FW_EFI_PCI_ROM), -EOPNOTSUPP);
	assert_int_equal(efi_info(~0u), -EOPNOTSUPP);
	assert_int_equal(platform(XENPF_efi_runtime_call), -EOPNOTSUPP);
}

static void test_who_made_the_firmware_is_said_in_whole_characters(void **state)
{
	union xenpf_efi_info *i = &p->u.firmware_info.u.efi_info;
	u16 *name = guest_alloc(200);

	efi_facts = (struct efi_facts){ .tables = 1, .fw_revision = 7, .vendor = { 'E', 'D', 'K' } };
	memset(name, 0xee, 200);
	i->vendor.bufsz = 5;
	i->vendor.name.p = name;
	assert_int_equal(efi_info(XEN_FW_EFI_VENDOR), 0);
	assert_int_equal(i->vendor.revision, 7);
	assert_memory_equal(name, efi_facts.vendor, 4);
	assert_int_equal(name[2], 0xeeee);

	i->vendor.bufsz = ~0u;
	assert_int_equal(efi_info(XEN_FW_EFI_VENDOR), 0);
	assert_memory_equal(name, efi_facts.vendor, sizeof(efi_facts.vendor));
	assert_int_equal(name[EFI_VENDOR_MAX], 0xeeee);

	i->vendor.name.p = NOWHERE;
	assert_int_equal(efi_info(XEN_FW_EFI_VENDOR), -EFAULT);
}

static void test_memory_is_told_in_uefi_s_words(void **state)
{
	static const u32 wanted[] = {
		[E820_RAM] = 7, [E820_RESERVED] = 0, [E820_ACPI] = 9, [E820_NVS] = 10, [E820_UNUSABLE] = 8,
	};
	union xenpf_efi_info *i = &p->u.firmware_info.u.efi_info;
	const struct e820_map before = machine_e820;

	efi_facts.tables = 1;
	for (u32 type = E820_RAM; type <= E820_UNUSABLE; type++) {
		machine_e820.nr = 0;
		e820_add(&machine_e820, 0x1000, 0x1000, E820_RAM);
		e820_add(&machine_e820, 0x4000, 0x2000, type);
		i->mem.addr = 0x4800;
		i->mem.size = ~0ULL - 0x4800;
		i->mem.type = i->mem.attr = 77;
		assert_int_equal(efi_info(XEN_FW_EFI_MEM_INFO), 0);
		assert_int_equal(i->mem.addr, 0x4800);
		assert_int_equal(i->mem.size, 0x1800);
		assert_int_equal(i->mem.type, wanted[type]);
		assert_int_equal(i->mem.attr, 0);
		i->mem.size = 0x10;
		assert_int_equal(efi_info(XEN_FW_EFI_MEM_INFO), 0);
		assert_int_equal(i->mem.size, 0x10);
		i->mem.addr = 0x6000;
		assert_int_equal(efi_info(XEN_FW_EFI_MEM_INFO), -ESRCH);
		i->mem.addr = 0x3fff;
		assert_int_equal(efi_info(XEN_FW_EFI_MEM_INFO), -ESRCH);
	}
	machine_e820 = before;
}

static void test_idle_times_are_of_the_cpus_that_were_named(void **state)
{
	u64 *map = guest_alloc(8), *idle = guest_alloc(4 * 8);

	*map = 1ULL << 63 | 1 << 2 | 1 << 0;
	memset(idle, 0xee, 4 * 8);
	p->u.getidletime = (struct xenpf_getidletime){ .cpumap_nr_cpus = 100, .cpumap_bitmap.p = (u8 *)map, .idletime.p = idle };
	assert_int_equal(platform(XENPF_getidletime), 0);
	assert_int_equal(*map, 1 << 2 | 1 << 0); /* which there are */
	assert_int_equal(p->u.getidletime.now, world.now);
	assert_true(idle[0] != 0xeeeeeeeeeeeeeeee && idle[2] != 0xeeeeeeeeeeeeeeee);
	assert_true(idle[1] == 0xeeeeeeeeeeeeeeee && idle[3] == 0xeeeeeeeeeeeeeeee);
	/* a byte of bits, one of which is asked for */
	*map = 7;
	memset(idle, 0xee, 4 * 8);
	p->u.getidletime.cpumap_nr_cpus = 1;
	assert_int_equal(platform(XENPF_getidletime), 0);
	assert_true(idle[0] != 0xeeeeeeeeeeeeeeee && idle[1] == 0xeeeeeeeeeeeeeeee);
	p->u.getidletime.idletime.p = NOWHERE;
	assert_int_equal(platform(XENPF_getidletime), -EFAULT);
}

/* CPUID leaf 1 taken apart: Intel SDM vol. 2, CPUID. */
static void test_a_cpu_is_of_a_family_a_model_and_a_stepping(void **state)
{
	u32 a, b, c, d;

	cpuid(1, 0, &a, &b, &c, &d);
	p->u.pcpu_version = (struct xenpf_pcpu_version){ .xen_cpuid = 1 };
	assert_int_equal(platform(XENPF_get_cpu_version), 0);
	assert_int_equal(p->u.pcpu_version.max_present, NR_CPUS_HERE - 1);
	assert_memory_equal(p->u.pcpu_version.vendor_id, cpu_vendor, 12);
	assert_int_equal(p->u.pcpu_version.stepping, a % 16);
	assert_int_equal(p->u.pcpu_version.model, a / 16 % 16 + a / 65536 % 16 * 16);
	assert_int_equal(p->u.pcpu_version.family, a / 256 % 16 == 15 ? 15 + a / (1 << 20) % 256 : a / 256 % 16);
}

static long version(u32 cmd, void *arg)
{
	return hypercall(__HYPERVISOR_xen_version, cmd, GUEST(arg), 0, 0);
}

static void test_the_hypervisor_says_who_it_is(void **state)
{
	xen_compile_info_t *info = guest_alloc(sizeof(*info));
	xen_platform_parameters_t *params = guest_alloc(sizeof(*params));
	char *text = guest_alloc(2048);
	xen_domain_handle_t *handle = guest_alloc(sizeof(*handle));

	assert_int_equal(version(XENVER_extraversion, text), 0);
	assert_string_equal(text, ".7-storevisor");
	assert_int_equal(version(XENVER_capabilities, text), 0);
	assert_string_equal(text, "xen-3.0-x86_64 ");
	memset(text, 0xee, 2048);
	assert_int_equal(version(XENVER_commandline, text), 0);
	assert_string_equal(text, "loglvl=all");
	assert_int_equal(text[sizeof(xen_commandline_t) - 1], 0);
	assert_int_equal((u8)text[sizeof(xen_commandline_t)], 0xee);
	assert_int_equal(version(XENVER_compile_info, info), 0);
	assert_string_equal(info->compile_by, "storevisor");
	assert_string_equal(info->compile_domain, "debian");
	assert_memory_equal(info->compiler, "gcc ", 4);
	assert_string_equal(info->compile_date, "reproducible");
	assert_int_equal(version(XENVER_platform_parameters, params), 0);
	assert_true(params->virt_start == HYPERVISOR_VIRT_START);
	assert_int_equal(version(XENVER_pagesize, NULL), PAGE_SIZE);
	assert_int_equal(version(XENVER_pagesize, params), -EINVAL);
	assert_int_equal(version(XENVER_build_id, NULL), -ENODATA);
	d1->handle[3] = 0x77;
	world_run(d1->vcpu[0]);
	assert_int_equal(version(XENVER_commandline, text), 0);
	assert_string_equal(text, "<denied>");
	assert_int_equal(version(XENVER_guest_handle, handle), 0);
	assert_int_equal((*handle)[3], 0x77);
	world_run(dom0->vcpu[0]);
}

static long console(u32 cmd, u64 len, const void *buf)
{
	return hypercall(__HYPERVISOR_console_io, cmd, len, GUEST(buf), 0);
}

static void test_all_that_dom0_writes_comes_out(void **state)
{
	static const u64 lengths[] = { 0, 1, 255, 256, 257, 512, 600 };
	char *text = guest_alloc(600);

	for (u32 i = 0; i < 600; i++)
		text[i] = (char)('a' + i % 23);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		world.console_len = 0;
		world.preempt = i % 2;
		assert_int_equal(console(CONSOLEIO_write, lengths[i], text), 0);
		assert_int_equal(world.console_len, lengths[i]);
		assert_memory_equal(world.console, text, lengths[i]);
	}
	world.preempt = false;
	assert_int_equal(console(CONSOLEIO_write, 1, NOWHERE), -EFAULT);
	assert_int_equal(console(CONSOLEIO_write, 1ULL << 31, text), -EINVAL);
	assert_int_equal(console(CONSOLEIO_write, ~0ULL, text), -EINVAL);
	assert_int_equal(console(CONSOLEIO_read + 1, 1, text), -ENOSYS);
}

static void test_what_was_typed_is_read_as_far_as_there_is_room(void **state)
{
	char *buf = guest_alloc(16);

	world.typed = "hello";
	memset(buf, 0xee, 16);
	assert_int_equal(console(CONSOLEIO_read, 3, buf), 3);
	assert_memory_equal(buf, "hel\xee", 4);
	assert_int_equal(console(CONSOLEIO_read, 16, buf), 2);
	assert_memory_equal(buf, "lo\xee", 2);
	assert_int_equal(console(CONSOLEIO_read, 0x7fffffff, NOWHERE), 0); /* nothing there, nothing written */
	world.typed = "x";
	assert_int_equal(console(CONSOLEIO_read, 16, NOWHERE), -EFAULT);
	world.typed = "x";
	assert_int_equal(console(CONSOLEIO_read, 16, (const void *)HV_HOLE_START), -EFAULT);
	assert_string_equal(world.typed, "x"); /* nothing was read that could not be told */
}

static void test_the_log_is_read_in_pieces_and_cleared(void **state)
{
	struct xen_sysctl_readconsole *r = &s->u.readconsole;
	char *buf = guest_alloc(2000);

	for (u32 i = 0; i < sizeof(world.ring); i++)
		world.ring[i] = (char)('A' + i % 29);
	world.ring_len = 700;
	*r = (struct xen_sysctl_readconsole){ .count = 2000, .index = 500, .buffer.p = buf };
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole), 0); /* not incremental: from the beginning */
	assert_int_equal(r->count, 700);
	assert_int_equal(r->index, 700);
	assert_memory_equal(buf, world.ring, 700);
	assert_int_equal(world.ring_len, 700);
	*r = (struct xen_sysctl_readconsole){ .count = 100, .index = 500, .incremental = 1, .clear = 1, .buffer.p = buf };
	memset(buf, 0xee, 2000);
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole), 0);
	assert_int_equal(r->count, 100);
	assert_int_equal(r->index, 600);
	assert_memory_equal(buf, world.ring + 500, 100);
	assert_int_equal((u8)buf[100], 0xee);
	assert_int_equal(world.ring_len, 0);
	world.ring_len = 5;
	*r = (struct xen_sysctl_readconsole){ .count = 5, .buffer.p = NOWHERE };
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole), -EFAULT);
	r->count = 0;
	assert_int_equal(sysctl(XEN_SYSCTL_readconsole), 0);
}

/* xen/platform.h: the time is dom0's to set, and every domain's to see. */
static void test_a_time_that_dom0_sets_is_everybodys(void **state)
{
	p->u.settime64.secs = (7ULL << 32) + 1234;
	p->u.settime64.nsecs = 77;
	p->u.settime64.system_time = 99;
	assert_int_equal(platform(XENPF_settime64), 0);
	assert_int_equal(world.wall.system_ns, 99);
	assert_true(world.wall.sec == (7ULL << 32) + 1234);
	assert_int_equal(d1->shared_info->wc_sec, 1234);
	assert_int_equal(d1->shared_info->wc_sec_hi, 7);
	assert_int_equal(d1->shared_info->wc_nsec, 77);
	assert_int_equal(dom0->shared_info->wc_sec, 1234);
	memset(p, 0, sizeof(*p));
	p->u.settime32.secs = 4321;
	p->u.settime32.nsecs = 66;
	p->u.settime32.system_time = 88;
	assert_int_equal(platform(XENPF_settime32), 0);
	assert_int_equal(world.wall.system_ns, 88);
	assert_int_equal(d1->shared_info->wc_sec, 4321);
	assert_int_equal(d1->shared_info->wc_sec_hi, 0);
	assert_int_equal(d1->shared_info->wc_nsec, 66);
}

static void test_the_machine_sleeps_as_it_is_told(void **state)
{
	p->u.enter_acpi_sleep = (struct xenpf_enter_acpi_sleep){ .val_a = 0x1234, .val_b = 0x5678, .sleep_state = 5 };
	assert_int_equal(platform(XENPF_enter_acpi_sleep), 0);
	assert_int_equal(world.machine_stops, 1);
	assert_int_equal(world.sleep.a, 0x1234);
	assert_int_equal(world.sleep.b, 0x5678);
	assert_int_equal(world.sleep.state, 5);
}

/* xen/platform.h: its identity, as long as there is one of that number. */
static void test_cpus_are_online_and_others_invalid(void **state)
{
	for (u32 cpu = 0; cpu < NR_CPUS_HERE + 2; cpu++) {
		p->u.pcpu_info = (struct xenpf_pcpuinfo){ .xen_cpuid = cpu };
		assert_int_equal(platform(XENPF_get_cpuinfo), 0);
		assert_int_equal(p->u.pcpu_info.max_present, NR_CPUS_HERE - 1);
		assert_int_equal(p->u.pcpu_info.flags, cpu < NR_CPUS_HERE ? XEN_PCPU_FLAGS_ONLINE : XEN_PCPU_FLAGS_INVALID);
		assert_int_equal(p->u.pcpu_info.apic_id, cpu < NR_CPUS_HERE ? cpu * 2 : 0);
		assert_int_equal(p->u.pcpu_info.acpi_id, cpu < NR_CPUS_HERE ? cpu : 0);
	}
}

/*
 * Where each word is: xen/arch-x86/cpufeatureset.h; what is there: pv_cpuid() of
 * tests/fakes/hvdom/pv.c.
 */
static void test_each_word_of_features_is_of_its_register(void **state)
{
	static const struct {
		u32 leaf, sub, reg; /* leaf 0: above the highest */
	} place[] = {
		{ 1, 0, 3 }, { 1, 0, 2 }, { 0x80000001, 0, 3 }, { 0x80000001, 0, 2 }, { 0xd, 1, 0 }, { 7, 0, 1 }, { 7, 0, 2 },
		{ 0x80000007, 0, 3 }, { 0x80000008, 0, 1 }, { 7, 0, 3 }, { 7, 1, 0 }, { 0 }, { 7, 1, 1 },
	};
	u32 *words = guest_alloc(64 * 4);

	memset(words, 0xee, 64 * 4);
	s->u.cpu_featureset = (struct xen_sysctl_cpu_featureset){
		.index = XEN_SYSCTL_cpu_featureset_pv, .nr_features = ARRAY_SIZE(place), .features.p = words};
	assert_int_equal(sysctl(XEN_SYSCTL_get_cpu_featureset), 0);
	for (size_t i = 0; i < ARRAY_SIZE(place); i++) {
		u32 r[4] = { 0 };

		if (place[i].leaf)
			pv_cpuid(dom0, place[i].leaf, place[i].sub, &r[0], &r[1], &r[2], &r[3]);
		if (words[i] != r[place[i].reg])
			fail_msg("word %zu: %u, not %u", i, words[i], r[place[i].reg]);
	}
	assert_int_equal(words[ARRAY_SIZE(place)], 0xeeeeeeee);
}

static void test_a_machine_has_nothing_that_was_not_said(void **state)
{
	struct xen_sysctl_physinfo *i = &s->u.physinfo;
	u32 a, b, c, d;

	cpuid(1, 0, &a, &b, &c, &d);
	claim_set(d1, 3);
	memset(i, 0xee, sizeof(*i));
	assert_int_equal(sysctl(XEN_SYSCTL_physinfo), 0);
	assert_int_equal(i->outstanding_pages, 3);
	assert_int_equal(i->arch_capabilities, 0);
	assert_int_equal(i->scrub_pages, 0);
	assert_int_equal(i->cpu_khz, 2000000);
	assert_int_equal(i->hw_cap[0], d);
	assert_int_equal(i->hw_cap[1], c);
	claim_set(d1, 0);
	s->u.scheduler_op = (struct xen_sysctl_scheduler_op){ .sched_id = XEN_SCHEDULER_CREDIT, .cmd = XEN_SYSCTL_SCHEDOP_getinfo };
	s->u.scheduler_op.u.sched_credit.vcpu_migr_delay_us = 77;
	assert_int_equal(sysctl(XEN_SYSCTL_scheduler_op), 0);
	assert_int_equal(s->u.scheduler_op.u.sched_credit.vcpu_migr_delay_us, 0);
	s->u.cpupool_op = (struct xen_sysctl_cpupool_op){ .op = XEN_SYSCTL_CPUPOOL_OP_INFO, .n_dom = 77 };
	assert_int_equal(sysctl(XEN_SYSCTL_cpupool_op), 0);
	assert_int_equal(s->u.cpupool_op.n_dom, 2);
	p->u.firmware_info.type = XEN_FW_KBD_SHIFT_FLAGS;
	p->u.firmware_info.u.kbd_shift_flags = 0xff;
	assert_int_equal(platform(XENPF_firmware_info), 0);
	assert_int_equal(p->u.firmware_info.u.kbd_shift_flags, 0);
}

static void test_an_answer_that_cannot_be_given_is_efault(void **state)
{
	world.is_read_only = true;
	assert_int_equal(sysctl(XEN_SYSCTL_physinfo), -EFAULT);
	assert_int_equal(platform(XENPF_get_cpuinfo), -EFAULT);
	p->u.settime64.secs = 5; /* no answer */
	p->u.settime64.mbz = 0;
	assert_int_equal(platform(XENPF_settime64), 0);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_sysctl_says_what_is_wrong_with_its_arguments),
		T(test_the_machine_is_described),
		T(test_cpus_are_listed),
		T(test_the_one_node_is_as_near_as_can_be),
		T(test_the_one_pool_has_all_cpus_and_all_domains),
		T(test_features_come_in_words),
		T(test_each_platform_op_says_what_is_wrong_with_its_arguments),
		T(test_uefi_is_described_where_it_is),
		T(test_who_made_the_firmware_is_said_in_whole_characters),
		T(test_memory_is_told_in_uefi_s_words),
		T(test_idle_times_are_of_the_cpus_that_were_named),
		T(test_a_cpu_is_of_a_family_a_model_and_a_stepping),
		T(test_the_hypervisor_says_who_it_is),
		T(test_all_that_dom0_writes_comes_out),
		T(test_what_was_typed_is_read_as_far_as_there_is_room),
		T(test_the_log_is_read_in_pieces_and_cleared),
		T(test_a_time_that_dom0_sets_is_everybodys),
		T(test_the_machine_sleeps_as_it_is_told),
		T(test_cpus_are_online_and_others_invalid),
		T(test_each_word_of_features_is_of_its_register),
		T(test_a_machine_has_nothing_that_was_not_said),
		T(test_an_answer_that_cannot_be_given_is_efault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
