/* SPDX-License-Identifier: MIT */
/* domains.c - domains of the fake machine that nobody asked for by hypercall, and their end. */
#include "machine.h"

#include "domain/evtchn.h"
#include "domain/memory.h"
#include "domain/sched.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/pte.h"
#include "x86/smp.h"

static u32 mfn_at(const u32 *pool, u32 place)
{
	return __atomic_load_n(&pool[place], __ATOMIC_RELAXED);
}

struct domain *machine_domain(domid_t domid, unsigned int nr_vcpus, u32 *pool,
			      unsigned int nr_frames)
{
	struct xen_domctl_createdomain config = { .max_vcpus = nr_vcpus, .max_evtchn_port = 255,
						  .max_grant_frames = 2, .max_maptrack_frames = 2,
						  .grant_opts = 1 };
	struct domain *d;

	if (domain_create(domid, &config, &d))
		machine_fail("no domain %u", domid);
	d->max_pages = 2 * nr_frames;
	for (unsigned int i = 0; i < nr_vcpus; i++)
		if (vcpu_create(d, i))
			machine_fail("no vcpu for domain %u", domid);
	if (!dom0)
		dom0 = d; /* from now on frames are given out clean */
	for (u32 i = 0; i < nr_frames; i++) {
		struct frame *f;

		if (domain_frames_alloc(d, 0, 0, &f))
			machine_fail("no memory for domain %u", domid);
		pool[i] = (u32)mfn_x(frame_to_mfn(f));
	}
	return d;
}

static u64 *table(const u32 *pool, enum pool_place place)
{
	return mfn_to_virt(_mfn(mfn_at(pool, place)));
}

static u64 entry_to(const u32 *pool, u32 place, u64 flags)
{
	return pte_make(_mfn(mfn_at(pool, place)), PTE_P | PTE_US | flags);
}

void machine_build_tables(const u32 *pool)
{
	table(pool, P_L4)[0] = entry_to(pool, P_L3, PTE_RW);
	table(pool, P_L3)[0] = entry_to(pool, P_L2, PTE_RW);
	table(pool, P_L2)[0] = entry_to(pool, P_L1A, PTE_RW);
	table(pool, P_L2)[1] = entry_to(pool, P_L1B, PTE_RW);
	for (u32 i = 0; i < 8; i++)
		table(pool, P_L1A)[i] = entry_to(pool, P_PLAIN + i, PTE_RW);
	for (u32 i = 0; i < 5; i++)
		table(pool, P_L1B)[i] = entry_to(pool, i, 0);
}

void machine_domain_start(struct domain *d, const u32 *pool)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		struct vcpu_guest_context c = { .flags = VGCF_in_kernel };

		c.ctrlreg[3] = mfn_to_maddr(_mfn(pool[P_L4]));
		if (pv_vcpu_set_context(d->vcpu[i], &c) || vcpu_up(d->vcpu[i]))
			machine_fail("the tables of domain %u are refused", d->domain_id);
	}
	domain_unpause_by_controller(d);
}

/* The CPUs go back to the hypervisor's own tables. It wants a current that is no domain's. */
static void leave_guests(void)
{
	static struct domain nobody;
	static struct vcpu nobodys_vcpu = { .domain = &nobody };
	static struct vcpu_info nobodys_info;

	nobodys_vcpu.vcpu_info = &nobodys_info;
	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		struct vcpu *v = fake_cpus[i].vcpu;

		fake_here = &fake_cpus[i];
		if (v) {
			v->is_running = false;
			v->state_cpu = NO_CPU;
			current = NULL;
		}
		pv_tables_leave();
	}
	fake_here = &fake_cpus[0];
	current = &nobodys_vcpu;
}

static void kill(struct domain *d)
{
	int rc;

	do {
		rc = domain_kill(d);
	} while (rc == -ERESTART);
	if (rc)
		machine_fail("domain %u does not go: %d", d->domain_id, rc);
}

/* One that is not dying yet, dom0 last. */
static struct domain *next_to_kill(void)
{
	struct domain *last = NULL;

	for (struct domain *d = domain_list; d; d = d->next)
		if (!d->is_dying && (!last || last == dom0))
			last = d;
	return last;
}

void machine_domains_end(void)
{
	struct domain *d;

	leave_guests();
	hv_lock();
	while ((d = next_to_kill())) {
		if (d == dom0)
			dom0 = NULL;
		kill(d);
	}
	hv_unlock();
	current = NULL;
	if (domain_list)
		machine_fail("domain %u stays", domain_list->domain_id);
}
