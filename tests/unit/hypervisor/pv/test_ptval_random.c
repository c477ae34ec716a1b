/* SPDX-License-Identifier: MIT */
/*
 * test_ptval_random.c - three domains do random things to their page tables, with hypercalls
 * stopped at random points, and TLBs that forget nothing by themselves, on one CPU and on three.
 * After every 20 operations the whole frame table is recounted; in the end all domains die and
 * every frame is back. PTVAL_SEED and PTVAL_OPS repeat or prolong a run; the seed is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "guest.h"
#include "domain/frame_ref.h"
#include "domain/memory.h"

#define FRAMES_PER_DOMAIN 60
#define OPS_DEFAULT 200000
#define AUDIT_EVERY 20

static struct frame *pool[FAKE_DOMAINS][FRAMES_PER_DOMAIN];

static unsigned int rnd(unsigned int n)
{
	return machine_random() % n;
}

static struct frame *any_frame(unsigned int d)
{
	return pool[d][rnd(FRAMES_PER_DOMAIN)];
}

/* Mostly sensible: a table's child one level down; sometimes anything at all. */
static u64 any_entry(unsigned int d)
{
	static const u64 odd[] = { PTE_PS, PTE_PCD, 1ULL << 45, PTE_GRANT, PTE_G, PTE_NX, PTE_A };
	u64 flags = rnd(3) ? RW : RO;

	if (rnd(4) == 0)
		return rnd(2) ? 0 : (u64)machine_random() << 12;
	if (rnd(8) == 0)
		flags |= odd[rnd(ARRAY_SIZE(odd))];
	return entry_to(any_frame(rnd(12) ? d : rnd(FAKE_DOMAINS)), flags);
}

static void op_update(unsigned int d)
{
	u32 foreign = rnd(10) ? DOMID_SELF : rnd(FAKE_DOMAINS);

	update(maddr_of(any_frame(d), rnd(6)) | (rnd(4) ? 0 : rnd(4)), any_entry(d), foreign);
}

/*
 * A guest writes memory that it has mapped writable: so tables get their contents before they are
 * tables.
 */
static void op_store(unsigned int d)
{
	struct frame *f = any_frame(d);

	if (frame_type_of(f) == FT_WR && frame_type_count(f))
		table_of(f)[rnd(6)] = any_entry(d);
}

static void op_pin(unsigned int d)
{
	mmuext_foreign(MMUEXT_PIN_L1_TABLE + rnd(4), any_frame(d), rnd(8) ? DOMID_SELF : rnd(FAKE_DOMAINS));
}

static void op_unpin(unsigned int d)
{
	mmuext(MMUEXT_UNPIN_TABLE, any_frame(d));
}

static void op_baseptr(unsigned int d)
{
	if (current->pv.cr3_kernel)
		mmuext(rnd(2) ? MMUEXT_NEW_BASEPTR : MMUEXT_NEW_USER_BASEPTR, any_frame(d));
}

static bool has_stale_writable_now(const struct frame *f)
{
	enum frame_type t = frame_type_of(f);

	return t != FT_NONE && t != FT_WR && frame_type_count(f) && tlb_has(frame_to_mfn(f), true);
}

/* Mostly where the first tree maps something. */
static u64 any_index(void)
{
	return rnd(4) ? 0 : rnd(6);
}

static void op_touch(unsigned int d)
{
	guest_touch((u64)rnd(6) << PAGE_SHIFT | any_index() << 21 | any_index() << 30 | any_index() << 39,
		    rnd(4));
}

static void op_replace(unsigned int d)
{
	unsigned int i = rnd(FRAMES_PER_DOMAIN);

	if (rnd(4))
		return;
	if (frame_owner(pool[d][i]) == &fake_domain[d])
		domain_frame_release(pool[d][i]);
	pool[d][i] = frame_new(d);
	if (!pool[d][i]) /* the limit is larger than the pool plus what stays mapped */
		fail_msg("out of frames");
}

static void op_gdt(unsigned int d)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT };
	u64 mfn = mfn_x(frame_to_mfn(any_frame(d)));

	if (rnd(2))
		call(hc_set_gdt, (u64)(uintptr_t)&mfn, rnd(513), 0, 0);
	else
		call(hc_mmuext_op, (u64)(uintptr_t)&op, 1, 0, DOMID_SELF);
}

/* The domain's other vcpu goes on, on another CPU if there is one. */
static void run_sibling(void)
{
	unsigned int other = current->domain->domain_id + (current->vcpu_id ? 0 : FAKE_DOMAINS);

	if (fake_vcpu[other].state_cpu == NO_CPU)
		fake_cpu_id = (fake_cpu_id + 1) % fake_nr_cpus;
	machine_run(other);
}

