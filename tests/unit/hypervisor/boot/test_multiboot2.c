/* SPDX-License-Identifier: MIT */
/* test_multiboot2.c - boot information is copied, and never read beyond its own size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/multiboot2.h"
#include "lib/log.h"
#include "x86/e820.h"

#define MAGIC 0x36d76289

struct mbi {
	uint32_t total, reserved;
	uint8_t tags[2048];
};

static void add_tag(struct mbi *m, uint32_t type, const void *body, uint32_t len)
{
	uint8_t *p = (uint8_t *)m + m->total;
	uint32_t head[2] = { type, 8 + len };

	memcpy(p, head, 8);
	if (len)
		memcpy(p + 8, body, len);
	m->total += (8 + len + 7) & ~7u;
}

static void add_module(struct mbi *m, uint32_t start, uint32_t end, const char *cmdline)
{
	uint8_t body[256];

	memcpy(body, &start, 4);
	memcpy(body + 4, &end, 4);
	strcpy((char *)body + 8, cmdline);
	add_tag(m, 3, body, (uint32_t)(8 + strlen(cmdline) + 1));
}

static void add_mmap(struct mbi *m, uint64_t addr, uint64_t len, uint32_t type)
{
	struct {
		uint32_t entry_size, version;
		uint64_t addr, len;
		uint32_t type, zero;
	} __attribute__((packed)) body = { 24, 0, addr, len, type, 0 };

	add_tag(m, 6, &body, sizeof(body));
}

static struct boot_info info;

void hv_log(enum log_level level, const char *fmt, ...)
{
	fail_msg("log: %s", fmt);
}

static bool parse(const struct mbi *m, uint32_t magic, struct e820_map *map, const char **why)
{
	void *copy = malloc(m->total);
	bool ok;

	memcpy(copy, m, m->total);
	memset(&info, 0, sizeof(info));
	memset(map, 0, sizeof(*map));
	ok = multiboot2_parse(magic, copy, &info, map, why);
	free(copy); /* everything of use must be a copy */
	return ok;
}

static void test_command_line_modules_and_memory_map_are_copied(void **state)
{
	struct mbi m = { .total = 8 };
	struct e820_map map;
	const char *why;

	add_tag(&m, 1, "dom0_mem=1G noreboot", 21);
	add_module(&m, 0x1000000, 0x1800000, "root=/dev/vda");
	add_module(&m, 0x2000000, 0x2000001, "");
	add_mmap(&m, 0x100000, 0x7ff00000, 1);
	add_mmap(&m, 0xfffc0000, 0x40000, 77);
	add_tag(&m, 0, NULL, 0);

	assert_true(parse(&m, MAGIC, &map, &why));

	assert_string_equal(info.cmdline, "dom0_mem=1G noreboot");
	assert_int_equal(info.nr_modules, 2);
	assert_int_equal(info.module[0].len, 0x800000);
	assert_string_equal(info.module[0].cmdline, "root=/dev/vda");
	assert_int_equal(map.nr, 2);
	assert_int_equal(map.entry[0].type, E820_RAM);
	assert_int_equal(map.entry[1].type, E820_RESERVED);
}

static void test_another_loader_and_a_missing_map_are_named(void **state)
{
	struct mbi m = { .total = 8 };
	struct e820_map map;
	const char *why;

	assert_false(parse(&m, 0x2badb002, &map, &why));
	assert_non_null(strstr(why, "multiboot2"));
	add_tag(&m, 0, NULL, 0);
	assert_false(parse(&m, MAGIC, &map, &why));
	assert_non_null(strstr(why, "memory map"));
}

static void test_a_uefi_machine_names_its_system_table(void **state)
{
	struct mbi m = { .total = 8 };
	struct e820_map map;
	const char *why;
	uint64_t table = 0x7f9ee018;

	add_mmap(&m, 0, 4096, 1);
	assert_true(parse(&m, MAGIC, &map, &why));
	assert_int_equal(info.efi_system_table, 0);

	add_tag(&m, 12, &table, 4); /* cut short */
	assert_true(parse(&m, MAGIC, &map, &why));
	assert_int_equal(info.efi_system_table, 0);

	add_tag(&m, 12, &table, 8);
	assert_true(parse(&m, MAGIC, &map, &why));
	assert_int_equal(info.efi_system_table, table);
}

static void parse_screen(const void *body, uint32_t len)
{
	struct mbi m = { .total = 8 };
	struct e820_map map;
	const char *why;

	add_mmap(&m, 0, 4096, 1);
	add_tag(&m, 8, body, len);
	assert_true(parse(&m, MAGIC, &map, &why));
}

static void test_a_screen_in_plain_colours_is_known(void **state)
{
	struct {
		uint64_t addr;
		uint32_t pitch, width, height;
		uint8_t bits_per_pixel, kind, reserved[2], rgb[6];
	} __attribute__((packed)) good = { 0x1c0000000, 5120, 1280, 800, 32, 1, { 0 }, { 16, 8, 8, 8, 0, 8 } }, t = good;

	parse_screen(&t, sizeof(t));
	assert_int_equal(info.video.addr, 0x1c0000000);
	assert_int_equal(info.video.pitch, 5120);
	assert_int_equal(info.video.width, 1280);
	assert_int_equal(info.video.height, 800);
	assert_int_equal(info.video.bits_per_pixel, 32);
	assert_memory_equal(info.video.rgb, good.rgb, sizeof(good.rgb));

	parse_screen(&t, sizeof(t) - 1); /* cut short */
	assert_int_equal(info.video.bits_per_pixel, 0);
	for (uint8_t kind = 0; kind < 4; kind += 2) { /* palette, text */
		t.kind = kind;
		parse_screen(&t, sizeof(t));
		assert_int_equal(info.video.bits_per_pixel, 0);
	}
	/* more than dom0 can be told */
	t = good;
	t.pitch = 0x10000;
	parse_screen(&t, sizeof(t));
	assert_int_equal(info.video.bits_per_pixel, 0);
	t = good;
	t.width = 0x10000;
	parse_screen(&t, sizeof(t));
	assert_int_equal(info.video.bits_per_pixel, 0);
	t = good;
	t.height = 0x10000;
	parse_screen(&t, sizeof(t));
	assert_int_equal(info.video.bits_per_pixel, 0);
}

static void test_more_modules_than_expected_are_left_out(void **state)
{
	struct mbi m = { .total = 8 };
	struct e820_map map;
	const char *why;

	for (uint32_t i = 0; i < BOOT_MAX_MODULES + 3; i++)
		add_module(&m, i << 20, (i + 1) << 20, "m");
	add_mmap(&m, 0, 4096, 1);

	assert_true(parse(&m, MAGIC, &map, &why));

	assert_int_equal(info.nr_modules, BOOT_MAX_MODULES);
}

static void test_a_module_that_ends_before_it_starts_is_left_out(void **state)
{
	struct mbi m = { .total = 8 };
	struct e820_map map;
	const char *why;

	add_module(&m, 0x2000, 0x1000, "m");
	add_mmap(&m, 0, 4096, 1);

	assert_true(parse(&m, MAGIC, &map, &why));

	assert_int_equal(info.nr_modules, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line_modules_and_memory_map_are_copied),
		cmocka_unit_test(test_another_loader_and_a_missing_map_are_named),
		cmocka_unit_test(test_a_uefi_machine_names_its_system_table),
		cmocka_unit_test(test_a_screen_in_plain_colours_is_known),
		cmocka_unit_test(test_more_modules_than_expected_are_left_out),
		cmocka_unit_test(test_a_module_that_ends_before_it_starts_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
