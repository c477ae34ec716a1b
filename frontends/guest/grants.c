/* SPDX-License-Identifier: MIT */
/* grants.c - one frame of version 1 entries. ABI: xen/grant_table.h. */
#include "guest/grants.h"

#include "guest/hypercall.h"
#include "guest/mm.h"

#define ENTRIES (PAGE_SIZE / sizeof(struct grant_entry_v1))

static struct grant_entry_v1 *table;
static bool taken[ENTRIES];

struct grant_entry_v1 *grants_table(void)
{
	xen_pfn_t frame = 0;
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = 1 };
	long rc;

	if (table)
		return table;
	set_xen_guest_handle(setup.frame_list, &frame);
	rc = hc_gnttab(GNTTABOP_setup_table, &setup, 1);
	if (rc || setup.status != GNTST_okay)
		guest_panic("no grant table: %ld, status %d", rc, setup.status);
	table = page_alloc();
	rc = map_page(table, pte_make(frame, PTE_DATA));
	if (rc)
		guest_panic("grant table cannot be mapped: %ld", rc);
	return table;
}

grant_ref_t grant_alloc(void)
{
	for (grant_ref_t i = GNTTAB_NR_RESERVED_ENTRIES; i < ENTRIES; i++) {
		if (!taken[i]) {
			taken[i] = true;
			return i;
		}
	}
	guest_panic("out of grant references");
}

grant_ref_t grant_offer(domid_t domid, u64 mfn, u16 flags)
{
	struct grant_entry_v1 *e = grants_table();
	grant_ref_t ref = grant_alloc();

	e[ref].domid = domid;
	e[ref].frame = (u32)mfn;
	__atomic_store_n(&e[ref].flags, GTF_permit_access | flags, __ATOMIC_RELEASE);
	return ref;
}

bool grant_end(grant_ref_t ref)
{
	u16 *flags = &grants_table()[ref].flags, old = READ_ONCE(*flags);

	do {
		if (old & (GTF_reading | GTF_writing))
			return false;
	} while (!__atomic_compare_exchange_n(flags, &old, 0, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	taken[ref] = false;
	return true;
}

struct gnttab_map_grant_ref grant_map(domid_t domid, grant_ref_t ref, const void *va, u32 flags)
{
	struct gnttab_map_grant_ref op = { .host_addr = (u64)va,
					   .flags = flags,
					   .ref = ref,
					   .dom = domid,
					   .status = GNTST_general_error };
	long rc = hc_gnttab(GNTTABOP_map_grant_ref, &op, 1);

	if (rc)
		guest_panic("map_grant_ref: %ld", rc);
	return op;
}

int grant_unmap(grant_handle_t handle, const void *va)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = (u64)va, .handle = handle, .status = GNTST_general_error};
	long rc = hc_gnttab(GNTTABOP_unmap_grant_ref, &op, 1);

	if (rc)
		guest_panic("unmap_grant_ref: %ld", rc);
	return op.status;
}
