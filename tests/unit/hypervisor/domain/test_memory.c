/* SPDX-License-Identifier: MIT */
/* Claims about memory_op: extents, exchange, claims, resources, and their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/frame_ref.h"
#include "domain/gnttab.h"
#include "domain/memory.h"
#include "hypercall/memory.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/layout.h"

static struct domain *d1;
static struct xen_memory_reservation *res;
static xen_pfn_t *list;

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 1);
	res = guest_alloc(sizeof(*res));
	list = guest_alloc(600 * sizeof(*list));
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(world_end(), 0);
	return 0;
}

static long reservation(unsigned int cmd, domid_t domid, u64 nr, unsigned int order)
{
	*res = (struct xen_memory_reservation){
		.extent_start.p = list, .nr_extents = nr, .extent_order = order, .domid = domid};
	return hypercall(__HYPERVISOR_memory_op, cmd, GUEST(res), 0, 0);
}

static void test_populate_gives_frames_and_fills_the_m2p(void **state)
{
	for (int i = 0; i < 10; i++)
		list[i] = 100 + i;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 10, 0), 10);
	assert_int_equal(d1->tot_pages, 10);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(m2p_get(_mfn(list[i])), 100 + i);
		assert_int_equal(mfn_to_frame(_mfn(list[i]))->owner, 1);
	}
	list[0] = 200;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 2), 1);
	for (u64 i = 0; i < 4; i++)
		assert_int_equal(m2p_get(_mfn(list[0] + i)), 200 + i);
	assert_int_not_equal(m2p_get(_mfn(list[0] + 4)), 204); /* another's, or nobody's */
}

static void test_populate_stops_at_the_limit_and_says_how_far_it_came(void **state)
{
	d1->max_pages = 7;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 10, 0), 7);
	assert_int_equal(d1->tot_pages, 7);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 3), 0);
}

static void test_a_preempted_populate_ends_complete(void **state)
{
	world.preempt = true;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 20, 1), 20);
	world.preempt = false;
	assert_int_equal(d1->tot_pages, 40);
}

static void test_decrease_returns_frames_and_only_ones_own(void **state)
{
	struct frame *theirs = world_page(dom0);

	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 4, 0), 4);
	world_run(d1->vcpu[0]);
	list[2] = mfn_x(frame_to_mfn(theirs));
	assert_int_equal(reservation(XENMEM_decrease_reservation, DOMID_SELF, 4, 0), 2);
	assert_int_equal(d1->tot_pages, 2);
	assert_true(theirs->ref & FRAME_ALLOC);
	list[0] = ~0UL;
	assert_int_equal(reservation(XENMEM_decrease_reservation, DOMID_SELF, 1, 0), 0);
	list[0] = WORLD_FRAMES - 1; /* device memory */
	assert_int_equal(reservation(XENMEM_decrease_reservation, DOMID_SELF, 1, 0), 0);
	world_run(dom0->vcpu[0]);
}

static void test_a_frame_in_use_leaves_the_domain_only_when_let_go(void **state)
{
	struct frame *f = world_page(d1);

	assert_true(frame_get(f, d1));
	list[0] = mfn_x(frame_to_mfn(f));
	m2p_set(frame_to_mfn(f), 77);
	assert_int_equal(reservation(XENMEM_decrease_reservation, 1, 1, 0), 1);
	assert_int_equal(f->owner, 1);
	assert_true(m2p_get(frame_to_mfn(f)) == M2P_INVALID); /* no page of the guest's any more */
	assert_int_equal(reservation(XENMEM_decrease_reservation, 1, 1, 0), 0); /* once only */
	frame_put(f);
	assert_int_not_equal(f->owner, 1);
}

static void test_what_is_given_back_counts_until_it_is_let_go(void **state)
{
	struct frame *held[3];

	d1->max_pages = 3;
	for (int i = 0; i < 3; i++) {
		held[i] = world_page(d1);
		assert_true(frame_get(held[i], d1)); /* as a mapping does */
		list[i] = mfn_x(frame_to_mfn(held[i]));
	}
	assert_int_equal(reservation(XENMEM_decrease_reservation, 1, 3, 0), 3);
	assert_int_equal(d1->tot_pages, 3);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 0), 0);
	frame_put(held[1]);
	assert_int_equal(d1->tot_pages, 2);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 2, 0), 1);
	frame_put(held[0]);
	frame_put(held[2]);
}

