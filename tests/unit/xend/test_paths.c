/* SPDX-License-Identifier: MIT */
/*
 * test_paths.c - docs/store-paths.md names every path xend writes, and says truly who may write.
 *
 * STORE_PATHS (from meson) is the registry's file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define MAX_ENTRIES 512

struct entry {
	char path[160], tags[8];
};

static struct entry entries[MAX_ENTRIES];
static size_t nr_entries;

static void read_registry(void)
{
	FILE *f = fopen(STORE_PATHS, "r");
	char line[512];
	bool fenced = false;

	assert_non_null(f);
	nr_entries = 0;
	while (fgets(line, sizeof(line), f)) {
		struct entry *e = &entries[nr_entries];
		char *eq = strstr(line, " = "), *open = strchr(line, '[');
		char *close = strchr(line, ']');

		if (!strncmp(line, "```", 3))
			fenced = !fenced;
		if (!fenced || line[0] != '/')
			continue;
		/* Every line has the grammar: PATH = TYPE [TAGS] WRITER > READERS */
		assert_true(eq && open && close && eq < open && open < close);
		assert_non_null(strstr(close, " > "));
		assert_true((size_t)(eq - line) < sizeof(e->path) && close - open <= 7);
		assert_true(nr_entries < MAX_ENTRIES);
		memcpy(e->path, line, (size_t)(eq - line));
		e->path[eq - line] = '\0';
		memcpy(e->tags, open + 1, (size_t)(close - open - 1));
		e->tags[close - open - 1] = '\0';
		nr_entries++;
	}
	fclose(f);
	assert_true(nr_entries > 150);
}

/* One path component against $VARIABLE or text. */
static bool component_fits(const char *pattern, size_t plen, const char *text, size_t tlen)
{
	if (pattern[0] != '$')
		return plen == tlen && !memcmp(pattern, text, plen);
	if (!strncmp(pattern, "$NAME", 5) || !strncmp(pattern, "$REQ", 4))
		return tlen > 0;
	if (!strncmp(pattern, "$UUID", 5))
		return tlen == 36;
	for (size_t i = 0; i < tlen; i++) {
		if (!isdigit((unsigned char)text[i]))
			return false;
	}
	return tlen > 0;
}

static bool path_fits(const char *pattern, const char *path)
{
	while (*pattern == '/' && *path == '/') {
		size_t plen = strcspn(++pattern, "/"), tlen = strcspn(++path, "/");

		if (!component_fits(pattern, plen, path, tlen))
			return false;
		pattern += plen;
		path += tlen;
	}
	return !*pattern && !*path;
}

/* A registered path without variables wins over one with them. */
static const struct entry *find(const char *path)
{
	const struct entry *hit = NULL;

	for (size_t i = 0; i < nr_entries; i++) {
		if (path_fits(entries[i].path, path) && (!hit || !strchr(entries[i].path, '$')))
			hit = &entries[i];
	}
	return hit;
}

/* Prefixes of registered paths need no line of their own. */
static bool is_prefix(const char *path)
{
	return !strcmp(path, "/local") || !strcmp(path, "/local/domain") || !strcmp(path, "/vm") ||
	       !strcmp(path, "/config") || !strcmp(path, "/config/domain") ||
	       !strcmp(path, "/status") || !strcmp(path, "/history");
}

static void check_store(void)
{
	char *dump = fake_dump("/"), *save = NULL;

	for (char *l = strtok_r(dump, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *eq = strstr(l, " = "), *owner = strrchr(l, 'n');
		const struct entry *e;

		*eq = '\0';
		e = find(l);
		if (!e && !is_prefix(l))
			fail_msg("%s is not in docs/store-paths.md", l);
		if (e && !strncmp(l, "/local/domain/1", 15) &&
		    (atoi(owner + 1) == 1) != (strchr(e->tags, 'w') != NULL))
			fail_msg("%s: owner n%d, but tagged [%s]", l, atoi(owner + 1), e->tags);
	}
	free(dump);
}

static void test_every_path_xend_writes_is_registered(void **state)
{
	struct world *w = *state;

	read_registry();
	world_record(w, "web");
	fake_set("/config/domain/web/vif/0/ip", "10.0.0.9");
	fake_set("/config/domain/web/vif/0/vifname", "web0");
	fake_set("/config/domain/web/vif/0/gatewaydev", "eth1");
	fake_set("/config/domain/web/vif/0/rate", "10Mb/s@20ms");
	fake_set("/config/domain/web/vfb/vnc", "1");
	fake_set("/config/domain/web/vfb/vncdisplay", "3");
	fake_set("/config/domain/web/vfb/vncpasswd", "secret");
	for (unsigned int n = 0; n < 40; n++) {		/* the journal's keys come and go */
		world_steps(w, 1);
		check_store();
	}
	world_run(w, 1);
	assert_string_equal(fake_get("/status/domain/web/state"), "running");
	assert_string_equal(fake_get("/local/domain/0/backend/vif/1/0/rate"), "25000,20000");
	check_store();
	fake_set("/config/domain/web/memory", "20");
	fake_set("/request/r1/op", "dmesg");
	world_run(w, 1);
	check_store();
	fake_set("/request/r2/domain", "web");
	fake_set("/request/r2/op", "destroy");
	for (unsigned int n = 0; n < 40; n++) {
		world_steps(w, 1);
		check_store();
	}
	fake_set("/config/domain/web/memory", "none");
	fake_set("/config/domain/web/power", "on");
	world_run(w, 1);
	check_store();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_path_xend_writes_is_registered,
						world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
