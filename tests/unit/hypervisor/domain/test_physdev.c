/* SPDX-License-Identifier: MIT */
/*
 * Claims about physdev_op: who may ask what, and where each number ends. ABI: xen/physdev.h;
 * docs/hypercalls.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include <xen/physdev.h>

#include "domain/evtchn.h"
#include "domain/frame_ref.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "pv/ptval.h"
#include "x86/irq.h"

#define NOWHERE 16 /* no memory of a guest's */
#define LEVEL_LINE 9 /* one that wants to be told when it was served, in tests/fakes/hvdom/devices.c; those below it do not */
#define EDGE_LINE 4

union arg {
	struct physdev_eoi eoi;
	struct physdev_irq_status_query status;
	struct physdev_set_iopl iopl;
	struct physdev_irq irq;
	struct physdev_map_pirq map;
	struct physdev_unmap_pirq unmap;
	struct physdev_setup_gsi setup;
	struct physdev_apic apic;
	struct physdev_pci_device pci;
	struct physdev_restore_msi restore;
	struct physdev_pirq_eoi_gmfn gmfn;
};

static union arg *arg; /* of the guest's memory */

static int setup(void **state)
{
	world_reset();
	world_domain(1, 1);
	arg = guest_alloc(sizeof(*arg));
	return 0;
}

static void eoi_map_end(struct domain *d)
{
	if (d->pirq_eoi_frame)
		frame_put_and_type(d->pirq_eoi_frame);
	d->pirq_eoi_frame = NULL;
	d->pirq_eoi_map = NULL;
	d->pirq_eoi_unmasks = false;
}

static int teardown(void **state)
{
	eoi_map_end(dom0); /* it outlives the test */
	assert_int_equal(evtchn_reset(dom0), 0);
	memset(dom0->pirq_to_gsi, 0xff, GSI_LIMIT);
	return world_end() != 0;
}

static long physdev(u32 cmd)
{
	return hypercall(__HYPERVISOR_physdev_op, cmd, GUEST(arg), 0, 0);
}

static long map_gsi(int index, int pirq)
{
	arg->map = (struct physdev_map_pirq){ .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = index, .pirq = pirq };
	return physdev(PHYSDEVOP_map_pirq);
}

#define CASE(c, e, ...) {PHYSDEVOP_##c, { __VA_ARGS__ }, (e)}
#define GSI(...) .map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, __VA_ARGS__ }
#define MSI(...) .map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_MSI, __VA_ARGS__ }

