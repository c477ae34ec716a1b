/* SPDX-License-Identifier: MIT */
/*
 * test_generations.c - copies of the whole that are made while the store is open and at its start:
 * when one is due, what follows one that failed, and which stay when something was lost.
 */
#include "disk_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The one under way is told of, as the worker does. Its status. */
static int generation_ends(struct kit *k)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	assert_true(pid > 0);
	assert_true(disk_generation_ended(k->d, pid, status));
	return status;
}

static void make_generation(struct kit *k, uint64_t now_ns)
{
	disk_generation(k->d, now_ns);
	generation_ends(k);
}

static void test_a_start_keeps_what_it_found_as_a_generation(void **state)
{
	struct kit k;

	(void)state;
	kit_init(&k);
	for (int i = 0; i < 12; i++) {
		kit_open(&k);
		kit_rev(&k, "+/config=1");
		kit_close(&k, true);
	}
	/* Of one hour, the two newest are kept. */
	assert_int_equal(kit_count(&k, "generations/*.mdb"), 2);
	assert_true(kit_count(&k, "log-*") <= 3);
	kit_fini(&k);
}

/*
 * While the store is open, in a process of its own; not before its time, nor when nothing changed.
 */
static void test_a_generation_is_written_beside(void **state)
{
	const uint64_t minute = 60 * 1000000000ull;
	unsigned int before;
	struct kit k;
	int status;

	(void)state;
	kit_filled(&k);
	before = kit_count(&k, "generations/*.mdb");
	disk_generation(k.d, minute);
	disk_generation(k.d, 2 * minute);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	disk_generation(k.d, 7 * minute);
	kit_rev(&k, "+/config/later=1");
	generation_ends(&k);
	assert_true(kit_count(&k, "generations/*.mdb") >= before);
	disk_generation(k.d, 8 * minute);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	/* It and the log begun with it make up for all else. */
	kit_close(&k, true);
	unlink(kit_file(&k, "data.mdb"));
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), KIT_FILLED "/config/later=1 ");
	assert_string_equal(kit_lost(&k), "");
	kit_fini(&k);
}

/* It would give its name to what the new beginning writes in the same place. */
static void test_a_generation_under_way_ends_when_the_store_is_opened_again(void **state)
{
	const uint64_t minute = 60 * 1000000000ull;
	struct disk_found found;
	struct kit k;
	int status;

	(void)state;
	kit_filled(&k);
	disk_generation(k.d, minute);
	disk_generation(k.d, 7 * minute);
	assert_int_equal(unlink(kit_file(&k, "data.mdb")), 0);
	assert_int_equal(disk_reopen(k.d, &found), 0);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	assert_int_equal(found.read_only, 0);
	assert_string_equal(kit_nodes(&k), KIT_FILLED);
	/* The next one is due as if it had not been. */
	kit_rev(&k, "+/config/e=6");
	make_generation(&k, 13 * minute);
	kit_fini(&k);
}

/* What no log has is in a new generation as soon as there may be one. */
static void test_a_log_that_cannot_be_begun_is_made_up_for(void **state)
{
	const uint64_t second = 1000000000ull;
	char log[300];
	struct kit k;

	(void)state;
	kit_filled(&k);
	disk_generation(k.d, second);
	kit_rev(&k, "+/config/later=1");
	snprintf(log, sizeof(log), "%s/store/log-%020llu", k.state,
		 (unsigned long long)disk_applied(k.d));
	assert_int_equal(mkdir(log, 0700), 0);
	make_generation(&k, 400 * second);
	assert_int_equal(rmdir(log), 0);
	kit_rev(&k, "+/config/last=2");
	make_generation(&k, 402 * second);
	kit_close(&k, true);
	unlink(kit_file(&k, "data.mdb"));
	kit_open(&k);
	assert_string_equal(kit_nodes(&k), KIT_FILLED "/config/later=1 /config/last=2 ");
	kit_fini(&k);
}

/* A minute later, also where no log can be begun: at once would be for ever. */
static void test_a_generation_that_cannot_be_written_is_tried_again_in_a_minute(void **state)
{
	const uint64_t second = 1000000000ull;
	char store[120], gone[140];
	struct kit k;
	int status;

	(void)state;
	kit_filled(&k);
	disk_generation(k.d, second);
	kit_rev(&k, "+/config/later=1");
	snprintf(store, sizeof(store), "%s/store", k.state);
	snprintf(gone, sizeof(gone), "%s.gone", store);
	assert_int_equal(rename(store, gone), 0);
	make_generation(&k, 400 * second);
	for (uint64_t s = 400; s < 460; s++)
		disk_generation(k.d, s * second);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	assert_int_equal(rename(gone, store), 0);
	disk_generation(k.d, 461 * second);
	assert_int_equal(generation_ends(&k), 0);
	kit_fini(&k);
}

static void test_a_start_that_lost_something_overwrites_no_generation(void **state)
{
	struct kit k;

	(void)state;
	kit_filled_and_lost(&k);
	assert_int_equal(kit_count(&k, "generations/*.mdb"), 2);
	for (int i = 0; i < 6; i++) {
		kit_open(&k);
		assert_true(k.found.degraded);
		kit_rev(&k, "+/config=1");
		kit_close(&k, true);
	}
	/* Those that were there are there still. */
	assert_int_equal(kit_count(&k, "generations/*0.mdb"), 1);
	assert_int_equal(kit_count(&k, "generations/*06.mdb"), 1);
	kit_fini(&k);
}

/* Nobody knows of the loss for long: what is from before it stays, and nothing else adds up. */
static void test_a_degraded_store_does_not_grow_without_end(void **state)
{
	const uint64_t minute = 60 * 1000000000ull;
	unsigned int generations, logs;
	struct kit k;

	(void)state;
	kit_filled_and_lost(&k);
	kit_open(&k);
	assert_true(k.found.degraded);
	generations = kit_count(&k, "generations/*.mdb");
	logs = kit_count(&k, "log-*");
	disk_generation(k.d, minute);
	for (unsigned int i = 1; i <= 12; i++) {
		kit_rev(&k, "+/config/later=1");
		make_generation(&k, minute + 6 * minute * i);
	}
	assert_true(kit_count(&k, "generations/*.mdb") <= generations + 6);
	assert_true(kit_count(&k, "log-*") <= logs + 6);
	assert_int_equal(kit_count(&k, "generations/*0.mdb"), 1);
	assert_int_equal(kit_count(&k, "generations/*06.mdb"), 1);
	/* Now somebody knows. */
	assert_int_equal(disk_lost_known(k.d), 0);
	kit_rev(&k, "+/config/later=2");
	make_generation(&k, 90 * minute);
	assert_true(kit_count(&k, "generations/*.mdb") <= 4);
	kit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_start_keeps_what_it_found_as_a_generation),
		cmocka_unit_test(test_a_generation_is_written_beside),
		cmocka_unit_test(test_a_generation_under_way_ends_when_the_store_is_opened_again),
		cmocka_unit_test(test_a_log_that_cannot_be_begun_is_made_up_for),
		cmocka_unit_test(
			test_a_generation_that_cannot_be_written_is_tried_again_in_a_minute),
		cmocka_unit_test(test_a_start_that_lost_something_overwrites_no_generation),
		cmocka_unit_test(test_a_degraded_store_does_not_grow_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
