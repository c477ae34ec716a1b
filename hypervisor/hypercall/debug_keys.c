/* SPDX-License-Identifier: MIT */
/*
 * debug_keys.c - what one key of the serial console, or of XEN_SYSCTL_debug_keys, prints into the
 * log: one table row a key, the letters as Xen's. All but P and W only look. Runs with the
 * hypervisor lock, for as long as the lines take.
 */
#include "hypercall/debug_keys.h"

#include "domain/evtchn.h"
#include "domain/gnttab.h"
#include "domain/sched.h"
#include "hypercall/handlers.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/irq.h"
#include "x86/probe.h"
#include "x86/smp.h"
#include "x86/watchdog.h"

static void print_help(void);

static const char *call_name(u64 nr)
{
	return hypercall_name(nr);
}

static void print_probe(void)
{
	probe_print(call_name);
}

static const char *state_name(const struct vcpu *v)
{
	static const char *const names[] = {
		[RUNSTATE_running] = "running",
		[RUNSTATE_runnable] = "runnable",
		[RUNSTATE_blocked] = "blocked",
		[RUNSTATE_offline] = "offline",
	};

	return names[v->runstate.state];
}

/* Of one that runs: as they were when it last entered the hypervisor. */
static void print_registers(const struct vcpu *v)
{
	const struct cpu_user_regs *r =
		v->state_cpu == NO_CPU ? &v->regs : &cpu_info_of(v->state_cpu)->regs;

	log_info("d%uv%u: %s, pause flags %#lx, guest %s mode", v->domain->domain_id, v->vcpu_id,
		 state_name(v), v->pause_flags, v->pv.in_kernel ? "kernel" : "user");
	log_info("  rip %04x:%016lx rsp %04x:%016lx flags %08lx", r->cs, (unsigned long)r->rip,
		 r->ss, (unsigned long)r->rsp, (unsigned long)r->rflags);
	log_info("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", (unsigned long)r->rax,
		 (unsigned long)r->rbx, (unsigned long)r->rcx, (unsigned long)r->rdx);
	log_info("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", (unsigned long)r->rsi,
		 (unsigned long)r->rdi, (unsigned long)r->rbp, (unsigned long)r->r8);
}

static void print_dom0_registers(void)
{
	for (unsigned int i = 0; dom0 && i < dom0->nr_vcpus_max; i++)
		if (dom0->vcpu[i])
			print_registers(dom0->vcpu[i]);
}

static void print_cpu_registers(void)
{
	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		const struct vcpu *v = cpu_info_of(i)->vcpu;

		log_info("CPU %u: %s", i, v ? "runs" : "idle");
		if (v)
			print_registers(v);
	}
}

static void print_event_channels(void)
{
	static const char *const names[] = { "closed", "unbound", "interdomain",
					     "pirq",   "virq",	 "ipi" };

	for (struct domain *d = domain_list; d; d = d->next) {
		log_info("d%u: event channels", d->domain_id);
		for (evtchn_port_t p = 1; d->evtchn && p < EVTCHN_2L_NR_CHANNELS; p++) {
			struct evtchn_status st;

			if (evtchn_status(d, p, &st) || st.status == EVTCHNSTAT_closed)
				continue;
			log_info("  %4u: %s, vcpu %u%s%s, to %u %u", p, names[st.status], st.vcpu,
				 evtchn_is_pending(d, p) ? ", pending" : "",
				 evtchn_is_masked(d, p) ? ", masked" : "",
				 st.status == EVTCHNSTAT_interdomain ? st.u.interdomain.dom
								     : st.u.virq,
				 st.status == EVTCHNSTAT_interdomain ? st.u.interdomain.port : 0);
		}
	}
}

