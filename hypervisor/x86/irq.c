/* SPDX-License-Identifier: MIT */
/*
 * irq.c - interrupt vectors: the timer, the hypervisor's own devices, and dom0's GSIs, the numbers
 * after which are interrupts by message. A level line is masked when it fires and opened again when
 * dom0 is done, so a device can never storm the CPU. An interrupt follows the vcpu that dom0 bound
 * it to: if that vcpu last ran elsewhere, the next one goes there.
 * Lock: the hypervisor's, for the table of GSIs.
 */
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/ioapic.h"
#include "x86/irq.h"
#include "x86/irq_route.h"
#include "x86/lock.h"
#include "x86/msi.h"
#include "x86/probe.h"
#include "x86/smp.h"
#include "x86/softirq.h"

#define VECTOR_FIRST 0x30
#define VECTOR_LAST 0xef
#define VECTOR_INT80 0x80 /* belongs to guests' user mode */

struct gsi {
	bool is_set; /* trigger and polarity were fixed */
	bool level, active_low;
	bool is_bound; /* dom0 receives it */
	bool awaits_eoi;
	u8 cpu; /* that gets it */
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

/* Every vector has its number, used or not. */
static bool is_number(unsigned int gsi)
{
	return gsi < VECTOR_LAST - VECTOR_FIRST && (gsi < gsi_count() || gsis[gsi].is_set);
}

bool gsi_is_msi(unsigned int gsi)
{
	return is_number(gsi) && gsi >= gsi_count();
}

static void program(unsigned int gsi, bool masked)
{
	const struct gsi *g = &gsis[gsi];
	const struct irq_route route = { .apic_id = smp_apic_id(g->cpu),
					 .vector = gsi_to_vector(gsi),
					 .level = g->level,
					 .active_low = g->active_low,
					 .masked = masked };

	if (gsi_is_msi(gsi))
		msi_write(gsi, &route);
	else
		ioapic_set_pin(gsi, &route);
}

static void mask(unsigned int gsi, bool masked)
{
	if (gsi_is_msi(gsi))
		msi_mask(gsi, masked);
	else
		ioapic_mask(gsi, masked);
}

int irq_line_alloc(unsigned int *line)
{
	for (unsigned int i = gsi_count(); i < VECTOR_LAST - VECTOR_FIRST; i++) {
		if (gsis[i].is_set)
			continue;
		gsis[i] = (struct gsi){ .is_set = true };
		*line = i;
		return 0;
	}
	return -ENOSPC;
}

void irq_line_free(unsigned int line)
{
	gsis[line].is_set = gsis[line].is_bound = false;
}

void irq_line_restore(unsigned int line)
{
	program(line, !gsis[line].is_bound);
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

	if (!is_number(gsi) || gsis[gsi].handler)
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
	if (!is_number(gsi) || !gsis[gsi].is_bound)
		return;
	gsis[gsi].is_bound = false;
	mask(gsi, true);
}

void gsi_guest_eoi(unsigned int gsi)
{
	if (!is_number(gsi) || !gsis[gsi].awaits_eoi)
		return;
	gsis[gsi].awaits_eoi = false;
	if (gsis[gsi].is_bound)
		ioapic_mask(gsi, false);
}

bool gsi_needs_eoi(unsigned int gsi)
{
	return is_number(gsi) && gsis[gsi].level;
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

static const struct irq_guest *guest; /* fixed after boot */

void irq_set_guest(const struct irq_guest *who)
{
	guest = who;
}

/* The next one goes to the CPU where the vcpu is that handles it. An IO-APIC's edge pin is not
 * masked for it: an edge meanwhile would be lost. */
static void follow_vcpu(unsigned int gsi)
{
	unsigned int cpu = guest->cpu(gsi);

	if (cpu >= smp_nr_cpus() || cpu == gsis[gsi].cpu)
		return;
	gsis[gsi].cpu = (u8)cpu;
	if (gsi_is_msi(gsi))
		program(gsi, false);
	else
		ioapic_set_cpu(gsi, smp_apic_id(cpu));
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
	if (guest->raise(gsi))
		follow_vcpu(gsi);
	else
		log_debug("irq: GSI %u has no listener", gsi);
}

static void dispatch_device(u8 vector)
{
	unsigned int gsi = vector_to_gsi(vector);

	if (vector >= VECTOR_FIRST && is_number(gsi) && gsis[gsi].is_bound) {
		deliver_to_dom0(gsi);
		return;
	}
	if (vector >= VECTOR_FIRST)
		apic_eoi();
	if (vector >= VECTOR_FIRST && gsi < gsi_count() && gsis[gsi].handler)
		gsis[gsi].handler();
	else if (!gsi_is_msi(gsi) && unhandled++ < 10)
		log_warn("irq: nobody handles vector %02x", vector);
}

void irq_print(void)
{
	for (unsigned int i = 0; i < VECTOR_LAST - VECTOR_FIRST; i++) {
		const struct gsi *g = &gsis[i];

		if (g->is_bound || g->handler)
			log_info("irq %u: %s, vector %02x, CPU %u, %s%s", i,
				 gsi_is_msi(i) ? "message"
				 : g->level    ? "level"
					       : "edge",
				 gsi_to_vector(i), g->cpu, g->handler ? "ours" : "dom0's",
				 g->awaits_eoi ? ", in service" : "");
	}
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
	if (unlikely(probe_is_on))
		probe_interrupt();
	dispatch_device(vector);
	hv_unlock();
}
