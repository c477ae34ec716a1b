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

/* A node and those above it: a tree in which every node has its parent. */
static int put(struct disk *d, uint64_t rev, uint32_t *index, struct change *c)
{
	size_t len = c->path_len;
	int ret = 0;

	for (size_t at = 1; at <= len && ret == 0; at++) {
		if (at < len && c->path[at] != '/')
			continue;
		c->path_len = (uint16_t)at;
		ret = disk_change(d, rev, (*index)++, c);
	}
	return ret;
}

/* Number @nr of revision @rev: puts or removes; the first may begin with a RESET. */
static int change(struct disk *d, unsigned int seed, uint64_t rev, unsigned int nr, uint32_t *index)
{
	static const char *const names[] = { "/config", "/config/a", "/config/a/b", "/config/c",
					     "/config/a/b/d", "/history", "/config/c/e" };
	static char value[3000];
	unsigned char perms[2 * PACKED_PERM];
	unsigned int what = script_rnd(seed, rev, 3 * nr, 10);
	const char *path = names[script_rnd(seed, rev, 3 * nr + 1, 7)];
	struct change c = { .time_ns = rev, .prev = rev - 1, .perms = perms };
	int ret = 0;

	if (nr == 0 && script_rnd(seed, rev, ~1ull, 12) == 0) {
		c.op = CHANGE_RESET;
		c.path = "/";
		c.path_len = 1;
		ret = disk_change(d, rev, (*index)++, &c);
	}
	c.op = what < 7 ? CHANGE_PUT : CHANGE_REMOVE;
	c.path = path;
	c.path_len = (uint16_t)strlen(path);
	if (ret < 0 || c.op == CHANGE_REMOVE)
		return ret < 0 ? ret : disk_change(d, rev, (*index)++, &c);
	/* Domain 0's: a start removes what is owned by a domain that nobody has. */
	packed_perm_put(perms, 0, &(struct xs_perm){ .domid = 0, .access = 0 });
	packed_perm_put(perms, 1, &(struct xs_perm){ .domid = (uint16_t)(1 + what), .access = 1 });
	c.nr_perms = 2;
	c.value = value;
	c.value_len = script_rnd(seed, rev, 3 * nr + 2, what == 0 ? 3000 : 60);
	memset(value, 'a' + (int)(rev % 26), c.value_len);
	return put(d, rev, index, &c);
}

int script_commit(struct disk *d, unsigned int seed, uint64_t from, uint64_t to)
{
	int ret = disk_begin(d);

	for (uint64_t rev = from; rev <= to && ret == 0; rev++) {
		unsigned int last = script_rnd(seed, rev, ~0ull, 4);
		uint32_t index = 0;

		for (unsigned int nr = 0; nr <= last && ret == 0; nr++)
			ret = change(d, seed, rev, nr, &index);
	}
	if (ret == 0)
		return disk_commit(d);
	disk_abort(d);
	return ret;
}
