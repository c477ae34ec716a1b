/* SPDX-License-Identifier: MIT */
/*
 * test_audit.c - the audit finds nothing where nothing is wrong, whatever holds a frame, and each
 * single mistake as one: security.md D2, I1 to I8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "domain/frame_ref.h"
#include "domain/gnttab.h"
#include "guest.h"
#include "mm/page_alloc.h"

static struct tree t;
static struct frame *page; /* at 0, writable; pinned by nothing else */
static struct frame *twice; /* at 0x1000 and 0x2000, read-only */
static struct domain *const d1 = &fake_domain[1];
static struct pv_vcpu *pv;

static int fresh(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	for (unsigned int i = 0; i < FAKE_DOMAINS; i++)
		fake_domain[i].next = i + 1 < FAKE_DOMAINS ? &fake_domain[i + 1] : NULL;
	domain_list = &fake_domain[0];
	pv = &current->pv;
	t = tree_new(1);
	page = frame_new(1);
	twice = frame_new(1);
	table_of(t.l1)[0] = entry_to(page, RW);
	table_of(t.l1)[1] = table_of(t.l1)[2] = entry_to(twice, RO);
	return install(&t);
}

static int done(void **state)
{
	domain_list = NULL;
	machine_free();
	return 0;
}

static unsigned int wrong(void)
{
	unsigned int nr = ~0u;
	const u64 free = page_alloc_free_frames();

	assert_int_equal(pv_audit(&nr), 0);
	assert_int_equal(page_alloc_free_frames(), free);
	return nr;
}

/* --- one mistake each; done twice it is undone --- */

static void swap64(u64 *a, u64 *b)
{
	u64 c = *a;

	*a = *b;
	*b = c;
}

static void a_reference_too_many(void)
{
	page->ref ^= 1; /* 2, 3 */
}

static void a_type_reference_too_many(void)
{
	page->type ^= 2; /* 1, 3 */
}

static void no_allocation(void)
{
	page->ref ^= FRAME_ALLOC;
}

static void an_entry_lost(void)
{
	static u64 kept;

	swap64(&table_of(t.l1)[2], &kept);
}

static void an_entry_too_many(void)
{
	table_of(t.l1)[511] ^= entry_to(twice, RO);
}

static void an_entry_of_the_highest_table_too_many(void)
{
	table_of(t.l4)[511] ^= entry_to(t.l3, RW);
}

static void an_entry_that_became_writable(void)
{
	table_of(t.l1)[1] ^= PTE_RW;
}

static void a_grants_entry_that_is_not_one(void)
{
	table_of(t.l1)[1] ^= PTE_GRANT;
}

static void a_pin_lost(void)
{
	t.l4->type ^= FT_PINNED;
}

static void user_tables_not_held(void)
{
	pv->cr3_user = pv->cr3_user ? NULL : t.l4;
}

static void kernel_tables_lost(void)
{
	pv->cr3_kernel = pv->cr3_kernel ? NULL : t.l4;
}

static void info_not_held(void)
{
	current->vcpu_info_frame = current->vcpu_info_frame ? NULL : twice;
}

static void first_gdt_frame_not_held(void)
{
	pv->gdt_frame[0] = pv->gdt_frame[0] ? NULL : twice;
}

static void last_gdt_frame_not_held(void)
{
	struct frame **f = &pv->gdt_frame[ARRAY_SIZE(pv->gdt_frame) - 1];

	*f = *f ? NULL : twice;
}

static void last_ldt_frame_not_held(void)
{
	struct frame **f = &pv->ldt_frame[ARRAY_SIZE(pv->ldt_frame) - 1];

	*f = *f ? NULL : twice;
}

static void of_another_vcpu_not_held(void)
{
	struct frame **f = &d1->vcpu[1]->pv.ldt_frame[0];

	*f = *f ? NULL : twice;
}

static void deferred_not_held(void)
{
	pv->deferred[0] = twice;
	pv->nr_deferred ^= 1;
}

static void page_of_interrupts_not_held(void)
{
	d1->pirq_eoi_frame = d1->pirq_eoi_frame ? NULL : twice;
}

static void a_frame_of_nobodys(void)
{
	pv->gdt_frame[3] = pv->gdt_frame[3] ? NULL : &frame_table[3];
}

static void a_page_too_many(void)
{
	d1->tot_pages ^= 1;
}

static void a_shared_page_too_many(void)
{
	d1->xenheap_pages ^= 1;
}

static void a_claim_of_nobodys(void)
{
	d1->outstanding_claim ^= 1;
}

static void a_free_block_of_another_size(void)
{
	for (u64 i = 0; i < frame_table_nr; i++)
		if (frame_table[i].ref & FRAME_FREE) {
			frame_table[i].ref ^= 1ULL << FRAME_ORDER_SHIFT;
			return;
		}
}

