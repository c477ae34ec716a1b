/* SPDX-License-Identifier: MIT */
/* msi.h - interrupts by message of dom0's devices, which it is trusted to name (msi.c). */
#ifndef HV_X86_MSI_H
#define HV_X86_MSI_H

#include "lib/types.h"
#include "x86/pci.h"

struct irq_route;

struct msi_request {
	struct pci_device dev; /* of segment 0 */
	unsigned int entry;    /* of the MSI-X table */
	maddr_t table_base;    /* the BAR that holds the table; 0: plain MSI */
};
/*
 * A number, in *@line, for a message of a device, closed until bound. -ENODEV: no such capability;
 * -EINVAL: no such entry, or the table is elsewhere; -EBUSY: has one already; -ENXIO: the device's
 * memory is off; -ENOSPC; -ENOMEM.
 */
int msi_map(const struct msi_request *req, unsigned int *line);
void msi_unmap(unsigned int line);
/* Writes all messages of @dev again, after a sleep or a reset. */
void msi_restore(struct pci_device dev);
/* For irq.c: the message of @line (of msi_map()). */
void msi_write(unsigned int line, const struct irq_route *r);
void msi_mask(unsigned int line, bool masked);

#endif
