/* SPDX-License-Identifier: MIT */
/*
 * test_keys.c - claims about what configuration keys mean.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cfg_keys.h"
#include "cfg_other.h"
#include "heard.h"

#define BASE "name = 'web'\nmemory = 64\nkernel = '/boot/vmlinuz'\n"

static struct cfg cfg;
static struct record rec;

static int teardown(void **state)
{
	(void)state;
	cfg_fini(&cfg);
	return 0;
}

static int read_text(const char *text)
{
	cfg_fini(&cfg);
	heard_reset();
	cfg_parse(&cfg, "web.cfg", text, strlen(text), &heard_report);
	return cfg_to_record(&cfg, NULL, &rec, &heard_report);
}

static void refused(const char *text, const char *message)
{
	if (read_text(text) == 0)
		fail_msg("taken: %s", text);
	heard_is_wrong(text, message);
}

static void test_a_whole_configuration_becomes_a_record(void **state)
{
	(void)state;
	assert_int_equal(read_text(BASE
				   "type = 'pv'\nbuilder = 'linux'\nramdisk = "
				   "'/boot/initrd'\nmaxmem = '128'\nvcpus = 2\n"
				   "maxvcpus = 4\nroot = '/dev/xvda ro'\nextra = 'quiet'\n"
				   "disk = [ 'file:/a,xvda,w', 'vdev=xvdb, access=r, target=/b' ]\n"
				   "vif = [ 'bridge=br1', '' ]\non_crash = 'preserve'\non_reboot = "
				   "'destroy'\nautostart = 1\n"
				   "uuid = '1B4E28BA-2FA1-4D2B-883F-0016D3CCA427'\n"),
			 0);

	assert_string_equal(rec.name, "web");
	assert_string_equal(rec.ramdisk, "/boot/initrd");
	assert_int_equal(rec.memory_mib, 64);
	assert_int_equal(rec.maxmem_mib, 128);
	assert_int_equal(rec.vcpus, 2);
	assert_int_equal(rec.maxvcpus, 4);
	assert_string_equal(rec.cmdline, "root=/dev/xvda ro quiet");
	assert_int_equal(rec.nr_disks, 2);
	assert_string_equal(rec.disk[1].path, "/b");
	assert_int_equal(rec.nr_vifs, 2);
	assert_string_equal(rec.vif[0].bridge, "br1");
	assert_string_equal(record_action_word(rec.on_crash), "preserve");
	assert_string_equal(record_action_word(rec.on_reboot), "destroy");
	assert_string_equal(record_autostart_word(rec.autostart), "1");
	assert_string_equal(rec.uuid_text, "1b4e28ba-2fa1-4d2b-883f-0016d3cca427");
	assert_string_equal(heard_remarks, "");
}

static void test_what_is_left_out_gets_xls_defaults(void **state)
{
	(void)state;
	assert_int_equal(read_text(BASE), 0);

	assert_int_equal(rec.vcpus, 1);
	assert_int_equal(rec.maxvcpus, 1);
	assert_int_equal(rec.maxmem_mib, 64);
	assert_string_equal(record_action_word(rec.on_poweroff), "destroy");
	assert_string_equal(record_action_word(rec.on_reboot), "restart");
	assert_string_equal(record_action_word(rec.on_crash), "destroy");
	assert_string_equal(record_autostart_word(rec.autostart), "0");
	assert_string_equal(rec.cmdline, "");
	assert_string_equal(rec.ramdisk, "");
}

static void test_a_uuid_and_a_mac_are_made_up_valid_and_different(void **state)
{
	char uuid[64], mac[32];
	uint8_t bytes[16];

	(void)state;
	assert_int_equal(read_text(BASE "vif = [ '', '' ]\n"), 0);
	strcpy(uuid, rec.uuid_text);
	strcpy(mac, rec.vif[0].mac);

	assert_int_equal(vdev_uuid_parse(uuid, bytes), 0);
	assert_int_equal(uuid[14], '4');
	assert_memory_equal(mac, "00:16:3e:", 9);
	assert_true(mac[9] <= '7');
	assert_string_not_equal(mac, rec.vif[1].mac);
	assert_int_equal(read_text(BASE "vif = [ '' ]\n"), 0);
	assert_string_not_equal(uuid, rec.uuid_text);
}

static void test_cmdline_beats_root_and_extra_with_a_warning(void **state)
{
	(void)state;
	assert_int_equal(read_text(BASE "cmdline = 'a'\nroot = 'b'\n"), 0);
	assert_string_equal(rec.cmdline, "a");
	heard_remark("web.cfg:5:1: root has no effect: cmdline is set too");
	assert_int_equal(read_text(BASE "extra = 'only'\n"), 0);
	assert_string_equal(rec.cmdline, "only");
}

static void test_an_unknown_key_is_answered_with_the_nearest_one_and_its_line(void **state)
{
	(void)state;
	refused(BASE "memroy = 3\n", "web.cfg:4:1: unknown key 'memroy'; did you mean 'memory'?");
	refused(BASE "kernal = 'x'\n", "did you mean 'kernel'?");
	refused(BASE "disks = []\n", "did you mean 'disk'?");
	assert_int_equal(read_text(BASE "wibble = 3\nxen_shell = 'root'\n"), 0);
	heard_remark("web.cfg:4:1: wibble has no effect: it is no known key (xm.cfg(5)");
	heard_remark("web.cfg:5:1: xen_shell has no effect");
}

static void test_keys_for_other_kinds_of_guests_are_refused_by_name(void **state)
{
	(void)state;
	refused(BASE "gic_version = 'v2'\n", "for ARM machines");
	refused(BASE "bootloader = '/opt/domUloader.py'\n", "must be 'pygrub'");
	refused(BASE "pci = [ '01:00.0' ]\n", "without an IOMMU");
	refused(BASE "type = 'hvm'\n", "runs paravirtual guests");
	refused(BASE "builder = 'hvm'\n", "runs paravirtual guests");
	refused(BASE "type = 'xyz'\n", "must be 'pv'");
}

#define DISK "name = 'web'\nmemory = 64\ndisk = [ 'file:/a,xvda,w' ]\n"

/*
 * Files of paravirtual guests have them, copied from others; xl and xm do not look at them either.
 */
