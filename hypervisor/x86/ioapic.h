/* SPDX-License-Identifier: MIT */
/* ioapic.h - the IO-APICs (ioapic.c). */
#ifndef HV_X86_IOAPIC_H
#define HV_X86_IOAPIC_H

#include "lib/types.h"

struct irq_route;

/* Boot: all pins masked. */
void ioapic_init(void);
unsigned int ioapic_pins(void); /* GSIs covered: 0 .. n-1 */
void ioapic_set_pin(unsigned int gsi, const struct irq_route *r);
/* Only the CPU changes that gets @gsi's interrupts. */
void ioapic_set_cpu(unsigned int gsi, u32 apic_id);
/* An edge on @gsi becomes an NMI on every CPU. */
void ioapic_set_nmi_pin(unsigned int gsi);
void ioapic_mask(unsigned int gsi, bool masked);
bool ioapic_owns_frame(mfn_t mfn);
/* PHYSDEVOP_apic_read/write of dom0: register @reg of the IO-APIC at physical @base. -EINVAL. */
int ioapic_guest_read(u64 base, u32 reg, u32 *value);

#endif
