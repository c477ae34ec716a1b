/* SPDX-License-Identifier: MIT */
/* Claims about domain/timer.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "x86/softirq.h"

static int fired[200], nr_fired;
static s_time_t t0; /* deadlines are relative to it */

static void note(void *arg)
{
	fired[nr_fired++] = (int)(uintptr_t)arg;
}

static int setup(void **state)
{
	world_reset();
	/* Whatever the domains left armed is over. */
	world.now += 1LL << 40;
	timer_softirq();
	t0 = world.now;
	nr_fired = 0;
	return 0;
}

static void test_timers_fire_in_order_of_deadline(void **state)
{
	struct timer t[5];
	const s_time_t deadline[5] = { 5000, 2000, 9000, 3000, 4000 };
	const int order[5] = { 1, 3, 4, 0, 2 };

	for (int i = 0; i < 5; i++) {
		timer_init(&t[i], note, (void *)(uintptr_t)i);
		timer_set(&t[i], t0 + deadline[i]);
	}
	assert_int_equal(world.hw_timer[0], t0 + 2000);
	world.now = t0 + 10000;
	timer_softirq();

	assert_int_equal(nr_fired, 5);
	assert_memory_equal(fired, order, sizeof(order));
	assert_int_equal(world.hw_timer[0], 0);
	for (int i = 0; i < 5; i++)
		timer_fini(&t[i]);
}

static void test_a_timer_never_fires_early(void **state)
{
	struct timer t;

	timer_init(&t, note, NULL);
	timer_set(&t, t0 + 5000);
	world.now = t0 + 4999;
	timer_softirq();
	assert_int_equal(nr_fired, 0);
	world.now = t0 + 5000;
	timer_softirq();
	assert_int_equal(nr_fired, 1);
	timer_fini(&t);
}

static void test_a_stopped_timer_does_not_fire(void **state)
{
	struct timer a, b;

	timer_init(&a, note, (void *)1);
	timer_init(&b, note, (void *)2);
	timer_set(&a, t0 + 2000);
	timer_set(&b, t0 + 3000);
	timer_stop(&a);
	timer_stop(&a);
	world.now = t0 + 4000;
	timer_softirq();
	assert_int_equal(nr_fired, 1);
	assert_int_equal(fired[0], 2);
	timer_fini(&a);
	timer_fini(&b);
}

static void test_a_deadline_in_the_past_raises_the_softirq(void **state)
{
	struct timer t;

	timer_init(&t, note, NULL);
	timer_set(&t, t0 - 1);
	assert_true(world.softirqs[0] & 1u << SOFTIRQ_TIMER);
	timer_softirq();
	assert_int_equal(nr_fired, 1);
	timer_fini(&t);
}

static void test_setting_again_moves_the_deadline(void **state)
{
	struct timer t, u;

	timer_init(&t, note, (void *)1);
	timer_init(&u, note, (void *)2);
	timer_set(&t, t0 + 2000);
	timer_set(&u, t0 + 2500);
	timer_set(&t, t0 + 3000);
	assert_int_equal(world.hw_timer[0], t0 + 2500);
	world.now = t0 + 2600;
	timer_softirq();
	assert_int_equal(nr_fired, 1);
	assert_int_equal(fired[0], 2);
	timer_fini(&t);
	timer_fini(&u);
}

static void test_hundreds_of_random_timers_fire_sorted(void **state)
{
	static struct timer t[200];
	static s_time_t deadline[200];
	u32 rng = 1;

	for (int i = 0; i < 200; i++) {
		rng = rng * 1664525u + 1013904223u;
		deadline[i] = 2000 + (rng >> 12);
		assert_int_equal(timer_init(&t[i], note, (void *)(uintptr_t)i), 0);
		timer_set(&t[i], t0 + deadline[i]);
	}
	for (int i = 0; i < 200; i += 3)
		timer_stop(&t[i]);
	world.now = t0 + (1LL << 40);
	timer_softirq();

	assert_int_equal(nr_fired, 133);
	for (int i = 1; i < nr_fired; i++)
		assert_true(deadline[fired[i - 1]] <= deadline[fired[i]]);
	for (int i = 0; i < 200; i++)
		timer_fini(&t[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_timers_fire_in_order_of_deadline, setup),
		cmocka_unit_test_setup(test_a_timer_never_fires_early, setup),
		cmocka_unit_test_setup(test_a_stopped_timer_does_not_fire, setup),
		cmocka_unit_test_setup(test_a_deadline_in_the_past_raises_the_softirq, setup),
		cmocka_unit_test_setup(test_setting_again_moves_the_deadline, setup),
		cmocka_unit_test_setup(test_hundreds_of_random_timers_fire_sorted, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
