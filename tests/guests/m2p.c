/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(m2p,
	   "the machine-to-physical table is readable and not writable; nothing else there is",
	   ALSO_DOM0)
{
	void *page = page_alloc();
	u64 mfn = virt_to_mfn(page);

	check_is(machine_to_phys_mapping[mfn], virt_to_pfn(page));
	check(poke_faults(&machine_to_phys_mapping[mfn]));
	check(peek_faults((void *)0xffff804000000000UL)); /* per-domain and hypervisor mappings */
	check(peek_faults((void *)0xffff820000000000UL));
	check(peek_faults((void *)0xffff82d040000000UL));
	check(peek_faults((void *)0xffff830000000000UL));
	check(peek_faults((void *)0xffff87fffffff000UL));
	page_free(page);
}
