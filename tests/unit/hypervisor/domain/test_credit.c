/* SPDX-License-Identifier: MIT */
/*
 * Claims about domain/sched_credit.c on four CPUs that are always busy, whose time the test moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "domain/sched.h"
#include "domain/sched_share.h"
#include "x86/softirq.h"

#define CPUS 4
#define SECONDS 1000000000LL
#define MS 1000000LL
#define TURN_MS 9 /* less than a boost */
#define VCPUS 16

static struct domain *d[3];
static u16 cap; /* of d[0] in take_turns(), 0: none */
static struct vcpu *on[CPUS];
static s_time_t since[CPUS];
static s_time_t ran[3]; /* by domain */
static s_time_t late;	/* how much later than asked a timer's interrupt comes */

static void domain_add(unsigned int i, unsigned int nr_vcpus, unsigned int weight)
{
	d[i] = world_domain((domid_t)(i + 1), nr_vcpus);
	d[i]->scheduler_weight = weight;
	ran[i] = 0;
	for (unsigned int k = 1; k < nr_vcpus; k++)
		vcpu_up(d[i]->vcpu[k]);
}

static int setup(void **state)
{
	world_reset();
	fake_nr_cpus = CPUS;
	late = 0;
	cap = 0;
	for (fake_cpu_id = CPUS; fake_cpu_id-- > 0;)
		timer_softirq(); /* what an earlier test left armed */
	fake_cpu_id = 0;
	/* dom0 blocks: all four CPUs are free */
	credit_charge(dom0->vcpu[0], world.now);
	for (unsigned int c = 0; c < CPUS; c++)
		on[c] = NULL;
	return 0;
}

static int teardown(void **state)
{
	fake_cpu_id = 0;
	assert_int_equal(world_end(), 0);
	return 0;
}

static void stop(unsigned int c)
{
	if (!on[c])
		return;
	if (on[c]->domain != dom0)
		ran[on[c]->domain->domain_id - 1] += world.now - since[c];
	credit_charge(on[c], world.now);
}

/* What sched_softirq() does, on CPU @c. */
static void schedule(unsigned int c)
{
	fake_cpu_id = c;
	world.softirqs[c] = 0;
	stop(c);
	if (on[c])
		credit_requeue(on[c], false);
	on[c] = credit_pick(world.now);
	since[c] = world.now;
}

static s_time_t next_timer(void)
{
	s_time_t next = 0;

	for (unsigned int c = 0; c < CPUS; c++)
		if (world.hw_timer[c] && (!next || world.hw_timer[c] < next))
			next = world.hw_timer[c];
	return next ? next + late : 0;
}

/* All timers and what they ask for, until @end. */
static void run_until(s_time_t end)
{
	while (next_timer() && next_timer() < end) {
		world.now = MAX(world.now, next_timer());
		for (unsigned int c = 0; c < CPUS; c++) {
			fake_cpu_id = c;
			if (world.hw_timer[c] && world.hw_timer[c] <= world.now)
				timer_softirq();
		}
		for (unsigned int c = 0; c < CPUS; c++)
			if (world.softirqs[c])
				schedule(c);
	}
	world.now = end;
	fake_cpu_id = 0;
}

static void run_for(s_time_t ns)
{
	for (unsigned int c = 0; c < fake_nr_cpus; c++)
		schedule(c);
	run_until(world.now + ns);
	for (unsigned int c = 0; c < CPUS; c++) {
		fake_cpu_id = c;
		stop(c);
		if (on[c])
			credit_requeue(on[c], false);
		on[c] = NULL;
	}
	fake_cpu_id = 0;
}

/* Within 5 %. */
static void assert_about(s_time_t got, s_time_t wanted)
{
	if (got < wanted * 95 / 100 || got > wanted * 105 / 100)
		fail_msg("%lld ms, wanted %lld ms", (long long)got / 1000000,
			 (long long)wanted / 1000000);
}

static void test_four_cpus_are_shared_by_weight_over_ten_seconds(void **state)
{
	domain_add(0, 4, 256);
	domain_add(1, 4, 512);
	domain_add(2, 4, 1024);

	run_for(10 * SECONDS);

	assert_about(ran[0], CPUS * 10 * SECONDS * 1 / 7);
	assert_about(ran[1], CPUS * 10 * SECONDS * 2 / 7);
	assert_about(ran[2], CPUS * 10 * SECONDS * 4 / 7);
}

