/* SPDX-License-Identifier: MIT */
/*
 * msi.c - message-signalled interrupts: which device writes which message. dom0 enables the
 * capability in its device; the messages, vector and CPU in them, are written here only.
 * Lock: the hypervisor's. Source: PCI Local Bus 3.0, chapter 6.8; Intel SDM vol. 3, chapter 10.11.
 */
#include "lib/errno.h"
#include "x86/e820.h"
#include "x86/ioports.h"
#include "x86/irq.h"
#include "x86/irq_route.h"
#include "x86/msi.h"
#include "x86/pagetable.h"
#include "x86/pci.h"

#define CAP_MSI 0x05
#define CAP_MSIX 0x11
#define FLAGS 2
#define MSI_64BIT (1u << 7)
#define MSI_ADDRESS 4
#define MSI_ADDRESS_HIGH 8
#define MSI_DATA(flags) ((flags)&MSI_64BIT ? 12 : 8)
#define MSIX_SIZE_MASK 0x7ff /* number of entries, less one */
#define MSIX_TABLE 4
#define MSIX_BAR_MASK 7u
#define BAR_IO 1u
#define BAR_64BIT 4u
#define BAR_FLAGS 0xfu

/* One entry of a device's MSI-X table. */
struct msix_entry {
	u32 address, address_high, data, control;
};
#define MSIX_MASKED 1u

#define MESSAGE_ADDRESS 0xfee00000u
#define MESSAGE_APIC_SHIFT 12

static struct message {
	bool is_used;
	struct pci_device dev;
	u8 cap;
	volatile struct msix_entry *entry; /* NULL: plain MSI */
	maddr_t entry_ma; /* what .entry maps; outlives .is_used: see map_entry() */
} messages[GSI_LIMIT];    /* by line number */

static bool decodes_memory(struct pci_device dev)
{
	return pci_read16(dev, PCI_COMMAND) & PCI_COMMAND_MEMORY;
}

/* 0: no such BAR, or one of IO ports. */
static maddr_t bar_address(struct pci_device dev, unsigned int n)
{
	u32 low = n < PCI_NR_BARS ? pci_read32(dev, PCI_BAR(n)) : BAR_IO;
	maddr_t high = 0;

	if (low & BAR_IO)
		return 0;
	if (low & BAR_64BIT && n + 1 < PCI_NR_BARS)
		high = (maddr_t)pci_read32(dev, PCI_BAR(n + 1)) << 32;
	return high | (low & ~BAR_FLAGS);
}

/* Mappings of devices are for good: a line that had this very entry before has it still. */
static volatile struct msix_entry *map_entry(maddr_t ma)
{
	for (unsigned int i = 0; i < GSI_LIMIT; i++)
		if (messages[i].entry_ma == ma)
			return messages[i].entry;
	return ioremap(ma, sizeof(struct msix_entry));
}

static int msix_find(struct message *m, const struct msi_request *req)
{
	u32 table = pci_read32(m->dev, m->cap + MSIX_TABLE);
	u16 last = pci_read16(m->dev, m->cap + FLAGS) & MSIX_SIZE_MASK;
	maddr_t bar = bar_address(m->dev, table & MSIX_BAR_MASK), ma;

	if (req->entry > last || !bar || bar != req->table_base)
		return -EINVAL;
	if (!decodes_memory(m->dev))
		return -ENXIO;
	ma = bar + (table & ~MSIX_BAR_MASK) + req->entry * sizeof(struct msix_entry);
	/* A device over RAM or the hypervisor's own registers: somebody set its BAR wrongly. */
	if (e820_is_ram(&machine_e820, ma) || mmio_is_hv(maddr_to_mfn(ma)))
		return -EINVAL;
	for (unsigned int i = 0; i < GSI_LIMIT; i++)
		if (messages[i].is_used && messages[i].entry_ma == ma)
			return -EBUSY;
	m->entry = map_entry(ma);
	m->entry_ma = ma;
	return m->entry ? 0 : -ENOMEM;
}

int msi_map(const struct msi_request *req, unsigned int *line)
{
	struct message m = { .is_used = true, .dev = req->dev };
	int rc;

	m.cap = pci_find_capability(req->dev, req->table_base ? CAP_MSIX : CAP_MSI);
	if (!m.cap)
		return -ENODEV;
	rc = req->table_base ? msix_find(&m, req) : 0;
	if (!rc)
		rc = irq_line_alloc(line);
	if (rc)
		return rc;
	messages[*line] = m;
	if (m.entry)
		m.entry->control = MSIX_MASKED;
	return 0;
}

void msi_unmap(unsigned int line)
{
	msi_mask(line, true);
	messages[line].is_used = false;
	irq_line_free(line);
}

static void write_plain(const struct message *m, u32 address, u16 data)
{
	u16 flags = pci_read16(m->dev, m->cap + FLAGS);

	pci_write32(m->dev, m->cap + MSI_ADDRESS, address);
	if (flags & MSI_64BIT)
		pci_write32(m->dev, m->cap + MSI_ADDRESS_HIGH, 0);
	pci_write16(m->dev, (u8)(m->cap + MSI_DATA(flags)), data);
}

void msi_write(unsigned int line, const struct irq_route *r)
{
	const struct message *m = &messages[line];
	u32 address = MESSAGE_ADDRESS | r->apic_id << MESSAGE_APIC_SHIFT;

	if (!m->is_used)
		return;
	if (!m->entry) {
		write_plain(m, address, r->vector);
	} else if (decodes_memory(m->dev)) {
		m->entry->control = MSIX_MASKED;
		m->entry->address = address;
		m->entry->address_high = 0;
		m->entry->data = r->vector;
		m->entry->control = r->masked ? MSIX_MASKED : 0;
	}
}

/* Plain MSI stays open: an interrupt that nobody is bound to is acknowledged and dropped. */
void msi_mask(unsigned int line, bool masked)
{
	const struct message *m = &messages[line];

	if (m->is_used && m->entry && decodes_memory(m->dev))
		m->entry->control = masked ? MSIX_MASKED : 0;
}

void msi_restore(struct pci_device dev)
{
	for (unsigned int i = 0; i < GSI_LIMIT; i++)
		if (messages[i].is_used && messages[i].dev.bus == dev.bus &&
		    messages[i].dev.devfn == dev.devfn)
			irq_line_restore(i);
}
