/* SPDX-License-Identifier: MIT */
/* changes.c - see changes.h. */
#include "changes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static struct change_note *at(const struct changes *c, uint64_t i)
{
	return &c->ring[i % CHANGES_MAX];
}

static void forget_first(struct changes *c)
{
	struct change_note *n = at(c, c->first++);

	c->forgotten = n->nr;
	c->bytes -= strlen(n->path) + strlen(n->json);
	free(n->path);
	free(n->json);
}

int changes_begin(struct changes *c, uint64_t nr)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	while (c->first < c->next)
		forget_first(c);
	snprintf(c->epoch, sizeof(c->epoch), "%016" PRIx64, random);
	c->newest = c->forgotten = nr;
	return 0;
}

int changes_init(struct changes *c)
{
	*c = (struct changes){ .ring = calloc(CHANGES_MAX, sizeof(*c->ring)) };
	return c->ring ? changes_begin(c, 0) : -ENOMEM;
}

void changes_fini(struct changes *c)
{
	while (c->first < c->next)
		forget_first(c);
	free(c->ring);
}

void changes_add(struct changes *c, uint64_t nr, const char *path, bool gone, char *json)
{
	char *own = strdup(path);

	c->newest = nr;
	if (!own || !json) {
		while (c->first < c->next)
			forget_first(c);
		c->forgotten = nr;
		free(own);
		free(json);
		return;
	}
	if (c->next - c->first == CHANGES_MAX)
		forget_first(c);
	*at(c, c->next++) = (struct change_note){ nr, own, json, gone };
	c->bytes += strlen(own) + strlen(json);
	while (c->bytes > CHANGES_BYTES_MAX)
		forget_first(c);
}

void changes_id(const char *epoch, uint64_t nr, char buf[CHANGES_ID_BUF])
{
	snprintf(buf, CHANGES_ID_BUF, "%s.%" PRIu64, epoch, nr);
}

bool changes_place(const struct changes *c, const char *id, uint64_t *nr)
{
	char *end;

	if (strncmp(id, c->epoch, CHANGES_EPOCH_LEN) != 0 || id[CHANGES_EPOCH_LEN] != '.')
		return false;
	id += CHANGES_EPOCH_LEN + 1;
	if (id[0] < '0' || id[0] > '9')
		return false;
	errno = 0;
	*nr = strtoull(id, &end, 10);
	return !*end && !errno && *nr >= c->forgotten && *nr <= c->newest;
}

const struct change_note *changes_behind(const struct changes *c, uint64_t nr)
{
	uint64_t low = c->first, high = c->next;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (at(c, middle)->nr > nr)
			high = middle;
		else
			low = middle + 1;
	}
	return low < c->next ? at(c, low) : NULL;
}

static bool is_below(const char *path, const char *above)
{
	size_t len = strcmp(above, "/") == 0 ? 0 : strlen(above);

	return strncmp(path, above, len) == 0 && (path[len] == '/' || !path[len]);
}

bool change_is_about(const struct change_note *n, const char *path)
{
	return is_below(n->path, path) || (n->gone && is_below(path, n->path));
}