static void test_what_a_domain_cannot_use_goes_to_the_others_by_weight(void **state)
{
	domain_add(0, 4, 256);
	domain_add(1, 4, 512);
	domain_add(2, 1, 1024); /* one vcpu: one CPU, whatever its weight */

	run_for(10 * SECONDS);

	assert_about(ran[2], 10 * SECONDS);
	assert_about(ran[0], 10 * SECONDS);
	assert_about(ran[1], 20 * SECONDS);
}

static void test_a_cap_holds_for_all_vcpus_together(void **state)
{
	domain_add(0, 4, 256);
	domain_add(1, 4, 256);
	assert_int_equal(credit_set_params(d[0], 0, 50), 0); /* half a CPU */

	run_for(10 * SECONDS);

	assert_about(ran[0], 5 * SECONDS);
	assert_about(ran[1], 35 * SECONDS);
}

static void test_a_pinned_vcpu_runs_nowhere_else_and_no_cpu_idles_for_it(void **state)
{
	domain_add(0, 2, 256);
	domain_add(1, 4, 256);
	d[0]->vcpu[0]->affinity = d[0]->vcpu[1]->affinity = 1 << 2;

	for (unsigned int i = 0; i < 100; i++) {
		run_for(SECONDS / 10);
		assert_int_equal(d[0]->vcpu[0]->last_cpu, 2);
		assert_int_equal(d[0]->vcpu[1]->last_cpu, 2);
	}

	assert_about(ran[0] + ran[1], CPUS * 10 * SECONDS);
	assert_about(ran[0], 10 * SECONDS);
}

static void test_those_pinned_on_one_cpu_share_it_by_weight(void **state)
{
	for (unsigned int i = 0; i < 3; i++) {
		domain_add(i, 1, 256u << i);
		d[i]->vcpu[0]->affinity = 1 << 2;
	}

	run_for(10 * SECONDS);

	assert_about(ran[0], 10 * SECONDS * 1 / 7);
	assert_about(ran[1], 10 * SECONDS * 2 / 7);
	assert_about(ran[2], 10 * SECONDS * 4 / 7);
}

/* One that mostly sleeps, as dom0: what it leaves of its share is the others', by their weights. */
static void test_a_sleepers_share_is_the_others_by_weight(void **state)
{
	const s_time_t nap = SECONDS / 100;

	fake_nr_cpus = 1;
	for (unsigned int i = 0; i < 3; i++)
		domain_add(i, 1, 256u << i);
	run_for(2 * SECONDS); /* no longer boosted; and dom0 has paid for setup() */
	ran[0] = ran[1] = ran[2] = 0;
	for (unsigned int i = 0; i < 1000; i++) {
		credit_insert(dom0->vcpu[0], true, world.now);
		schedule(0);
		assert_ptr_equal(on[0], dom0->vcpu[0]);
		world.now += nap / 20;
		credit_charge(on[0], world.now);
		on[0] = NULL;
		run_for(nap - nap / 20);
	}

	assert_about(ran[0], 9500 * MS * 1 / 7);
	assert_about(ran[1], 9500 * MS * 2 / 7);
	assert_about(ran[2], 9500 * MS * 4 / 7);
}

/* The timer comes when it comes: credit is for the time that passed. */
static void test_a_cap_holds_when_timers_are_late(void **state)
{
	fake_nr_cpus = 1;
	late = 7 * MS;
	domain_add(0, 1, 256);
	assert_int_equal(credit_set_params(d[0], 0, 20), 0);

	run_for(10 * SECONDS);

	assert_about(ran[0], 2 * SECONDS);
}

static void test_who_wakes_gets_the_idle_cpu_it_ran_on(void **state)
{
	domain_add(0, 1, 256);
	schedule(3);
	assert_ptr_equal(on[3], d[0]->vcpu[0]);
	stop(3);
	on[3] = NULL;
	fake_cpu_id = 1;

	assert_int_equal(credit_insert(d[0]->vcpu[0], true, world.now), 3);
	/* and another CPU leaves it to that one */
	assert_null(credit_pick(world.now));
	schedule(3);
	assert_ptr_equal(on[3], d[0]->vcpu[0]);
}