static void test_absurd_extents_do_nothing(void **state)
{
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, ~0UL, 0), 0);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1UL << 60, 0), 0);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 13), 0);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, ~0u), 0);
	assert_int_equal(reservation(XENMEM_decrease_reservation, 1, 0, 0), 0);
	world_run(d1->vcpu[0]);
	assert_int_equal(reservation(XENMEM_populate_physmap, DOMID_SELF, 1, 10), 0);
	assert_int_equal(reservation(XENMEM_populate_physmap, 0, 1, 0), -EPERM);
	assert_int_equal(reservation(XENMEM_populate_physmap, 99, 1, 0), -ESRCH);
	world_run(dom0->vcpu[0]);
	assert_int_equal(d1->tot_pages, 0);
}

static void test_a_handle_into_the_hypervisor_is_refused(void **state)
{
	*res = (struct xen_memory_reservation){
		.extent_start.p = (xen_pfn_t *)HV_HOLE_START, .nr_extents = 1, .domid = 1};
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, GUEST(res), 0,
				   0), 0);
	/* The base is fine, the last element is not (C26). */
	res->extent_start.p = (xen_pfn_t *)(HV_HOLE_START - 0xffff800000000000 + 0x7ffffffffff8);
	res->nr_extents = 1UL << 40;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap, GUEST(res), 0,
				   0), 0);
	assert_int_equal(d1->tot_pages, 0);
}

static void test_frames_nobody_was_told_about_are_taken_back(void **state)
{
	u64 before = page_alloc_free_frames();

	*res = (struct xen_memory_reservation){
		.extent_start.p = (xen_pfn_t *)0x10000, .nr_extents = 3, .domid = 1};
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_increase_reservation, GUEST(res),
				   0, 0), 0);
	assert_int_equal(page_alloc_free_frames(), before);
	assert_int_equal(d1->tot_pages, 0);
	res->extent_order = 3; /* all of each */
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_increase_reservation, GUEST(res), 0, 0), 0);
	assert_int_equal(page_alloc_free_frames(), before);
	assert_int_equal(d1->tot_pages, 0);
}

/* --- exchange --- */

static long exchange(domid_t domid, u64 nr_in, unsigned int order_in, u64 nr_out,
		     unsigned int order_out, xen_pfn_t *out_list, u64 *done)
{
	struct xen_memory_exchange *x = guest_alloc(sizeof(*x));
	long rc;

	x->in = (struct xen_memory_reservation){ .extent_start.p = list, .nr_extents = nr_in,
						 .extent_order = order_in, .domid = domid };
	x->out = (struct xen_memory_reservation){ .extent_start.p = out_list, .nr_extents = nr_out,
						  .extent_order = order_out, .domid = domid };
	rc = hypercall(__HYPERVISOR_memory_op, XENMEM_exchange, GUEST(x), 0, 0);
	*done = x->nr_exchanged;
	return rc;
}

