/* SPDX-License-Identifier: MIT */
/*
 * test_vdev.c - names of disks, cards and domains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "vdev.h"
#include "xspaths.h"

static void test_disk_names_have_their_numbers(void **state)
{
	/* Values of Xen's xen-vbd-interface document. */
	static const struct { const char *name; uint32_t number; } known[] = {
		{ "xvda", 51712 }, { "xvdb", 51728 }, { "xvda1", 51713 }, { "/dev/xvdp15", 51967 },
		{ "xvdq", 268439552 }, { "xvda16", 268435472 }, { "xvdaa", 268442112 },
		{ "sda", 2048 }, { "sdb1", 2065 }, { "hda", 768 }, { "hdb3", 835 },
		{ "hdc", 5632 }, { "hdd", 5696 }, { "d0", 51712 }, { "d0p1", 51713 },
		{ "d16", 268439552 }, { "51712", 51712 }, { "0xca00", 51712 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t n = 0;

		assert_int_equal(vdev_disk_number(known[i].name, &n), 0);
		assert_int_equal(n, known[i].number);
	}
}

static void test_impossible_disk_names_are_refused(void **state)
{
	static const char *const bad[] = { "", "xvd", "xvdA", "xvda0", "xvda01", "xvda256", "sdq",
					   "sda16", "hde", "hda64", "xvdzzzzzz", "d", "d0p", "d0p0",
					   "d0x", "12x", "-1", "999999999999", "xvda/../x", "vda" };
	uint32_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vdev_disk_number(bad[i], &n), -EINVAL);
}

static void test_network_addresses_are_checked(void **state)
{
	assert_true(vdev_mac_ok("00:16:3e:00:00:02"));
	assert_true(vdev_mac_ok("AA:bb:CC:dd:EE:0f"));
	assert_false(vdev_mac_ok("01:16:3e:00:00:02"));
	assert_false(vdev_mac_ok("00:16:3e:00:00"));
	assert_false(vdev_mac_ok("00:16:3e:00:00:02:03"));
	assert_false(vdev_mac_ok("00-16-3e-00-00-02"));
	assert_false(vdev_mac_ok("+0:16:3e:00:00:02"));
	assert_false(vdev_mac_ok(""));
}

static void test_a_default_address_is_stable_and_differs_by_card_and_domain(void **state)
{
	uint8_t a[16] = { 1 }, b[16] = { 2 };
	char a0[18], a1[18], b0[18], again[18];

	vdev_mac_default(a, 0, a0);
	vdev_mac_default(a, 1, a1);
	vdev_mac_default(b, 0, b0);
	vdev_mac_default(a, 0, again);
	assert_true(vdev_mac_ok(a0));
	assert_memory_equal(a0, "00:16:3e:", 9);
	assert_string_equal(a0, again);
	assert_string_not_equal(a0, a1);
	assert_string_not_equal(a0, b0);
}

static void test_uuids_go_both_ways(void **state)
{
	const char *text = "0123456b-89ab-cdef-0123-456789abcdef";
	uint8_t u[16];
	char back[37];

	assert_int_equal(vdev_uuid_parse(text, u), 0);
	vdev_uuid_format(u, back);
	assert_string_equal(back, text);
	assert_int_equal(vdev_uuid_parse("0123456b-89ab-cdef-0123-456789abcde", u), -EINVAL);
	assert_int_equal(vdev_uuid_parse("0123456b089ab-cdef-0123-456789abcdef", u), -EINVAL);
	assert_int_equal(vdev_uuid_parse("0123456g-89ab-cdef-0123-456789abcdef", u), -EINVAL);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_names_have_their_numbers),
		cmocka_unit_test(test_impossible_disk_names_are_refused),
		cmocka_unit_test(test_network_addresses_are_checked),
		cmocka_unit_test(test_a_default_address_is_stable_and_differs_by_card_and_domain),
		cmocka_unit_test(test_uuids_go_both_ways),
		cmocka_unit_test(test_only_harmless_names_become_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
