/* SPDX-License-Identifier: MIT */
/* pair.c - how the two domains of a test find each other and keep step. */
#include "pair.h"

#define PATIENCE_NS (10 * NS_PER_S)
#define STEP_NS NS_PER_MS

struct shared {
	u32 reached[2]; /* by each side */
	u64 word[PAIR_WORDS];
};

domid_t pair_peer;
volatile u64 *pair_word;
static volatile struct shared *shared;
static unsigned int side;

static void learn(void)
{
	const char *text = (const char *)start_info->cmd_line, *end;

	while (*text && strncmp(text, "pair=", 5) != 0)
		text++;
	if (!*text)
		test_error("the runner's pair=SIDE,PEER", 0);
	side = (unsigned int)strtou64(text + 5, &end);
	pair_peer = (domid_t)strtou64(end + 1, &end);
}

/* The first of each side's own references, known to both. */
static void offer(void)
{
	grant_ref_t ref = grant_offer(pair_peer, virt_to_mfn((void *)shared), 0);

	if (ref != GNTTAB_NR_RESERVED_ENTRIES)
		test_error("the first reference", ref);
}

static void take(void)
{
	u64 deadline = clock_ns() + PATIENCE_NS;
	s16 status;

	do {
		sleep_ns(STEP_NS);
		status = grant_map(pair_peer, GNTTAB_NR_RESERVED_ENTRIES, (void *)shared,
				   GNTMAP_host_map)
				 .status;
	} while (status != GNTST_okay && clock_ns() < deadline);
	if (status != GNTST_okay)
		test_error("the shared page", status);
}

void pair_run(void (*rules)(void), void (*attack)(void))
{
	learn();
	shared = side == 0 ? page_alloc() : pair_view();
	pair_word = shared->word;
	if (side == 0)
		offer();
	else
		take();
	if (side == 0)
		rules();
	else
		attack();
}

void pair_reach(u32 step)
{
	__atomic_store_n(&shared->reached[side], step, __ATOMIC_RELEASE);
}

void pair_await(u32 step)
{
	u64 deadline = clock_ns() + PATIENCE_NS;

	while (__atomic_load_n(&shared->reached[!side], __ATOMIC_ACQUIRE) < step) {
		if (clock_ns() > deadline)
			test_error("the other side's step", step);
		sleep_ns(STEP_NS);
	}
}

void *pair_view(void)
{
	void *page = page_alloc();

	need(map_page(page, 0));
	return page;
}

void pair_await_death(grant_ref_t ref)
{
	u64 *view = pair_view();
	u64 deadline = clock_ns() + PATIENCE_NS;

	for (;;) {
		struct gnttab_map_grant_ref m =
			grant_map(pair_peer, ref, view, GNTMAP_host_map | GNTMAP_readonly);

		if (m.status != GNTST_okay)
			return;
		need(grant_unmap(m.handle, view));
		if (clock_ns() > deadline)
			test_error("the other side's end", 0);
		sleep_ns(STEP_NS);
	}
}

unsigned int pair_take_frames(xen_pfn_t *list, unsigned int nr)
{
	struct xen_memory_reservation r = { .nr_extents = nr, .domid = DOMID_SELF };
	long got;

	set_xen_guest_handle(r.extent_start, list);
	got = hc_memory(XENMEM_increase_reservation, &r);
	return got < 0 ? 0 : (unsigned int)got;
}
