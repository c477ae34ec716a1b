/* SPDX-License-Identifier: MIT */
/*
 * fuzz_privcmd.c - see fuzz_privcmd.h. Frames are handed out in no order that a pfn could be taken
 * for.
 */
#include "fuzz_privcmd.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sysctl.h>
#include <xencall.h>
#include <xenforeignmemory.h>

#include "fuzz.h"
#include "hv.h"

#define PAGE 4096u
#define MFN_BASE 0x40000u
#define MFN_STEP 37u /* no divisor of PRIVCMD_PAGES */
#define MAX_BUFFERS 16
#define MAX_WINDOWS 8

struct xencall_handle {
	int unused;
};
struct xenforeignmemory_handle {
	int unused;
};
struct xenforeignmemory_resource_handle {
	uint8_t table[PAGE];
};

static struct {
	bool honest;
	unsigned int nr_given;
	uint8_t page[PRIVCMD_PAGES][PAGE], shared_info[PAGE];
	uint8_t level[PRIVCMD_PAGES]; /* pinned as a table of that level */
	bool has_context[PRIVCMD_VCPUS];
	unsigned long calls;
	int nr_open;
	uint32_t next_port;
	struct {
		void *at;
		size_t len;
	} buffer[MAX_BUFFERS];
	struct {
		uint8_t *at;
		size_t nr;
		bool is_writable;
		uint8_t *from[1024];
	} window[MAX_WINDOWS];
} m;

void privcmd_reset(bool honest)
{
	memset(&m, 0, sizeof(m));
	m.honest = honest;
	m.next_port = 1;
}

unsigned long privcmd_done(void)
{
	for (int i = 0; i < MAX_BUFFERS; i++)
		FUZZ_CHECK(!m.buffer[i].at);
	for (int i = 0; i < MAX_WINDOWS; i++)
		FUZZ_CHECK(!m.window[i].at);
	FUZZ_CHECK(!m.nr_open);
	return m.calls;
}

/* --- frames --- */

static uint64_t mfn_of(unsigned int nr)
{
	return MFN_BASE + nr * MFN_STEP % PRIVCMD_PAGES;
}

/* The number of a frame the domain was given; -1: another's. */
static int frame_nr(uint64_t mfn)
{
	for (unsigned int i = 0; i < m.nr_given; i++)
		if (mfn_of(i) == mfn)
			return (int)i;
	return -1;
}

static int result(int err)
{
	errno = -err;
	return err ? -1 : 0;
}

/* --- memory that hypercalls may read --- */

void *xencall_alloc_buffer(xencall_handle *xcall, size_t size)
{
	FUZZ_CHECK(size && size <= 1u << 24);
	for (int i = 0; i < MAX_BUFFERS; i++) {
		if (m.buffer[i].at)
			continue;
		m.buffer[i].len = size;
		return m.buffer[i].at = malloc(size);
	}
	FUZZ_CHECK(!"buffers are given back");
	return NULL;
}

void xencall_free_buffer(xencall_handle *xcall, void *p)
{
	int i = 0;

	while (i < MAX_BUFFERS && m.buffer[i].at != p)
		i++;
	FUZZ_CHECK(i < MAX_BUFFERS);
	free(p);
	m.buffer[i].at = NULL;
}

/* @len bytes at @p, which a hypercall names, are of one buffer. */
static void *whole(const void *p, uint64_t len)
{
	for (int i = 0; i < MAX_BUFFERS; i++) {
		const uint8_t *at = m.buffer[i].at;

		if (at && (const uint8_t *)p >= at && (const uint8_t *)p <= at + m.buffer[i].len &&
		    len <= (uint64_t)(at + m.buffer[i].len - (const uint8_t *)p))
			return (void *)(uintptr_t)p;
	}
	FUZZ_CHECK(!"a hypercall is given hypercall memory");
	return NULL;
}

xencall_handle *xencall_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	static xencall_handle handle;

	m.nr_open++;
	return &handle;
}

