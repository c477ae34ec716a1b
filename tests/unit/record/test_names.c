/* SPDX-License-Identifier: MIT */
/*
 * test_names.c - names of disks, cards and domains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "card.h"
#include "cpu_list.h"
#include "domain_name.h"
#include "vdev.h"

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
	assert_false(vdev_mac_ok("00:00:00:00:00:00"));
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

static void test_targets_of_disks_have_one_reading(void **state)
{
	static const struct { const char *text; enum vdev_backend backend; const char *path; } good[] = {
		{ "file:/x", VDEV_FILE, "/x" }, { "/x", VDEV_FILE, "/x" },
		{ "phy:/dev/x", VDEV_PHY, "/dev/x" }, { "phy:vg/x", VDEV_PHY, "/dev/vg/x" },
		{ "nbd:nas 5", VDEV_NBD, "nbd://nas:5" }, { "nbd://nas/x,y", VDEV_NBD, "nbd://nas/x%2Cy" },
		{ "iscsi://nas/iqn.a/1", VDEV_ISCSI, "iscsi://nas/iqn.a/1" },
		/* A host's letters are small or not; nobody else's names are ours to change. */
		{ "iscsi://NAS.Example/iqn.A/1", VDEV_ISCSI, "iscsi://nas.example/iqn.A/1" },
		{ "iscsi://[FE80::A%Eth0]/iqn.a/1", VDEV_ISCSI, "iscsi://[fe80::a%Eth0]/iqn.a/1" },
	};
	static const char *const bad[] = { "", "x", "file:x", "file:", "phy:", "nbd:/x", "nbd:",
					   "nbds://nas" };
	enum vdev_backend backend;
	char path[VDEV_PATH_MAX + 1], longest[VDEV_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(vdev_target(good[i].text, &backend, path), 0);
		assert_int_equal(backend, good[i].backend);
		assert_string_equal(path, good[i].path);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vdev_target(bad[i], &backend, path), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[VDEV_PATH_MAX + 1] = '\0';
	assert_int_equal(vdev_target(longest, &backend, path), -EINVAL);
	longest[VDEV_PATH_MAX] = '\0';
	assert_int_equal(vdev_target(longest, &backend, path), 0);
	assert_string_equal(path, longest);
}

