/* SPDX-License-Identifier: MIT */
/* disk_script.c - see disk_script.h. */
#include "disk_script.h"

#include <stdio.h>
#include <string.h>

#include "storage/change_record.h"
#include "storage/packed_perms.h"

unsigned int script_rnd(unsigned int seed, uint64_t a, uint64_t b, unsigned int n)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ull + a * 0xbf58476d1ce4e5b9ull + b;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return (unsigned int)((x ^ x >> 31) % n);
}

static int change(struct disk *d, unsigned int seed, uint64_t rev, uint32_t index)
{
	static const char *const names[] = { "/config", "/config/a", "/config/a/b", "/config/c",
					     "/config/a/b/d", "/history", "/config/c/e" };
	static char value[3000];
	unsigned char perms[PACKED_PERM];
	unsigned int what = script_rnd(seed, rev, 3 * index, 10);
	struct change c = {
		.op = what < 7 ? CHANGE_PUT : CHANGE_REMOVE, .time_ns = rev, .prev = rev - 1,
		.path = names[script_rnd(seed, rev, 3 * index + 1, 7)], .perms = perms,
	};

	packed_perm_put(perms, 0, &(struct xs_perm){ .domid = (uint16_t)what, .access = 1 });
	c.path_len = (uint16_t)strlen(c.path);
	if (c.op == CHANGE_PUT) {
		c.nr_perms = 1;
		c.value = value;
		c.value_len = script_rnd(seed, rev, 3 * index + 2, what == 0 ? 3000 : 60);
		memset(value, 'a' + (int)(rev % 26), c.value_len);
	}
	return disk_change(d, rev, index, &c);
}

int script_commit(struct disk *d, unsigned int seed, uint64_t from, uint64_t to)
{
	int ret = disk_begin(d);

	for (uint64_t rev = from; rev <= to && ret == 0; rev++) {
		unsigned int nr = 1 + script_rnd(seed, rev, ~0ull, 4);

		for (uint32_t i = 0; i < nr && ret == 0; i++)
			ret = change(d, seed, rev, i);
	}
	if (ret == 0)
		return disk_commit(d);
	disk_abort(d);
	return ret;
}
