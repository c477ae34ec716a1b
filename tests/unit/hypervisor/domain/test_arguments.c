/* SPDX-License-Identifier: MIT */
/*
 * Claims about arguments: one that cannot be read is EFAULT wherever there is one, and numbers are
 * checked to their ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/irq.h"
#include "x86/smp.h"

#define NOWHERE 16 /* no memory of a guest's */

static int setup(void **state)
{
	world_reset();
	world_domain(1, 2);
	return 0;
}

static int teardown(void **state)
{
	return world_end();
}

static void test_what_cannot_be_read_is_efault(void **state)
{
	static const struct {
		u64 nr, cmd;
	} calls[] = {
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_irq_status_query },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_apic_read },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_eoi },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_map_pirq },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_unmap_pirq },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v1 },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2 },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_restore_msi },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_restore_msi_ext },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi },
		{ __HYPERVISOR_sched_op, SCHEDOP_shutdown },
		{ __HYPERVISOR_sched_op, SCHEDOP_poll },
		{ __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown },
		{ __HYPERVISOR_sched_op, SCHEDOP_shutdown_code },
		{ __HYPERVISOR_sched_op, SCHEDOP_watchdog },
		{ __HYPERVISOR_sched_op, SCHEDOP_pin_override },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_close },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_send },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_status },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_unmask },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_reset },
		{ __HYPERVISOR_memory_op, XENMEM_increase_reservation },
		{ __HYPERVISOR_memory_op, XENMEM_decrease_reservation },
		{ __HYPERVISOR_memory_op, XENMEM_populate_physmap },
		{ __HYPERVISOR_memory_op, XENMEM_exchange },
		{ __HYPERVISOR_memory_op, XENMEM_current_reservation },
		{ __HYPERVISOR_memory_op, XENMEM_maximum_reservation },
		{ __HYPERVISOR_memory_op, XENMEM_maximum_gpfn },
		{ __HYPERVISOR_memory_op, XENMEM_machphys_mfn_list },
		{ __HYPERVISOR_memory_op, XENMEM_machphys_mapping },
		{ __HYPERVISOR_memory_op, XENMEM_machine_memory_map },
		{ __HYPERVISOR_memory_op, XENMEM_set_memory_map },
		{ __HYPERVISOR_memory_op, XENMEM_claim_pages },
		{ __HYPERVISOR_memory_op, XENMEM_acquire_resource },
		{ __HYPERVISOR_xen_version, XENVER_extraversion },
		{ __HYPERVISOR_xen_version, XENVER_compile_info },
		{ __HYPERVISOR_xen_version, XENVER_capabilities },
		{ __HYPERVISOR_xen_version, XENVER_changeset },
		{ __HYPERVISOR_xen_version, XENVER_platform_parameters },
		{ __HYPERVISOR_xen_version, XENVER_get_features },
		{ __HYPERVISOR_xen_version, XENVER_guest_handle },
		{ __HYPERVISOR_xen_version, XENVER_commandline },
		{ __HYPERVISOR_nmi_op, XENNMI_register_callback },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		long rc = hypercall(calls[i].nr, calls[i].cmd, NOWHERE, 0, 0);

		if (rc != -EFAULT)
			fail_msg("hypercall %lu, %lu: %ld", (unsigned long)calls[i].nr,
				 (unsigned long)calls[i].cmd, rc);
	}
	assert_int_equal(hypercall(__HYPERVISOR_physdev_op_compat, NOWHERE, 0, 0, 0), -EFAULT);
	assert_int_equal(hypercall(__HYPERVISOR_event_channel_op_compat, NOWHERE, 0, 0, 0), -EFAULT);
	assert_int_equal(hypercall(__HYPERVISOR_platform_op, NOWHERE, 0, 0, 0), -EFAULT);
	assert_int_equal(hypercall(__HYPERVISOR_sysctl, NOWHERE, 0, 0, 0), -EFAULT);
	assert_int_equal(hypercall(__HYPERVISOR_domctl, NOWHERE, 0, 0, 0), -EFAULT);
}

