/* SPDX-License-Identifier: MIT */
/* pv_tables.c - see pv_tables.h. Source: xen/arch-x86/xen-x86_64.h for the reserved slots. */
#include "pv_tables.h"

#include <errno.h>
#include <stdbool.h>

#define PTE_PRESENT 1ull
#define PTE_FRAME 0x000ffffffffff000ull
/* Level-4 slots of HYPERVISOR_VIRT_START to HYPERVISOR_VIRT_END. */
#define HV_SLOT_FIRST 256u
#define HV_SLOT_LAST 271u

uint64_t pv_entry_frame(uint64_t entry)
{
	return entry & PTE_PRESENT ? (entry & PTE_FRAME) >> 12 : PV_NO_FRAME;
}

static bool is_hypervisors(unsigned int level, unsigned int i)
{
	return level == 4 && i >= HV_SLOT_FIRST && i <= HV_SLOT_LAST;
}

int pv_table_translate(const uint64_t *in, uint64_t *out, unsigned int level,
		       uint64_t (*map)(void *arg, uint64_t frame), void *arg, uint64_t *unknown)
{
	for (unsigned int i = 0; i < PV_TABLE_ENTRIES; i++) {
		/* Once: whose table it is may be running. */
		uint64_t entry = __atomic_load_n(&in[i], __ATOMIC_RELAXED);
		uint64_t frame = pv_entry_frame(entry), to;

		if (is_hypervisors(level, i)) {
			out[i] = 0;
			continue;
		}
		if (frame == PV_NO_FRAME) {
			out[i] = entry;
			continue;
		}
		to = map(arg, frame);
		if (to == PV_NO_FRAME) {
			*unknown = frame;
			return -ENOENT;
		}
		out[i] = (entry & ~PTE_FRAME) | (to << 12 & PTE_FRAME);
	}
	return 0;
}