static void wake(struct vcpu *v)
{
	if (credit_insert(v, true, world.now) != NO_CPU)
		schedule(0);
}

/* The one on CPU 0 blocks. */
static void block(void)
{
	stop(0);
	on[0] = NULL;
	schedule(0);
}

/*
 * For ten seconds each vcpu of d[0] in turn uses its boost and sleeps while the others do; after
 * @round turns all sleep for @nap_ms. @victims work all the time.
 */
static void take_turns(unsigned int victims, unsigned int round, unsigned int nap_ms)
{
	unsigned int turn = 0, used = 0;

	fake_nr_cpus = 1;
	domain_add(0, VCPUS, 256);
	assert_int_equal(credit_set_params(d[0], 0, cap), 0);
	for (unsigned int i = 1; i <= victims; i++)
		domain_add(i, 1, 256);
	for (unsigned int k = 1; k < VCPUS; k++)
		credit_remove(d[0]->vcpu[k]);
	schedule(0);
	for (s_time_t end = world.now + 10 * SECONDS; world.now < end;) {
		run_until(world.now + MS);
		if (on[0] != d[0]->vcpu[turn % VCPUS] || ++used < TURN_MS)
			continue;
		used = 0;
		block();
		if (++turn % round == 0)
			run_until(world.now + nap_ms * MS);
		wake(d[0]->vcpu[turn % VCPUS]);
	}
	stop(0);
	on[0] = NULL;
}

/* No more than its part: 5 % are given. */
static void assert_part(unsigned int percent)
{
	assert_true(ran[0] < 10 * SECONDS * percent / 100 * 105 / 100);
}

static void test_who_changes_vcpus_pays_all_the_same(void **state)
{
	take_turns(1, 1, 0);
	assert_part(50);
}

static void test_who_changes_vcpus_among_several_pays_all_the_same(void **state)
{
	take_turns(2, 1, 0);
	assert_part(33);
}

static void test_who_naps_pays_all_the_same(void **state)
{
	take_turns(1, VCPUS, 61);
	assert_part(50);
}

/* Nobody waits at most times when it is time to account. */
static void test_who_sleeps_while_it_is_accounted_pays_all_the_same(void **state)
{
	take_turns(1, 2, 12);
	assert_part(50);
}

/*
 * One that sleeps a millisecond after each turn: that it wakes is no reason to forget what it owes.
 */
static void test_who_wakes_often_pays_all_the_same(void **state)
{
	const struct vcpu *v;
	unsigned int used = 0;

	fake_nr_cpus = 1;
	domain_add(0, 1, 256);
	domain_add(1, 1, 256);
	v = d[0]->vcpu[0];
	schedule(0);
	for (s_time_t end = world.now + 10 * SECONDS; world.now < end;) {
		run_until(world.now + MS);
		if (on[0] != v || ++used < TURN_MS)
			continue;
		used = 0;
		block();
		run_until(world.now + MS);
		wake(d[0]->vcpu[0]);
	}
	stop(0);
	on[0] = NULL;
	assert_part(50);
}

static void test_who_changes_vcpus_keeps_its_cap(void **state)
{
	cap = 20;
	take_turns(0, 1, 0);
	assert_part(cap);
}

/*
 * Without competition nobody is accounted for, and no timer ticks; a cap is kept all the same, from
 * its first turn.
 */
static void test_a_cap_alone_is_what_is_accounted_for(void **state)
{
	fake_nr_cpus = 1;
	domain_add(0, 1, 256);
	run_for(SECONDS); /* whatever was accounted for before ends */
	schedule(0);
	assert_ptr_equal(on[0], d[0]->vcpu[0]);
	assert_int_equal(next_timer(), 0);
	stop(0);
	on[0] = NULL;
	schedule(0); /* nor while nobody runs */
	assert_int_equal(next_timer(), 0);
	credit_requeue(d[0]->vcpu[0], false);
	assert_int_equal(credit_set_params(d[0], 0, 20), 0);
	ran[0] = 0;

	run_for(10 * SECONDS);

	assert_about(ran[0], 2 * SECONDS);
}