int xencall_close(xencall_handle *xcall)
{
	m.nr_open--;
	return 0;
}

/* --- domctl: what building takes --- */

static bool table_is_ours(uint64_t cr3)
{
	return frame_nr(xen_cr3_to_pfn(cr3)) >= 0;
}

static int set_context(const struct xen_domctl *op)
{
	uint32_t vcpu = op->u.vcpucontext.vcpu;
	const struct vcpu_guest_context *c = whole(op->u.vcpucontext.ctxt.p, sizeof(*c));

	FUZZ_CHECK(vcpu < PRIVCMD_VCPUS);
	if (m.honest) {
		FUZZ_CHECK(table_is_ours(c->ctrlreg[3]));
		FUZZ_CHECK(!c->ctrlreg[1] || table_is_ours(c->ctrlreg[1]));
		for (unsigned int i = 0; i * 512 < c->gdt_ents && i < 16; i++)
			FUZZ_CHECK(frame_nr(c->gdt_frames[i]) >= 0);
	}
	if (!table_is_ours(c->ctrlreg[3]) || c->gdt_ents > 8192 || c->ldt_ents > 8192)
		return -EINVAL;
	m.has_context[vcpu] = true;
	return 0;
}

static int set_callbacks(const struct xen_domctl *op)
{
	FUZZ_CHECK(op->u.ext_vcpucontext.vcpu < PRIVCMD_VCPUS);
	return op->u.ext_vcpucontext.size == sizeof(op->u.ext_vcpucontext) ? 0 : -EINVAL;
}

static int set_fpu(const struct xen_domctl *op)
{
	FUZZ_CHECK(op->u.vcpuextstate.vcpu < PRIVCMD_VCPUS);
	whole(op->u.vcpuextstate.buffer.p, op->u.vcpuextstate.size);
	return op->u.vcpuextstate.size >= 16 && op->u.vcpuextstate.size <= 4096 ? 0 : -EINVAL;
}

static int set_msrs(const struct xen_domctl *op)
{
	FUZZ_CHECK(op->u.vcpu_msrs.vcpu < PRIVCMD_VCPUS && op->u.vcpu_msrs.msr_count <= HV_MSRS_MAX);
	whole(op->u.vcpu_msrs.msrs.p, op->u.vcpu_msrs.msr_count * sizeof(struct xen_domctl_vcpu_msr));
	return op->u.vcpu_msrs.msr_count <= 2 ? 0 : -EINVAL;
}

static int domain_info(struct xen_domctl *op)
{
	op->u.getdomaininfo.domain = op->domain;
	op->u.getdomaininfo.tot_pages = m.nr_given;
	op->u.getdomaininfo.shared_info_frame = PRIVCMD_SHARED_INFO;
	return 0;
}

static int hypercall_page(const struct xen_domctl *op)
{
	int nr = frame_nr(op->u.hypercall_init.gmfn);

	FUZZ_CHECK(nr >= 0 || !m.honest);
	return nr >= 0 && !m.level[nr] ? 0 : -EINVAL;
}

static int accepted(void)
{
	return 0;
}

static int domctl(struct xen_domctl *op)
{
	FUZZ_CHECK(op->interface_version == XEN_DOMCTL_INTERFACE_VERSION);
	FUZZ_CHECK(op->domain == PRIVCMD_DOMID);
	switch (op->cmd) {
	case XEN_DOMCTL_setvcpucontext:
		return set_context(op);
	case XEN_DOMCTL_set_ext_vcpucontext:
		return set_callbacks(op);
	case XEN_DOMCTL_setvcpuextstate:
		return set_fpu(op);
	case XEN_DOMCTL_set_vcpu_msrs:
		return set_msrs(op);
	case XEN_DOMCTL_getdomaininfo:
		return domain_info(op);
	case XEN_DOMCTL_hypercall_init:
		return hypercall_page(op);
	case XEN_DOMCTL_max_mem:
	case XEN_DOMCTL_settscinfo:
		return accepted();
	default:
		FUZZ_CHECK(!"a domctl that builds");
		return -ENOSYS;
	}
}