static void test_what_is_said_of_fully_virtualised_guests_alone_is_ignored_with_a_word(void **state)
{
	static const char *const words[] = { "bios = 'ovmf'", "boot = 'c'", "serial = 'pty'",
		"usb = 1", "usbdevice = 'tablet'", "device_model_version = 'qemu-xen'",
		"device_model = '/usr/lib/xen/bin/qemu-dm'", "shadow_memory = 8", "stdvga = 1",
		"pci_msitranslate = 1", "e820_host = 1", "nomigrate = 1" };
	char text[256], remark[128];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), BASE "%s\n", words[i]);
		assert_int_equal(read_text(text), 0);
		snprintf(remark, sizeof(remark), "web.cfg:4:1: %.*s has no effect: ",
			 (int)strcspn(words[i], " "), words[i]);
		heard_remark(remark);
	}
	refused(BASE "builder = 'hvm'\nboot = 'c'\nserial = 'pty'\n", "runs paravirtual guests");
	assert_string_equal(heard_remarks, "");
}

static void test_pygrub_is_pv_grub_inside_the_guest(void **state)
{
	static const char *const words[] = { "pygrub", "/usr/bin/pygrub",
					     "/usr/lib/xen-4.17/bin/pygrub",
					     "/usr/lib/xen-default/bin/pygrub" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(text, sizeof(text), DISK "bootloader = '%s'\n", words[i]);
		assert_int_equal(read_text(text), 0);
		assert_string_equal(rec.kernel, RECORD_PV_GRUB);
		assert_string_equal(rec.ramdisk, "");
		assert_string_equal(heard_remarks, "");
	}
	assert_int_equal(read_text(DISK "bootloader = ''\nkernel = '/k'\n"), 0);
	assert_string_equal(rec.kernel, "/k");
}

static void test_with_a_boot_loader_the_disk_has_what_boots(void **state)
{
	(void)state;
	assert_int_equal(read_text(DISK "bootloader = 'pygrub'\nkernel = '/k'\nramdisk = '/r'\n"), 0);
	heard_remark("web.cfg:5:1: kernel has no effect: with a bootloader");
	heard_remark("web.cfg:6:1: ramdisk has no effect: with a bootloader");
	assert_string_equal(rec.kernel, RECORD_PV_GRUB);
	assert_string_equal(rec.ramdisk, "");
	refused("name = 'web'\nmemory = 64\nbootloader = 'pygrub'\n", "no disk to boot from");
	assert_int_equal(read_text(DISK "bootloader = 'pygrub'\nextra = 'ro'\n"
					"bootargs = '-q'\nbootloader_args = '-q'\n"), 0);
	heard_remark("web.cfg:5:1: extra has no effect: with a bootloader");
	heard_remark("web.cfg:7:1: bootloader_args has no effect");
	assert_string_equal(rec.cmdline, "");
}