static void test_exchange_makes_single_frames_contiguous(void **state)
{
	xen_pfn_t *out = guest_alloc(8);
	u64 done, before;

	for (int i = 0; i < 8; i++)
		list[i] = 200 + i;
	assert_int_equal(reservation(XENMEM_populate_physmap, 0, 8, 0), 8);
	before = page_alloc_free_frames();
	out[0] = 200;
	assert_int_equal(exchange(DOMID_SELF, 8, 0, 1, 3, out, &done), 0);
	assert_int_equal(done, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(m2p_get(_mfn(out[0] + i)), 200 + i);
	assert_int_equal(dom0->tot_pages, 8);
	assert_int_equal(page_alloc_free_frames(), before);
}

static void test_exchange_makes_large_extents_larger_and_small_again(void **state)
{
	xen_pfn_t *out = guest_alloc(4 * 8);
	u64 done;

	list[0] = 200;
	list[1] = 202;
	assert_int_equal(reservation(XENMEM_populate_physmap, 0, 2, 1), 2);
	out[0] = 200;
	assert_int_equal(exchange(DOMID_SELF, 2, 1, 1, 2, out, &done), 0);
	assert_int_equal(done, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(m2p_get(_mfn(out[0] + i)), 200 + i);
	list[0] = out[0];
	out[0] = 200;
	out[1] = 202;
	assert_int_equal(exchange(DOMID_SELF, 1, 2, 2, 1, out, &done), 0);
	assert_int_equal(done, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(m2p_get(_mfn(out[i / 2] + i % 2)), 200 + i);
	assert_int_equal(dom0->tot_pages, 4);
}

static void test_exchange_works_at_the_limit_of_the_domain(void **state)
{
	xen_pfn_t *out = guest_alloc(8);
	u64 done;

	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 4, 0), 4);
	d1->max_pages = 4;
	assert_int_equal(exchange(1, 4, 0, 1, 2, out, &done), 0);
	assert_int_equal(d1->tot_pages, 4);
	assert_int_equal(d1->max_pages, 4);
}

static void test_a_failed_chunk_leaves_the_old_frames(void **state)
{
	xen_pfn_t *out = guest_alloc(16), kept[8];
	struct frame *busy;
	u64 done, free_before;

	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 8, 0), 8);
	memcpy(kept, list, sizeof(kept));
	strlcpy(mfn_to_virt(_mfn(kept[4])), "contents", 9);
	busy = mfn_to_frame(_mfn(kept[7]));
	assert_true(frame_get(busy, d1)); /* mapped somewhere */
	free_before = page_alloc_free_frames();
	assert_int_equal(exchange(1, 8, 0, 2, 2, out, &done), -EINVAL);
	assert_int_equal(done, 4); /* the first chunk of four went, the second did not */
	for (int i = 4; i < 8; i++) {
		assert_int_equal(mfn_to_frame(_mfn(kept[i]))->owner, 1);
		assert_int_equal(frame_ref_count(mfn_to_frame(_mfn(kept[i]))), i == 7 ? 2 : 1);
	}
	assert_string_equal(mfn_to_virt(_mfn(kept[4])), "contents");
	assert_int_equal(page_alloc_free_frames(), free_before);
	assert_int_equal(d1->tot_pages, 8);
	frame_put(busy);
}

static void test_exchange_refuses_what_does_not_add_up(void **state)
{
	xen_pfn_t *out = guest_alloc(64);
	u64 done;

	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 4, 0), 4);
	assert_int_equal(exchange(1, 4, 0, 2, 2, out, &done), -EINVAL);
	assert_int_equal(exchange(1, 1UL << 60, 8, 1UL << 60, 8, out, &done), -EINVAL);
	assert_int_equal(exchange(1, 4, 40, 4, 40, out, &done), -EPERM);
	list[1] = list[0]; /* one frame named twice */
	assert_int_equal(exchange(1, 4, 0, 1, 2, out, &done), -EINVAL);
	assert_int_equal(done, 0);
	assert_int_equal(d1->tot_pages, 4);
	assert_int_equal(frame_refs(mfn_to_frame(_mfn(list[0]))), FRAME_ALLOC | 1);
}

static long exchange_from(u64 nr_exchanged, struct xen_memory_reservation in, struct xen_memory_reservation out)
{
	struct xen_memory_exchange *x = guest_alloc(sizeof(*x));

	*x = (struct xen_memory_exchange){ .in = in, .out = out, .nr_exchanged = nr_exchanged };
	return hypercall(__HYPERVISOR_memory_op, XENMEM_exchange, GUEST(x), 0, 0);
}

/*
 * A list that cannot be told its new frame: the guest learns that, and has the frame all the same.
 */
static void test_an_exchange_whose_answer_has_no_place_says_so(void **state)
{
	xen_pfn_t *out = guest_alloc(16);
	u64 done;

	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 2, 0), 2);
	world.read_only = &out[1];
	assert_int_equal(exchange(1, 2, 0, 2, 0, out, &done), -EFAULT);
	world.read_only = NULL;
	assert_int_equal(d1->tot_pages, 2);
}

/*
 * xen/memory.h: both sides name one domain and as many frames; what is done already is whole
 * chunks.
 */
