/* SPDX-License-Identifier: MIT */
/*
 * pci.c - the little of PCI's configuration space that the hypervisor itself needs: the first 256
 * bytes of devices in segment 0, by the ports 0xcf8 and 0xcfc. dom0 uses the same ports: the
 * address it has latched is put back. Lock: the hypervisor's. Source: PCI Local Bus 3.0, chapter
 * 3.2.2.3.2.
 */
#include "x86/pci.h"

#include "x86/asm.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA 0xcfc
#define ADDRESS_ENABLE 0x80000000u
#define STATUS 0x06
#define STATUS_CAPABILITIES 0x10
#define CAPABILITIES 0x34
#define MAX_CAPABILITIES 48

static u32 latch(struct pci_device dev, u8 reg)
{
	u32 before = inl(PORT_ADDRESS);

	outl(PORT_ADDRESS,
	     ADDRESS_ENABLE | (u32)dev.bus << 16 | (u32)dev.devfn << 8 | (reg & 0xfc));
	return before;
}

u32 pci_read32(struct pci_device dev, u8 reg)
{
	u32 before = latch(dev, reg), value = inl(PORT_DATA);

	outl(PORT_ADDRESS, before);
	return value;
}

u16 pci_read16(struct pci_device dev, u8 reg)
{
	return (u16)(pci_read32(dev, reg) >> 8 * (reg & 2));
}

void pci_write32(struct pci_device dev, u8 reg, u32 value)
{
	u32 before = latch(dev, reg);

	outl(PORT_DATA, value);
	outl(PORT_ADDRESS, before);
}

void pci_write16(struct pci_device dev, u8 reg, u16 value)
{
	u32 before = latch(dev, reg);

	outw(PORT_DATA + (reg & 2), value);
	outl(PORT_ADDRESS, before);
}

u8 pci_find_capability(struct pci_device dev, u8 id)
{
	u8 at;

	if (!(pci_read16(dev, STATUS) & STATUS_CAPABILITIES))
		return 0;
	at = (u8)pci_read16(dev, CAPABILITIES) & 0xfc;
	for (unsigned int i = 0; at >= 0x40 && i < MAX_CAPABILITIES; i++) {
		u16 head = pci_read16(dev, at);

		if ((u8)head == id)
			return at;
		at = head >> 8 & 0xfc;
	}
	return 0;
}
