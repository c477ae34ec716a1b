/* SPDX-License-Identifier: MIT */
/*
 * watch_state.c - a hash map from path to what was last seen there.
 */
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "watch_state.h"

#define FIRST_BUCKETS 256

static size_t hash_of(const char *s)
{
	size_t h = 1469598103934665603ULL;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211ULL;
	return h;
}

static void grow(struct seen_map *m)
{
	size_t n = m->nr_buckets ? m->nr_buckets * 2 : FIRST_BUCKETS;
	struct seen **b = must(calloc(n, sizeof(*b)));

	for (size_t i = 0; i < m->nr_buckets; i++)
		while (m->buckets[i]) {
			struct seen *s = m->buckets[i];

			m->buckets[i] = s->next;
			s->next = b[hash_of(s->path) % n];
			b[hash_of(s->path) % n] = s;
		}
	free(m->buckets);
	m->buckets = b;
	m->nr_buckets = n;
}

struct seen *seen_find(const struct seen_map *m, const char *path)
{
	struct seen *s = m->nr_buckets ? m->buckets[hash_of(path) % m->nr_buckets] : NULL;

	while (s && strcmp(s->path, path) != 0)
		s = s->next;
	return s;
}

struct seen *seen_put(struct seen_map *m, const char *path, bool *fresh)
{
	struct seen *s = seen_find(m, path);
	size_t len = strlen(path) + 1;

	*fresh = !s;
	if (s)
		return s;
	if (m->nr >= m->nr_buckets)
		grow(m);
	s = must(calloc(1, sizeof(*s) + len));
	memcpy(s->path, path, len);
	s->next = m->buckets[hash_of(path) % m->nr_buckets];
	m->buckets[hash_of(path) % m->nr_buckets] = s;
	m->nr++;
	return s;
}

static char *copy(const char *data, size_t len)
{
	char *out = must(malloc(len + 1));

	memcpy(out, data, len);
	out[len] = '\0';
	return out;
}

void seen_set(struct seen *s, const char *value, size_t len, const char *perms, size_t perms_len)
{
	free(s->value);
	free(s->perms);
	s->value = value ? copy(value, len) : NULL;
	s->len = value ? len : 0;
	s->perms = perms ? copy(perms, perms_len) : NULL;
	s->perms_len = perms ? perms_len : 0;
}

void seen_remove(struct seen_map *m, struct seen *s)
{
	struct seen **p = &m->buckets[hash_of(s->path) % m->nr_buckets];

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	m->nr--;
	free(s->value);
	free(s->perms);
	free(s);
}

bool bytes_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a && b && a_len == b_len && memcmp(a, b, a_len) == 0;
}

bool path_is_below(const char *top, const char *path)
{
	size_t len = strlen(top);

	if (len == 1 && top[0] == '/')
		return path[0] == '/';
	return strncmp(top, path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

void seen_below(struct seen_map *m, const char *path, void (*fn)(void *arg, struct seen *s),
		void *arg)
{
	for (size_t i = 0; i < m->nr_buckets; i++)
		for (struct seen *s = m->buckets[i], *next; s; s = next) {
			next = s->next;
			if (path_is_below(path, s->path))
				fn(arg, s);
		}
}

void seen_clear(struct seen_map *m)
{
	for (size_t i = 0; i < m->nr_buckets; i++)
		while (m->buckets[i])
			seen_remove(m, m->buckets[i]);
	free(m->buckets);
	*m = (struct seen_map){ 0 };
}
