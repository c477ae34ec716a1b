/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever a guest or dom0 passes to any hypercall of domain/ and hypercall/, the
 * hypervisor's books stay right and nothing is lost. Numbers come from a pool of values that mean
 * something (frames, ports, domids, pointers).
 *
 * Failure looks like: a sanitizer report, a BUG, a count that differs, or a frame that does not
 * come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#include <cmocka.h>

#include <xen/platform.h>
#include <xen/sysctl.h>

#include "domain/evtchn.h"
#include "domain/gnttab.h"
#include "domain/memory.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/layout.h"

#define CALLS 20000
#define CHECK_EVERY 500

static u32 rng;

static u32 rnd(u32 n)
{
	rng = rng * 1664525u + 1013904223u;
	return (rng >> 8) % n;
}

static u64 guest_pointer(void)
{
	return GUEST(guest_mem) + 8 * rnd(sizeof(guest_mem) / 8);
}

/* A value likely to pass some check and fail another. */
static u64 value(void)
{
	switch (rnd(10)) {
	case 0:
		return guest_pointer();
	case 1:
		return rnd(4);
	case 2:
		return rnd(64);
	case 3:
		return rnd(WORLD_FRAMES + 16);
	case 4:
		return DOMID_SELF;
	case 5:
		return (u64)rnd(1u << 24) << rnd(40);
	case 6:
		return ~0ULL >> rnd(64);
	case 7:
		return HV_HOLE_START + 8 * rnd(1000);
	case 8:
		return (u64)rnd(40) << 32 | rnd(40);
	default:
		return 0;
	}
}

static void fill_guest_memory(void)
{
	u64 *word = (u64 *)guest_mem;

	for (size_t i = 0; i < sizeof(guest_mem) / 8; i++)
		word[i] = value();
}

/* An own frame now and then, so that calls get past "not yours". */
static u64 frame_of(domid_t domid)
{
	u64 at = rnd(WORLD_FRAMES);

	for (u64 i = 0; i < WORLD_FRAMES; i++, at = (at + 1) % WORLD_FRAMES)
		if (frame_table[at].owner == domid && !(frame_table[at].ref & FRAME_FREE))
			return at;
	return 0;
}

/* Where the versioned structures of a control call lie. */
#define SLOTS 64
static u64 slot(u64 nr, u32 i)
{
	u64 kind = nr == __HYPERVISOR_domctl ? 0 : nr == __HYPERVISOR_sysctl ? 1 : 2;

	return GUEST(guest_mem) + (kind * SLOTS + i) * 256;
}

static void plant_structures(void)
{
	u64 *word = (u64 *)guest_mem;

	for (int i = 0; i < 64; i++)
		word[rnd(sizeof(guest_mem) / 8)] = frame_of((domid_t)rnd(3));
	for (unsigned int i = 0; i < SLOTS; i++) {
		u32 head[4] = { rnd(90), XEN_DOMCTL_INTERFACE_VERSION, rnd(4), 0 };

		memcpy((void *)slot(__HYPERVISOR_domctl, i), head, 16);
		head[0] = rnd(30);
		head[1] = XEN_SYSCTL_INTERFACE_VERSION;
		memcpy((void *)slot(__HYPERVISOR_sysctl, i), head, 8);
		head[0] = rnd(64);
		head[1] = XENPF_INTERFACE_VERSION;
		memcpy((void *)slot(__HYPERVISOR_platform_op, i), head, 8);
	}
}

/* The shared grant table of a guest holds whatever it likes. */
static void plant_grants(struct domain *d)
{
	if (!d || !d->gnttab)
		return;
	for (int i = 0; i < 16; i++) {
		grant_entry_v1_t *e = &d->gnttab->shared[0][rnd(64)];

		e->flags = rnd(4) ? GTF_permit_access : (u16)rnd(1u << 16);
		e->domid = (domid_t)rnd(3);
		e->frame = rnd(2) ? (u32)frame_of(d->domain_id) : (u32)value();
	}
}

static const u8 numbers[] = { 6,  7,  12, 13, 15, 16, 17, 18, 19, 20, 20, 21,
			      24, 28, 29, 32, 32, 33, 35, 36, 36, 12, 20, 40 };

/* Calls, by number, that did something: the values must get that far. */
static unsigned int succeeded[64];

static struct domain *ensure(domid_t domid)
{
	struct domain *d = domain_find(domid);

	if (d && d->is_dying)
		return d;
	if (!d)
		d = world_domain(domid, 2);
	if (d->tot_pages < 8)
		for (int i = 0; i < 8; i++) {
			struct frame *f;

			if (domain_frames_alloc(d, 0, 0, &f))
				break;
		}
	return d;
}

static void one_call(void)
{
	struct domain *volatile caller = rnd(3) ? ensure((domid_t)(1 + rnd(2))) : dom0;
	u64 nr = numbers[rnd(ARRAY_SIZE(numbers))];
	u64 a0 = rnd(3) ? rnd(40) : value();
	jmp_buf stop;

	if (caller->is_dying || !caller->vcpu[0])
		caller = dom0;
	world_run(caller->vcpu[0]);
	world.preempt = rnd(2);
	world.on_stop = &stop;
	if (nr == __HYPERVISOR_domctl || nr == __HYPERVISOR_sysctl ||
	    nr == __HYPERVISOR_platform_op)
		a0 = slot(nr, rnd(SLOTS));
	if (nr == __HYPERVISOR_multicall || nr == __HYPERVISOR_event_channel_op_compat ||
	    nr == __HYPERVISOR_physdev_op_compat)
		a0 = guest_pointer();
	if (setjmp(stop) == 0)
		succeeded[nr] += hypercall(nr, a0, rnd(4) ? guest_pointer() : value(),
					   rnd(3) ? rnd(64) : value(), value()) >= 0;
	world.on_stop = NULL;
	world.preempt = false;
	world_run(dom0->vcpu[0]);
}

/* Counts each domain's frames from scratch. */
static void check_books(void)
{
	for (struct domain *d = domain_list; d; d = d->next) {
		u64 all = 0;

		for (u64 i = 0; i < WORLD_FRAMES; i++) {
			const struct frame *f = &frame_table[i];

			if (f->ref & (FRAME_FREE | FRAME_XENHEAP) || f->owner != d->domain_id)
				continue;
			all++;
			assert_true(frame_ref_count(f) >= frame_type_count(f));
		}
		assert_int_equal(d->tot_pages, all);
	}
}

static void keep_few_domains(void)
{
	for (struct domain *d = domain_list->next, *next; d; d = next) {
		next = d->next;
		if (d->domain_id > 2)
			while (domain_kill(d) == -ERESTART)
				;
	}
}

static void test_random_hypercalls_keep_the_books(void **state)
{
	world_reset();
	cpu_has_xsave = true;
	for (u32 seed = 1; seed <= 4; seed++) {
		rng = seed * 7919;
		for (u32 i = 0; i < CALLS / 4; i++) {
			if (i % CHECK_EVERY == 0) {
				check_books();
				keep_few_domains();
				fill_guest_memory();
				plant_structures();
				plant_grants(domain_find(1));
				plant_grants(domain_find(2));
				plant_grants(dom0);
				world.now += 1000000;
			}
			one_call();
		}
	}
	cpu_has_xsave = false;
	assert_int_equal(world_end(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!succeeded[numbers[i]] && numbers[i] != __HYPERVISOR_xenpmu_op)
			fail_msg("no random call of hypercall %u ever succeeded", numbers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_hypercalls_keep_the_books),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
