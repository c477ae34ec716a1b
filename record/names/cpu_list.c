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

/* "2" or "0-3" at *@s, which is moved behind it. 0; -EINVAL. */
static int numbers(const char **s, unsigned long *first, unsigned long *last)
{
	char *end;

	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	*first = *last = strtoul(*s, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		*last = strtoul(end + 1, &end, 10);
	*s = end;
	return *last < CPU_LIST_CPUS_MAX && *first <= *last ? 0 : -EINVAL;
}

/* Behind "node:" or "nodes:": 1; else 0. */
static bool names_nodes(const char **s)
{
	static const char *const words[] = { "node:", "nodes:" };

	for (size_t i = 0; i < 2; i++) {
		if (strncmp(*s, words[i], strlen(words[i])) == 0) {
			*s += strlen(words[i]);
			return true;
		}
	}
	return false;
}

/* One part of a list, which ends at *@s then: "^", "node:", "all" and numbers. 0; -EINVAL. */
static int parse_part(const char **s, uint8_t map[CPU_LIST_BYTES])
{
	unsigned long first = 0, last = CPU_LIST_CPUS_MAX - 1;
	bool on = **s != '^', nodes;

	*s += !on;
	nodes = names_nodes(s);
	/* xl takes no "^all" either: what is meant by that is not to be guessed. */
	if (on && strncmp(*s, "all", 3) == 0)
		*s += 3;
	else if (numbers(s, &first, &last))
		return -EINVAL;
	if (!nodes)
		set_bits(map, first, last, on);
	else if (!first)
		set_bits(map, 0, CPU_LIST_CPUS_MAX - 1, on);
	/* Memory is one node, number 0, which has all CPUs: others have none to add or take. */
	return 0;
}

/* @len bytes at @text. */
static int parse(const char *text, size_t len, uint8_t map[CPU_LIST_BYTES])
{
	const char *stop = text + len;

	memset(map, 0, CPU_LIST_BYTES);
	while (text < stop) {
		if (parse_part(&text, map) || text > stop ||
		    (text < stop && (*text != ',' || text + 1 == stop)))
			return -EINVAL;
		text += text < stop;
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