/* Nobody pays for the time in which nobody else wanted the CPU. */
static void test_who_was_alone_owes_nothing(void **state)
{
	fake_nr_cpus = 1;
	domain_add(0, 1, 256);
	run_for(SECONDS); /* what was accounted for before ends */
	schedule(0);
	world.now += 10 * SECONDS;
	ran[0] = 0;
	since[0] = world.now;
	domain_add(1, 1, 256);
	run_until(world.now + 200 * MS);
	stop(0);
	on[0] = NULL;
	assert_in_range(ran[0], 70 * MS, 130 * MS);
}

/* Of four idle CPUs the one is woken where it may run, and once. */
static void test_a_cpu_is_called_that_may_run_it(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		domain_add(i, 1, 256);
		credit_remove(d[i]->vcpu[0]);
		d[i]->vcpu[0]->affinity = 1 << 2;
	}
	for (fake_cpu_id = CPUS; fake_cpu_id-- > 0;)
		assert_null(credit_pick(world.now)); /* nobody is called any more */
	fake_cpu_id = 0;
	assert_int_equal(credit_insert(d[0]->vcpu[0], false, world.now), 2);
	assert_int_equal(credit_insert(d[1]->vcpu[0], false, world.now), NO_CPU);
}

/*
 * After a long stop all begin anew: also one that sleeps, and owes what nobody waits for any more.
 */
static void test_an_old_debt_is_forgotten(void **state)
{
	fake_nr_cpus = 1;
	domain_add(0, 2, 256);
	domain_add(1, 1, 256);
	credit_remove(d[1]->vcpu[0]);
	credit_remove(d[0]->vcpu[0]);
	schedule(0);
	assert_ptr_equal(on[0], d[0]->vcpu[1]);
	credit_insert(d[1]->vcpu[0], false, world.now); /* somebody waits: it pays */
	world.now += 100 * MS;
	stop(0); /* and sleeps */
	credit_remove(d[1]->vcpu[0]);
	on[0] = NULL;
	timer_softirq();
	world.now += 10 * SECONDS;
	credit_insert(d[1]->vcpu[0], false, world.now);
	schedule(0);
	assert_ptr_equal(on[0], d[1]->vcpu[0]);
	world.now += MS;
	credit_insert(dom0->vcpu[0], false, world.now); /* accounts begin again */
	credit_insert(d[0]->vcpu[1], true, world.now);
	schedule(0);
	assert_ptr_equal(on[0], d[0]->vcpu[1]); /* it owes nothing, and is boosted */
	stop(0);
	on[0] = NULL;
	credit_remove(dom0->vcpu[0]);
}

/* On as many CPUs as there can be, all idle but one: nobody looks behind the last. */
static void test_accounts_are_of_every_cpu_and_no_more(void **state)
{
	fake_nr_cpus = NR_CPUS;
	domain_add(0, 1, 256);
	assert_int_equal(credit_set_params(d[0], 0, 50), 0);
	for (fake_cpu_id = NR_CPUS; fake_cpu_id-- > 0;)
		credit_pick(world.now);
	assert_in_range(d[0]->vcpu[0]->last_cpu, 0, NR_CPUS - 1);
	world.now += SECONDS;
	for (fake_cpu_id = NR_CPUS; fake_cpu_id-- > 0;)
		timer_softirq(); /* one of them accounts */
	fake_cpu_id = d[0]->vcpu[0]->last_cpu;
	credit_print();
	domain_add(1, 1, 256);
	credit_charge(d[0]->vcpu[0], world.now);
	fake_nr_cpus = 1;
	fake_cpu_id = 0;
}

/*
 * Who wakes with credit goes before others for some milliseconds, not until it is looked at first.
 */
