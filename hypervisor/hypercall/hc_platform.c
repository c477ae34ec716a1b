/* SPDX-License-Identifier: MIT */
/*
 * hc_platform.c - platform_op, dom0 only: wall clock, power, facts of the firmware. ABI:
 * xen/platform.h.
 */
#include "domain/sched.h"

#include <xen/platform.h>

#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/acpi.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/e820.h"
#include "x86/efi.h"
#include "x86/guest_access.h"
#include "x86/smp.h"

static long set_time(u64 sec, u32 nsec, u64 system_time_ns)
{
	if (nsec >= 1000000000)
		return -EINVAL;
	clock_set_wall(sec, nsec, system_time_ns);
	for (struct domain *d = domain_list; d; d = d->next)
		if (d->shared_info)
			wallclock_update(d);
	return 0;
}

static long op_settime32(struct xen_platform_op *op)
{
	return set_time(op->u.settime32.secs, op->u.settime32.nsecs, op->u.settime32.system_time);
}

static long op_settime64(struct xen_platform_op *op)
{
	if (op->u.settime64.mbz)
		return -EOPNOTSUPP;
	return set_time(op->u.settime64.secs, op->u.settime64.nsecs, op->u.settime64.system_time);
}

/* The firmware's own map was the loader's: what the loader made of it, in UEFI's words. */
static long efi_memory(union xenpf_efi_info *info)
{
	static const u8 types[] = {
		[E820_RAM] = 7,	     /* EfiConventionalMemory */
		/* EfiReservedMemoryType; of its own things UEFI's run time too */
		[E820_RESERVED] = 0,
		[E820_ACPI] = 9,     /* EfiACPIReclaimMemory */
		[E820_NVS] = 10,     /* EfiACPIMemoryNVS */
		[E820_UNUSABLE] = 8, /* EfiUnusableMemory */
	};
	const struct e820_entry *e = e820_find(&machine_e820, info->mem.addr);

	if (!e)
		return -ESRCH;
	info->mem.type = types[e->type];
	info->mem.attr = 0;
	info->mem.size = MIN(info->mem.size, e->addr + e->size - info->mem.addr);
	return 0;
}

/* Its tables are dom0's to read; its services nobody's to call (so RT_VERSION is not known). */
static long efi_info(u32 index, union xenpf_efi_info *info)
{
	const struct efi_facts *f = &efi_facts;

	if (!f->tables)
		return -ESRCH;
	switch (index) {
	case XEN_FW_EFI_VERSION:
		info->version = f->revision;
		return 0;
	case XEN_FW_EFI_CONFIG_TABLE:
		info->cfg.addr = f->tables;
		info->cfg.nent = f->nr_tables;
		return 0;
	case XEN_FW_EFI_VENDOR:
		info->vendor.revision = f->fw_revision;
		return copy_to_guest(handle_va(info->vendor.name), f->vendor,
				     MIN(info->vendor.bufsz & ~1u, sizeof(f->vendor)));
	case XEN_FW_EFI_MEM_INFO:
		return efi_memory(info);
	default:
		return -EOPNOTSUPP;
	}
}

/* Booted by multiboot2: no real-mode BIOS was asked for disks or EDID. */
static long op_firmware_info(struct xen_platform_op *op)
{
	switch (op->u.firmware_info.type) {
	case XEN_FW_KBD_SHIFT_FLAGS:
		op->u.firmware_info.u.kbd_shift_flags = 0;
		return 0;
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		return -ESRCH;
	case XEN_FW_EFI_INFO:
		return efi_info(op->u.firmware_info.index, &op->u.firmware_info.u.efi_info);
	default:
		return -EINVAL;
	}
}

static long op_enter_acpi_sleep(struct xen_platform_op *op)
{
	const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

	if (s->flags & XENPF_ACPI_SLEEP_EXTENDED)
		return -ENODEV; /* no hardware-reduced ACPI */
	return acpi_enter_sleep(s->val_a, s->val_b, s->sleep_state);
}

