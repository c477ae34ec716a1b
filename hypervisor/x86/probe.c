/* SPDX-License-Identifier: MIT */
/*
 * probe.c - measures each section in which a CPU is held and keeps the longest of each kind.
 * Waiting for the lock is another's time and not counted.
 *
 * Owns its records. Lock: the hypervisor's, held at every call.
 */
#include "x86/probe.h"

#include "lib/log.h"
#include "lib/string.h"
#include "x86/clock.h"
#include "x86/percpu.h"
#include "x86/smp.h"

#define NR_KINDS 64
#define SHOW_NS 50000 /* shorter sections are not worth a line */
#define OPERATION_MAX 0x100000 /* a larger first argument is an address, no operation */

enum section { SECTION_TRAP, SECTION_HYPERCALL, SECTION_SOFTIRQ, SECTION_IRQ, NR_SECTIONS };

struct longest {
	s_time_t ns;
	u64 op;
};

static struct {
	s_time_t began; /* 0: none is under way that counts */
	enum section section;
	unsigned int kind;
	u64 op;
} at[NR_CPUS];
static struct longest longest[NR_SECTIONS][NR_KINDS];
static u64 nr_over; /* sections longer than the limit */

bool probe_is_on;

static void label(enum section section, u64 kind, u64 op)
{
	unsigned int cpu = this_cpu_id();

	at[cpu].section = section;
	at[cpu].kind = kind < NR_KINDS ? (unsigned int)kind : NR_KINDS - 1;
	at[cpu].op = op;
}

void probe_start(void)
{
	at[this_cpu_id()].began = now_ns();
}

/* A fault of the guest, unless somebody says more. */
void probe_begin(void)
{
	label(SECTION_TRAP, guest_regs()->entry_vector, 0);
	probe_start();
}

void probe_stop(void)
{
	unsigned int cpu = this_cpu_id();
	struct longest *l = &longest[at[cpu].section][at[cpu].kind];
	s_time_t ns = now_ns() - at[cpu].began;

	if (!at[cpu].began)
		return;
	at[cpu].began = 0;
	nr_over += ns > PROBE_LIMIT_NS;
	if (ns > l->ns)
		*l = (struct longest){ ns, at[cpu].op };
}

/* One section ends here, another begins. */
static void next(enum section section, u64 kind, u64 op)
{
	probe_stop();
	label(section, kind, op);
	probe_start();
}

void probe_softirq(int nr)
{
	if (nr < 0)
		next(SECTION_TRAP, guest_regs()->entry_vector, 0);
	else
		next(SECTION_SOFTIRQ, (u64)nr, 0);
}

void probe_interrupt(void)
{
	label(SECTION_IRQ, 0, 0);
}

void probe_hypercall(u64 nr, u64 op)
{
	label(SECTION_HYPERCALL, nr, op);
}

void probe_operation(u64 op)
{
	at[this_cpu_id()].op = op;
}

void probe_forget(void)
{
	at[this_cpu_id()].began = 0;
}

void probe_restart(void)
{
	memset(longest, 0, sizeof(longest));
	memset(at, 0, sizeof(at));
	nr_over = 0;
	probe_is_on = true;
	log_info("probe: on");
}

static void print_one(const char *what, enum section s, unsigned int kind,
		      const char *(*call_name)(u64 nr))
{
	static const char *const sections[] = { "fault", "hypercall", "softirq", "interrupt" };
	const struct longest *l = &longest[s][kind];
	const char *name = s == SECTION_HYPERCALL ? call_name(kind) : NULL;

	if (name && l->op < OPERATION_MAX)
		log_info("%s%lu us: %s %lu", what, (unsigned long)l->ns / 1000, name,
			 (unsigned long)l->op);
	else if (name)
		log_info("%s%lu us: %s", what, (unsigned long)l->ns / 1000, name);
	else
		log_info("%s%lu us: %s %u", what, (unsigned long)l->ns / 1000, sections[s], kind);
}

void probe_print(const char *(*call_name)(u64 nr))
{
	unsigned int worst = 0;

	if (!probe_is_on) {
		log_info("probe: off; key P turns it on");
		return;
	}
	for (unsigned int i = 0; i < NR_SECTIONS * NR_KINDS; i++) {
		const struct longest *l = &longest[i / NR_KINDS][i % NR_KINDS];

		if (l->ns > longest[worst / NR_KINDS][worst % NR_KINDS].ns)
			worst = i;
		if (l->ns >= SHOW_NS)
			print_one("  ", i / NR_KINDS, i % NR_KINDS, call_name);
	}
	print_one("probe: longest ", worst / NR_KINDS, worst % NR_KINDS, call_name);
	log_info("probe: %lu above %u us", (unsigned long)nr_over, PROBE_LIMIT_NS / 1000);
}