static void test_an_exchange_says_what_is_wrong(void **state)
{
	xen_pfn_t *out = guest_alloc(64);
	const struct xen_memory_reservation in4 = { .extent_start.p = list, .nr_extents = 4, .domid = 1 };
	const struct xen_memory_reservation out4 = { .extent_start.p = out, .nr_extents = 1, .extent_order = 2, .domid = 1 };
	struct xen_memory_reservation bad;

	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 4, 0), 4);
	bad = out4;
	bad.domid = 0;
	assert_int_equal(exchange_from(0, in4, bad), -EINVAL);
	bad = in4;
	bad.extent_order = 40;
	assert_int_equal(exchange_from(0, bad, out4), -EPERM);
	bad = out4;
	bad.extent_order = 40;
	assert_int_equal(exchange_from(0, in4, bad), -EPERM);
	bad = in4;
	bad.extent_start.p = (void *)HV_HOLE_START;
	assert_int_equal(exchange_from(0, bad, out4), -EFAULT);
	bad = out4;
	bad.extent_start.p = (void *)HV_HOLE_START;
	assert_int_equal(exchange_from(0, in4, bad), -EFAULT);
	bad = out4;
	bad.mem_flags = XENMEMF_address_bits(11); /* less than a page */
	assert_int_equal(exchange_from(0, in4, bad), -ENOMEM);
	for (u64 done = 1; done < 4; done++)
		assert_int_equal(exchange_from(done, in4, out4), -EINVAL);
	assert_int_equal(exchange_from(5, in4, out4), -EINVAL);
	assert_int_equal(exchange_from(4, in4, out4), 0); /* all done */
	bad = in4;
	bad.extent_start.p = (void *)16;
	assert_int_equal(exchange_from(0, bad, out4), -EFAULT);
	for (unsigned int n = 1; n <= 2; n++) {
		world.alloc_fails_at = n;
		assert_int_equal(exchange_from(0, in4, out4), -ENOMEM);
	}
	world.alloc_fails_at = 0;
	world.is_read_only = true;
	assert_int_equal(exchange_from(0, in4, out4), -EFAULT);
	world.is_read_only = false;
	assert_int_equal(d1->tot_pages, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(frame_refs(mfn_to_frame(_mfn(list[i]))), FRAME_ALLOC | 1);
}

/*
 * Large ones become small ones, each with its number; the frames behind the second chunk are not
 * touched.
 */
static void test_an_exchange_splits_and_stops_between_chunks(void **state)
{
	xen_pfn_t *out = guest_alloc(8 * 8);
	u64 done;

	list[0] = 0;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 2), 1);
	list[1] = list[0];
	list[0] = 4;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 2), 1);
	for (unsigned int i = 0; i < 8; i++)
		out[i] = 300 + i;
	world.preempt = true;
	assert_int_equal(exchange(1, 2, 2, 8, 0, out, &done), 0);
	world.preempt = false;
	assert_int_equal(done, 2);
	assert_int_equal(d1->tot_pages, 8);
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(m2p_get(_mfn(out[i])), 300 + i);
		assert_int_equal(mfn_to_frame(_mfn(out[i]))->owner, 1);
	}
}

/* What was held of an extent before the frame that is not idle is let go. */
static void test_an_extent_is_held_whole_or_not_at_all(void **state)
{
	xen_pfn_t *out = guest_alloc(8);
	struct frame *f;
	u64 done;

	list[0] = 0;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 2), 1);
	f = mfn_to_frame(_mfn(list[0]));
	assert_true(frame_get(&f[3], d1));
	assert_int_equal(exchange(1, 1, 2, 1, 2, out, &done), -EINVAL);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(frame_ref_count(&f[i]), i == 3 ? 2 : 1);
	frame_put(&f[3]);
}

static void test_memory_that_ends_within_a_chunk_comes_back(void **state)
{
	xen_pfn_t *out = guest_alloc(8 * 8);
	struct frame *taken = NULL, *f;
	u64 done, free;

	list[0] = 0;
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 1, 3), 1);
	while (page_alloc_free_frames() > 5 && (f = frames_alloc(0, 0))) {
		*(struct frame **)mfn_to_virt(frame_to_mfn(f)) = taken;
		taken = f;
	}
	free = page_alloc_free_frames();
	assert_int_equal(exchange(1, 1, 3, 8, 0, out, &done), -ENOMEM);
	assert_int_equal(page_alloc_free_frames(), free);
	assert_int_equal(d1->tot_pages, 8);
	while ((f = taken)) {
		taken = *(struct frame **)mfn_to_virt(frame_to_mfn(f));
		memset(mfn_to_virt(frame_to_mfn(f)), 0, sizeof(taken));
		frames_free(f, 0);
	}
}

static void test_exchange_undoes_itself_when_the_result_cannot_be_told(void **state)
{
	u64 done, free_before;

	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 4, 0), 4);
	free_before = page_alloc_free_frames();
	assert_int_equal(exchange(1, 4, 0, 1, 2, (xen_pfn_t *)0x5000, &done), -EFAULT);
	assert_int_equal(page_alloc_free_frames(), free_before);
	assert_int_equal(d1->tot_pages, 4);
}

/* --- claims and resources --- */

