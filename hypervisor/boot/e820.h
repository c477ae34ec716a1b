/* SPDX-License-Identifier: MIT */
/* e820.h - the machine's memory map. Boot only; machine_e820 itself is in boot.h. */
#ifndef HV_BOOT_E820_H
#define HV_BOOT_E820_H

#include "lib/types.h"

struct e820_map;

/* Appends a range as the firmware names it; ranges may overlap and come in any order. False: full.
 */
bool e820_add(struct e820_map *map, u64 addr, u64 size, u32 type);
/* Sorts, cuts overlaps (what is not RAM wins over RAM), joins neighbours of one type. */
void e820_sanitise(struct e820_map *map);
/* First byte behind the highest RAM. */
u64 e820_ram_end(const struct e820_map *map);
/* Bytes of RAM. */
u64 e820_ram_bytes(const struct e820_map *map);

#endif
