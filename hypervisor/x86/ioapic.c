/* SPDX-License-Identifier: MIT */
/*
 * ioapic.c - the IO-APICs: one redirection entry a GSI.
 * Source: Intel 82093AA data sheet.
 */
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/ioapic.h"
#include "x86/irq.h"
#include "x86/irq_route.h"
#include "x86/pagetable.h"

#define IOAPIC_VERSION 0x01
#define IOAPIC_REDIR(pin) (0x10 + 2 * (pin))
#define REDIR_NMI (4u << 8)
#define REDIR_TO_ALL (0xffu << 24)
#define REDIR_ACTIVE_LOW (1u << 13)
#define REDIR_LEVEL (1u << 15)
#define REDIR_MASKED (1u << 16)
#define IOAPIC_MAX_PINS 240

static struct ioapic {
	maddr_t base;
	volatile u32 *regs; /* [0] select, [4] window */
	unsigned int gsi_base, pins;
} ioapics[ACPI_MAX_IOAPICS];
static unsigned int nr_ioapics, nr_gsis;

static u32 ioapic_read(const struct ioapic *io, u32 reg)
{
	io->regs[0] = reg;
	return io->regs[4];
}

static void ioapic_write(const struct ioapic *io, u32 reg, u32 value)
{
	io->regs[0] = reg;
	io->regs[4] = value;
}

static const struct ioapic *find(unsigned int gsi, unsigned int *pin)
{
	for (unsigned int i = 0; i < nr_ioapics; i++) {
		*pin = gsi - ioapics[i].gsi_base;
		if (gsi >= ioapics[i].gsi_base && *pin < ioapics[i].pins)
			return &ioapics[i];
	}
	return NULL;
}

unsigned int ioapic_pins(void)
{
	return nr_gsis;
}

void ioapic_set_pin(unsigned int gsi, const struct irq_route *r)
{
	unsigned int pin;
	const struct ioapic *io = find(gsi, &pin);

	if (!io)
		return;
	ioapic_write(io, IOAPIC_REDIR(pin), REDIR_MASKED);
	ioapic_write(io, IOAPIC_REDIR(pin) + 1, r->apic_id << 24);
	ioapic_write(io, IOAPIC_REDIR(pin),
		     r->vector | (r->active_low ? REDIR_ACTIVE_LOW : 0) |
			     (r->level ? REDIR_LEVEL : 0) | (r->masked ? REDIR_MASKED : 0));
}

void ioapic_set_cpu(unsigned int gsi, u32 apic_id)
{
	unsigned int pin;
	const struct ioapic *io = find(gsi, &pin);

	if (io)
		ioapic_write(io, IOAPIC_REDIR(pin) + 1, apic_id << 24);
}

void ioapic_set_nmi_pin(unsigned int gsi)
{
	unsigned int pin;
	const struct ioapic *io = find(gsi, &pin);

	if (!io)
		return;
	ioapic_write(io, IOAPIC_REDIR(pin) + 1, REDIR_TO_ALL);
	ioapic_write(io, IOAPIC_REDIR(pin), REDIR_NMI);
}

void ioapic_mask(unsigned int gsi, bool masked)
{
	unsigned int pin;
	const struct ioapic *io = find(gsi, &pin);
	u32 low;

	if (!io)
		return;
	low = ioapic_read(io, IOAPIC_REDIR(pin));
	ioapic_write(io, IOAPIC_REDIR(pin), masked ? low | REDIR_MASKED : low & ~REDIR_MASKED);
}

void ioapic_init(void)
{
	for (unsigned int i = 0; i < acpi_facts.nr_ioapics; i++) {
		struct ioapic *io = &ioapics[nr_ioapics];

		io->base = acpi_facts.ioapic[i].base;
		io->gsi_base = acpi_facts.ioapic[i].gsi_base;
		io->regs = ioremap(io->base, 32);
		if (!io->regs)
			continue;
		io->pins = MIN((ioapic_read(io, IOAPIC_VERSION) >> 16 & 0xff) + 1,
			       IOAPIC_MAX_PINS + 0u);
		for (unsigned int pin = 0; pin < io->pins; pin++)
			ioapic_write(io, IOAPIC_REDIR(pin), REDIR_MASKED);
		nr_gsis = MIN(MAX(nr_gsis, io->gsi_base + io->pins), (unsigned int)GSI_LIMIT);
		nr_ioapics++;
		log_info("ioapic: %u pins from GSI %u at %lx", io->pins, io->gsi_base, io->base);
	}
	if (!nr_ioapics)
		log_error("ioapic: ACPI names none: no device interrupts");
}

bool ioapic_owns_frame(mfn_t mfn)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		if (mfn_eq(maddr_to_mfn(ioapics[i].base), mfn))
			return true;
	return false;
}

int ioapic_guest_read(u64 base, u32 reg, u32 *value)
{
	for (unsigned int i = 0; i < nr_ioapics; i++) {
		if (ioapics[i].base != base)
			continue;
		if (reg > 0xff)
			return -EINVAL;
		*value = ioapic_read(&ioapics[i], reg);
		return 0;
	}
	return -EINVAL;
}
