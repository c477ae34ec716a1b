/* SPDX-License-Identifier: MIT */
/* e820.h - the machine's memory map. */
#ifndef HV_X86_E820_H
#define HV_X86_E820_H

#include "lib/types.h"

#define E820_RAM 1
#define E820_RESERVED 2
#define E820_ACPI 3
#define E820_NVS 4
#define E820_UNUSABLE 5

struct e820_entry {
	u64 addr, size;
	u32 type;
} __attribute__((packed)); /* as XENMEM_machine_memory_map returns it */

struct e820_map {
	unsigned int nr;
	unsigned int nr_dropped; /* for which there was no room */
	struct e820_entry entry[128];
};
extern struct e820_map machine_e820; /* fixed after boot; also given to dom0 */

/*
 * Appends a range as the firmware names it; ranges may overlap and come in any order. Full: it is
 * dropped, and counted.
 */
void e820_add(struct e820_map *map, u64 addr, u64 size, u32 type);
/*
 * Sorts, cuts overlaps (what is not RAM wins over RAM), joins neighbours of one type. RAM from
 * @ram_end on becomes unusable. Says what was dropped, and what is not used.
 */
void e820_sanitise(struct e820_map *map, u64 ram_end);
/* The range that holds the byte at @addr; NULL: none. */
const struct e820_entry *e820_find(const struct e820_map *map, u64 addr);
/* The byte at @addr is RAM. */
bool e820_is_ram(const struct e820_map *map, u64 addr);
/* First byte behind the highest RAM. */
u64 e820_ram_end(const struct e820_map *map);
/* Bytes of RAM. */
u64 e820_ram_bytes(const struct e820_map *map);

#endif