static int sysctl(struct xen_sysctl *op)
{
	FUZZ_CHECK(op->interface_version == XEN_SYSCTL_INTERFACE_VERSION);
	if (op->cmd != XEN_SYSCTL_physinfo)
		return -ENOSYS;
	op->u.physinfo.free_pages = 1u << 20;
	return 0;
}

int xencall1(xencall_handle *xcall, unsigned int op, uint64_t arg1)
{
	void *arg = (void *)(uintptr_t)arg1;

	m.calls++;
	switch (op) {
	case __HYPERVISOR_domctl:
		return result(domctl(whole(arg, sizeof(struct xen_domctl))));
	case __HYPERVISOR_sysctl:
		return result(sysctl(whole(arg, sizeof(struct xen_sysctl))));
	default:
		FUZZ_CHECK(!"a hypercall that builds");
		return result(-ENOSYS);
	}
}

/* --- memory, event channels, page tables --- */

static int populate(const struct xen_memory_reservation *r)
{
	xen_pfn_t *list;
	unsigned int nr = 0;

	FUZZ_CHECK(r->domid == PRIVCMD_DOMID && r->nr_extents && r->nr_extents <= 1024);
	FUZZ_CHECK(r->extent_order == 0 || r->extent_order == 9);
	list = whole(r->extent_start.p, r->nr_extents * sizeof(*list));
	if (r->extent_order)
		return 0; /* none so large */
	while (nr < r->nr_extents && m.nr_given < PRIVCMD_PAGES)
		list[nr++] = mfn_of(m.nr_given++);
	return (int)nr;
}

static int memory_op(uint64_t cmd, void *arg)
{
	const struct xen_foreign_memory_map *map;

	switch (cmd) {
	case XENMEM_populate_physmap:
		return populate(whole(arg, sizeof(struct xen_memory_reservation)));
	case XENMEM_set_memory_map:
		map = whole(arg, sizeof(*map));
		FUZZ_CHECK(map->domid == PRIVCMD_DOMID);
		whole(map->map.buffer.p, map->map.nr_entries * 20ull);
		return 0;
	default:
		FUZZ_CHECK(!"a memory_op that builds");
		return result(-ENOSYS);
	}
}

static int alloc_port(struct evtchn_alloc_unbound *a)
{
	FUZZ_CHECK(a->dom == PRIVCMD_DOMID && a->remote_dom == 0);
	a->port = m.next_port++;
	return 0;
}

int xencall2(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2)
{
	void *arg = (void *)(uintptr_t)arg2;

	m.calls++;
	switch (op) {
	case __HYPERVISOR_memory_op:
		return memory_op(arg1, arg);
	case __HYPERVISOR_event_channel_op:
		FUZZ_CHECK(arg1 == EVTCHNOP_alloc_unbound);
		return alloc_port(whole(arg, sizeof(struct evtchn_alloc_unbound)));
	case __HYPERVISOR_xen_version: /* of the machine, whatever it is */
		return arg ? result(-ENOSYS) : 4 << 16 | 17;
	default:
		FUZZ_CHECK(!"a hypercall that builds");
		return result(-ENOSYS);
	}
}

/* Facts of the machine: none are told. */
int xencall5(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2, uint64_t arg3,
	     uint64_t arg4, uint64_t arg5)
{
	FUZZ_CHECK(op == __HYPERVISOR_hypfs_op);
	return result(-ENOSYS);
}

