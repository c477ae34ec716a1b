/* SPDX-License-Identifier: MIT */
/*
 * hc_physdev.c - physdev_op: interrupts of real devices for dom0 (pirq number = GSI number, then
 * those of interrupts by message), and what dom0 tells about PCI. ABI: xen/physdev.h.
 */
#include "domain/evtchn.h"

#include <xen/physdev.h>

#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "mm/frame.h"
#include "pv/ptval.h"
#include "x86/guest_access.h"
#include "x86/ioapic.h"
#include "x86/irq.h"
#include "x86/layout.h"
#include "x86/msi.h"
#include "x86/pci.h"

#define PIRQ_UNMAPPED 0xff

static bool pirq_is_mapped(const struct domain *d, u32 pirq)
{
	return d->pirq_to_gsi && pirq < GSI_LIMIT && d->pirq_to_gsi[pirq] != PIRQ_UNMAPPED;
}

static long op_eoi(u64 arg)
{
	struct domain *d = current->domain;
	struct physdev_eoi op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (!pirq_is_mapped(d, op.irq))
		return -EINVAL;
	if (d->pirq_eoi_unmasks)
		evtchn_unmask(d, evtchn_of_pirq(d, op.irq));
	gsi_guest_eoi(d->pirq_to_gsi[op.irq]);
	return 0;
}

static long eoi_gmfn(u64 arg, bool unmasks)
{
	struct domain *d = current->domain;
	struct physdev_pirq_eoi_gmfn op;
	struct frame *f;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (d->pirq_eoi_frame)
		return -EBUSY;
	if (!mfn_is_ram(_mfn(op.gmfn)))
		return -EINVAL;
	f = mfn_to_frame(_mfn(op.gmfn));
	if (frame_get_and_type(f, d, FT_WR))
		return -EINVAL;
	d->pirq_eoi_frame = f;
	d->pirq_eoi_map = mfn_to_virt(_mfn(op.gmfn));
	d->pirq_eoi_unmasks = unmasks;
	for (u32 pirq = 0; pirq < GSI_LIMIT; pirq++)
		if (pirq_is_mapped(d, pirq) && gsi_needs_eoi(d->pirq_to_gsi[pirq]))
			d->pirq_eoi_map[pirq / 64] |= 1UL << pirq % 64;
	return 0;
}

static long op_eoi_gmfn_v1(u64 arg)
{
	return eoi_gmfn(arg, true);
}

static long op_eoi_gmfn_v2(u64 arg)
{
	return eoi_gmfn(arg, false);
}

static long op_irq_status_query(u64 arg)
{
	struct domain *d = current->domain;
	struct physdev_irq_status_query op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.irq >= GSI_LIMIT)
		return -EINVAL;
	op.flags = pirq_is_mapped(d, op.irq) && gsi_needs_eoi(d->pirq_to_gsi[op.irq]) ?
			   XENIRQSTAT_needs_eoi :
			   0;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_set_iopl(u64 arg)
{
	struct physdev_set_iopl op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.iopl > 3)
		return -EINVAL;
	current->pv.iopl = op.iopl;
	return 0;
}

static long op_apic_read(u64 arg)
{
	struct physdev_apic op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = ioapic_guest_read(op.apic_physbase, op.reg, &op.value);
	if (rc)
		return rc;
	return copy_to_guest(arg, &op, sizeof(op));
}

/* Routing is the hypervisor's: what dom0 wants to say, it says with setup_gsi. */
static long op_apic_write(u64 arg)
{
	return -EPERM;
}

/* Vectors are the hypervisor's own matter; the number only has to look like one. */
static long op_alloc_irq_vector(u64 arg)
{
	struct physdev_irq op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.irq >= gsi_count())
		return -EINVAL;
	op.vector = op.irq;
	return copy_to_guest(arg, &op, sizeof(op));
}

static void unmap_pirq(struct domain *d, u32 pirq)
{
	if (evtchn_of_pirq(d, pirq))
		evtchn_close(d, evtchn_of_pirq(d, pirq));
	if (gsi_is_msi(d->pirq_to_gsi[pirq]))
		msi_unmap(d->pirq_to_gsi[pirq]);
	d->pirq_to_gsi[pirq] = PIRQ_UNMAPPED;
}

/* MAP_PIRQ_TYPE_MSI and _MSI_SEG: the number is ours to choose. */
static int map_msi(struct domain *d, struct physdev_map_pirq *op)
{
	struct msi_request req = {
		.dev = { .bus = (u8)op->bus, .devfn = (u8)op->devfn },
		.entry = (unsigned int)op->entry_nr,
		.table_base = op->table_base,
	};
	unsigned int line;
	int rc;

	if (op->pirq >= 0 || (op->bus & ~0xff) || (op->devfn & ~0xff))
		return -EINVAL; /* other segments need a kind of access that we lack */
	rc = msi_map(&req, &line);
	if (rc)
		return rc;
	d->pirq_to_gsi[line] = (u8)line;
	op->pirq = (int)line;
	return 0;
}