static void test_names_of_domains_and_their_keys(void **state)
{
	static const char *const good[] = { "web", "shop.example.org", "a+b_c-1", "1a" };
	static const char *const bad[] = { "", ".a", "42", "Domain-0", "a b", "a/b", "a@b", "\xc3\xa4" };
	static const char *const no_key[] = { "", "a@", "a@2", "a@2f", "a@40", "a.b", "@releaseDomain" };
	char key[DOMAIN_KEY_MAX + 1], name[DOMAIN_NAME_MAX + 1], longest[DOMAIN_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(domain_name_problem(good[i]));
		assert_true(domain_name_path(good[i], key, sizeof(key)));
		assert_null(strpbrk(key, ".+"));
		assert_true(domain_name_of_key(key, name));
		assert_string_equal(name, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(domain_name_problem(bad[i]));
	for (size_t i = 0; i < sizeof(no_key) / sizeof(no_key[0]); i++)
		assert_false(domain_name_of_key(no_key[i], name));
	memset(longest, '.', sizeof(longest));
	longest[DOMAIN_NAME_MAX] = '\0';
	assert_true(domain_name_path(longest, key, sizeof(key)));
	assert_true(domain_name_of_key(key, name));
	key[DOMAIN_KEY_MAX - 1] = 'a'; /* a broken escape at the end */
	assert_false(domain_name_of_key(key, name));
	assert_false(domain_name_path(longest, key, DOMAIN_KEY_MAX));
}

static void test_nothing_for_a_shell_is_in_what_a_card_says(void **state)
{
	char out[CARD_TEXT_MAX + 1];

	(void)state;
	assert_true(card_ifname_ok("xenbr0.7"));
	assert_false(card_ifname_ok("a-name-of-16-byt"));
	assert_false(card_ifname_ok("a b"));
	assert_false(card_ifname_ok("$(reboot)"));
	assert_true(card_bridge_ok("xenbr0.7"));
	assert_true(card_bridge_ok("a-name-of-15-by.4095:0"));
	assert_true(card_bridge_ok("ovsbr0:10:20:30"));
	assert_false(card_bridge_ok("ovsbr0.10.20:30"));
	assert_false(card_bridge_ok("ovsbr0:010"));
	assert_false(card_bridge_ok("ovsbr0:4096"));
	assert_false(card_bridge_ok("ovsbr0:99999999999999999999"));
	assert_false(card_bridge_ok("ovsbr0:1;reboot"));
	assert_false(card_bridge_ok(":10"));
	assert_false(card_bridge_ok(""));
	assert_false(card_bridge_ok("a-name-of-16-byt:10"));
	assert_false(card_bridge_ok("ovs:1000:1001:1002:1003:1004:1005:1006:1007:1008:1009:1010:1011:12"));
	assert_true(card_script_ok("/etc/xen/scripts/vif-route"));
	assert_false(card_script_ok("vif-bridge;reboot"));
	assert_false(card_script_ok(""));
	assert_true(card_addresses(" 10.0.0.2\t2001:db8::1/64 10.1.0.0/255.255.0.0", out));
	assert_string_equal(out, "10.0.0.2 2001:db8::1/64 10.1.0.0/255.255.0.0");
	assert_false(card_addresses("10.0.0.256", out));
	assert_false(card_addresses("10.0.0.1/ 7", out));
	assert_false(card_addresses("10.0.0.1 `reboot`", out));
	assert_false(card_addresses(" ", out));
}

static void test_lists_of_cpus_are_read_as_xl_does(void **state)
{
	static const char *const bad[] = { "", "x", "3-1", "256", "0,", ",0", "0 ", " 0", "0  1", "^0",
					   "0,^0", "-1", "1-", "all,^all", "node:1",
					   "node:", "nodes:0,", "nodes:0-", "^node:0", "all0", "all-3", "node", "^", "^,0",
					   "0-3,^all,1", "^all,1", "1,^node:all,2", "0,^nodes:all,1" };
	static const struct {
		const char *text;
		uint8_t first, last;
	} good[] = { { "all,^0", 0xfe, 0xff }, { "all,^1-7", 0x01, 0xff }, { "node:0", 0xff, 0xff },
		     { "nodes:0-3,^node:2", 0xff, 0xff }, { "all,^node:1", 0xff, 0xff },
		     { "1,node:1,^6", 0x02, 0 }, { "node:0,node:2,^0-3", 0xf0, 0xff } };
	uint8_t map[CPU_LIST_BYTES];
	char out[32];

	(void)state;
	assert_int_equal(cpu_list_parse("0-3,^2,8", map), 0);
	assert_int_equal(map[0], 0x0b);
	assert_int_equal(map[1], 0x01);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(cpu_list_parse(good[i].text, map), 0);
		assert_int_equal(map[0], good[i].first);
		assert_int_equal(map[CPU_LIST_BYTES - 1], good[i].last);
	}
	assert_int_equal(cpu_list_of("all,^0 node:0", 0, map), 0);
	assert_int_equal(map[0], 0xfe);
	assert_int_equal(cpu_list_of("2", 5, map), 0);
	assert_int_equal(map[0], 0x04);
	assert_int_equal(cpu_list_of("2 3", 1, map), 0);
	assert_int_equal(map[0], 0x08);
	assert_int_equal(cpu_list_of("2 3", 2, map), 0);
	assert_int_equal(map[0], 0xff);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(cpu_list_of(bad[i], 0, map), -EINVAL);
	assert_int_equal(cpu_list_set("all", 4, 4, "2", out, sizeof(out)), 0);
	assert_string_equal(out, "2");
	assert_int_equal(cpu_list_set("2", 1, 3, "0-1", out, sizeof(out)), 0);
	assert_string_equal(out, "2 0-1 2");
	assert_int_equal(cpu_list_set("2 3", 2, 4, "1", out, sizeof(out)), 0);
	assert_string_equal(out, "2 3 1 all");
	assert_int_equal(cpu_list_set("2", 1, 3, "one", out, sizeof(out)), -EINVAL);
	assert_int_equal(cpu_list_set("2", 1, 3, "3", out, 5), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_names_have_their_numbers),
		cmocka_unit_test(test_impossible_disk_names_are_refused),
		cmocka_unit_test(test_network_addresses_are_checked),
		cmocka_unit_test(test_a_default_address_is_stable_and_differs_by_card_and_domain),
		cmocka_unit_test(test_uuids_go_both_ways),
		cmocka_unit_test(test_targets_of_disks_have_one_reading),
		cmocka_unit_test(test_names_of_domains_and_their_keys),
		cmocka_unit_test(test_nothing_for_a_shell_is_in_what_a_card_says),
		cmocka_unit_test(test_lists_of_cpus_are_read_as_xl_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
