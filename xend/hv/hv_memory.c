/* SPDX-License-Identifier: MIT */
/*
 * hv_memory.c - a domain's frames: giving, mapping, pinning, granting.
 *
 * Source: xen/memory.h, xen/xen.h (mmuext), xen/grant_table.h.
 */
#include "hv_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sys/gntdev.h>

#define E820_RAM 1

enum { EXTENTS = 1024, BIG_ORDER = 9 };

/*
 * One populate_physmap of extents of 2^order frames. Returns how many extents were given, or
 * a negative errno.
 */
static long populate_batch(struct hv *hv, uint16_t domid, unsigned int order, uint64_t pfn,
			   uint64_t nr, uint64_t *p2m)
{
	struct xen_memory_reservation in = { .nr_extents = nr, .extent_order = order,
					     .domid = domid };
	xen_pfn_t *ext = hv_buf(hv, NULL, nr * sizeof(*ext));
	struct xen_memory_reservation *op;
	long got = -ENOMEM;

	if (!ext)
		return -ENOMEM;
	for (uint64_t i = 0; i < nr; i++)
		ext[i] = pfn + (i << order);
	set_xen_guest_handle(in.extent_start, ext);
	op = hv_buf(hv, &in, sizeof(in));
	if (op)
		got = hv_op_result(hv, __HYPERVISOR_memory_op, XENMEM_populate_physmap, op);
	for (long i = 0; i < got && i < (long)nr; i++) {
		for (uint64_t j = 0; j < 1ULL << order; j++)
			p2m[pfn + ((uint64_t)i << order) + j] = ext[i] + j;
	}
	hv_buf_free(hv, op);
	hv_buf_free(hv, ext);
	return got;
}

int hv_populate(struct hv *hv, uint16_t domid, uint64_t pfn, uint64_t nr, uint64_t *p2m)
{
	unsigned int order = BIG_ORDER;

	while (nr) {
		uint64_t extents = nr >> order;
		long got = 0;

		if (extents > EXTENTS)
			extents = EXTENTS;
		if (extents)
			got = populate_batch(hv, domid, order, pfn, extents, p2m);
		if (got > 0) {
			pfn += (uint64_t)got << order;
			nr -= (uint64_t)got << order;
		}
		if (got == (long)extents && extents)
			continue;
		/* No (more) large runs: what is left goes frame by frame. */
		if (order == 0)
			return got < 0 && got != -EFAULT ? (int)got : -ENOMEM;
		order = 0;
	}
	return 0;
}

int hv_set_memory_map(struct hv *hv, uint16_t domid, uint64_t kib)
{
	struct { uint64_t addr, size; uint32_t type; } __attribute__((packed)) entry = {
		.addr = 0, .size = kib << 10, .type = E820_RAM,
	};
	struct xen_foreign_memory_map in = { .domid = domid, .map.nr_entries = 1 };
	void *e = hv_buf(hv, &entry, sizeof(entry)), *op;
	int err = -ENOMEM;

	if (!e)
		return -ENOMEM;
	set_xen_guest_handle(in.map.buffer, e);
	op = hv_buf(hv, &in, sizeof(in));
	if (op)
		err = hv_op(hv, __HYPERVISOR_memory_op, XENMEM_set_memory_map, op);
	hv_buf_free(hv, op);
	hv_buf_free(hv, e);
	return err;
}

int hv_pin(struct hv *hv, uint16_t domid, unsigned int level, uint64_t mfn)
{
	static const uint32_t cmd[] = { 0, MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
					MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE };
	struct mmuext_op in = { .cmd = cmd[level], .arg1.mfn = mfn };
	struct mmuext_op *op = hv_buf(hv, &in, sizeof(in));
	int rc;

	if (!op)
		return -ENOMEM;
	rc = xencall4(hv->call, __HYPERVISOR_mmuext_op, (uintptr_t)op, 1, 0, domid);
	rc = rc < 0 ? -errno : 0;
	hv_buf_free(hv, op);
	return rc;
}

void *hv_map(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr)
{
	return xenforeignmemory_map(hv->fmem, domid, PROT_READ | PROT_WRITE, nr, mfn, NULL);
}

void hv_unmap(struct hv *hv, void *addr, size_t nr)
{
	xenforeignmemory_unmap(hv->fmem, addr, nr);
}

int hv_grant_seed(struct hv *hv, uint16_t domid, uint32_t ref, uint64_t mfn)
{
	grant_entry_v1_t *table = NULL;
	xenforeignmemory_resource_handle *res =
		xenforeignmemory_map_resource(hv->fmem, domid, XENMEM_resource_grant_table,
					      XENMEM_resource_grant_table_id_shared, 0, 1,
					      (void **)&table, PROT_READ | PROT_WRITE, 0);

	if (!res)
		return errno ? -errno : -EFAULT;
	table[ref].domid = 0;
	table[ref].frame = (uint32_t)mfn;
	/* Frame and domid must be visible before the entry becomes valid; pairs with the
	 * hypervisor's read of flags. The guest does not run yet. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	table[ref].flags = GTF_permit_access;
	if (xenforeignmemory_unmap_resource(hv->fmem, res))
		return -errno;
	return 0;
}

/* To announce a mapping takes the page frame; nothing is mapped, and the end of the file gives it back. */
void hv_grant_room(struct hv *hv)
{
	struct ioctl_gntdev_map_grant_ref one = { .count = 1 };
	int fd = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &one);
	close(fd);
}
