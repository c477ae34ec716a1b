/* SPDX-License-Identifier: MIT */
/*
 * world.c - the life of a host test of domain/ and hypercall/: dom0, domains, guest memory, and
 * hypercalls of whoever runs. What lies below is in x86.c and pv.c.
 */
#include "world.h"

#include <stdlib.h>

#include "domain/evtchn.h"
#include "domain/gnttab.h"
#include "domain/memory.h"
#include "domain/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "x86/lock.h"
#include "x86/softirq.h"

struct world world;
unsigned char *fake_ram;
unsigned char guest_mem[64 * 4096] __attribute__((aligned(4096)));
static size_t guest_used;
static unsigned char *ram; /* what fake_ram lies in */
static struct frame *table;
static u64 *m2p;
static u64 frames_before;
static long blocks_before;

/* --- life --- */

static void dom0_make(void)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = 1, .max_evtchn_port = 4095, .max_grant_frames = -1,
		.max_maptrack_frames = -1, .grant_opts = 1};

	if (domain_create(0, &config, &dom0) || vcpu_create(dom0, 0))
		abort();
	dom0->max_pages = WORLD_FRAMES;
	dom0->vcpu[0]->is_initialised = true;
	dom0->vcpu[dom0->nr_vcpus_max] = (struct vcpu *)16; /* as in world_domain() */
	domain_unpause_by_controller(dom0);
	vcpu_up(dom0->vcpu[0]);
	sched_softirq(); /* no effect without current: the queue is filled */
	world_run(credit_pick(0));
	current->is_running = true;
	vcpu_runstate_change(current, RUNSTATE_running, world.now);
	memset(world.softirqs, 0, sizeof(world.softirqs));
}

/* Memory of dom0's tables: they keep what they grew to. */
static long dom0_blocks(void)
{
	return (long)dom0->gnttab->nr_frames + dom0->gnttab->nr_maptrack_pages + (dom0->memory_map != NULL);
}

/* Once it has had every port, and each CPU room for many timers, more of them need no memory. */
static void tables_grow(void)
{
	static struct timer timers[500];
	evtchn_port_t port;

	fake_nr_cpus = NR_CPUS;
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
		if (timer_init(&timers[i], NULL, NULL))
			abort();
		timer_set(&timers[i], (1LL << 60) - (s_time_t)i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
		timer_fini(&timers[i]);
	world.hw_timer[0] = 0;
	fake_nr_cpus = 1;
	while (!evtchn_alloc_unbound(dom0, DOMID_SELF, &port))
		;
	while (evtchn_reset(dom0) == -ERESTART)
		;
}

static void machine_make(void)
{
	/* zeroed, and no page there before it is used: a test takes a tenth of the time */
	ram = calloc(WORLD_FRAMES + 1, PAGE_SIZE);
	fake_ram = ram + PAGE_SIZE - (uintptr_t)ram % PAGE_SIZE;
	table = calloc(WORLD_FRAMES, sizeof(*table));
	m2p = calloc(WORLD_FRAMES, sizeof(*m2p));
	frame_table_init(table, m2p, WORLD_FRAMES * sizeof(*m2p), WORLD_FRAMES);
	frame_mark_xen(_mfn(0), _mfn(16));
	page_alloc_add(_mfn(16), _mfn(WORLD_FRAMES - 64)); /* the last 64: device memory */
	sched_init();
}

void world_reset(void)
{
	s_time_t now = world.now; /* never goes backwards: timers outlive a test */

	memset(&world, 0, sizeof(world));
	memset(guest_mem, 0, sizeof(guest_mem));
	guest_used = 0;
	world.now = now + 1000;
	if (!dom0) {
		machine_make();
		dom0_make();
		tables_grow();
	}
	memset(world.softirqs, 0, sizeof(world.softirqs));
	frames_before = page_alloc_free_frames();
	blocks_before = world_blocks - dom0_blocks();
}

u64 world_end(void)
{
	/* Back to dom0, by hand: whoever runs may be about to die. */
	current->is_running = false;
	if (dom0->vcpu[0]->runstate.state == RUNSTATE_runnable)
		credit_remove(dom0->vcpu[0]);
	dom0->vcpu[0]->pause_flags = 0;
	world_run(dom0->vcpu[0]);
	vcpu_runstate_change(current, RUNSTATE_running, world.now);
	current->is_running = true;
	gnttab_release_mappings(dom0);
	dom0->gnttab->release_cursor = 0;
	for (struct domain *d = domain_list->next, *next; d; d = next) {
		next = d->next;
		while (domain_kill(d) == -ERESTART)
			;
	}
	if (domain_list->next)
		return WORLD_FRAMES; /* one is not gone: everything counts as lost */
	while (evtchn_reset(dom0) == -ERESTART)
		;
	for (u64 i = 0; i < frame_table_nr; i++)
		if (!(table[i].ref & FRAME_FREE) && table[i].owner == 0)
			domain_frame_release(&table[i]);
	return frames_before - page_alloc_free_frames() + (u64)(world_blocks - dom0_blocks() - blocks_before);
}

void world_switched(char what)
{
	size_t len = strlen(world.switched);

	if (len + 1 < sizeof(world.switched))
		world.switched[len] = what;
}

void world_run(struct vcpu *v)
{
	if (current)
		current->state_cpu = NO_CPU;
	current = v;
	v->state_cpu = v->last_cpu = fake_cpu_id;
}

struct domain *world_domain(domid_t domid, unsigned int nr_vcpus)
{
	struct xen_domctl_createdomain config = {
		.max_vcpus = nr_vcpus, .max_evtchn_port = 1023, .max_grant_frames = 4,
		.max_maptrack_frames = 8, .grant_opts = 1};
	struct domain *d;

	if (domain_create(domid, &config, &d))
		abort();
	d->max_pages = 512;
	if (nr_vcpus < DOMAIN_MAX_VCPUS)
		d->vcpu[nr_vcpus] = (struct vcpu *)16; /* none: who looks there faults */
	for (unsigned int i = 0; i < nr_vcpus; i++) {
		if (vcpu_create(d, i))
			abort();
		d->vcpu[i]->is_initialised = true;
	}
	vcpu_up(d->vcpu[0]);
	domain_unpause_by_controller(d);
	return d;
}

struct frame *world_page(struct domain *d)
{
	struct frame *f;

	if (domain_frames_alloc(d, 0, 0, &f))
		abort();
	return f;
}

void *guest_alloc(size_t len)
{
	void *p = guest_mem + guest_used;

	guest_used += ALIGN_UP(len, (size_t)8);
	if (guest_used > sizeof(guest_mem))
		abort();
	return p;
}

long hypercall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	struct cpu_user_regs regs = {
		.rax = nr, .rdi = a0, .rsi = a1, .rdx = a2, .r10 = a3, .rip = 0x1002};

	do {
		regs.rip = 0x1002;
		hypercall_entry(&regs);
	} while (regs.rip == 0x1000);
	return (long)regs.rax;
}

void world_softirqs(void)
{
	hv_lock();
	softirq_process();
	hv_unlock();
}