int xencall4(xencall_handle *xcall, unsigned int op, uint64_t arg1, uint64_t arg2, uint64_t arg3,
	     uint64_t arg4)
{
	const struct mmuext_op *pin = whole((void *)(uintptr_t)arg1, sizeof(*pin));
	int nr = frame_nr(pin->arg1.mfn);

	m.calls++;
	FUZZ_CHECK(op == __HYPERVISOR_mmuext_op && arg2 == 1 && !arg3 && arg4 == PRIVCMD_DOMID);
	FUZZ_CHECK(pin->cmd <= MMUEXT_PIN_L4_TABLE);
	FUZZ_CHECK(nr >= 0 || !m.honest);
	if (nr < 0 || m.level[nr])
		return result(-EINVAL);
	m.level[nr] = (uint8_t)(pin->cmd - MMUEXT_PIN_L1_TABLE + 1);
	return 0;
}

/* --- foreign memory --- */

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned open_flags)
{
	static xenforeignmemory_handle handle;

	m.nr_open++;
	return &handle;
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
	m.nr_open--;
	return 0;
}

/* NULL: not the domain's, or a page table that is to be written to. */
static uint8_t *page_of(uint64_t mfn, bool is_writable)
{
	int nr = frame_nr(mfn);

	if (mfn == PRIVCMD_SHARED_INFO)
		return m.shared_info;
	FUZZ_CHECK(nr >= 0 || !m.honest);
	return nr < 0 || (is_writable && m.level[nr]) ? NULL : m.page[nr];
}

void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom, int prot, size_t pages,
			   const xen_pfn_t arr[], int err[])
{
	int w = 0;

	m.calls++;
	FUZZ_CHECK(dom == PRIVCMD_DOMID && pages && pages <= 1024 && !err);
	while (w < MAX_WINDOWS && m.window[w].at)
		w++;
	FUZZ_CHECK(w < MAX_WINDOWS);
	m.window[w].is_writable = prot & PROT_WRITE;
	for (size_t i = 0; i < pages; i++) {
		m.window[w].from[i] = page_of(arr[i], prot & PROT_WRITE);
		if (!m.window[w].from[i]) {
			errno = EINVAL;
			return NULL;
		}
	}
	m.window[w].nr = pages;
	m.window[w].at = malloc(pages * PAGE);
	for (size_t i = 0; i < pages; i++)
		memcpy(m.window[w].at + i * PAGE, m.window[w].from[i], PAGE);
	return m.window[w].at;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
	int w = 0;

	while (w < MAX_WINDOWS && m.window[w].at != addr)
		w++;
	FUZZ_CHECK(w < MAX_WINDOWS && pages == m.window[w].nr);
	for (size_t i = 0; m.window[w].is_writable && i < pages; i++)
		memcpy(m.window[w].from[i], m.window[w].at + i * PAGE, PAGE);
	free(m.window[w].at);
	m.window[w].at = NULL;
	return 0;
}

xenforeignmemory_resource_handle *
xenforeignmemory_map_resource(xenforeignmemory_handle *fmem, domid_t domid, unsigned int type,
			      unsigned int id, unsigned long frame, unsigned long nr_frames,
			      void **paddr, int prot, int flags)
{
	xenforeignmemory_resource_handle *r = calloc(1, sizeof(*r));

	m.calls++;
	FUZZ_CHECK(domid == PRIVCMD_DOMID && type == XENMEM_resource_grant_table && !frame);
	FUZZ_CHECK(nr_frames == 1);
	*paddr = r->table;
	return r;
}

/* Grants of a new domain are to dom0, of the two reserved numbers. */
int xenforeignmemory_unmap_resource(xenforeignmemory_handle *fmem,
				    xenforeignmemory_resource_handle *fres)
{
	const grant_entry_v1_t *e = (const grant_entry_v1_t *)fres->table;

	for (unsigned int i = 0; i < PAGE / sizeof(*e); i++) {
		bool is_ring = i == GNTTAB_RESERVED_XENSTORE || i == GNTTAB_RESERVED_CONSOLE;

		FUZZ_CHECK(is_ring || !e[i].flags);
		FUZZ_CHECK(!e[i].flags || (e[i].flags == GTF_permit_access && !e[i].domid));
		FUZZ_CHECK(!e[i].flags || !m.honest || frame_nr(e[i].frame) >= 0);
	}
	free(fres);
	return 0;
}
