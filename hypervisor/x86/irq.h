/* SPDX-License-Identifier: MIT */
/*
 * irq.h - interrupt vectors, and device interrupts, which are all dom0's (irq.c). A gsi is
 * validated here.
 */
#ifndef HV_X86_IRQ_H
#define HV_X86_IRQ_H

#include "lib/types.h"

#define GSI_LIMIT 256
/* Who takes device interrupts. */
struct irq_guest {
	bool (*raise)(unsigned int gsi);	/* false: nobody listens */
	unsigned int (*cpu)(unsigned int gsi);	/* where it is handled; NO_CPU: anywhere */
};
/* Boot: before the first gsi_bind_guest(). */
void irq_set_guest(const struct irq_guest *guest);
unsigned int gsi_count(void);
/*
 * Interrupts by message have numbers from gsi_count() on, and the gsi_ functions take them too, but
 * for gsi_setup().
 */
bool gsi_is_msi(unsigned int gsi);
/* Debug key: a line of the log for each that is bound. */
void irq_print(void);
/* Sets trigger and polarity before first use. 0; -EEXIST already in use with the same; -EBUSY
 * different; -EINVAL. */
int gsi_setup(unsigned int gsi, bool level, bool active_low);
/* Starts delivery: unmasks; each interrupt is raised by irq_set_guest()'s. -EBUSY bound,
 * -EINVAL (hypervisor's own: timer, serial console). */
int gsi_bind_guest(unsigned int gsi);
void gsi_unbind_guest(unsigned int gsi);
/* The guest finished handling (PHYSDEVOP_eoi, or the eoi of an unmask): re-opens a level line. */
void gsi_guest_eoi(unsigned int gsi);
/* Level-triggered: the guest must EOI. */
bool gsi_needs_eoi(unsigned int gsi);

/* An interrupt vector (>= 32) arrived. */
void irq_dispatch(u8 vector);
/* Boot: a device of the hypervisor itself on ISA interrupt @irq. */
void irq_claim_isa(unsigned int irq, void (*handler)(void));
/* For msi.c: a number for an interrupt by message, as a GSI above the IO-APICs'. -ENOSPC. */
int irq_line_alloc(unsigned int *line);
void irq_line_free(unsigned int line);
/* Its device lost its settings: writes the message again. */
void irq_line_restore(unsigned int line);

#endif