static void print_grants(void)
{
	for (const struct domain *d = domain_list; d; d = d->next) {
		const struct grant_table *t = d->gnttab;
		unsigned int pinned = 0;

		if (!t)
			continue;
		for (u32 i = 0; i < t->nr_frames * GRANTS_PER_FRAME; i++)
			pinned += t->active[i / GRANTS_PER_FRAME] &&
				  t->active[i / GRANTS_PER_FRAME][i % GRANTS_PER_FRAME].frame;
		log_info("d%u: grant table of %u frames (%u at most), %u entries in use by others; "
			 "maps %u of others'",
			 d->domain_id, t->nr_frames, t->max_frames, pinned, t->nr_mapped);
	}
}

static void print_memory(void)
{
	log_info("memory: %lu of %lu KiB free", (unsigned long)page_alloc_free_frames() << 2,
		 (unsigned long)page_alloc_total_frames() << 2);
	for (const struct domain *d = domain_list; d; d = d->next)
		log_info("  d%u: %lu KiB of at most %lu, %lu shared by the hypervisor",
			 d->domain_id, (unsigned long)d->tot_pages << 2,
			 (unsigned long)d->max_pages << 2, (unsigned long)d->xenheap_pages << 2);
}

static void print_domains(void)
{
	for (const struct domain *d = domain_list; d; d = d->next) {
		log_info("d%u: %lu pages (%lu at most), paused %u+%u%s%s%s", d->domain_id,
			 (unsigned long)d->tot_pages, (unsigned long)d->max_pages, d->pause_count,
			 d->controller_pause_count, d->is_dying ? ", dying" : "",
			 d->is_shut_down ? ", shut down" : "", d->is_crashed ? ", crashed: " : "");
		if (d->is_crashed)
			log_info("  %s", d->crash_reason);
		for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
			const struct vcpu *v = d->vcpu[i];

			if (v)
				log_info("  vcpu %u: %s, CPU %d, affinity %#lx, upcall pending %u "
					 "masked %u, %lu ms",
					 i, state_name(v), (int)v->last_cpu,
					 (unsigned long)(v->affinity & smp_cpu_mask()),
					 READ_ONCE(v->vcpu_info->evtchn_upcall_pending),
					 READ_ONCE(v->vcpu_info->evtchn_upcall_mask),
					 (unsigned long)vcpu_cpu_time_ns(v) / 1000000);
		}
	}
}

static void print_audit(void)
{
	s_time_t began = now_ns();
	unsigned int nr_wrong = 0;

	if (pv_audit(&nr_wrong))
		log_error("audit: not enough memory to count");
	else
		log_info("audit: %lu frames, %u wrong, %lu ms", (unsigned long)frame_table_nr,
			 nr_wrong, (unsigned long)(now_ns() - began) / 1000000);
}

/* Proves the watchdog: without one it would be the end of the machine, so then nothing happens. */
static void hang(void)
{
	if (!watchdog_is_on()) {
		log_info("hang: only with 'watchdog' on the command line");
		return;
	}
	log_info("hang: this CPU waits for the watchdog");
	for (;;)
		cpu_relax();
}

static const struct {
	char key;
	void (*print)(void);
	const char *what;
} keys[] = {
	{ '*', print_help, "this list" },
	{ 'h', print_help, "this list" },
	{ '0', print_dom0_registers, "registers of dom0's vcpus" },
	{ 'A', print_audit, "recount every reference of every frame and compare" },
	{ 'd', print_cpu_registers, "what each CPU runs, with its registers" },
	{ 'e', print_event_channels, "event channels" },
	{ 'g', print_grants, "grant tables" },
	{ 'i', irq_print, "device interrupts and the CPUs that get them" },
	{ 'm', print_memory, "memory" },
	{ 'p', print_probe, "the longest that a CPU was held without a preemption point" },
	{ 'P', probe_restart, "measure that from now on" },
	{ 'q', print_domains, "domains and their vcpus" },
	{ 'r', credit_print, "run queue" },
	{ 'W', hang, "hang this CPU, for the watchdog to notice" },
};

static void print_help(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		log_info("key '%c': %s", keys[i].key, keys[i].what);
}

bool debug_key(char key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].key != key)
			continue;
		keys[i].print();
		if (probe_is_on)
			probe_forget(); /* a person asked for it: the audit takes its time */
		return true;
	}
	return false;
}
