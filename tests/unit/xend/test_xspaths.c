/* SPDX-License-Identifier: MIT */
/*
 * test_xspaths.c - names of domains in paths of the store, and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "xspaths.h"

static void test_only_harmless_names_become_paths(void **state)
{
	char out[PATH_NAME_MAX], longest[200];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_true(path_name_ok("web-1.example_x+y"));
	assert_false(path_name_ok("a/b"));
	assert_false(path_name_ok("a b"));
	assert_false(path_name_ok(""));
	assert_false(path_name_ok(longest));
	assert_true(path_component("/config/domain/web/disk/0", PATH_CONFIG_ROOT, out));
	assert_string_equal(out, "web");
	assert_false(path_component("/config/domain", PATH_CONFIG_ROOT, out));
	assert_false(path_component("/config/domains/x", PATH_CONFIG_ROOT, out));
}

static void test_a_host_name_goes_into_a_path_and_comes_out_of_it(void **state)
{
	struct path p = path_config("shop.example.org", "memory");
	char out[PATH_NAME_MAX];

	assert_string_equal(p.s, "/config/domain/shop@2eexample@2eorg/memory");
	assert_true(path_component(p.s, PATH_CONFIG_ROOT, out));
	assert_string_equal(out, "shop.example.org");
	assert_false(path_component("/config/domain/a@2fb/x", PATH_CONFIG_ROOT, out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_harmless_names_become_paths),
		cmocka_unit_test(test_a_host_name_goes_into_a_path_and_comes_out_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