static long claim(u64 nr)
{
	*res = (struct xen_memory_reservation){ .nr_extents = nr, .domid = 1 };
	return hypercall(__HYPERVISOR_memory_op, XENMEM_claim_pages, GUEST(res), 0, 0);
}

static void test_a_claim_keeps_frames_from_others_until_used(void **state)
{
	struct domain *d2 = world_domain(2, 1);
	u64 free_frames = page_alloc_free_frames();

	d1->max_pages = d2->max_pages = WORLD_FRAMES;
	assert_int_equal(claim(free_frames + 1), -ENOMEM);
	assert_int_equal(claim(free_frames - 5), 0);
	assert_int_equal(claim(1), -EINVAL);
	assert_int_equal(reservation(XENMEM_populate_physmap, 2, 6, 0), 5);
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 100, 0), 100);
	assert_int_equal(d1->outstanding_claim, free_frames - 105);
	assert_int_equal(claim(0), 0);
	assert_int_equal(reservation(XENMEM_populate_physmap, 2, 1, 0), 1);
}

/* Whoever has the frame next does not find another's number, nor his bytes. */
static void test_a_frame_that_goes_leaves_nothing_of_its_owner(void **state)
{
	struct frame *f = world_page(d1);
	const mfn_t mfn = frame_to_mfn(f);

	m2p_set(mfn, 0x4711);
	memset(mfn_to_virt(mfn), 0x55, PAGE_SIZE);
	assert_true(domain_frame_release(f));
	assert_true(m2p_get(mfn) == M2P_INVALID);
	assert_int_equal(f->owner, DOMID_XEN);
	for (size_t i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(((u8 *)mfn_to_virt(mfn))[i], 0);
}

static void test_an_order_is_bounded_by_the_heaps(void **state)
{
	struct frame *f;

	d1->max_pages = 4ULL << MAX_ORDER;
	assert_int_equal(domain_frames_alloc(d1, MAX_ORDER, 0, &f), -ENOMEM);
	assert_int_equal(domain_frames_alloc(d1, MAX_ORDER + 1, 0, &f), -EINVAL);
	d1->max_pages = 512;
}

static void test_an_extent_is_given_back_whole(void **state)
{
	assert_int_equal(reservation(XENMEM_populate_physmap, 1, 2, 3), 2);
	assert_int_equal(d1->tot_pages, 16);
	assert_int_equal(reservation(XENMEM_decrease_reservation, 1, 1, 3), 1);
	assert_int_equal(d1->tot_pages, 8);
}

static void test_the_toolstack_gets_a_guests_grant_table(void **state)
{
	struct xen_mem_acquire_resource *r = guest_alloc(sizeof(*r));

	*r = (struct xen_mem_acquire_resource){ .domid = 1, .type = XENMEM_resource_grant_table };
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0),
			 0);
	assert_int_equal(r->nr_frames, 4);
	r->nr_frames = 1;
	r->frame = 0;
	r->frame_list.p = list;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0),
			 0);
	assert_int_equal(list[0], mfn_x(virt_to_mfn(d1->gnttab->shared[0])));
	r->frame = 4;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0),
			 -EINVAL);
	r->frame = 2; /* more than there are behind it: none is given, and the table stays as it is */
	r->nr_frames = 3;
	list[0] = 0x77;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0), -EINVAL);
	assert_int_equal(list[0], 0x77);
	assert_int_equal(d1->gnttab->nr_frames, 1);
	r->nr_frames = 1;
	r->frame = ~0ULL;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0),
			 -EINVAL);
	r->frame = 0;
	d1->is_dying = true;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0), -ESRCH);
	d1->is_dying = false;
	r->type = XENMEM_resource_vmtrace_buf;
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0),
			 -EOPNOTSUPP);
	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST(r), 0, 0),
			 -EPERM);
	world_run(dom0->vcpu[0]);
}

static void test_only_dom0_sees_the_machines_memory_map(void **state)
{
	struct xen_memory_map *map = guest_alloc(sizeof(*map));

	map->nr_entries = 1;
	map->buffer.p = guest_alloc(20);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, GUEST(map), 0,
				   0), 0);
	world_run(d1->vcpu[0]);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_machine_memory_map, GUEST(map), 0,
				   0), -EPERM);
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, GUEST(map), 0, 0),
			 -ENOSYS);
	world_run(dom0->vcpu[0]);
}

