/* SPDX-License-Identifier: MIT */
/* ioports.c - what of the machine the hypervisor keeps from dom0: its serial line, the interrupt
 * controllers, the watchdog's timer. Everything else is dom0's to drive. */
#include "x86/acpi.h"
#include "x86/ioapic.h"
#include "x86/ioports.h"
#include "x86/uart.h"

static bool overlaps(u16 port, unsigned int len, u16 first, unsigned int count)
{
	return port < first + count && first < port + len;
}

bool ioport_is_hv(u16 port, unsigned int len)
{
	static const struct {
		u16 first;
		u8 count;
	} kept[] = {
		{ 0x20, 2 },  /* 8259 master */
		{ 0xa0, 2 },  /* 8259 slave */
		{ 0x4d0, 2 }, /* their trigger modes */
		{ 0x40, 1 },  /* PIT channel 0: the watchdog's */
	};

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (overlaps(port, len, kept[i].first, kept[i].count))
			return true;
	return uart_port() && overlaps(port, len, uart_port(), 8);
}

bool mmio_is_hv(mfn_t mfn)
{
	return mfn_eq(mfn, maddr_to_mfn(acpi_facts.lapic)) || ioapic_owns_frame(mfn);
}
