/* SPDX-License-Identifier: MIT */
/* test_options.c - the hypervisor's command line: what is known is set, what is not is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/boot_options.h"
#include "lib/log.h"

static char warned[1024];

void hv_log(enum log_level level, const char *fmt, ...)
{
	size_t len = strlen(warned);
	va_list ap;

	va_start(ap, fmt);
	if (level == LOG_WARN)
		vsnprintf(warned + len, sizeof(warned) - len, fmt, ap);
	va_end(ap);
}

static struct boot_options parse(const char *line)
{
	struct boot_options o = { .log_level = LOG_INFO, .com1_baud = 115200, .console_com1 = true };

	warned[0] = '\0';
	options_parse(&o, line);
	return o;
}

static void test_the_whole_line_is_kept_for_guests_to_read(void **state)
{
	assert_string_equal(parse("dom0_mem=1G  x").cmdline, "dom0_mem=1G  x");
}

static void test_dom0_memory_takes_all_of_xens_forms(void **state)
{
	assert_int_equal(parse("dom0_mem=512M").dom0_mem_bytes, 512ULL << 20);
	assert_int_equal(parse("dom0_mem=1G,max:2G").dom0_mem_bytes, 1ULL << 30);
	assert_int_equal(parse("dom0_mem=min:256M,768M,max:1G").dom0_mem_bytes, 768ULL << 20);
	assert_int_equal(parse("dom0_mem=max:1G").dom0_mem_bytes, 1ULL << 30);
	assert_int_equal(parse("noreboot").dom0_mem_bytes, 0);
	assert_string_equal(warned, "");
}

static void test_a_choice_is_on_off_or_left_to_the_hypervisor(void **state)
{
	struct boot_options o = parse("smep=0 smap x2apic=off");

	assert_int_equal(o.smep, OPTION_OFF);
	assert_int_equal(o.x2apic, OPTION_OFF);
	assert_int_equal(o.smap, OPTION_ON);
	assert_int_equal(parse("noreboot").smap, OPTION_DEFAULT);
	assert_string_equal(warned, "");
	assert_int_equal(parse("smap=perhaps").smap, OPTION_DEFAULT);
	assert_non_null(strstr(warned, "smap=perhaps"));
}

static void test_the_watchdog_is_off_until_asked_for(void **state)
{
	assert_int_equal(parse("").watchdog, OPTION_DEFAULT);
	assert_int_equal(parse("watchdog watchdog_timeout=9").watchdog, OPTION_ON);
	assert_int_equal(parse("watchdog_timeout=9").watchdog_timeout, 9);
	assert_string_equal(warned, "");
	assert_int_equal(parse("watchdog_timeout=0").watchdog_timeout, 0); /* as the test had it */
	assert_non_null(strstr(warned, "watchdog_timeout=0"));
	assert_int_equal(parse("nmi=fatal").nmi, NMI_FATAL);
	assert_int_equal(parse("nmi=dom0").nmi, NMI_REPORT);
	assert_non_null(strstr(warned, "nmi=dom0"));
}

static void test_microcode_is_looked_for_or_named_in_xens_words(void **state)
{
	struct boot_options o = parse("ucode=scan");

	assert_true(o.ucode_scan);
	assert_int_equal(o.ucode_module, 0);
	o = parse("ucode=-1,nmi=0");
	assert_false(o.ucode_scan);
	assert_int_equal(o.ucode_module, -1);
	o = parse("ucode=2,scan=no,nmi");
	assert_false(o.ucode_scan);
	assert_int_equal(o.ucode_module, 2);
	assert_true(parse("ucode=scan=yes").ucode_scan);
	assert_string_equal(warned, "");
	assert_false(parse("ucode=0").ucode_scan);
	assert_non_null(strstr(warned, "ucode=0"));
	assert_false(parse("ucode").ucode_scan);
	assert_non_null(strstr(warned, "'ucode'"));
	assert_int_equal(parse("ucode=-100").ucode_module, 0);
	assert_non_null(strstr(warned, "ucode=-100"));
	assert_int_equal(parse("ucode=1x").ucode_module, 0);
	assert_non_null(strstr(warned, "ucode=1x"));
	assert_false(parse("ucode=scanner").ucode_scan);
	assert_non_null(strstr(warned, "ucode=scanner"));
	assert_false(parse("ucode=aword-of-any-length").ucode_scan);
	assert_non_null(strstr(warned, "ucode=aword-of-any-length"));
}

static void test_bad_values_are_named_with_what_is_wanted(void **state)
{
	assert_int_equal(parse("dom0_mem=lots").dom0_mem_bytes, 0);
	assert_non_null(strstr(warned, "dom0_mem=lots"));
	assert_non_null(strstr(warned, "1024M"));
	assert_int_equal(parse("dom0_max_vcpus=99").dom0_max_vcpus, 0);
	assert_non_null(strstr(warned, "dom0_max_vcpus=99"));
	assert_int_equal(parse("com1=7").com1_baud, 115200);
	assert_non_null(strstr(warned, "com1=7"));
}

static void test_unknown_options_are_named(void **state)
{
	parse("/boot/storevisor.elf iommu=on noreboot");

	assert_non_null(strstr(warned, "'iommu=on'"));
	assert_null(strstr(warned, "noreboot"));
	assert_null(strstr(warned, "/boot"));
}

static void test_console_and_log_options_are_read(void **state)
{
	struct boot_options o = parse(
		"console=com1,vga com1=38400,8n1 loglvl=all guest_loglvl=warning/all noreboot");

	assert_true(o.console_com1 && o.console_vga && o.noreboot);
	assert_int_equal(o.com1_baud, 38400);
	assert_int_equal(o.log_level, LOG_DEBUG);
	assert_int_equal(o.guest_log_level, LOG_WARN);
	assert_false(parse("console=none").console_com1);
	assert_false(parse("noreboot=0").noreboot);
	assert_true(parse("noreboot=yes").noreboot);
	assert_string_equal(warned, "");
	assert_false(parse("noreboot=perhaps").noreboot);
	assert_non_null(strstr(warned, "noreboot=perhaps"));
	assert_int_equal(parse("dom0_max_vcpus=1-4").dom0_max_vcpus, 4);
	assert_string_equal(warned, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_line_is_kept_for_guests_to_read),
		cmocka_unit_test(test_dom0_memory_takes_all_of_xens_forms),
		cmocka_unit_test(test_a_choice_is_on_off_or_left_to_the_hypervisor),
		cmocka_unit_test(test_the_watchdog_is_off_until_asked_for),
		cmocka_unit_test(test_microcode_is_looked_for_or_named_in_xens_words),
		cmocka_unit_test(test_bad_values_are_named_with_what_is_wanted),
		cmocka_unit_test(test_unknown_options_are_named),
		cmocka_unit_test(test_console_and_log_options_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
