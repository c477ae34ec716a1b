/* SPDX-License-Identifier: MIT */
/* multiboot2.h - what the boot loader hands over. Boot only. */
#ifndef HV_BOOT_MULTIBOOT2_H
#define HV_BOOT_MULTIBOOT2_H

#include "boot/boot.h"
#include "x86/e820.h"

#define BOOT_MAX_MODULES 8
#define BOOT_CMDLINE_MAX 2048

struct boot_info {
	char cmdline[BOOT_CMDLINE_MAX];
	maddr_t efi_system_table; /* 0: the firmware is not a 64-bit UEFI */
	struct boot_video video;
	unsigned int nr_modules;
	struct boot_module module[BOOT_MAX_MODULES]; /* cmdline points into module_cmdline */
	char module_cmdline[BOOT_MAX_MODULES][BOOT_CMDLINE_MAX];
};

/*
 * Copies everything of use out of the information structure at @mbi (mapped), and the memory map
 * into @map. False: not multiboot2, or no memory map; *@reason says so.
 */
bool multiboot2_parse(u32 magic, const void *mbi, struct boot_info *out, struct e820_map *map,
		      const char **reason);

#endif
