/* SPDX-License-Identifier: MIT */
/* numbered.c - see numbered.h. */
#include "numbered.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 20
/* No store comes so far, and behind the last number there is none: nobody has made it. */
#define NUMBER_BITS 56

void numbered_path(const struct numbered *n, const char *dir, uint64_t number,
		   char out[NUMBERED_PATH])
{
	snprintf(out, NUMBERED_PATH, "%s/%s%020" PRIu64 "%s", dir, n->prefix, number, n->suffix);
}

static bool parse(const struct numbered *n, const char *name, uint64_t *number)
{
	size_t prefix = strlen(n->prefix);

	if (strncmp(name, n->prefix, prefix) != 0)
		return false;
	name += prefix;
	if (strspn(name, "0123456789") != DIGITS || strcmp(name + DIGITS, n->suffix) != 0)
		return false;
	errno = 0;
	*number = strtoull(name, NULL, 10);
	return errno == 0 && *number >> NUMBER_BITS == 0;
}

static int compare(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

struct numbers {
	uint64_t *e;
	size_t nr;
};

static int add(struct numbers *s, uint64_t number)
{
	uint64_t *e = realloc(s->e, (s->nr + 1) * sizeof(*e));

	if (!e)
		return -ENOMEM;
	s->e = e;
	s->e[s->nr++] = number;
	return 0;
}

int numbered_each(const struct numbered *n, const char *dir,
		  int (*each)(void *arg, uint64_t number), void *arg)
{
	struct numbers s = { 0 };
	struct dirent *entry;
	uint64_t number;
	DIR *d = opendir(dir);
	int ret = 0;

	if (!d)
		return errno == ENOENT ? 0 : errno == ENOMEM ? -ENOMEM : -EIO;
	/* Nobody may take a part of the names for all there are. */
	while (ret == 0 && (errno = 0, entry = readdir(d))) {
		if (parse(n, entry->d_name, &number))
			ret = add(&s, number);
	}
	if (ret == 0 && errno)
		ret = -EIO;
	closedir(d);
	if (s.nr > 1)
		qsort(s.e, s.nr, sizeof(*s.e), compare);
	for (size_t i = 0; i < s.nr && ret == 0; i++)
		ret = each(arg, s.e[i]);
	free(s.e);
	return ret;
}

static int note_last(void *arg, uint64_t number)
{
	*(uint64_t *)arg = number;
	return 0;
}

int numbered_last(const struct numbered *n, const char *dir, uint64_t *last)
{
	*last = 0;
	return numbered_each(n, dir, note_last, last);
}