/* The first number behind each table, and some more. */
static void test_numbers_behind_the_tables_do_not_exist(void **state)
{
	static const struct {
		u64 nr, first;
	} tables[] = {
		{ __HYPERVISOR_sched_op, SCHEDOP_pin_override + 1 },
		{ __HYPERVISOR_physdev_op, PHYSDEVOP_dbgp_op + 3 },
		{ __HYPERVISOR_event_channel_op, EVTCHNOP_set_priority + 1 },
		{ __HYPERVISOR_xen_version, XENVER_build_id + 1 },
		{ __HYPERVISOR_memory_op, XENMEM_get_vnumainfo + 3 },
	};
	struct xen_sysctl *sysctl = guest_alloc(sizeof(*sysctl));
	struct xen_domctl *domctl = guest_alloc(sizeof(*domctl));

	for (u64 nr = __HYPERVISOR_hypfs_op + 1; nr < __HYPERVISOR_hypfs_op + 22; nr++)
		if (nr != __HYPERVISOR_arch_0) {
			assert_int_equal(hypercall(nr, 0, 0, 0, 0), -ENOSYS);
			assert_null(hypercall_name(nr));
		}
	assert_string_equal(hypercall_name(__HYPERVISOR_hypfs_op), "hypfs_op");
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (u64 cmd = tables[i].first; cmd < tables[i].first + 20; cmd++)
			if (hypercall(tables[i].nr, cmd, NOWHERE, 0, 0) != -ENOSYS)
				fail_msg("hypercall %lu, %lu", (unsigned long)tables[i].nr, (unsigned long)cmd);
	for (u32 cmd = XEN_SYSCTL_get_cpu_policy + 1; cmd < XEN_SYSCTL_get_cpu_policy + 20; cmd++) {
		*sysctl = (struct xen_sysctl){ .cmd = cmd, .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
		assert_int_equal(hypercall(__HYPERVISOR_sysctl, GUEST(sysctl), 0, 0, 0), -ENOSYS);
	}
	for (u32 cmd = XEN_DOMCTL_vmtrace_op + 1; cmd < XEN_DOMCTL_vmtrace_op + 20; cmd++) {
		*domctl = (struct xen_domctl){ .cmd = cmd, .domain = 1,
					       .interface_version = XEN_DOMCTL_INTERFACE_VERSION };
		assert_int_equal(hypercall(__HYPERVISOR_domctl, GUEST(domctl), 0, 0, 0), -ENOSYS);
	}
}

static void test_a_vcpus_argument_that_cannot_be_read_is_efault(void **state)
{
	static const u64 cmds[] = { VCPUOP_get_runstate_info, VCPUOP_register_runstate_memory_area,
				    VCPUOP_register_vcpu_time_memory_area, VCPUOP_register_vcpu_info,
				    VCPUOP_set_periodic_timer, VCPUOP_set_singleshot_timer };

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		long rc = hypercall(__HYPERVISOR_vcpu_op, cmds[i], 0, NOWHERE, 0);

		if (rc != -EFAULT)
			fail_msg("vcpu_op %lu: %ld", (unsigned long)cmds[i], rc);
	}
}

static void test_interrupts_are_those_of_the_machine(void **state)
{
	struct physdev_setup_gsi *g = guest_alloc(sizeof(*g));
	struct physdev_irq *irq = guest_alloc(sizeof(*irq));
	const u32 nr = gsi_count();

	*g = (struct physdev_setup_gsi){ .gsi = -1 };
	assert_int_equal(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi, GUEST(g), 0, 0), -EINVAL);
	g->gsi = (int)nr;
	assert_int_equal(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi, GUEST(g), 0, 0), -EINVAL);
	g->gsi = (int)nr - 1;
	assert_int_not_equal(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_setup_gsi, GUEST(g), 0, 0), -EINVAL);
	*irq = (struct physdev_irq){ .irq = nr };
	assert_int_equal(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, GUEST(irq), 0, 0), -EINVAL);
	irq->irq = nr - 1;
	assert_int_equal(hypercall(__HYPERVISOR_physdev_op, PHYSDEVOP_alloc_irq_vector, GUEST(irq), 0, 0), 0);
}

static void test_reasons_to_shut_down_are_the_abis(void **state)
{
	struct sched_remote_shutdown *remote = guest_alloc(sizeof(*remote));
	struct sched_shutdown *code = guest_alloc(sizeof(*code));

	*remote = (struct sched_remote_shutdown){ .domain_id = 1, .reason = SHUTDOWN_MAX + 1 };
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, GUEST(remote), 0, 0), -EINVAL);
	remote->domain_id = 77;
	remote->reason = SHUTDOWN_MAX;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, GUEST(remote), 0, 0), -ESRCH);
	remote->domain_id = 1;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, GUEST(remote), 0, 0), 0);
	assert_int_equal(hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, SHUTDOWN_MAX + 1, 0, 0), -EINVAL);
	assert_int_equal(hypercall(__HYPERVISOR_sched_op_compat, 77, 0, 0, 0), -ENOSYS);
	code->reason = SHUTDOWN_MAX + 1;
	assert_int_equal(hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown_code, GUEST(code), 0, 0), -EINVAL);
}

static void test_dom0_learns_which_cpus_there_are(void **state)
{
	struct xen_platform_op *op = guest_alloc(sizeof(*op));

	for (u32 cpu = 0; cpu <= smp_nr_cpus(); cpu++) {
		memset(op, 0, sizeof(*op));
		op->cmd = XENPF_get_cpuinfo;
		op->interface_version = XENPF_INTERFACE_VERSION;
		op->u.pcpu_info.xen_cpuid = cpu;
		op->u.pcpu_info.apic_id = op->u.pcpu_info.acpi_id = ~0u;
		assert_int_equal(hypercall(__HYPERVISOR_platform_op, GUEST(op), 0, 0, 0), 0);
		assert_int_equal(op->u.pcpu_info.max_present, smp_nr_cpus() - 1);
		if (cpu == smp_nr_cpus()) {
			assert_int_equal(op->u.pcpu_info.flags, XEN_PCPU_FLAGS_INVALID);
			break;
		}
		assert_int_equal(op->u.pcpu_info.flags, XEN_PCPU_FLAGS_ONLINE);
		assert_int_equal(op->u.pcpu_info.apic_id, smp_apic_id(cpu));
		assert_int_equal(op->u.pcpu_info.acpi_id, smp_acpi_id(cpu));
	}
}

