/* SPDX-License-Identifier: MIT */
/* pci.h - configuration space of devices in segment 0. Call with the hypervisor lock. */
#ifndef HV_X86_PCI_H
#define HV_X86_PCI_H

#include "lib/types.h"

struct pci_device {
	u8 bus, devfn;
};

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_BAR(n) (u8)(0x10 + 4 * (n))
#define PCI_NR_BARS 6

/* @reg: aligned to the size. All ones: there is no such device. */
u32 pci_read32(struct pci_device dev, u8 reg);
u16 pci_read16(struct pci_device dev, u8 reg);
void pci_write32(struct pci_device dev, u8 reg, u32 value);
void pci_write16(struct pci_device dev, u8 reg, u16 value);
/* Where capability @id begins. 0: @dev has none, or is not there. */
u8 pci_find_capability(struct pci_device dev, u8 id);

#endif