/* A frame that nobody holds is on its way to the heap, and a count that is full stays as it is. */
static void test_a_reference_is_had_only_where_the_count_allows_it(void **state)
{
	static const struct {
		u64 count;
		domid_t owner;
		bool is_had;
	} cases[] = { { 0, 1, false }, { 1, 1, true }, { FRAME_REF_MASK - 1, 1, true }, { FRAME_REF_MASK, 1, false },
		      { 1, 2, false } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct frame f = { 0 };

		f.owner = cases[i].owner;
		frame_set_refs(&f, cases[i].count);
		assert_int_equal(frame_get(&f, d1), cases[i].is_had);
		assert_int_equal(frame_ref_count(&f), cases[i].count + cases[i].is_had);
	}
}

static void test_a_memory_map_is_told_and_goes_with_its_domain(void **state)
{
	struct xen_foreign_memory_map *set = guest_alloc(sizeof(*set));
	struct xen_memory_map *map = guest_alloc(sizeof(*map));
	u8 *entries = guest_alloc(40), *told = guest_alloc(40); /* 20 bytes each, as in xen/memory.h */

	for (u8 i = 0; i < 40; i++)
		entries[i] = i;
	for (u32 nr = 2; nr > 0; nr--) { /* the second replaces the first */
		*set = (struct xen_foreign_memory_map){ .domid = 1, .map = { .nr_entries = nr, .buffer.p = entries } };
		assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_set_memory_map, GUEST(set), 0, 0), 0);
	}
	world_run(d1->vcpu[0]);
	*map = (struct xen_memory_map){ .nr_entries = 2, .buffer.p = told };
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, GUEST(map), 0, 0), 0);
	assert_int_equal(map->nr_entries, 1);
	assert_memory_equal(told, entries, 20);
	assert_int_equal(told[20], 0);
	world_run(dom0->vcpu[0]);
	domain_hold(d1);
	while (domain_kill(d1) == -ERESTART)
		;
	/* one that it gets while somebody still looks at it goes, too */
	assert_int_equal(hypercall(__HYPERVISOR_memory_op, XENMEM_set_memory_map, GUEST(set), 0, 0), 0);
	domain_unhold(d1);
	assert_null(domain_find(1));
}

static void test_what_is_shared_is_counted_until_it_is_not(void **state)
{
	void *page = xen_pages_alloc(0);
	const u64 before = d1->xenheap_pages;

	frame_share(page, d1, true);
	assert_int_equal(d1->xenheap_pages, before + 1);
	assert_true(frame_unshare(page));
	assert_int_equal(d1->xenheap_pages, before);
	xen_pages_free(page, 0);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_reference_is_had_only_where_the_count_allows_it),
		T(test_populate_gives_frames_and_fills_the_m2p),
		T(test_populate_stops_at_the_limit_and_says_how_far_it_came),
		T(test_a_preempted_populate_ends_complete),
		T(test_decrease_returns_frames_and_only_ones_own),
		T(test_a_frame_in_use_leaves_the_domain_only_when_let_go),
		T(test_what_is_given_back_counts_until_it_is_let_go),
		T(test_absurd_extents_do_nothing),
		T(test_a_handle_into_the_hypervisor_is_refused),
		T(test_frames_nobody_was_told_about_are_taken_back),
		T(test_exchange_makes_single_frames_contiguous),
		T(test_exchange_makes_large_extents_larger_and_small_again),
		T(test_exchange_works_at_the_limit_of_the_domain),
		T(test_a_failed_chunk_leaves_the_old_frames),
		T(test_exchange_refuses_what_does_not_add_up),
		T(test_an_exchange_whose_answer_has_no_place_says_so),
		T(test_exchange_undoes_itself_when_the_result_cannot_be_told),
		T(test_an_exchange_says_what_is_wrong),
		T(test_an_exchange_splits_and_stops_between_chunks),
		T(test_an_extent_is_held_whole_or_not_at_all),
		T(test_memory_that_ends_within_a_chunk_comes_back),
		T(test_a_claim_keeps_frames_from_others_until_used),
		T(test_a_frame_that_goes_leaves_nothing_of_its_owner),
		T(test_an_order_is_bounded_by_the_heaps),
		T(test_an_extent_is_given_back_whole),
		T(test_the_toolstack_gets_a_guests_grant_table),
		T(test_only_dom0_sees_the_machines_memory_map),
		T(test_a_memory_map_is_told_and_goes_with_its_domain),
		T(test_what_is_shared_is_counted_until_it_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