static void test_refused_keys_that_ask_for_nothing_are_let_pass(void **state)
{
	(void)state;
	assert_int_equal(read_text(BASE "pci = []\nnestedhvm = 0\nboot = ''\nhap = None\n"), 0);
	assert_string_equal(heard_remarks, "");
}

static void test_keys_without_effect_are_warned_about(void **state)
{
	(void)state;
	assert_int_equal(read_text(BASE "vnc = 1\ncpus_soft = '0-1'\n"), 0);
	heard_remark("web.cfg:4:1: vnc has no effect: write vfb = ");
	heard_remark("web.cfg:5:1: cpus_soft has no effect");
}

static void test_a_key_set_twice_is_warned_about(void **state)
{
	(void)state;
	assert_int_equal(read_text(BASE "memory = 32\n"), 0);
	assert_int_equal(rec.memory_mib, 32);
	heard_remark("web.cfg:4:1: memory is set twice; this value replaces the one of line 2");
}

static void test_missing_keys_are_named_with_an_example(void **state)
{
	(void)state;
	refused("memory = 1024\nkernel = '/x'\n", "web.cfg: no name: add a line such as");
	refused("name = 'a'\nkernel = '/x'\n", "no memory: add a line such as memory = 128");
	refused("name = 'a'\nmemory = 8\n", "no kernel: add a line such as kernel");
}

static void test_values_of_the_wrong_kind_or_size_are_refused_in_place(void **state)
{
	(void)state;
	refused(BASE "vcpus = 0\n", "web.cfg:4:9: vcpus: must be a whole number from 1 to 32");
	refused(BASE "vcpus = 33\n", "from 1 to 32");
	refused(BASE "memory = 'lots'\n", "memory: must be a whole number from 2");
	refused(BASE "memory = [1]\n", "memory: must be a whole number");
	refused(BASE "maxmem = 32\n", "maxmem: 32 is less than memory, 64");
	refused(BASE "vcpus = 4\nmaxvcpus = 2\n", "maxvcpus: 2 is less than vcpus, 4");
	refused(BASE "kernel = 'relative'\n", "kernel: must be an absolute path");
	refused(BASE "kernel = []\n", "kernel: must be a string in quotes");
	refused(BASE "uuid = 'x'\n", "must be a uuid such as");
	refused(BASE "on_crash = 'explode'\n", "must be 'destroy', 'restart' or 'preserve'");
	refused(BASE "on_crash = 'coredump-explode'\n", "must be 'destroy', 'restart' or 'preserve'");
	refused(BASE "on_crash = 'rename-restart'\n", "'preserve' or 'restart'");
	refused(BASE "autostart = 'maybe'\n", "must be 0, 1 or 'last'");
	refused(BASE "disk = 'file:/x,xvda,w'\n", "disk: must be a list");
	refused(BASE "disk = [ 3 ]\n", "disk 1: must be a string");
	refused(BASE "disk = [ 'file:/x,xvda,w',\n 'file:/y,xvda,w' ]\n",
		"web.cfg:5:2: disk 2: 'xvda' is disk 1 already");
	refused(BASE "disk = [ 'file:/x,xvda,q' ]\n",
		"web.cfg:4:10: disk 1: 'q' is not an access mode");
	refused(BASE "vif = 'x'\n", "vif: must be a list");
	refused(BASE "vif = [ 'mac=00:16:3e:00:00:01', 'mac=00:16:3E:00:00:01' ]\n",
		"is vif 1's already");
}

static void test_a_name_must_fit_the_store(void **state)
{
	(void)state;
	refused(BASE "name = 'a b'\n", "name: 'a b' has a character that names cannot have");
	refused(BASE "name = '.a'\n", "name: '.a' begins with '.'");
	refused(BASE "name = 'a/b'\n", "has a character");
	refused(BASE "name = ''\n", "name: '' is empty");
	refused(BASE "name = '42'\n", "is a number, which would be taken for a domain ID");
	refused(BASE "name = 'Domain-0'\n", "belongs to the host's own domain");
	refused(BASE "name = 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg'\n",
		"is longer than 64 characters");
	assert_int_equal(read_text(BASE "name = 'Web_1-x'\n"), 0);
	assert_int_equal(read_text(BASE "name = 'shop.example.org'\n"), 0);
	assert_string_equal(rec.name, "shop.example.org");
}

