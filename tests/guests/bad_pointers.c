/* SPDX-License-Identifier: MIT */
#include "claim.h"

struct call {
	u64 nr, a[4];
	unsigned int pointer; /* which argument */
};

/* D10, C26: a guest pointer is the guest's memory or it is EFAULT. */
GUEST_TEST(bad_pointers, "every hypercall refuses pointers outside the guest, and lives", 0)
{
	static const struct call calls[] = {
		{ __HYPERVISOR_mmu_update, { 0, 1, 0, DOMID_SELF }, 0 },
		{ __HYPERVISOR_mmuext_op, { 0, 1, 0, DOMID_SELF }, 0 },
		{ __HYPERVISOR_set_gdt, { 0, 512 }, 0 },
		{ __HYPERVISOR_memory_op, { XENMEM_current_reservation }, 1 },
		{ __HYPERVISOR_memory_op, { XENMEM_exchange }, 1 },
		{ __HYPERVISOR_multicall, { 0, 1 }, 0 },
		{ __HYPERVISOR_xen_version, { XENVER_capabilities }, 1 },
		{ __HYPERVISOR_grant_table_op, { GNTTABOP_map_grant_ref, 0, 1 }, 1 },
		{ __HYPERVISOR_grant_table_op, { GNTTABOP_copy, 0, 1 }, 1 },
		{ __HYPERVISOR_grant_table_op, { GNTTABOP_setup_table, 0, 1 }, 1 },
		{ __HYPERVISOR_vcpu_op, { VCPUOP_get_runstate_info, 0 }, 2 },
		{ __HYPERVISOR_vcpu_op, { VCPUOP_register_vcpu_info, 1 }, 2 },
		{ __HYPERVISOR_sched_op, { SCHEDOP_poll }, 1 },
		{ __HYPERVISOR_sched_op, { SCHEDOP_shutdown }, 1 },
		{ __HYPERVISOR_event_channel_op, { EVTCHNOP_send }, 1 },
		{ __HYPERVISOR_event_channel_op, { EVTCHNOP_alloc_unbound }, 1 },
		{ __HYPERVISOR_physdev_op, { PHYSDEVOP_set_iopl }, 1 },
		{ __HYPERVISOR_callback_op, { CALLBACKOP_register }, 1 },
		{ __HYPERVISOR_nmi_op, { XENNMI_register_callback }, 1 },
	};
	static const u64 bad[] = {
		8,
		0x7000000000,			 /* nothing mapped */
		0x0000800000000000,		 /* not canonical */
		0x00007fffffffffff,		 /* reaches into the non-canonical */
		HYPERVISOR_VIRT_START + 0x8000,
		HYPERVISOR_VIRT_START - 4,	 /* reaches into the hole */
		0xffff82d080000000,		 /* the hypervisor's image */
		HYPERVISOR_VIRT_END - 8,
		~0UL - 3,
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(bad); j++) {
			struct call c = calls[i];

			c.a[c.pointer] = bad[j];
			if (hypercall6(c.nr, c.a[0], c.a[1], c.a[2], c.a[3], 0, 0) != -EFAULT)
				test_failure(__FILE__, __LINE__, "hypercall %lu, %lu at %lx", c.nr,
					     c.a[0], bad[j]);
		}
	}
}