static long op_map_pirq(u64 arg)
{
	struct domain *d = current->domain;
	struct physdev_map_pirq op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.domid != DOMID_SELF && op.domid != d->domain_id)
		return -EOPNOTSUPP; /* no device passthrough */
	if (op.type == MAP_PIRQ_TYPE_MSI || op.type == MAP_PIRQ_TYPE_MSI_SEG) {
		rc = map_msi(d, &op);
		if (!rc && copy_to_guest(arg, &op, sizeof(op))) {
			unmap_pirq(d, (u32)op.pirq);
			rc = -EFAULT; /* nobody would know its number */
		}
		return rc;
	}
	if (op.type != MAP_PIRQ_TYPE_GSI)
		return -EOPNOTSUPP;
	if (op.index < 0 || (u32)op.index >= gsi_count() || op.index >= PIRQ_UNMAPPED)
		return -EINVAL;
	if (op.pirq < 0)
		op.pirq = op.index;
	if (op.pirq >= GSI_LIMIT)
		return -EINVAL;
	if (pirq_is_mapped(d, op.pirq) && d->pirq_to_gsi[op.pirq] != op.index)
		return -EEXIST;
	d->pirq_to_gsi[op.pirq] = op.index;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_unmap_pirq(u64 arg)
{
	struct domain *d = current->domain;
	struct physdev_unmap_pirq op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.domid != DOMID_SELF && op.domid != d->domain_id)
		return -ESRCH;
	if (!pirq_is_mapped(d, op.pirq))
		return -EINVAL;
	unmap_pirq(d, (u32)op.pirq);
	return 0;
}

static long op_setup_gsi(u64 arg)
{
	struct physdev_setup_gsi op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.gsi < 0 || (u32)op.gsi >= gsi_count())
		return -EINVAL;
	return gsi_setup(op.gsi, op.triggering, op.polarity);
}

/* For guests that choose the number of a message themselves. */
static long op_get_free_pirq(u64 arg)
{
	return -ENOSPC;
}

/* dom0 owns every device: being told of one changes nothing. */
static long op_accept(u64 arg)
{
	return 0;
}

static long op_restore_msi(u64 arg)
{
	struct physdev_restore_msi op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	msi_restore((struct pci_device){ .bus = op.bus, .devfn = op.devfn });
	return 0;
}

static long op_restore_msi_ext(u64 arg)
{
	struct physdev_pci_device op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.seg)
		return -ENODEV;
	msi_restore((struct pci_device){ .bus = op.bus, .devfn = op.devfn });
	return 0;
}

struct physdev_row {
	long (*fn)(u64 arg);
	bool any_domain; /* else dom0 only: -EPERM */
};

static const struct physdev_row physdev_ops[] = {
	[PHYSDEVOP_IRQ_UNMASK_NOTIFY] = { op_accept, true },
	[PHYSDEVOP_irq_status_query] = { op_irq_status_query, true },
	[PHYSDEVOP_set_iopl] = { op_set_iopl, true },
	[PHYSDEVOP_apic_read] = { op_apic_read, false },
	[PHYSDEVOP_apic_write] = { op_apic_write, false },
	[PHYSDEVOP_alloc_irq_vector] = { op_alloc_irq_vector, false },
	[PHYSDEVOP_free_irq_vector] = { op_accept, false },
	[PHYSDEVOP_eoi] = { op_eoi, true },
	[PHYSDEVOP_map_pirq] = { op_map_pirq, false },
	[PHYSDEVOP_unmap_pirq] = { op_unmap_pirq, false },
	[PHYSDEVOP_manage_pci_add] = { op_accept, false },
	[PHYSDEVOP_manage_pci_remove] = { op_accept, false },
	[PHYSDEVOP_pirq_eoi_gmfn_v1] = { op_eoi_gmfn_v1, true },
	[PHYSDEVOP_restore_msi] = { op_restore_msi, false },
	[PHYSDEVOP_manage_pci_add_ext] = { op_accept, false },
	[PHYSDEVOP_setup_gsi] = { op_setup_gsi, false },
	[PHYSDEVOP_get_free_pirq] = { op_get_free_pirq, false },
	[PHYSDEVOP_pci_mmcfg_reserved] = { op_accept, false },
	[PHYSDEVOP_pci_device_add] = { op_accept, false },
	[PHYSDEVOP_pci_device_remove] = { op_accept, false },
	[PHYSDEVOP_restore_msi_ext] = { op_restore_msi_ext, false },
	[PHYSDEVOP_pirq_eoi_gmfn_v2] = { op_eoi_gmfn_v2, true },
	[PHYSDEVOP_dbgp_op] = { op_accept, false },
	[PHYSDEVOP_prepare_msix] = { op_accept, false },
	[PHYSDEVOP_release_msix] = { op_accept, false },
};

static long physdev_call(u32 cmd, u64 arg)
{
	if (cmd >= ARRAY_SIZE(physdev_ops))
		return -ENOSYS;
	cmd = (u32)index_nospec(cmd, ARRAY_SIZE(physdev_ops));
	if (!physdev_ops[cmd].fn)
		return -ENOSYS;
	if (!physdev_ops[cmd].any_domain && !current->domain->is_privileged)
		return -EPERM;
	return physdev_ops[cmd].fn(arg);
}

long hc_physdev_op(struct hc_args *a)
{
	return physdev_call((u32)a->a[0], a->a[1]);
}

/* The first ABI: command and structure together behind one pointer. */
long hc_physdev_op_compat(struct hc_args *a)
{
	u32 cmd;

	if (copy_from_guest(&cmd, a->a[0], sizeof(cmd)))
		return -EFAULT;
	if (cmd < PHYSDEVOP_irq_status_query || cmd > PHYSDEVOP_alloc_irq_vector)
		return -ENOSYS;
	return physdev_call(cmd, a->a[0] + offsetof(struct physdev_op, u));
}