static void test_lists_of_cpus_of_any_length_are_taken_or_refused_whole(void **state)
{
	char text[2048], list[1200];

	(void)state;
	for (size_t len = 1000; len < 1040; len++) {
		for (size_t i = 0; i < len; i++)
			list[i] = i % 2 ? ',' : '1';
		list[len] = '\0';
		if (len % 2 == 0)
			list[len - 1] = '1';
		snprintf(text, sizeof(text), BASE "cpus = [ '%s' ]\n", list);
		if (read_text(text) == 0)
			assert_int_equal(strlen(rec.cpus), len + 4);
		else
			assert_true(len > 1015);
		assert_true(strlen(rec.cpus) <= RECORD_CPUS_MAX);
	}
}

static void test_a_command_line_over_the_abis_limit_is_refused(void **state)
{
	char text[2048], extra[1100];

	(void)state;
	memset(extra, 'x', sizeof(extra));
	extra[1023] = '\0';
	snprintf(text, sizeof(text), BASE "extra = '%s'\n", extra);
	assert_int_equal(read_text(text), 0);
	extra[1023] = 'x';
	extra[1024] = '\0';
	snprintf(text, sizeof(text), BASE "extra = '%s'\n", extra);
	refused(text, "web.cfg:4:9: extra: the kernel's command line is 1024 bytes long; 1023 is");
}

static void test_numbers_may_be_names_paths_may_be_none(void **state)
{
	(void)state;
	assert_int_equal(read_text(BASE "ramdisk = ''\nextra = 1\nname = None\n"), -EINVAL);
	heard_is_wrong("", "no name");
	assert_int_equal(read_text(BASE "ramdisk = None\nextra = 1\n"), 0);
	assert_string_equal(rec.cmdline, "1");
}

static void test_xms_s_expressions_become_the_same_record(void **state)
{
	(void)state;
	assert_int_equal(read_text("# from xm create --dryrun\n(vm\n (name web) (memory 64) "
				   "(maxmem 128)\n (vcpus 2)"
				   "(uuid 1b4e28ba-2fa1-4d2b-883f-0016d3cca427)\n (on_crash "
				   "preserve)\n (features)"
				   "(cpus ())(domid 3)(hap 0)(on_xend_start ignore)\n"
				   " (image (linux (kernel /boot/vmlinuz) (ramdisk '/boot/initrd') "
				   "(root '/dev/xvda ro')"
				   " (args \"quiet 3\")))\n"
				   " (device (vbd (uname file:/a) (dev xvda:disk) (mode w)))\n"
				   " (device (tap (uname tap:aio:/b) (dev xvdb) (mode r)))\n"
				   " (device (vbd (uname 'file:/c,d=e') (dev xvdc)))\n"
				   " (device (vif (bridge br1) (mac 00:16:3e:00:00:09)))\n (device "
				   "(console (x y))))\n"),
			 0);

	assert_string_equal(rec.name, "web");
	assert_int_equal(rec.maxmem_mib, 128);
	assert_int_equal(rec.vcpus, 2);
	assert_string_equal(record_action_word(rec.on_crash), "preserve");
	assert_string_equal(rec.cmdline, "root=/dev/xvda ro quiet 3");
	assert_int_equal(rec.nr_disks, 3);
	assert_true(rec.disk[0].writable);
	assert_string_equal(rec.disk[1].path, "/b");
	assert_string_equal(rec.disk[2].path, "/c,d=e");
	assert_false(rec.disk[2].writable);
	assert_string_equal(rec.vif[0].mac, "00:16:3e:00:00:09");
	assert_string_equal(heard_remarks, "");
}

/* As xend lists them: of each virtual CPU, or of all. */
static void test_cpus_of_s_expressions_are_lists(void **state)
{
	static const struct {
		const char *text, *cpus;
	} cases[] = {
		{ "(cpus ())", "all" },		{ "(cpus (()))", "all" },
		{ "(cpus (0 1))", "0,1" },	{ "(cpus ((0 1) (2)))", "0,1 2" },
		{ "(cpus '0-3,^2')", "0-3,^2" }, { "(cpus 1)", "1" },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "(vm (name web) (memory 64) %s (image (linux (kernel /k))))",
			 cases[i].text);
		assert_int_equal(read_text(text), 0);
		assert_string_equal(rec.cpus, cases[i].cpus);
	}
}

