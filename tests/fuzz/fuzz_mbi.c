/* SPDX-License-Identifier: MIT */
/*
 * fuzz_mbi.c - any bytes as what a boot loader hands over: nothing is read beyond their number, and
 * what becomes of them (modules, memory map, command line) is sound.
 */
#include <string.h>

#include "fuzz.h"

#include "boot/multiboot2.h"
#include "lib/boot_options.h"
#include "lib/log.h"
#include "x86/e820.h"

#define MAGIC 0x36d76289

void hv_log(enum log_level level, const char *fmt, ...)
{
	(void)level;
	FUZZ_CHECK(fmt[0]);
}

static bool is_terminated(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static void check_info(const struct boot_info *info)
{
	FUZZ_CHECK(is_terminated(info->cmdline, sizeof(info->cmdline)));
	FUZZ_CHECK(info->nr_modules <= BOOT_MAX_MODULES);
	for (unsigned int i = 0; i < info->nr_modules; i++) {
		const struct boot_module *m = &info->module[i];

		FUZZ_CHECK(m->start + m->len <= 1ULL << 32);
		FUZZ_CHECK(m->cmdline == info->module_cmdline[i]);
		FUZZ_CHECK(is_terminated(m->cmdline, BOOT_CMDLINE_MAX));
	}
}

/* Sorted, without overlaps, each range of a type that means something. */
static void check_map(const struct e820_map *map)
{
	u64 end = 0;

	FUZZ_CHECK(map->nr <= ARRAY_SIZE(map->entry));
	for (unsigned int i = 0; i < map->nr; i++) {
		const struct e820_entry *e = &map->entry[i];

		FUZZ_CHECK(e->type >= E820_RAM && e->type <= E820_UNUSABLE);
		FUZZ_CHECK(e->size && e->addr >= end && e->addr + e->size > e->addr);
		FUZZ_CHECK(e820_find(map, e->addr) == e && e820_find(map, e->addr + e->size - 1) == e);
		end = e->addr + e->size;
	}
	FUZZ_CHECK(e820_ram_end(map) <= end);
	FUZZ_CHECK(e820_ram_bytes(map) <= e820_ram_end(map));
}

int fuzz_one(const uint8_t *data, size_t size)
{
	/* exactly as long as it says: the sanitizer sees every byte read beyond it */
	size_t len = size < 8 ? 8 : size;
	uint32_t total = (uint32_t)len;
	uint8_t *mbi = calloc(1, len);
	static struct boot_info info;
	struct boot_options options;
	struct e820_map map = { 0 };
	const char *reason = NULL;
	bool ok;

	memcpy(mbi, data, size);
	memcpy(mbi, &total, sizeof(total));
	memset(&info, 0, sizeof(info));
	memset(&options, 0, sizeof(options));
	ok = multiboot2_parse(MAGIC, mbi, &info, &map, &reason);
	free(mbi);
	FUZZ_CHECK(ok == (map.nr != 0) && (ok || reason));
	check_info(&info);
	e820_sanitise(&map, 5ULL << 40);
	check_map(&map);
	options_parse(&options, info.cmdline);
	FUZZ_CHECK(is_terminated(options.cmdline, sizeof(options.cmdline)));
	return 0;
}
