/* SPDX-License-Identifier: MIT */
/* e820.c - makes a firmware's memory map sorted and free of overlaps. Pure. */
#include "x86/e820.h"

#include "lib/log.h"
#include "lib/string.h"

struct e820_map machine_e820;

void e820_add(struct e820_map *map, u64 addr, u64 size, u32 type)
{
	if (addr + size < addr)
		size = ~0ULL - addr;
	if (!size)
		return;
	if (map->nr == ARRAY_SIZE(map->entry))
		map->nr_dropped++;
	else
		map->entry[map->nr++] = (struct e820_entry){ addr, size, type };
}

/* The type of [addr, addr+1): the most restrictive of all ranges there; 0: none. */
static u32 type_at(const struct e820_map *map, u64 addr)
{
	u32 type = 0;

	for (unsigned int i = 0; i < map->nr; i++) {
		const struct e820_entry *e = &map->entry[i];

		if (addr - e->addr < e->size && addr >= e->addr &&
		    (type <= E820_RAM || e->type == E820_UNUSABLE))
			type = e->type == E820_RAM && type ? type : e->type;
	}
	return type;
}

/* The smallest boundary of any range above @addr; 0: none. */
static u64 next_boundary(const struct e820_map *map, u64 addr)
{
	u64 next = 0;

	for (unsigned int i = 0; i < map->nr; i++) {
		u64 edges[2] = { map->entry[i].addr, map->entry[i].addr + map->entry[i].size };

		for (int k = 0; k < 2; k++)
			if (edges[k] > addr && (!next || edges[k] < next))
				next = edges[k];
	}
	return next;
}

static void append(struct e820_map *map, u64 addr, u64 end, u32 type)
{
	struct e820_entry *last = map->nr ? &map->entry[map->nr - 1] : NULL;

	if (last && last->type == type && last->addr + last->size == addr)
		last->size = end - last->addr;
	else
		e820_add(map, addr, end - addr, type);
}

void e820_sanitise(struct e820_map *map, u64 ram_end)
{
	static struct e820_map clean; /* boot CPU only */
	u64 addr = 0, next, left_out = 0;

	clean.nr = 0;
	clean.nr_dropped = map->nr_dropped;
	for (; (next = next_boundary(map, addr)) != 0; addr = next) {
		u32 type = type_at(map, addr);

		if (addr < ram_end)
			next = MIN(next, ram_end);
		else if (type == E820_RAM) {
			type = E820_UNUSABLE;
			left_out += next - addr;
		}
		if (type)
			append(&clean, addr, next, type);
	}
	*map = clean;
	if (left_out)
		log_warn("memory map: %lu MiB of RAM above %lu GiB are not used", left_out >> 20,
			 ram_end >> 30);
	if (map->nr_dropped)
		log_warn("memory map: no room for %u ranges more: what RAM is there is not used",
			 map->nr_dropped);
}

const struct e820_entry *e820_find(const struct e820_map *map, u64 addr)
{
	for (unsigned int i = 0; i < map->nr; i++)
		if (addr - map->entry[i].addr < map->entry[i].size)
			return &map->entry[i];
	return NULL;
}

bool e820_is_ram(const struct e820_map *map, u64 addr)
{
	const struct e820_entry *e = e820_find(map, addr);

	return e && e->type == E820_RAM;
}

u64 e820_ram_end(const struct e820_map *map)
{
	u64 end = 0;

	for (unsigned int i = 0; i < map->nr; i++)
		if (map->entry[i].type == E820_RAM)
			end = MAX(end, map->entry[i].addr + map->entry[i].size);
	return end;
}

u64 e820_ram_bytes(const struct e820_map *map)
{
	u64 bytes = 0;

	for (unsigned int i = 0; i < map->nr; i++)
		if (map->entry[i].type == E820_RAM)
			bytes += map->entry[i].size;
	return bytes;
}
