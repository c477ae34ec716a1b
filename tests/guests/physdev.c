/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(physdev, "a domU sets its own I/O privilege and reaches no interrupt or device", 0)
{
	struct physdev_set_iopl iopl = { 1 };
	struct physdev_eoi eoi = { 4 };
	struct physdev_irq_status_query query = { .irq = 4 };
	struct physdev_map_pirq map = {
		.domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = 4, .pirq = 4};
	struct physdev_apic apic = { 0 };
	struct physdev_irq vector = { .irq = 4 };

	check_is(hc_physdev(PHYSDEVOP_set_iopl, &iopl), 0);
	iopl.iopl = 4;
	check_is(hc_physdev(PHYSDEVOP_set_iopl, &iopl), -EINVAL);
	check(hc_physdev(PHYSDEVOP_eoi, &eoi) < 0);
	hc_physdev(PHYSDEVOP_irq_status_query, &query);
	query.irq = 100000;
	check_is(hc_physdev(PHYSDEVOP_irq_status_query, &query), -EINVAL);
	check(hc_physdev(PHYSDEVOP_map_pirq, &map) < 0);
	check(hc_physdev(PHYSDEVOP_apic_read, &apic) < 0);
	check(hc_physdev(PHYSDEVOP_apic_write, &apic) < 0);
	check(hc_physdev(PHYSDEVOP_alloc_irq_vector, &vector) < 0);
	check_is(hc_physdev(1000, NULL), -ENOSYS);
}
