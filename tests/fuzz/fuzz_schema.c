/* SPDX-License-Identifier: MIT */
/*
 * fuzz_schema.c - any bytes as a schema of one's own, and what stands behind a NUL as a value that
 * is held to it, at some paths: whatever is said has a keyword and a sentence, to know which
 * children there are never allows more, and all of it ends.
 */
#include <string.h>

#include "doc.h"
#include "fuzz.h"
#include "rule.h"

static bool has_a(const void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "a") == 0 || strcmp(name, "0") == 0;
}

static void count(void *arg, const struct rule *at, bool needed)
{
	FUZZ_CHECK(at || needed);
	++*(unsigned int *)arg;
}

static void ask(const struct rule *r, const char *tail, const char *value, size_t len, int kind)
{
	const struct rule_family family = { has_a, NULL, true };
	struct rule_value v = { value, len, kind, NULL };
	struct rule_fault f;
	unsigned int parts = 0;
	bool bare = rule_allows(r, tail, &v, &f), whole;

	if (!bare)
		FUZZ_CHECK(f.keyword && *f.text && strlen(f.text) < sizeof(f.text));
	v.family = &family;
	whole = rule_allows(r, tail, &v, &f);
	FUZZ_CHECK(bare || !whole);
	if (bare && !whole)
		FUZZ_CHECK(rule_wants_children(r));
	FUZZ_CHECK(rule_allows_untold(r, tail, &v, &f) == whole);
	FUZZ_CHECK(!rule_each(r, tail, count, &parts) || parts <= RULE_STEPS_MAX);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	static const char *const tails[] = { "", "/a", "/0", "/a/a/a/a", "/0/1/b", "/b@2ec" };
	const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
	size_t len = end ? (size_t)(end - data) : size, value_len = end ? size - len - 1 : 0;
	struct doc d = { .name = "fuzz", .quiet = true };
	char *text = malloc(size + 1), *value = malloc(value_len + 1);
	struct rule *r;

	FUZZ_CHECK(text && value);
	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(value, text + (end ? len + 1 : size), value_len);
	value[value_len] = '\0';
	r = rule_read(&d, text, len);
	FUZZ_CHECK(!r == !!d.nr_errors);
	for (size_t i = 0; r && i < sizeof(tails) / sizeof(tails[0]); i++) {
		ask(r, tails[i], value, value_len, RULE_ANY_KIND);
		ask(r, tails[i], "", 0, RULE_ANY_KIND);
	}
	rule_free(r);
	free(text);
	free(value);
	return 0;
}