static void test_each_operation_says_what_is_wrong_with_its_argument(void **state)
{
	static const struct {
		u32 cmd;
		union arg arg;
		long rc;
	} cases[] = {
		CASE(eoi, -EINVAL, .eoi = { .irq = LEVEL_LINE }), /* not mapped */
		CASE(eoi, -EINVAL, .eoi = { .irq = GSI_LIMIT }),
		CASE(eoi, -EINVAL, .eoi = { .irq = ~0u }),
		CASE(irq_status_query, 0, .status = { .irq = GSI_LIMIT - 1 }),
		CASE(irq_status_query, -EINVAL, .status = { .irq = GSI_LIMIT }),
		CASE(set_iopl, 0, .iopl = { .iopl = 3 }),
		CASE(set_iopl, -EINVAL, .iopl = { .iopl = 4 }),
		CASE(map_pirq, 0, GSI(.index = 0, .pirq = -1)),
		CASE(map_pirq, 0, GSI(.index = 23, .pirq = -1)),
		CASE(map_pirq, 0, GSI(.index = 23, .pirq = 23)), /* as it is */
		CASE(map_pirq, -EINVAL, GSI(.index = 24, .pirq = -1)),
		CASE(map_pirq, -EINVAL, GSI(.index = -1, .pirq = -1)),
		CASE(map_pirq, -EEXIST, GSI(.index = 22, .pirq = 23)),
		CASE(map_pirq, -EEXIST, GSI(.index = 22, .pirq = 0)), /* 0 is a number, not "any" */
		CASE(map_pirq, -EINVAL, GSI(.index = 22, .pirq = GSI_LIMIT)),
		CASE(map_pirq, 0, GSI(.index = 22, .pirq = GSI_LIMIT - 1)),
		CASE(map_pirq, 0, .map = { .domid = 0, .type = MAP_PIRQ_TYPE_GSI, .index = 5, .pirq = -1 }),
		CASE(map_pirq, -EOPNOTSUPP, .map = { .domid = 1, .type = MAP_PIRQ_TYPE_GSI, .index = 6, .pirq = -1 }),
		CASE(map_pirq, -EOPNOTSUPP, .map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_MULTI_MSI }),
		CASE(map_pirq, -EOPNOTSUPP, .map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_UNKNOWN }),
		CASE(map_pirq, -EINVAL, MSI(.pirq = 0)), /* its number is the hypervisor's to choose */
		CASE(map_pirq, -EINVAL, MSI(.pirq = -1, .bus = 0x100)), /* segment 1 */
		CASE(map_pirq, -EINVAL, MSI(.pirq = -1, .devfn = 0x100)),
		CASE(map_pirq, -ENODEV, MSI(.pirq = -1, .bus = 0xff, .devfn = 0xff)),
		CASE(map_pirq, -ENODEV, .map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_MSI_SEG, .pirq = -1 }),
		CASE(unmap_pirq, -ESRCH, .unmap = { .domid = 1, .pirq = 23 }),
		CASE(unmap_pirq, -EINVAL, .unmap = { .domid = DOMID_SELF, .pirq = 7 }),
		CASE(unmap_pirq, 0, .unmap = { .domid = DOMID_SELF, .pirq = 23 }),
		CASE(unmap_pirq, -EINVAL, .unmap = { .domid = DOMID_SELF, .pirq = 23 }),
		CASE(unmap_pirq, 0, .unmap = { .domid = 0, .pirq = 5 }),
		CASE(unmap_pirq, -EINVAL, .unmap = { .domid = DOMID_SELF, .pirq = -1 }),
		CASE(unmap_pirq, -EINVAL, .unmap = { .domid = DOMID_SELF, .pirq = GSI_LIMIT }),
		CASE(apic_write, -EPERM, .apic = { .reg = 0 }),
		CASE(apic_read, 0, .apic = { .reg = 0 }),
		CASE(get_free_pirq, -ENOSPC, .irq = { .irq = 0 }),
		CASE(restore_msi, 0, .pci = { .seg = 0 }),
		CASE(restore_msi_ext, 0, .pci = { .seg = 0 }),
		CASE(restore_msi_ext, -ENODEV, .pci = { .seg = 1 }),
		CASE(set_iobitmap, -ENOSYS, .irq = { .irq = 0 }),
		CASE(pirq_eoi_gmfn_v1, -EINVAL, .gmfn = { .gmfn = ~0ULL }),
		CASE(pirq_eoi_gmfn_v2, -EINVAL, .gmfn = { .gmfn = 1 }), /* the hypervisor's */
		/* dom0 owns every device: told, and nothing changes */
		CASE(free_irq_vector, 0, .irq = { .irq = 1 }),
		CASE(manage_pci_add, 0, .pci = { .seg = 0 }),
		CASE(manage_pci_add_ext, 0, .pci = { .seg = 0 }),
		CASE(manage_pci_remove, 0, .pci = { .seg = 0 }),
		CASE(pci_device_add, 0, .pci = { .seg = 0 }),
		CASE(pci_device_remove, 0, .pci = { .seg = 0 }),
		CASE(pci_mmcfg_reserved, 0, .pci = { .seg = 0 }),
		CASE(dbgp_op, 0, .pci = { .seg = 0 }),
		CASE(prepare_msix, 0, .pci = { .seg = 0 }),
		CASE(release_msix, 0, .pci = { .seg = 0 }),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		*arg = cases[i].arg;
		rc = physdev(cases[i].cmd);
		if (rc != cases[i].rc)
			fail_msg("case %zu, physdev_op %u: %ld, not %ld", i, cases[i].cmd, rc, cases[i].rc);
	}
	dom0->vcpu[0]->pv.iopl = 0;
}

