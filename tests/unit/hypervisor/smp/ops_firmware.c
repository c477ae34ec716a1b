/* SPDX-License-Identifier: MIT */
/*
 * ops_firmware.c - dom0 asks what the machine's UEFI is, with any number for any of its questions;
 * other guests ask in vain.
 */
#include <xen/platform.h>

#include "guest.h"
#include "x86/e820.h"
#include "x86/efi.h"

#define TABLES 0x7f000018

struct firmware_args {
	struct xen_platform_op op;
	u64 asked; /* the address or the size that was asked about */
	u16 name[EFI_VENDOR_MAX + 1]; /* one more than is ever said */
};

/* Before any CPU runs. */
void firmware_begin(void)
{
	efi_facts = (struct efi_facts){
		.tables = TABLES, .nr_tables = 9, .revision = 0x20046, .fw_revision = 7, .vendor = { 'S', 'M', 'P' }};
}

static bool firmware_start(struct guest *g, struct guest_vcpu *gv)
{
	struct firmware_args *a = (struct firmware_args *)gv->args;
	struct xenpf_firmware_info *f = &a->op.u.firmware_info;

	a->op = (struct xen_platform_op){ .cmd = XENPF_firmware_info, .interface_version = XENPF_INTERFACE_VERSION };
	f->type = cpu_random(3) ? XEN_FW_EFI_INFO : cpu_random(XEN_FW_KBD_SHIFT_FLAGS + 3);
	f->index = cpu_random(16) ? cpu_random(8) : ~0u;
	if (f->index == XEN_FW_EFI_VENDOR) {
		a->asked = cpu_random(2) ? cpu_random(2 * sizeof(a->name)) : ~0u;
		f->u.efi_info.vendor.bufsz = (u32)a->asked;
		set_xen_guest_handle(f->u.efi_info.vendor.name, a->name);
		memset(a->name, 0xee, sizeof(a->name));
	} else {
		a->asked = cpu_random(2) ? (u64)cpu_random(2 * MACHINE_FRAMES) << PAGE_SHIFT : ~(u64)cpu_random(9);
		f->u.efi_info.mem.addr = a->asked;
		f->u.efi_info.mem.size = ~0ULL;
	}
	return call(__HYPERVISOR_platform_op, GUEST_PTR(&a->op), 0, 0, 0);
}

static long memory_wanted(const struct firmware_args *a)
{
	const struct xenpf_firmware_info *f = &a->op.u.firmware_info;
	const u64 end = e820_ram_end(&machine_e820);

	if (a->asked >= end)
		return -ESRCH;
	if (f->u.efi_info.mem.addr != a->asked || f->u.efi_info.mem.size != end - a->asked)
		machine_fail("memory at %#lx has %#lx bytes", (unsigned long)a->asked, (unsigned long)f->u.efi_info.mem.size);
	return 0;
}

/* Whole characters, no more than there is room for, and no more than there are. */
static long vendor_wanted(const struct firmware_args *a)
{
	const size_t len = MIN(a->asked & ~1ULL, sizeof(efi_facts.vendor));

	if (memcmp(a->name, efi_facts.vendor, len) || a->name[len / 2] != 0xeeee)
		machine_fail("the vendor's name in %lu bytes", (unsigned long)a->asked);
	return 0;
}

static long efi_wanted(const struct firmware_args *a)
{
	const struct xenpf_firmware_info *f = &a->op.u.firmware_info;

	switch (f->index) {
	case XEN_FW_EFI_VERSION:
		return f->u.efi_info.version == efi_facts.revision ? 0 : 1;
	case XEN_FW_EFI_CONFIG_TABLE:
		return f->u.efi_info.cfg.addr == TABLES && f->u.efi_info.cfg.nent == 9 ? 0 : 1;
	case XEN_FW_EFI_VENDOR:
		return vendor_wanted(a);
	case XEN_FW_EFI_MEM_INFO:
		return memory_wanted(a);
	default:
		return -EOPNOTSUPP;
	}
}

static long wanted(const struct firmware_args *a)
{
	switch (a->op.u.firmware_info.type) {
	case XEN_FW_EFI_INFO:
		return efi_wanted(a);
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		return -ESRCH;
	case XEN_FW_KBD_SHIFT_FLAGS:
		return 0;
	default:
		return -EINVAL;
	}
}

static bool firmware_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	const struct firmware_args *a = (const struct firmware_args *)gv->args;
	const long right = current->domain->is_privileged ? wanted(a) : -EPERM;

	if (rc != right)
		machine_fail("firmware_info %u, %u: %ld, not %ld", a->op.u.firmware_info.type,
			     a->op.u.firmware_info.index, rc, right);
	return true;
}

struct op firmware_ops[] = {
	{ "firmware_info", 1, 4, firmware_start, firmware_done },
	{ .name = NULL },
};
