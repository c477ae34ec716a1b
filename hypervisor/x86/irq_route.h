/* SPDX-License-Identifier: MIT */
/* irq_route.h - where a device interrupt goes: what irq.c decides and ioapic.c and msi.c write. */
#ifndef HV_X86_IRQ_ROUTE_H
#define HV_X86_IRQ_ROUTE_H

#include "lib/types.h"

struct irq_route {
	u32 apic_id;
	u8 vector;
	bool level, active_low; /* lines of the IO-APIC only */
	bool masked;
};

#endif