static void test_devices_are_dom0s(void **state)
{
	static const struct {
		u32 cmd;
		long rc; /* of a guest */
	} cases[] = {
		{ PHYSDEVOP_IRQ_UNMASK_NOTIFY, 0 }, { PHYSDEVOP_irq_status_query, 0 }, { PHYSDEVOP_set_iopl, 0 },
		{ PHYSDEVOP_eoi, -EINVAL }, /* it has no interrupt */
		{ PHYSDEVOP_pirq_eoi_gmfn_v1, -EINVAL }, { PHYSDEVOP_pirq_eoi_gmfn_v2, -EINVAL },
		{ PHYSDEVOP_map_pirq, -EPERM }, { PHYSDEVOP_unmap_pirq, -EPERM }, { PHYSDEVOP_restore_msi, -EPERM },
		{ PHYSDEVOP_restore_msi_ext, -EPERM }, { PHYSDEVOP_setup_gsi, -EPERM },
		{ PHYSDEVOP_alloc_irq_vector, -EPERM }, { PHYSDEVOP_free_irq_vector, -EPERM }, { PHYSDEVOP_apic_read, -EPERM },
		{ PHYSDEVOP_apic_write, -EPERM }, { PHYSDEVOP_manage_pci_add, -EPERM },
		{ PHYSDEVOP_manage_pci_add_ext, -EPERM }, { PHYSDEVOP_manage_pci_remove, -EPERM },
		{ PHYSDEVOP_get_free_pirq, -EPERM }, { PHYSDEVOP_pci_mmcfg_reserved, -EPERM },
		{ PHYSDEVOP_pci_device_add, -EPERM }, { PHYSDEVOP_pci_device_remove, -EPERM }, { PHYSDEVOP_dbgp_op, -EPERM },
		{ PHYSDEVOP_prepare_msix, -EPERM }, { PHYSDEVOP_release_msix, -EPERM },
	};

	world_run(domain_find(1)->vcpu[0]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long rc;

		memset(arg, 0, sizeof(*arg));
		rc = physdev(cases[i].cmd);
		if (rc != cases[i].rc)
			fail_msg("physdev_op %u: %ld, not %ld", cases[i].cmd, rc, cases[i].rc);
	}
	world_run(dom0->vcpu[0]);
}

static void test_the_first_abi_knows_its_own_commands_alone(void **state)
{
	struct physdev_op *op = guest_alloc(sizeof(*op));

	for (u32 cmd = 0; cmd < 40; cmd++) {
		bool is_known = cmd == PHYSDEVOP_irq_status_query || cmd == PHYSDEVOP_set_iopl ||
				cmd == PHYSDEVOP_apic_read || cmd == PHYSDEVOP_apic_write ||
				cmd == PHYSDEVOP_alloc_irq_vector;
		long rc;

		*op = (struct physdev_op){ .cmd = cmd };
		rc = hypercall(__HYPERVISOR_physdev_op_compat, GUEST(op), 0, 0, 0);
		if ((rc == -ENOSYS) == is_known)
			fail_msg("command %u: %ld", cmd, rc);
	}
	*op = (struct physdev_op){ .cmd = PHYSDEVOP_set_iopl, .u.set_iopl.iopl = 1 };
	assert_int_equal(hypercall(__HYPERVISOR_physdev_op_compat, GUEST(op), 0, 0, 0), 0);
	assert_int_equal(current->pv.iopl, 1);
	current->pv.iopl = 0;
}

static void test_what_is_asked_for_is_told(void **state)
{
	assert_int_equal(map_gsi(LEVEL_LINE, -1), 0);
	assert_int_equal(arg->map.pirq, LEVEL_LINE); /* no number was asked for: the line's */
	assert_int_equal(map_gsi(EDGE_LINE, 77), 0);
	assert_int_equal(arg->map.pirq, 77);
	arg->status = (struct physdev_irq_status_query){ .irq = LEVEL_LINE };
	assert_int_equal(physdev(PHYSDEVOP_irq_status_query), 0);
	assert_int_equal(arg->status.flags, XENIRQSTAT_needs_eoi);
	arg->status.irq = 77;
	assert_int_equal(physdev(PHYSDEVOP_irq_status_query), 0);
	assert_int_equal(arg->status.flags, 0);
	arg->status = (struct physdev_irq_status_query){ .irq = LEVEL_LINE + 1, .flags = ~0u };
	assert_int_equal(physdev(PHYSDEVOP_irq_status_query), 0);
	assert_int_equal(arg->status.flags, 0); /* mapped to nothing */
	arg->irq = (struct physdev_irq){ .irq = 17 };
	assert_int_equal(physdev(PHYSDEVOP_alloc_irq_vector), 0);
	assert_int_equal(arg->irq.vector, 17);
	arg->apic = (struct physdev_apic){ .reg = 0x12 };
	assert_int_equal(physdev(PHYSDEVOP_apic_read), 0);
	assert_int_equal(arg->apic.value, 0x12);
}