static void test_each_mistake_is_one(void **state)
{
	static const struct {
		void (*make)(void);
		const char *name;
	} mistakes[] = {
#define MISTAKE(m) { m, #m }
		MISTAKE(a_reference_too_many),	    MISTAKE(a_type_reference_too_many), MISTAKE(no_allocation),
		MISTAKE(an_entry_lost),		    MISTAKE(an_entry_too_many),
		MISTAKE(an_entry_of_the_highest_table_too_many), MISTAKE(an_entry_that_became_writable),
		MISTAKE(a_grants_entry_that_is_not_one), MISTAKE(a_pin_lost),	MISTAKE(user_tables_not_held),
		MISTAKE(kernel_tables_lost),	    MISTAKE(info_not_held),		MISTAKE(first_gdt_frame_not_held),
		MISTAKE(last_gdt_frame_not_held),   MISTAKE(last_ldt_frame_not_held),	MISTAKE(of_another_vcpu_not_held),
		MISTAKE(deferred_not_held),	    MISTAKE(page_of_interrupts_not_held), MISTAKE(a_frame_of_nobodys),
		MISTAKE(a_page_too_many),	    MISTAKE(a_shared_page_too_many),	MISTAKE(a_claim_of_nobodys),
		MISTAKE(a_free_block_of_another_size),
	};

	assert_int_equal(wrong(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		unsigned int nr;

		mistakes[i].make();
		nr = wrong();
		if (nr != 1)
			fail_msg("%s: %u", mistakes[i].name, nr);
		mistakes[i].make();
		assert_int_equal(wrong(), 0);
	}
}

static void test_all_that_may_hold_a_frame_is_counted(void **state)
{
	unsigned int nr;

	assert_int_equal(mmuext(MMUEXT_PIN_L4_TABLE, t.l4), 0);
	assert_int_equal(mmuext(MMUEXT_NEW_USER_BASEPTR, t.l4), 0);
	assert_int_equal(wrong(), 0);
	assert_false(frame_get_and_type(page, d1, FT_WR)); /* as a registered vcpu_info's */
	current->vcpu_info_frame = page;
	assert_int_equal(wrong(), 0);
	current->vcpu_info_frame = NULL;
	assert_int_equal(wrong(), 1);
	frame_put_and_type(page);
	assert_int_equal(wrong(), 0);
	while (xen_pages_alloc(0))
		;
	assert_int_equal(pv_audit(&nr), -ENOMEM); /* nothing to count with */
}

/* Whoever sits at the console learns how much is wrong, and of ten what. */
static void test_so_many_mistakes_are_counted_and_ten_are_told(void **state)
{
	struct frame *f[15];
	unsigned int before;

	for (unsigned int i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = frame_new(1);
	assert_int_equal(wrong(), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(f); i++)
		f[i]->ref++;
	before = fake_log_lines;
	assert_int_equal(wrong(), ARRAY_SIZE(f));
	assert_int_equal(fake_log_lines - before, 10);
}

/*
 * A table on the way to be one, and on the way to be none: what is done of it holds, and it holds
 * itself.
 */
static void test_half_done_tables_are_right(void **state)
{
	struct frame *l2 = frame_new(1);
	unsigned int halves = 0;
	int rc;

	for (unsigned int i = 0; i < 8; i++)
		table_of(l2)[i * 60] = entry_to(frame_new(1), RW);
	machine_preempt(1);
	do {
		rc = frame_get_and_type(l2, d1, FT_L2);
		assert_int_equal(wrong(), rc ? 0 : 1); /* done: held by this test alone */
		halves += rc == -ERESTART && l2->type & FT_PARTIAL;
	} while (rc == -ERESTART);
	assert_int_equal(rc, 0);
	assert_true(halves > 4);
	rc = frame_type_put_preemptible(l2);
	assert_int_equal(rc, -ERESTART);
	frame_put(l2);
	for (halves = 0; l2->type & FT_PARTIAL; halves++) {
		assert_int_equal(wrong(), 0);
		rc = ptval_finish_partial(l2);
	}
	assert_int_equal(rc, 0);
	assert_true(halves > 4);
	assert_int_equal(wrong(), 0);
}

static void test_a_mapped_grant_is_held_by_its_handle(void **state)
{
	static struct grant_active active[GRANTS_PER_FRAME];
	static struct maptrack track[MAPTRACK_PER_PAGE];
	struct grant_active *active_pages[] = { active };
	struct maptrack *track_pages[] = { track };
	struct grant_table theirs = { .active = active_pages, .nr_frames = 1 },
			   mine = { .maptrack = track_pages, .nr_maptrack_pages = 1 };
	struct maptrack *m = &track[MAPTRACK_PER_PAGE - 1];
	static const u16 kinds[] = { GNTMAP_host_map, GNTMAP_device_map, GNTMAP_host_map | GNTMAP_device_map };

	d1->gnttab = &theirs;
	fake_domain[2].gnttab = &mine;
	active[GRANTS_PER_FRAME - 1].frame = page;
	*m = (struct maptrack){ .domid = 1, .ref = GRANTS_PER_FRAME - 1 };
	assert_int_equal(wrong(), 0); /* not mapped */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const u64 nr = kinds[i] == (GNTMAP_host_map | GNTMAP_device_map) ? 2 : 1;

		m->flags = kinds[i];
		assert_int_equal(wrong(), 1);
		page->ref += nr;
		assert_int_equal(wrong(), 1); /* its type, too */
		page->type += nr;
		assert_int_equal(wrong(), 0);
		page->type -= nr;
		m->flags |= GNTMAP_readonly;
		assert_int_equal(wrong(), 0);
		page->ref -= nr;
	}
	m->flags = GNTMAP_host_map;
	m->ref--; /* of nothing */
	assert_int_equal(wrong(), 1);
	m->domid = 77;
	assert_int_equal(wrong(), 1);
	m->flags = 0;
	d1->gnttab = fake_domain[2].gnttab = NULL;
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_each_mistake_is_one),
		CLAIM(test_all_that_may_hold_a_frame_is_counted),
		CLAIM(test_so_many_mistakes_are_counted_and_ten_are_told),
		CLAIM(test_half_done_tables_are_right),
		CLAIM(test_a_mapped_grant_is_held_by_its_handle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