static void refused_sxp(const char *text, const char *message)
{
	cfg_fini(&cfg);
	heard_reset();
	cfg_parse(&cfg, "web.sxp", text, strlen(text), &heard_report);
	assert_int_equal(cfg_to_record(&cfg, NULL, &rec, &heard_report), -EINVAL);
	heard_is_wrong(text, message);
}

static void test_errors_in_s_expressions_have_a_place_too(void **state)
{
	(void)state;
	refused_sxp("(vm (name web)\n (memroy 3))",
		    "web.sxp:2:2: unknown key 'memroy'; did you mean");
	refused_sxp("(vm (name web)", "web.sxp:1:1: the '(' here is not closed");
	refused_sxp("(vm name)", "web.sxp:1:5: (KEY VALUE) is expected here");
	refused_sxp("(xen 3)", "must be (vm ...) or (domain ...)");
	refused_sxp("(vm) x", "'x' after the end of the s-expression");
	refused_sxp("(vm (device))", "device: (vbd ...) or (vif ...) is missing");
	refused_sxp("(vm (image))", "image: (linux (kernel ...)) is missing");
	refused_sxp("(vm (image (hvm (kernel /x))))", "runs paravirtual guests");
	refused_sxp("(vm (device (pci (dev 1))))", "without an IOMMU");
	refused_sxp("(vm (device (vbd (dev xvda))))", "the path of the image is missing");
	refused_sxp("(vm (((((((((x))))))))))", "go 8 deep at most");
	refused_sxp("(vm (name 'web))", "not closed on its line");
	refused_sxp("(vm \001)", "byte 0x01 cannot stand in an s-expression");
}

static void test_no_key_is_in_two_tables(void **state)
{
	(void)state;
	for (size_t i = 0; cfg_keys_taken_name(i); i++)
		if (cfg_other_find(cfg_keys_taken_name(i)))
			fail_msg("%s is both taken and not", cfg_keys_taken_name(i));
	for (size_t i = 0; cfg_other_at(i); i++)
		if (cfg_other_find(cfg_other_at(i)->name) != cfg_other_at(i))
			fail_msg("%s is there twice", cfg_other_at(i)->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_configuration_becomes_a_record),
		cmocka_unit_test(test_what_is_left_out_gets_xls_defaults),
		cmocka_unit_test(test_a_uuid_and_a_mac_are_made_up_valid_and_different),
		cmocka_unit_test(test_cmdline_beats_root_and_extra_with_a_warning),
		cmocka_unit_test(test_an_unknown_key_is_answered_with_the_nearest_one_and_its_line),
		cmocka_unit_test(test_keys_for_other_kinds_of_guests_are_refused_by_name),
		cmocka_unit_test(test_what_is_said_of_fully_virtualised_guests_alone_is_ignored_with_a_word),
		cmocka_unit_test(test_pygrub_is_pv_grub_inside_the_guest),
		cmocka_unit_test(test_with_a_boot_loader_the_disk_has_what_boots),
		cmocka_unit_test(test_refused_keys_that_ask_for_nothing_are_let_pass),
		cmocka_unit_test(test_keys_without_effect_are_warned_about),
		cmocka_unit_test(test_a_key_set_twice_is_warned_about),
		cmocka_unit_test(test_missing_keys_are_named_with_an_example),
		cmocka_unit_test(test_values_of_the_wrong_kind_or_size_are_refused_in_place),
		cmocka_unit_test(test_a_name_must_fit_the_store),
		cmocka_unit_test(test_lists_of_cpus_of_any_length_are_taken_or_refused_whole),
		cmocka_unit_test(test_a_command_line_over_the_abis_limit_is_refused),
		cmocka_unit_test(test_numbers_may_be_names_paths_may_be_none),
		cmocka_unit_test(test_xms_s_expressions_become_the_same_record),
		cmocka_unit_test(test_cpus_of_s_expressions_are_lists),
		cmocka_unit_test(test_errors_in_s_expressions_have_a_place_too),
		cmocka_unit_test(test_no_key_is_in_two_tables),
	};

	return cmocka_run_group_tests_name("record: configuration keys", tests, NULL, teardown);
}