static void test_an_interrupt_that_is_unmapped_has_no_port(void **state)
{
	evtchn_port_t port, other;

	assert_int_equal(map_gsi(LEVEL_LINE, LEVEL_LINE), 0);
	assert_int_equal(evtchn_bind_pirq(dom0, LEVEL_LINE, &port), 0);
	assert_int_equal(world.gsi_bound[LEVEL_LINE], 1);
	arg->unmap = (struct physdev_unmap_pirq){ .domid = DOMID_SELF, .pirq = LEVEL_LINE };
	assert_int_equal(physdev(PHYSDEVOP_unmap_pirq), 0);
	assert_int_equal(world.gsi_bound[LEVEL_LINE], 0);
	assert_int_equal(evtchn_close(dom0, port), -EINVAL);
	assert_int_equal(evtchn_bind_pirq(dom0, LEVEL_LINE, &other), -EPERM);
}

static long eoi_map(u32 cmd, struct frame *f)
{
	arg->gmfn.gmfn = mfn_x(frame_to_mfn(f));
	return physdev(cmd);
}

/* A page that says which interrupts want to be told. It is kept as what it is, and there is one. */
static void test_the_page_of_interrupts_to_be_told_of(void **state)
{
	struct frame *f = world_page(dom0), *other = world_page(domain_find(1));
	const u64 *map = mfn_to_virt(frame_to_mfn(f));
	evtchn_port_t port;

	assert_int_equal(eoi_map(PHYSDEVOP_pirq_eoi_gmfn_v2, other), -EINVAL);
	assert_int_equal(map_gsi(LEVEL_LINE, 70), 0);
	assert_int_equal(map_gsi(EDGE_LINE, 71), 0);
	assert_int_equal(eoi_map(PHYSDEVOP_pirq_eoi_gmfn_v2, f), 0);
	assert_int_equal(map[1], 1ULL << (70 - 64));
	assert_int_equal(map[0] | map[2] | map[3], 0);
	assert_int_equal(frame_type_of(f), FT_WR);
	assert_int_equal(frame_type_count(f), 1);
	assert_int_equal(eoi_map(PHYSDEVOP_pirq_eoi_gmfn_v2, f), -EBUSY);
	assert_int_equal(eoi_map(PHYSDEVOP_pirq_eoi_gmfn_v1, f), -EBUSY);
	assert_int_equal(frame_type_count(f), 1);
	assert_int_equal(map_gsi(LEVEL_LINE + 1, 3), 0); /* one that is bound later */
	assert_int_equal(evtchn_bind_pirq(dom0, 3, &port), 0);
	assert_int_equal(map[0], 1ULL << 3);
}

static bool is_masked_after_eoi(u32 version)
{
	evtchn_port_t port;

	assert_int_equal(map_gsi(LEVEL_LINE, LEVEL_LINE), 0);
	assert_int_equal(evtchn_bind_pirq(dom0, LEVEL_LINE, &port), 0);
	assert_int_equal(eoi_map(version, world_page(dom0)), 0);
	dom0->shared_info->evtchn_mask[0] |= 1UL << port;
	arg->eoi = (struct physdev_eoi){ .irq = LEVEL_LINE };
	assert_int_equal(physdev(PHYSDEVOP_eoi), 0);
	eoi_map_end(dom0);
	return evtchn_is_masked(dom0, port);
}

/*
 * xen/physdev.h: with version 1 "the associated event channel will automatically get unmasked",
 * with version 2 not.
 */
static void test_version_1_of_that_page_unmasks(void **state)
{
	assert_false(is_masked_after_eoi(PHYSDEVOP_pirq_eoi_gmfn_v1));
	assert_int_equal(evtchn_reset(dom0), 0);
	assert_true(is_masked_after_eoi(PHYSDEVOP_pirq_eoi_gmfn_v2));
	dom0->shared_info->evtchn_mask[0] = 0;
}

static void test_a_domain_that_goes_gives_that_page_back(void **state)
{
	struct domain *d = domain_find(1);
	struct frame *f = world_page(d);

	world_run(d->vcpu[0]);
	assert_int_equal(eoi_map(PHYSDEVOP_pirq_eoi_gmfn_v1, f), 0);
	world_run(dom0->vcpu[0]);
	assert_int_equal(frame_ref_count(f), 2);
	/* teardown(): nothing is lost */
}

