/* SPDX-License-Identifier: MIT */
/* long_value.c - see long_value.h: marks, names of parts, trees. Pure. */
#include "long_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "crc32c.h"
#include "die.h"
#include "long_part.h"

#define MARK "@long:"
#define PART_NAME "@ff"

size_t long_part_size(const char *path)
{
	size_t room = XENSTORE_PAYLOAD_MAX - strlen(path) - LONG_NAME_MAX - 1;

	return room < LONG_PART_MAX ? room : LONG_PART_MAX;
}

void long_part_path(char out[LONG_PATH_MAX + LONG_NAME_MAX + 1], const char *path, size_t i)
{
	sprintf(out, "%s%s%s%zu", path, path[1] ? "/" : "", PART_NAME, i);
}

/* A number without leading zeros, of which there is one spelling. */
static const char *number(const char *s, size_t max, size_t *out)
{
	char *end;

	*out = strtoul(s, &end, 10);
	return *s >= '1' && *s <= '9' && *out <= max ? end : "";
}

bool long_is_mark(const char *value, size_t len, struct long_mark *mark)
{
	char text[LONG_MARK_MAX], again[LONG_MARK_MAX];
	struct long_mark m;
	const char *s;

	if (len >= sizeof(text) || len < sizeof(MARK) || memcmp(value, MARK, strlen(MARK)) != 0)
		return false;
	memcpy(text, value, len);
	text[len] = '\0';
	s = number(text + strlen(MARK), LONG_VALUE_MAX, &m.len);
	s = *s == ':' ? number(s + 1, LONG_VALUE_MAX, &m.nr_parts) : "";
	m.crc = *s == ':' ? (uint32_t)strtoul(s + 1, NULL, 16) : 0;
	snprintf(again, sizeof(again), MARK "%zu:%zu:%08x", m.len, m.nr_parts, m.crc);
	if (mark)
		*mark = m;
	/* many parts of few bytes are nobody's: who reads them would ask as often */
	return strlen(text) == len && strcmp(text, again) == 0 &&
	       m.nr_parts <= m.len / LONG_PART_MIN + 1;
}

bool long_is_mark_of(const char *path, const char *value, size_t len, struct long_mark *mark)
{
	struct long_mark m;
	size_t size;

	if (strlen(path) > LONG_PATH_MAX || !long_is_mark(value, len, &m))
		return false;
	size = long_part_size(path);
	if (mark)
		*mark = m;
	return m.nr_parts == (m.len + size - 1) / size;
}

bool long_is_needed(const char *path, const char *value, size_t len)
{
	return strlen(path) + 1 + len > XENSTORE_PAYLOAD_MAX || long_is_mark(value, len, NULL);
}

size_t long_nr_parts(const char *path, const char *value, size_t len)
{
	size_t size;

	if (strlen(path) > LONG_PATH_MAX || !long_is_needed(path, value, len))
		return 0;
	size = long_part_size(path);
	return (len + size - 1) / size;
}

size_t long_shown(const char *path, const char *value, size_t len, char mark[LONG_MARK_MAX],
		  const char **shown)
{
	size_t nr = long_nr_parts(path, value, len);

	*shown = nr ? mark : value;
	if (!nr)
		return len;
	return (size_t)sprintf(mark, MARK "%zu:%zu:%08x", len, nr, crc32c(0, value, len));
}

bool long_is_part(const char *path, size_t *i)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t nr = 0;
	bool is;

	if (strncmp(name, PART_NAME, strlen(PART_NAME)) != 0)
		return false;
	name += strlen(PART_NAME);
	is = strcmp(name, "0") == 0 || (*name >= '1' && *name <= '9' &&
					*number(name, LONG_VALUE_MAX, &nr) == '\0');
	if (is && i)
		*i = nr;
	return is;
}

bool long_is_whole(const struct long_mark *m, const char *value, size_t len)
{
	return len == m->len && crc32c(0, value, len) == m->crc;
}

/* ---- trees ---- */

/* The children of @n that are parts of it, into @parts; whether all are there, with values. */
static bool find_parts(const struct xs_node *n, size_t nr, const struct xs_node **parts)
{
	size_t found = 0;

	for (const struct xs_node *c = n->children; c; c = c->next) {
		size_t i;

		if (long_is_part(c->name, &i) && i < nr && c->value && !parts[i]) {
			parts[i] = c;
			found++;
		}
	}
	return found == nr;
}

static bool join(struct xs_node *n, const struct long_mark *m)
{
	const struct xs_node **parts = must(calloc(m->nr_parts, sizeof(*parts)));
	bool good = find_parts(n, m->nr_parts, parts);
	char *whole = good ? must(malloc(m->len + 1)) : NULL;
	size_t at = 0;

	for (size_t i = 0; good && i < m->nr_parts; i++) {
		good = parts[i]->value_len <= m->len - at;
		if (good)
			memcpy(whole + at, parts[i]->value, parts[i]->value_len);
		at += good ? parts[i]->value_len : 0;
	}
	free(parts);
	good = good && long_is_whole(m, whole, at);
	if (!good) {
		free(whole);
		return false;
	}
	whole[at] = '\0';
	free(n->value);
	n->value = whole;
	n->value_len = at;
	return true;
}

static void drop_parts(struct xs_node *n)
{
	struct xs_node **at = &n->children;

	n->last = NULL;
	while (*at) {
		struct xs_node *c = *at;

		if (!long_is_part(c->name, NULL)) {
			n->last = c;
			at = &c->next;
			continue;
		}
		*at = c->next;
		c->next = NULL;
		xs_tree_free(c);
		n->nr_children--;
	}
}

void long_fold(struct xs_node *root)
{
	struct long_mark m;

	for (struct xs_node *n = root; n; n = xs_tree_next(root, n))
		if (n->value ? long_is_mark(n->value, n->value_len, &m) && join(n, &m) :
			       !n->value_rc)
			drop_parts(n);
}
