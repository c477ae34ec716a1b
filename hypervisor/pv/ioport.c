/* SPDX-License-Identifier: MIT */
/*
 * ioport.c - I/O ports as guests see them: dom0 reaches the devices, but not those the hypervisor
 * drives itself; everybody else sees an empty bus.
 */
#include "pv/emul.h"
#include "x86/asm.h"
#include "x86/ioports.h"

static bool may_access(const struct domain *d, u16 port, unsigned int size)
{
	return d->is_privileged && port + size <= 0x10000 && !ioport_is_hv(port, size);
}

u32 pv_ioport_read(const struct domain *d, u16 port, unsigned int size)
{
	if (!may_access(d, port, size))
		return size == 4 ? ~0u : (1u << (size * 8)) - 1;
	switch (size) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

void pv_ioport_write(const struct domain *d, u16 port, unsigned int size, u32 val)
{
	if (!may_access(d, port, size))
		return;
	switch (size) {
	case 1:
		outb(port, (u8)val);
		break;
	case 2:
		outw(port, (u16)val);
		break;
	default:
		outl(port, val);
		break;
	}
}