static void test_a_boost_lasts(void **state)
{
	fake_nr_cpus = 1;
	domain_add(0, 1, 256);
	domain_add(1, 1, 256);
	credit_remove(d[0]->vcpu[0]);
	schedule(0);
	assert_ptr_equal(on[0], d[1]->vcpu[0]);
	world.now += MS;
	credit_insert(d[0]->vcpu[0], true, world.now);
	for (unsigned int i = 0; i < 5; i++) {
		schedule(0);
		assert_ptr_equal(on[0], d[0]->vcpu[0]);
		world.now += MS;
	}
	world.now += 2 * TURN_MS * MS; /* and it ends */
	schedule(0);
	assert_ptr_equal(on[0], d[1]->vcpu[0]);
	stop(0);
	on[0] = NULL;
}

/* Whom a CPU passes over for a better one may have another that idles, and that was not called for it. */
static void test_who_is_passed_over_is_offered_to_an_idle_cpu(void **state)
{
	struct vcpu *either, *pinned;

	domain_add(0, 1, 256);
	domain_add(1, 1, 256);
	either = d[0]->vcpu[0];
	pinned = d[1]->vcpu[0];
	credit_remove(either);
	credit_remove(pinned);
	for (unsigned int c = 0; c < CPUS; c++)
		schedule(c); /* nobody is called */
	either->affinity = 1 | 1 << 3;
	pinned->affinity = 1;
	assert_int_equal(credit_insert(either, false, world.now), 0);
	credit_insert(pinned, true, world.now);
	world.softirqs[3] = 0;
	schedule(0);
	assert_ptr_equal(on[0], pinned);
	assert_int_equal(world.softirqs[3], 1u << SOFTIRQ_SCHEDULE);
	schedule(3);
	assert_ptr_equal(on[3], either);
	stop(0);
	stop(3);
}

/* Who uses more than its share is not before others for the rest of its boost. */
static void test_a_boost_ends_when_its_vcpu_owes(void **state)
{
	fake_nr_cpus = 1;
	domain_add(0, 1, 1);
	domain_add(1, 1, 65535);
	credit_remove(d[0]->vcpu[0]);
	run_for(SECONDS);
	schedule(0);
	credit_insert(dom0->vcpu[0], false, world.now); /* accounts begin */
	credit_remove(dom0->vcpu[0]);
	world.now += 25 * MS;
	credit_insert(d[0]->vcpu[0], true, world.now);
	schedule(0);
	assert_ptr_equal(on[0], d[0]->vcpu[0]);
	world.now += 6 * MS;
	timer_softirq(); /* 30 ms: it has used six, and none is its share */
	schedule(0);
	assert_ptr_equal(on[0], d[1]->vcpu[0]);
	stop(0);
	on[0] = NULL;
}

static struct share share_of(s64 limit, struct share *next)
{
	return (struct share){ .next = next, .cpus = 1, .weight = 1, .limit = limit };
}

static void test_a_division_knows_nothing_of_the_one_before(void **state)
{
	struct share a = share_of(1, NULL), b = share_of(1000, &a);

	shares_divide(&b, 1, 1000);
	assert_true(a.is_sated && !b.is_sated);
	a.limit = 1000;
	b.limit = 1;
	shares_divide(&b, 1, 1000);
	assert_true(b.is_sated && !a.is_sated);
	assert_int_equal(b.got, 1);
	assert_in_range(a.got, 998, 999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_four_cpus_are_shared_by_weight_over_ten_seconds, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_a_domain_cannot_use_goes_to_the_others_by_weight, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_a_cap_holds_for_all_vcpus_together, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_a_pinned_vcpu_runs_nowhere_else_and_no_cpu_idles_for_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_those_pinned_on_one_cpu_share_it_by_weight,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_sleepers_share_is_the_others_by_weight,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_cap_alone_is_what_is_accounted_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_accounts_are_of_every_cpu_and_no_more, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_was_alone_owes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_cpu_is_called_that_may_run_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_old_debt_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_boost_lasts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_boost_ends_when_its_vcpu_owes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_is_passed_over_is_offered_to_an_idle_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_division_knows_nothing_of_the_one_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_cap_holds_when_timers_are_late, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_who_changes_vcpus_pays_all_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_who_wakes_often_pays_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_naps_pays_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_changes_vcpus_keeps_its_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_changes_vcpus_among_several_pays_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_sleeps_while_it_is_accounted_pays_all_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_wakes_gets_the_idle_cpu_it_ran_on, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
