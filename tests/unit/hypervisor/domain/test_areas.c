/* SPDX-License-Identifier: MIT */
/*
 * Claims about the areas that a vcpu registers: they are written through the guest's own tables, as
 * its kernel would, and nowhere else. ABI: xen/vcpu.h (runstate and time areas), xen/xen.h (the
 * version protocol of vcpu_time_info).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/evtchn.h"
#include "domain/guest.h"
#include "domain/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "x86/layout.h"
#include "x86/pte.h"

#define VA 0x123456789000UL /* an entry of its own in each table */
#define USABLE (PTE_P | PTE_RW)

static struct domain *d1;
static struct vcpu *v;
static u64 *table[5]; /* by level; 0: the first page at VA */
static u8 *page[2];   /* at VA, one after the other */

static u64 *entry(unsigned int level)
{
	return &table[level][pt_index(VA, level)];
}

static u64 pte_of(const void *p, u64 flags)
{
	return mfn_to_maddr(virt_to_mfn(p)) | flags;
}

static int setup(void **state)
{
	world_reset();
	d1 = world_domain(1, 1);
	v = d1->vcpu[0];
	for (unsigned int level = 0; level < 5; level++)
		table[level] = mfn_to_virt(frame_to_mfn(world_page(d1)));
	page[0] = (u8 *)table[0];
	page[1] = mfn_to_virt(frame_to_mfn(world_page(d1)));
	for (unsigned int level = 4; level > 0; level--)
		*entry(level) = pte_of(table[level - 1], USABLE);
	entry(1)[1] = pte_of(page[1], USABLE);
	v->pv.cr3_kernel = virt_to_frame(table[4]);
	return 0;
}

static int teardown(void **state)
{
	v->pv.cr3_kernel = NULL;
	v->time_guest = v->runstate_guest = 0;
	return world_end() != 0;
}

static void test_bytes_go_where_the_tables_say(void **state)
{
	assert_true(vcpu_write_guest(v, VA + 5, "abc", 3));
	assert_memory_equal(page[0], "\0\0\0\0\0abc\0", 9);
	assert_true(virt_to_frame(page[0])->ref & FRAME_WRITTEN);
	assert_true(vcpu_write_guest(v, VA + PAGE_SIZE - 3, "123456", 6));
	assert_memory_equal(page[0] + PAGE_SIZE - 4, "\000123", 4);
	assert_memory_equal(page[1], "456\0", 4);
	assert_true(virt_to_frame(page[1])->ref & FRAME_WRITTEN);
	assert_true(vcpu_write_guest(v, VA + PAGE_SIZE, "7", 1));
	assert_memory_equal(page[1], "756\0", 4);
	assert_int_equal(page[0][0], 0);
	*entry(1) |= PTE_PS; /* there it is an attribute of caching */
	assert_true(vcpu_write_guest(v, VA, "x", 1));
}

/* As the kernel's own store would fail. */
static void test_nothing_is_written_where_the_kernel_could_not(void **state)
{
	const u64 end = mfn_to_maddr(_mfn(WORLD_FRAMES));

	for (unsigned int level = 4; level > 0; level--) {
		const u64 good = *entry(level);
		const u64 bad[] = { good & ~(u64)PTE_P, good & ~(u64)PTE_RW, level > 1 ? good | PTE_PS : 0 };

		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			*entry(level) = bad[i];
			if (vcpu_write_guest(v, VA, "abc", 3))
				fail_msg("level %u, case %zu", level, i);
		}
		*entry(level) = good;
	}
	*entry(1) = end | USABLE; /* a device's, or nothing at all */
	assert_false(vcpu_write_guest(v, VA, "abc", 3));
	*entry(1) = pte_of(page[0], USABLE);
	entry(1)[1] = 0;
	assert_false(vcpu_write_guest(v, VA + PAGE_SIZE - 1, "ab", 2));
	assert_int_equal(page[0][0], 0);
	assert_int_equal(page[1][0], 0);
	assert_false(vcpu_write_guest(v, HV_HOLE_START, "a", 1));
	v->pv.cr3_kernel = NULL;
	assert_false(vcpu_write_guest(v, VA, "a", 1));
	assert_true(vcpu_write_guest(v, VA, "", 0));
}