static void test_the_machine_is_told_what_dom0_says(void **state)
{
	for (int kind = 0; kind < 4; kind++) {
		arg->setup = (struct physdev_setup_gsi){ .gsi = 20 + kind, .triggering = kind & 1, .polarity = kind >> 1 };
		assert_int_equal(physdev(PHYSDEVOP_setup_gsi), 0);
		assert_int_equal(world.gsi_set.gsi, 20 + kind);
		assert_int_equal(world.gsi_set.level, kind & 1);
		assert_int_equal(world.gsi_set.active_low, kind >> 1);
	}
	assert_int_equal(map_gsi(LEVEL_LINE, 70), 0);
	arg->eoi = (struct physdev_eoi){ .irq = 70 };
	assert_int_equal(physdev(PHYSDEVOP_eoi), 0);
	assert_int_equal(world.eois[LEVEL_LINE], 1); /* the line's, not the number's */
	arg->restore = (struct physdev_restore_msi){ .bus = 1, .devfn = 2 };
	assert_int_equal(physdev(PHYSDEVOP_restore_msi), 0);
	assert_int_equal(world.msi_restores, 1);
	assert_int_equal(world.msi_restored.bus, 1);
	assert_int_equal(world.msi_restored.devfn, 2);
	arg->pci = (struct physdev_pci_device){ .bus = 3, .devfn = 9 };
	assert_int_equal(physdev(PHYSDEVOP_restore_msi_ext), 0);
	assert_int_equal(world.msi_restores, 2);
	assert_int_equal(world.msi_restored.bus, 3);
	assert_int_equal(world.msi_restored.devfn, 9);
}

static long map_msi(int type)
{
	arg->map = (struct physdev_map_pirq){ .domid = DOMID_SELF, .type = type, .index = -1, .pirq = -1, .bus = 0xff,
					      .devfn = 0xfe, .entry_nr = 3, .table_base = 0xfeb00000 };
	return physdev(PHYSDEVOP_map_pirq);
}

/* xen/physdev.h: the number is an output; it is bound, and unmapped, like any other. */
static void test_a_message_gets_a_number_and_gives_it_back(void **state)
{
	static const int types[] = { MAP_PIRQ_TYPE_MSI, MAP_PIRQ_TYPE_MSI_SEG };
	evtchn_port_t port;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		world.msi_line = 30 + i;
		assert_int_equal(map_msi(types[i]), 0);
		assert_int_equal(arg->map.pirq, 30 + i);
		assert_int_equal(world.msi.dev.bus, 0xff);
		assert_int_equal(world.msi.dev.devfn, 0xfe);
		assert_int_equal(world.msi.entry, 3);
		assert_int_equal(world.msi.table_base, 0xfeb00000);
		assert_int_equal(evtchn_bind_pirq(dom0, 30 + i, &port), 0);
		assert_int_equal(world.gsi_bound[30 + i], 1);
		arg->unmap = (struct physdev_unmap_pirq){ .domid = DOMID_SELF, .pirq = 30 + i };
		assert_int_equal(physdev(PHYSDEVOP_unmap_pirq), 0);
		assert_int_equal(world.gsi_bound[30 + i], 0);
		assert_int_equal(world.msi_unmapped, 30 + i);
		assert_int_equal(evtchn_bind_pirq(dom0, 30 + i, &port), -EPERM);
	}
	/* whose number could not be told, nobody could unmap */
	world.msi_line = 40;
	world.is_read_only = true;
	assert_int_equal(map_msi(MAP_PIRQ_TYPE_MSI), -EFAULT);
	world.is_read_only = false;
	assert_int_equal(world.msi_unmapped, 40);
	assert_int_equal(evtchn_bind_pirq(dom0, 40, &port), -EPERM);
	world.msi_unmapped = 0;
	assert_int_equal(map_gsi(LEVEL_LINE, -1), 0);
	arg->unmap = (struct physdev_unmap_pirq){ .domid = DOMID_SELF, .pirq = LEVEL_LINE };
	assert_int_equal(physdev(PHYSDEVOP_unmap_pirq), 0);
	assert_int_equal(world.msi_unmapped, 0); /* a line's is none */
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_operation_says_what_is_wrong_with_its_argument),
		T(test_devices_are_dom0s),
		T(test_the_first_abi_knows_its_own_commands_alone),
		T(test_what_is_asked_for_is_told),
		T(test_an_interrupt_that_is_unmapped_has_no_port),
		T(test_the_page_of_interrupts_to_be_told_of),
		T(test_version_1_of_that_page_unmasks),
		T(test_a_domain_that_goes_gives_that_page_back),
		T(test_the_machine_is_told_what_dom0_says),
		T(test_a_message_gets_a_number_and_gives_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