/* Lists end where they were said to. */
static void test_nothing_behind_the_last_of_a_list_is_done(void **state)
{
	struct multicall_entry *m = guest_alloc(3 * sizeof(*m));
	struct gnttab_swap_grant_ref *q = guest_alloc(3 * sizeof(*q));

	for (int i = 0; i < 3; i++) {
		m[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .result = 99 };
		q[i] = (struct gnttab_swap_grant_ref){ .ref_a = 9, .ref_b = 10, .status = 99 };
	}
	assert_int_equal(hypercall(__HYPERVISOR_multicall, GUEST(m), 2, 0, 0), 0);
	assert_int_equal(m[1].result, 4 << 16 | 17);
	assert_int_equal(m[2].result, 99);
	assert_int_equal(hypercall(__HYPERVISOR_multicall, GUEST(m), 0, 0, 0), 0);
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_swap_grant_ref, GUEST(q), 1, 0), 0);
	assert_int_not_equal(q[0].status, 99);
	assert_int_equal(q[1].status, 99);
	assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_swap_grant_ref, GUEST(q + 1), 0, 0), 0);
	assert_int_equal(q[1].status, 99);
}

/* Two of three: the first two are answered, the third is not looked at. */
static void test_as_many_grants_are_done_as_were_said(void **state)
{
	static const struct {
		u32 cmd;
		size_t size, status;
	} ops[] = {
#define OP(cmd, type) { cmd, sizeof(struct type), offsetof(struct type, status) }
		OP(GNTTABOP_map_grant_ref, gnttab_map_grant_ref), OP(GNTTABOP_unmap_grant_ref, gnttab_unmap_grant_ref),
		OP(GNTTABOP_unmap_and_replace, gnttab_unmap_and_replace), OP(GNTTABOP_copy, gnttab_copy),
		OP(GNTTABOP_swap_grant_ref, gnttab_swap_grant_ref),
#undef OP
	};
	u8 *list = guest_alloc(3 * sizeof(struct gnttab_copy));

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		memset(list, 0x77, 3 * sizeof(struct gnttab_copy));
		assert_int_equal(hypercall(__HYPERVISOR_grant_table_op, ops[i].cmd, GUEST(list), 2, 0), 0);
		for (unsigned int k = 0; k < 3; k++) {
			s16 status;

			memcpy(&status, list + k * ops[i].size + ops[i].status, sizeof(status));
			if ((status == 0x7777) != (k == 2))
				fail_msg("grant_table_op %u: entry %u: %#x", ops[i].cmd, k, status);
		}
	}
}

static void test_features_are_what_a_64_bit_guest_counts_on(void **state)
{
	xen_feature_info_t *info = guest_alloc(sizeof(*info));
	u32 of_dom0;

	info->submap_idx = 0;
	assert_int_equal(hypercall(__HYPERVISOR_xen_version, XENVER_get_features, GUEST(info), 0, 0), 0);
	of_dom0 = info->submap;
	assert_true(of_dom0 & 1u << 11); /* XENFEAT_dom0 */
	assert_true(of_dom0 & 1u << 4);	 /* XENFEAT_pae_pgdir_above_4gb */
	info->submap_idx = 99;
	assert_int_equal(hypercall(__HYPERVISOR_xen_version, XENVER_get_features, GUEST(info), 0, 0), -EINVAL);
	world_run(world_domain(2, 1)->vcpu[0]);
	info->submap_idx = 0;
	assert_int_equal(hypercall(__HYPERVISOR_xen_version, XENVER_get_features, GUEST(info), 0, 0), 0);
	assert_int_equal(info->submap, of_dom0 & ~(1u << 11));
	world_run(dom0->vcpu[0]);
}

#define CLAIM(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_what_cannot_be_read_is_efault),
		CLAIM(test_numbers_behind_the_tables_do_not_exist),
		CLAIM(test_a_vcpus_argument_that_cannot_be_read_is_efault),
		CLAIM(test_interrupts_are_those_of_the_machine),
		CLAIM(test_reasons_to_shut_down_are_the_abis),
		CLAIM(test_dom0_learns_which_cpus_there_are),
		CLAIM(test_nothing_behind_the_last_of_a_list_is_done),
		CLAIM(test_as_many_grants_are_done_as_were_said),
		CLAIM(test_features_are_what_a_64_bit_guest_counts_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