static void test_runstates_are_published_as_they_are(void **state)
{
	struct vcpu_runstate_info *r = (struct vcpu_runstate_info *)page[0];

	v->runstate.time[RUNSTATE_blocked] = 0x1234;
	vcpu_runstate_publish(v); /* none is registered */
	assert_int_equal(r->time[RUNSTATE_blocked], 0);
	v->runstate_guest = VA;
	vcpu_runstate_publish(v);
	assert_memory_equal(r, &v->runstate, sizeof(*r));
	assert_int_equal(r->time[RUNSTATE_blocked], 0x1234);
}

/* What a guest reads of a vcpu without a CPU is what it was as it left it. */
static void test_who_leaves_the_cpu_is_seen_to_have_left(void **state)
{
	struct vcpu_runstate_info *r = (struct vcpu_runstate_info *)page[0];

	dom0->vcpu[0]->vcpu_info->evtchn_upcall_pending = 0;
	sched_block();
	world_softirqs();
	assert_ptr_equal(current, v);
	v->runstate_guest = VA;
	vcpu_runstate_publish(v);
	assert_int_equal(r->state, RUNSTATE_running);
	vcpu_mark_events_pending(dom0->vcpu[0]);
	v->vcpu_info->evtchn_upcall_pending = 0;
	sched_block();
	world_softirqs();
	assert_ptr_equal(current, dom0->vcpu[0]);
	assert_int_equal(r->state, RUNSTATE_blocked);
}

static void test_a_time_area_is_the_same_as_the_vcpus_own(void **state)
{
	struct vcpu_time_info *t = (struct vcpu_time_info *)page[0];

	v->time_guest = VA;
	v->time_tsc_base = 0;
	vcpu_time_update(v);
	assert_memory_equal(t, &v->vcpu_info->time, sizeof(*t));
	assert_int_equal(t->tsc_timestamp, 5); /* tests/fakes/hvdom/devices.c */
	assert_int_equal(t->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
	assert_int_equal(t->version % 2, 0);
	memset(t, 0, sizeof(*t));
	vcpu_time_update(v); /* as it is: not again */
	assert_int_equal(t->tsc_timestamp, 0);
	v->time_tsc_base = 0;
	entry(1)[0] = 0;
	vcpu_time_update(v); /* not there now */
	assert_int_equal(t->tsc_timestamp, 0);
	entry(1)[0] = pte_of(page[0], USABLE);
	vcpu_time_update(v); /* later, then */
	assert_int_equal(t->tsc_timestamp, 5);
}

static void test_time_in_a_state_is_counted_until_it_ends(void **state)
{
	struct vcpu_runstate_info info;

	v->runstate = (struct vcpu_runstate_info){ .state = RUNSTATE_running, .state_entry_time = (u64)world.now };
	assert_int_equal(vcpu_cpu_time_ns(v), 0);
	world.now += 7;
	assert_int_equal(vcpu_cpu_time_ns(v), 7); /* what is under way counts */
	assert_int_equal(v->runstate.time[RUNSTATE_running], 0);
	vcpu_runstate_change(v, RUNSTATE_running, world.now); /* no change */
	assert_int_equal(v->runstate.time[RUNSTATE_running], 0);
	vcpu_runstate_change(v, RUNSTATE_blocked, world.now);
	assert_int_equal(v->runstate.time[RUNSTATE_running], 7);
	assert_int_equal(v->runstate.state_entry_time, world.now);
	vcpu_runstate_change(v, RUNSTATE_offline, world.now - 3); /* of another CPU, a little behind */
	assert_int_equal(v->runstate.time[RUNSTATE_blocked], 0);
	assert_int_equal(v->runstate.state, RUNSTATE_offline);
	assert_int_equal(v->runstate.state_entry_time, world.now);
	world.now += 5;
	vcpu_runstate_get(v, &info);
	assert_int_equal(info.time[RUNSTATE_offline], 5);
	assert_int_equal(info.time[RUNSTATE_running], 7);
	v->runstate.state_entry_time = (u64)world.now + 9;
	vcpu_runstate_get(v, &info);
	assert_int_equal(info.time[RUNSTATE_offline], 0);
}

#define T(n) cmocka_unit_test_setup_teardown(n, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_bytes_go_where_the_tables_say),
		T(test_nothing_is_written_where_the_kernel_could_not),
		T(test_runstates_are_published_as_they_are),
		T(test_who_leaves_the_cpu_is_seen_to_have_left),
		T(test_a_time_area_is_the_same_as_the_vcpus_own),
		T(test_time_in_a_state_is_counted_until_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
