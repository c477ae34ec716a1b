/* SPDX-License-Identifier: MIT */
/* cpu_list.c - see cpu_list.h. */
#include "cpu_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_bits(uint8_t *map, unsigned long first, unsigned long last, bool on)
{
	for (unsigned long cpu = first; cpu <= last; cpu++) {
		if (on)
			map[cpu / 8] |= (uint8_t)(1u << cpu % 8);
		else
			map[cpu / 8] &= (uint8_t)~(1u << cpu % 8);
	}
}

static bool any(const uint8_t map[CPU_LIST_BYTES])
{
	for (unsigned int i = 0; i < CPU_LIST_BYTES; i++)
		if (map[i])
			return true;
	return false;
}

/* @len bytes at @text. */
static int parse(const char *text, size_t len, uint8_t map[CPU_LIST_BYTES])
{
	const char *stop = text + len;

	memset(map, 0, CPU_LIST_BYTES);
	if (len == 3 && !memcmp(text, "all", 3)) {
		memset(map, 0xff, CPU_LIST_BYTES);
		return 0;
	}
	while (text < stop) {
		bool on = *text != '^';
		char *end;
		unsigned long first, last;

		text += !on;
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		first = last = strtoul(text, &end, 10);
		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (last >= CPU_LIST_CPUS_MAX || first > last || end > stop ||
		    (end < stop && (*end != ',' || end + 1 == stop)))
			return -EINVAL;
		set_bits(map, first, last, on);
		text = end < stop ? end + 1 : end;
	}
	return any(map) ? 0 : -EINVAL;
}

int cpu_list_parse(const char *text, uint8_t map[CPU_LIST_BYTES])
{
	return parse(text, strlen(text), map);
}

int cpu_list_of(const char *text, unsigned int vcpu, uint8_t map[CPU_LIST_BYTES])
{
	uint8_t one[CPU_LIST_BYTES];
	unsigned int i = 0;

	memset(map, 0xff, CPU_LIST_BYTES);
	for (;; i++) {
		size_t len = strcspn(text, " ");

		if (parse(text, len, one))
			return -EINVAL;
		if (i == vcpu || (i == 0 && !text[len]))
			memcpy(map, one, CPU_LIST_BYTES);
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

/* The list of @vcpu as text; what cpu_list_of() says of it. */
static const char *text_of(const char *text, unsigned int vcpu, size_t *len)
{
	bool alone = !strchr(text, ' ');

	for (unsigned int i = 0; !alone && i < vcpu && text; i++) {
		text = strchr(text, ' ');
		text = text ? text + 1 : NULL;
	}
	*len = text ? strcspn(text, " ") : 3;
	return text ? text : "all";
}

int cpu_list_set(const char *text, unsigned int vcpu, unsigned int nr, const char *list, char *out,
		 size_t size)
{
	uint8_t map[CPU_LIST_BYTES];
	size_t at = 0;

	if (cpu_list_parse(list, map) || cpu_list_of(text, 0, map))
		return -EINVAL;
	if (vcpu == nr || nr == 1)
		return (size_t)snprintf(out, size, "%s", list) < size ? 0 : -E2BIG;
	for (unsigned int i = 0; i < nr; i++) {
		size_t len = strlen(list);
		const char *s = i == vcpu ? list : text_of(text, i, &len);

		if (at + len + 2 > size)
			return -E2BIG;
		at += (size_t)sprintf(out + at, "%s%.*s", i ? " " : "", (int)len, s);
	}
	return 0;
}
