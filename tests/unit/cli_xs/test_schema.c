/* SPDX-License-Identifier: MIT */
/*
 * test_schema.c - the table made from docs/store-paths.md: which row a path falls under, what its
 * type lets pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "schema.h"

#define RECORD "/config/domain/web/"

static bool takes(const char *path, const char *value)
{
	const struct schema_row *row = schema_find(path);
	char why[SCHEMA_WHY_LEN];

	assert_non_null(row);
	return schema_check(row, value, strlen(value), why);
}

static void test_paths_fall_under_the_row_that_fits_best(void **state)
{
	(void)state;
	assert_string_equal(schema_find("/config/domain/web/memory")->path,
			    "/config/domain/$NAME/memory");
	assert_string_equal(schema_find("/local/domain/0/backend/vbd")->path,
			    "/local/domain/0/backend/vbd");
	assert_null(schema_find("/local/domain/x/name"));
	assert_null(schema_find("/config/domain/web/memory/more"));
	assert_null(schema_find(""));
	assert_null(schema_find("/"));
}

static void test_values_are_taken_by_their_type(void **state)
{
	static const struct {
		const char *path, *good[5], *bad[6];
	} cases[] = {
		{ RECORD "memory", { "2", "128", "16777216" },
		  { "1", "16777217", "-5", "12 ", "0x10", "99999999999999999999" } },
		{ RECORD "vcpus", { "1", "32" }, { "0", "33", "two" } },
		{ RECORD "paused", { "0", "1" }, { "2", "yes", "01a" } },
		{ RECORD "kernel", { "/boot/k" }, { "k", "./k" } },
		{ RECORD "uuid", { "3f1c1e6e-2f0b-4a55-9a35-6d3b7d2c1a10" },
		  { "3f1c1e6e", "3f1c1e6e-2f0b-4a55-9a35-6d3b7d2c1a1g",
		    "3f1c1e6e-2f0b-4a55-9a35-6d3b7d2c1a100" } },
		{ RECORD "vif/0/mac", { "00:16:3e:00:00:01" },
		  { "00:16:3e:00:00", "00-16-3e-00-00-01", "00:16:3e:00:00:0g" } },
		{ RECORD "disk/0/target", { "file:/x", "phy:vg/x", "phy:/dev/x", "/x" },
		  { "file:x", "x", "phy:" } },
		{ RECORD "disk/0/vdev", { "xvda", "xvdab12", "sda1", "d0p1", "51712" },
		  { "sofa", "xvd", "xvda1b", "d0p", "1x", "sda16" } },
		{ RECORD "disk/0/mode", { "r", "w", "w!" }, { "rw", "R" } },
		{ "/local/domain/3/device/vbd/51712/state", { "1", "6" }, { "7", "connected" } },
		{ "/status/domain/web/state", { "running", "failed" }, { "sleeping", "run" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(takes(cases[i].path, ""));
		for (int k = 0; k < 5 && cases[i].good[k]; k++)
			assert_true(takes(cases[i].path, cases[i].good[k]));
		for (int k = 0; k < 6 && cases[i].bad[k]; k++)
			assert_false(takes(cases[i].path, cases[i].bad[k]));
	}
}

static void test_bytes_with_a_nul_are_no_typed_value(void **state)
{
	char why[SCHEMA_WHY_LEN];

	(void)state;
	assert_false(schema_check(schema_find(RECORD "kernel"), "/k\0x", 4, why));
	assert_string_equal(why, "text without NUL bytes");
}

static void test_what_is_wanted_is_said(void **state)
{
	char why[SCHEMA_WHY_LEN];

	(void)state;
	assert_false(schema_check(schema_find(RECORD "vcpus"), "0", 1, why));
	assert_string_equal(why, "a number from 1 to 32 (number)");
	assert_false(schema_check(schema_find(RECORD "on_crash"), "x", 1, why));
	assert_string_equal(why, "one of destroy, restart, preserve");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_fall_under_the_row_that_fits_best),
		cmocka_unit_test(test_values_are_taken_by_their_type),
		cmocka_unit_test(test_bytes_with_a_nul_are_no_typed_value),
		cmocka_unit_test(test_what_is_wanted_is_said),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