static long op_getidletime(struct xen_platform_op *op)
{
	struct xenpf_getidletime *g = &op->u.getidletime;
	u32 nr = MIN(g->cpumap_nr_cpus, 64u);
	u64 map = 0;

	if (nr == 0)
		return -EINVAL;
	if (copy_from_guest(&map, handle_va(g->cpumap_bitmap), (nr + 7) / 8))
		return -EFAULT;
	map &= smp_cpu_mask();
	for (u32 i = 0; i < MIN(nr, smp_nr_cpus()); i++) {
		u64 idle = sched_idle_time_ns(i);

		if (map >> i & 1 &&
		    copy_to_guest(handle_va(g->idletime) + i * sizeof(idle), &idle, sizeof(idle)))
			return -EFAULT;
	}
	g->now = now_ns();
	return copy_to_guest(handle_va(g->cpumap_bitmap), &map, (nr + 7) / 8);
}

static long op_get_cpuinfo(struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *p = &op->u.pcpu_info;

	p->max_present = smp_nr_cpus() - 1;
	if (p->xen_cpuid >= smp_nr_cpus()) {
		p->flags = XEN_PCPU_FLAGS_INVALID;
		return 0;
	}
	p->flags = XEN_PCPU_FLAGS_ONLINE;
	p->apic_id = smp_apic_id(p->xen_cpuid);
	p->acpi_id = smp_acpi_id(p->xen_cpuid);
	return 0;
}

static long op_get_cpu_version(struct xen_platform_op *op)
{
	struct xenpf_pcpu_version *p = &op->u.pcpu_version;
	u32 a, b, c, d;

	if (p->xen_cpuid >= smp_nr_cpus())
		return -ENODEV;
	cpuid(1, 0, &a, &b, &c, &d);
	p->max_present = smp_nr_cpus() - 1;
	memcpy(p->vendor_id, cpu_vendor, sizeof(p->vendor_id));
	p->family = (a >> 8 & 0xf) + ((a >> 8 & 0xf) == 0xf ? a >> 20 & 0xff : 0);
	p->model = (a >> 4 & 0xf) | (a >> 12 & 0xf0);
	p->stepping = a & 0xf;
	return 0;
}

/*
 * What ACPI says of a CPU's speeds and ways to sleep: CPUs run as the firmware set them, and idle
 * in HLT. This errno is Xen's where it leaves both alone; of any other Linux complains, for each
 * CPU, at each boot.
 */
static long op_set_processor_pminfo(struct xen_platform_op *op)
{
	return -ENOSYS;
}

static const struct {
	long (*fn)(struct xen_platform_op *op);
	bool copy_back;
} platform_ops[] = {
	[XENPF_settime32] = { op_settime32, false },
	[XENPF_settime64] = { op_settime64, false },
	[XENPF_firmware_info] = { op_firmware_info, true },
	[XENPF_enter_acpi_sleep] = { op_enter_acpi_sleep, false },
	[XENPF_getidletime] = { op_getidletime, true },
	[XENPF_set_processor_pminfo] = { op_set_processor_pminfo, false },
	[XENPF_get_cpuinfo] = { op_get_cpuinfo, true },
	[XENPF_get_cpu_version] = { op_get_cpu_version, true },
};

long hc_platform_op(struct hc_args *a)
{
	struct xen_platform_op op;
	long rc;

	if (copy_from_guest(&op, a->a[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	/* CPU hotplug, microcode, memory types: known, and not done. */
	if (op.cmd >= ARRAY_SIZE(platform_ops) || !platform_ops[op.cmd].fn)
		return -EOPNOTSUPP;
	rc = platform_ops[op.cmd].fn(&op);
	if (rc == 0 && platform_ops[op.cmd].copy_back && copy_to_guest(a->a[0], &op, sizeof(op)))
		return -EFAULT;
	return rc;
}
