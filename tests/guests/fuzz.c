/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c - random hypercalls with arguments that are nearly right, from one seed ("fuzz=N" on the
 * command line; the seed is all of it on one CPU; "calls=N": how many). A second vcpu rewrites the
 * very argument structure that the call under way reads: whoever reads a value twice sees two. With
 * a CPU for each that happens all the time; "raced: " tells in how many calls.
 *
 * The guest may well end itself. What counts is the host: alive, and every frame back.
 */
#include "claim.h"
#include "draw.h"

#define CALLS 20000
#define REPORT 500 /* calls; the guest may end itself before all are made */
#define ARGUMENT_PAGES 2
#define SPARE_PAGES 6
#define WORDS (PAGE_SIZE / sizeof(u64))
#define HOT 16 /* words of the largest structure that most calls read */

static u64 *argument[ARGUMENT_PAGES]; /* what pointers point to */
static u64 *spare[SPARE_PAGES];	      /* whose frames and mappings are played with */
static u64 *read_only;
static evtchn_port_t port;
static grant_ref_t ref;
static volatile u64 *under_way; /* HOT words that the present call may read */
static u64 changes, raced;

static u64 a_frame(void)
{
	switch (draw_below(8)) {
	case 0: return virt_to_mfn(pt_base());
	case 1: return virt_to_mfn((void *)((u64)pte_find(spare[0], 1) & ~PAGE_OFFSET_MASK));
	case 2: return start_info->shared_info >> PAGE_SHIFT;
	case 3: return draw_below(0x80000);
	default: return pfn_to_mfn(virt_to_pfn(spare[draw_below(SPARE_PAGES)]));
	}
}

/* An argument structure, which the other vcpu goes for. */
static u64 a_structure(u64 *page, u64 limit)
{
	u64 *at = page + draw_below(limit);

	WRITE_ONCE(under_way, at);
	return (u64)at;
}

static u64 a_pointer(void)
{
	u64 *page = argument[draw_below(ARGUMENT_PAGES)];

	switch (draw_below(16)) {
	case 0: return 0;
	case 1: return 0x0000800000000000UL;
	case 2: return HYPERVISOR_VIRT_START - draw_below(64) * 8;
	case 3: return HYPERVISOR_VIRT_END - draw_below(64) * 8;
	case 4: return 0x7000000000UL;
	case 5: return (u64)page + PAGE_SIZE - draw_below(32); /* straddles */
	case 6: return (u64)read_only + draw_below(WORDS) * 8;
	case 7: return (u64)spare[draw_below(SPARE_PAGES)];
	case 8: return (u64)page + draw_below(PAGE_SIZE);
	default: return a_structure(page, WORDS / 2);
	}
}

static u64 an_entry(void)
{
	static const u64 flags[] = { PTE_DATA, PTE_RO, PTE_TABLE, 0, PTE_DATA | PTE_PS,
				     PTE_DATA | PTE_PCD, PTE_DATA | PTE_NX, PTE_DATA | 1UL << 51 };

	return pte_make(a_frame(), flags[draw_below(ARRAY_SIZE(flags))]);
}

static u64 a_value(void)
{
	switch (draw_below(12)) {
	case 0: return 0;
	case 1: return ~0UL;
	case 2: return 1UL << draw_below(64);
	case 3: return a_frame();
	case 4: return a_frame() << PAGE_SHIFT | (draw_below(WORDS) * 8) | draw_below(4);
	case 5: return an_entry();
	case 6: return draw_below(2) ? port : ref;
	case 7: return DOMID_SELF;
	case 8: return a_pointer();
	case 9: return draw();
	default: return draw_below(40);
	}
}

/* Another vcpu at the same bytes: a bit is another now and then, and as it was. */
static void disturb(void *arg)
{
	u64 n = 1;

	for (;;) {
		volatile u64 *word = READ_ONCE(under_way) + (n >> 32) % HOT;
		u64 was = *word;

		*word = was ^ 1UL << (n >> 40) % 64;
		*word = n >> 50 & 1 ? was : *word;
		WRITE_ONCE(changes, changes + 1);
		n = n * 6364136223846793005UL + 1442695040888963407UL;
	}
}

/* The call, and whether its arguments changed meanwhile. */
static void race(u64 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6)
{
	u64 before = READ_ONCE(changes);

	hypercall6(nr, a1, a2, a3, a4, a5, a6);
	raced += READ_ONCE(changes) != before;
}

static bool would_stop_us(u64 nr, u64 op)
{
	switch (nr) {
	case __HYPERVISOR_iret:
	case __HYPERVISOR_sched_op_compat: return true;
	case __HYPERVISOR_sched_op: return op != SCHEDOP_yield && op != SCHEDOP_pin_override;
	case __HYPERVISOR_vcpu_op: return op == VCPUOP_down;
	case __HYPERVISOR_set_trap_table:
	case __HYPERVISOR_event_channel_op_compat: return draw_below(4);
	case __HYPERVISOR_event_channel_op: return op == EVTCHNOP_reset || op == EVTCHNOP_close;
	case __HYPERVISOR_console_io: return true;
	default: return false;
	}
}

static void one_call(void)
{
	u64 nr = draw_below(20) ? draw_below(42) : draw();
	u64 op = draw_below(10) ? draw_below(34) : a_value(), a[5];

	if (would_stop_us(nr, op))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(a); i++)
		a[i] = draw_below(3) ? a_value() : a_pointer();
	for (unsigned int i = 0; i < 8; i++)
		argument[draw_below(ARGUMENT_PAGES)][draw_below(WORDS)] = a_value();
	switch (nr) {
	case __HYPERVISOR_mmu_update:
	case __HYPERVISOR_mmuext_op:
		a[3] = draw_below(8) ? DOMID_SELF : a_value();
		a[1] = draw_below(4) + 1;
		race(nr, draw_below(4) ? a_structure(argument[0], 64) : a_pointer(), a[1],
		     draw_below(2) ? 0 : a_pointer(), a[3], a[4], 0);
		return;
	case __HYPERVISOR_update_va_mapping:
		race(nr, (u64)spare[draw_below(SPARE_PAGES)], an_entry(), a[2], a[3], a[4], 0);
		return;
	default:
		race(nr, op, a[1], a[2], a[3], a[4], a[0]);
	}
}

GUEST_TEST(fuzz, "no sequence of hypercalls hurts anybody but the guest", 0)
{
	struct evtchn_bind_ipi ipi = { 0 };
	u64 seed = draw_option("fuzz=", 1), calls = draw_option("calls=", CALLS);

	say("seed: %lu\n", seed);
	draw_from(seed);
	for (unsigned int i = 0; i < ARGUMENT_PAGES; i++)
		argument[i] = page_alloc();
	for (unsigned int i = 0; i < SPARE_PAGES; i++)
		spare[i] = page_alloc();
	read_only = page_alloc();
	need(page_readonly(read_only));
	need(hc_evtchn(EVTCHNOP_bind_ipi, &ipi));
	port = ipi.port;
	ref = grant_offer(guest_domid(), virt_to_mfn(spare[0]), 0);
	under_way = argument[0];
	need(vcpu_run(1, disturb, NULL));
	for (u64 i = 1; i <= calls; i++) {
		one_call();
		if (i % REPORT == 0)
			say("raced: %lu of %lu\n", raced, i);
	}
}
