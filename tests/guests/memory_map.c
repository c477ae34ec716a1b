/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(memory_map, "the memory map that the toolstack set is told, as far as there is room", 0)
{
	struct {
		u64 addr, size;
		u32 type;
	} __attribute__((packed)) entry[4] = { { 0 } };
	struct xen_memory_map map = { .nr_entries = 4 };

	set_xen_guest_handle(map.buffer, (void *)entry);
	check_is(hc_memory(XENMEM_memory_map, &map), 0);
	check(map.nr_entries >= 1);
	check_is(entry[0].addr, 0);
	check(entry[0].size >= start_info->nr_pages << PAGE_SHIFT);
	check_is(entry[0].type, 1);
}
