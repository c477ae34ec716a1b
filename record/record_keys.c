/* SPDX-License-Identifier: MIT */
/* record_keys.c - see record_keys.h. */
#include "record_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool all_digits(const char *s, size_t len)
{
	return len && strspn(s, "0123456789") >= len;
}

static size_t zeros(const char *digits, size_t len)
{
	size_t n = 0;

	while (n + 1 < len && digits[n] == '0')
		n++;
	return n;
}

/* Of any lengths, by their size. */
static int compare_numbers(const char *a, size_t la, const char *b, size_t lb)
{
	size_t za = zeros(a, la), zb = zeros(b, lb);

	if (la - za != lb - zb)
		return la - za < lb - zb ? -1 : 1;
	return strncmp(a + za, b + zb, la - za);
}

/*
 * Numbers first, by their size, and as text when that is equal ("07" and "7"). Any three names have
 * one order: else what is there would not be found.
 */
static int compare_names(const char *a, size_t la, const char *b, size_t lb)
{
	bool na = all_digits(a, la), nb = all_digits(b, lb);
	int c = na && nb ? compare_numbers(a, la, b, lb) : 0;

	if (na != nb)
		return na ? -1 : 1;
	if (!c)
		c = strncmp(a, b, la < lb ? la : lb);
	if (c || la == lb)
		return c;
	return la < lb ? -1 : 1;
}

/* By components. */
static int compare(const char *a, const char *b)
{
	while (*a && *b) {
		size_t la = strcspn(a, "/"), lb = strcspn(b, "/");
		int c = compare_names(a, la, b, lb);

		if (c)
			return c;
		a += la + (a[la] == '/');
		b += lb + (b[lb] == '/');
	}
	return *a ? 1 : *b ? -1 : 0;
}

/* Where @key is, or would be. */
static size_t place(const struct record_keys *k, const char *key, bool *found)
{
	size_t low = 0, high = k->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(k->v[mid].key, key);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*found = false;
	return low;
}

static int insert(struct record_keys *k, size_t at, const char *key, char *value)
{
	struct record_key *v = realloc(k->v, (k->nr + 1) * sizeof(*v));
	char *copy = v ? strdup(key) : NULL;

	if (v)
		k->v = v;
	if (!copy)
		return -ENOMEM;
	memmove(&v[at + 1], &v[at], (k->nr - at) * sizeof(*v));
	v[at] = (struct record_key){ copy, value };
	k->nr++;
	return 0;
}

int record_keys_set(struct record_keys *k, const char *key, const char *value)
{
	bool found;
	size_t at = place(k, key, &found);
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	if (found) {
		free(k->v[at].value);
		k->v[at].value = copy;
	} else if (insert(k, at, key, copy)) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

const char *record_keys_get(const struct record_keys *k, const char *key)
{
	bool found;
	size_t at = place(k, key, &found);

	return found ? k->v[at].value : NULL;
}

bool record_keys_equal(const struct record_keys *a, const struct record_keys *b)
{
	if (a->nr != b->nr)
		return false;
	for (size_t i = 0; i < a->nr; i++)
		if (strcmp(a->v[i].key, b->v[i].key) || strcmp(a->v[i].value, b->v[i].value))
			return false;
	return true;
}

void record_keys_free(struct record_keys *k)
{
	for (size_t i = 0; i < k->nr; i++) {
		free(k->v[i].key);
		free(k->v[i].value);
	}
	free(k->v);
	*k = (struct record_keys){ 0 };
}

size_t record_keys_item(const char *key, const char *list, const char **item)
{
	size_t len = strlen(list);

	if (strncmp(key, list, len) || key[len] != '/')
		return 0;
	*item = key + len + 1;
	return strcspn(*item, "/");
}

bool record_keys_next_item(const struct record_keys *k, const char *list, size_t *at,
			   char item[32])
{
	for (; *at < k->nr; (*at)++) {
		const char *s, *before;
		size_t len = record_keys_item(k->v[*at].key, list, &s);

		if (!len)
			continue;
		if (*at && record_keys_item(k->v[*at - 1].key, list, &before) == len &&
		    !memcmp(before, s, len))
			continue;
		snprintf(item, 32, "%.*s", (int)len, s);
		(*at)++;
		return true;
	}
	return false;
}