/* Maps a page writable, uses it, takes the right away without a flush, and wants it as a table. */
static void op_demote(unsigned int d)
{
	struct frame *l1 = pool[d][3], *f = any_frame(d);
	unsigned int i = rnd(6);

	if (frame_type_of(l1) != FT_L1 || update(maddr_of(l1, i), entry_to(f, RW), DOMID_SELF))
		return;
	guest_touch((u64)i << PAGE_SHIFT, true);
	if (rnd(2))
		run_sibling();
	update(maddr_of(l1, i), rnd(2) ? 0 : entry_to(f, RO), DOMID_SELF);
	mmuext(MMUEXT_PIN_L1_TABLE + rnd(2), f);
	if (has_stale_writable_now(f))
		fail_msg("frame %lu is a table with a writable translation alive", (unsigned long)mfn_x(frame_to_mfn(f)));
}

static void op_switch(unsigned int d)
{
	unsigned int cpu = rnd(fake_nr_cpus), next = rnd(FAKE_VCPUS);

	if (rnd(4)) /* a switch empties the TLB: long runs leave it time to go stale */
		return;
	/* mostly to where that vcpu runs already; sometimes it moves, or a CPU gets idle */
	if (rnd(6) == 0 && fake_vcpu[next].state_cpu != NO_CPU) {
		fake_cpu_id = fake_vcpu[next].state_cpu;
		machine_unload();
		fake_cpu_id = cpu;
	} else if (fake_vcpu[next].state_cpu == NO_CPU) {
		fake_cpu_id = cpu;
	}
	machine_run(next);
}

static void (*const ops[])(unsigned int d) = { op_update, op_update, op_update, op_update, op_store, op_store,
					       op_store,	 op_pin,    op_unpin,  op_baseptr, op_touch, op_touch,
					       op_touch,	 op_replace, op_gdt,   op_switch,  op_demote };

static unsigned int env_or(const char *name, unsigned int fallback)
{
	const char *s = getenv(name);

	return s ? (unsigned int)strtoul(s, NULL, 0) : fallback;
}

static void kill_all(void)
{
	for (unsigned int d = FAKE_DOMAINS; d-- > 0;) {
		int rc;

		/* as domain_stop() does: who dies is on no CPU */
		for (unsigned int v = d; v < FAKE_VCPUS; v += FAKE_DOMAINS) {
			if (fake_vcpu[v].state_cpu == NO_CPU)
				continue;
			fake_cpu_id = fake_vcpu[v].state_cpu;
			machine_unload();
		}
		machine_run(0);
		while (pv_drain_deferred(current))
			;
		fake_domain[d].is_dying = true;
		do {
			rc = pv_domain_relinquish(&fake_domain[d]);
		} while (rc == -ERESTART);
		assert_int_equal(rc, 0);
	}
}

static void counts_agree(unsigned int nr_cpus)
{
	unsigned int seed = env_or("PTVAL_SEED", 20261122), nr = env_or("PTVAL_OPS", OPS_DEFAULT);
	u64 free_at_start;

	printf("PTVAL_SEED=%u PTVAL_OPS=%u\n", seed, nr);
	machine_reset(7, seed);
	fake_nr_cpus = nr_cpus;
	free_at_start = page_alloc_free_frames();
	for (unsigned int d = 0; d < FAKE_DOMAINS; d++) {
		struct tree t;

		machine_run(d);
		t = tree_new(d);
		assert_int_equal(install(&t), 0);
		machine_run(FAKE_DOMAINS + d);
		assert_int_equal(install(&t), 0);
		pool[d][0] = t.l4;
		pool[d][1] = t.l3;
		pool[d][2] = t.l2;
		pool[d][3] = t.l1;
		for (unsigned int i = 4; i < FRAMES_PER_DOMAIN; i++)
			pool[d][i] = frame_new(d);
	}
	for (unsigned int n = 0; n < nr; n++) {
		unsigned int d = current->domain->domain_id;

		ops[rnd(ARRAY_SIZE(ops))](d);
		if (n % AUDIT_EVERY == 0 && audit(NULL, NULL))
			fail_msg("operation %u", n);
	}
	kill_all();
	assert_int_equal(audit(NULL, NULL), 0);
	assert_int_equal(page_alloc_free_frames(), free_at_start);
	machine_free();
}

static void test_counts_agree_whatever_guests_do(void **state)
{
	counts_agree(1);
}

static void test_and_no_translation_survives_on_any_of_three_cpus(void **state)
{
	counts_agree(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_agree_whatever_guests_do),
		cmocka_unit_test(test_and_no_translation_survives_on_any_of_three_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
