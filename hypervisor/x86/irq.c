/* SPDX-License-Identifier: MIT */
/*
 * irq.c - interrupt vectors: the timer, the hypervisor's own devices, and dom0's GSIs. A level line
 * is masked when it fires and opened again when dom0 is done, so a device can never storm the CPU.
 * Lock: the hypervisor's, for the table of GSIs.
 */
#include "domain/domain.h"
#include "domain/evtchn.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/init.h"
#include "x86/lock.h"
#include "x86/machine.h"
#include "x86/smp.h"

#define VECTOR_FIRST 0x30
#define VECTOR_LAST 0xef
#define VECTOR_INT80 0x80 /* belongs to guests' user mode */

struct gsi {
	bool is_set; /* trigger and polarity were fixed */
	bool level, active_low;
	bool is_bound; /* dom0 receives it */
	bool awaits_eoi;
	void (*handler)(void); /* the hypervisor's own */
};

static struct gsi gsis[GSI_LIMIT];
static u64 unhandled;

static u8 gsi_to_vector(unsigned int gsi)
{
	unsigned int v = VECTOR_FIRST + gsi;

	return (u8)(v >= VECTOR_INT80 ? v + 1 : v);
}

static unsigned int vector_to_gsi(u8 vector)
{
	return vector - VECTOR_FIRST - (vector > VECTOR_INT80);
}

unsigned int gsi_count(void)
{
	return MIN(ioapic_pins(), (unsigned int)(VECTOR_LAST - VECTOR_FIRST));
}

static void program(unsigned int gsi, bool masked)
{
	const struct gsi *g = &gsis[gsi];

	ioapic_set_pin(gsi, gsi_to_vector(gsi), g->level, g->active_low, masked);
}

/* The ISA interrupt behind a GSI has a trigger and polarity of its own; others are PCI's. */
static void set_default(unsigned int gsi)
{
	struct gsi *g = &gsis[gsi];

	g->level = g->active_low = gsi >= 16;
	for (unsigned int i = 0; i < 16; i++) {
		if (acpi_facts.isa[i].gsi != gsi)
			continue;
		g->level = acpi_facts.isa[i].level;
		g->active_low = acpi_facts.isa[i].active_low;
	}
	g->is_set = true;
}

int gsi_setup(unsigned int gsi, bool level, bool active_low)
{
	struct gsi *g;

	if (gsi >= gsi_count())
		return -EINVAL;
	g = &gsis[gsi];
	if (g->is_bound || g->handler)
		return g->level == level && g->active_low == active_low ? -EEXIST : -EBUSY;
	g->level = level;
	g->active_low = active_low;
	g->is_set = true;
	program(gsi, true);
	return 0;
}

int gsi_bind_guest(unsigned int gsi)
{
	struct gsi *g;

	if (gsi >= gsi_count() || gsis[gsi].handler)
		return -EINVAL;
	g = &gsis[gsi];
	if (g->is_bound)
		return -EBUSY;
	if (!g->is_set)
		set_default(gsi);
	g->is_bound = true;
	g->awaits_eoi = false;
	program(gsi, false);
	return 0;
}

void gsi_unbind_guest(unsigned int gsi)
{
	if (gsi >= gsi_count() || !gsis[gsi].is_bound)
		return;
	gsis[gsi].is_bound = false;
	ioapic_mask(gsi, true);
}

void gsi_guest_eoi(unsigned int gsi)
{
	if (gsi >= gsi_count() || !gsis[gsi].awaits_eoi)
		return;
	gsis[gsi].awaits_eoi = false;
	if (gsis[gsi].is_bound)
		ioapic_mask(gsi, false);
}

bool gsi_needs_eoi(unsigned int gsi)
{
	return gsi < gsi_count() && gsis[gsi].level;
}

void irq_claim_isa(unsigned int irq, void (*handler)(void))
{
	unsigned int gsi = acpi_facts.isa[irq].gsi;

	if (gsi >= gsi_count())
		return;
	set_default(gsi);
	gsis[gsi].handler = handler;
	program(gsi, false);
}

/* With the hypervisor lock. */
static void deliver_to_dom0(unsigned int gsi)
{
	struct gsi *g = &gsis[gsi];

	if (g->level) {
		ioapic_mask(gsi, true);
		g->awaits_eoi = true;
	}
	apic_eoi();
	if (!dom0 || !evtchn_raise_pirq(dom0, gsi))
		log_debug("irq: GSI %u has no listener", gsi);
}

static void dispatch_device(u8 vector)
{
	unsigned int gsi = vector_to_gsi(vector);

	if (vector >= VECTOR_FIRST && gsi < gsi_count() && gsis[gsi].is_bound) {
		deliver_to_dom0(gsi);
		return;
	}
	if (vector >= VECTOR_FIRST)
		apic_eoi();
	if (vector >= VECTOR_FIRST && gsi < gsi_count() && gsis[gsi].handler)
		gsis[gsi].handler();
	else if (unhandled++ < 10)
		log_warn("irq: nobody handles vector %02x", vector);
}

void irq_dispatch(u8 vector)
{
	if (vector == VECTOR_TIMER) {
		apic_eoi();
		softirq_raise(SOFTIRQ_TIMER);
		return;
	}
	if (vector == VECTOR_SPURIOUS)
		return; /* no EOI: nothing is in service */
	if (vector == VECTOR_KICK || vector == VECTOR_REQUEST) {
		apic_eoi();
		smp_serve_requests(); /* the way back to the guest looks at the rest */
		return;
	}
	hv_lock();
	dispatch_device(vector);
	hv_unlock();
}
