/* SPDX-License-Identifier: MIT */
/* fuzz_path.c - any bytes as a path and as a permission: what is accepted is canonical. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "xs_path.h"

static void check_canonical(const struct xs_path *p)
{
	struct xs_path again;
	size_t len = p->len;

	FUZZ_CHECK(strlen(p->text) == p->len && p->len <= XENSTORE_ABS_PATH_MAX);
	FUZZ_CHECK(p->text[0] == '/');
	FUZZ_CHECK(p->len == 1 || p->text[p->len - 1] != '/');
	FUZZ_CHECK(!strstr(p->text, "//"));
	FUZZ_CHECK(xs_path_canonical(p->text, p->len, 9, 0, &again) == 0);
	FUZZ_CHECK(again.len == p->len && memcmp(again.text, p->text, p->len) == 0);
	FUZZ_CHECK(xs_path_is_within(p->text, p->len, "/", 1));
	while (len > 1) {
		size_t parent = xs_path_parent_len(p->text, len);

		FUZZ_CHECK(parent >= 1 && parent < len);
		FUZZ_CHECK(xs_path_is_absolute(p->text, parent));
		FUZZ_CHECK(xs_path_is_within(p->text, p->len, p->text, parent));
		FUZZ_CHECK(xs_path_depth_below(p->text, len, parent) == 1);
		len = parent;
	}
}

int fuzz_one(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1), out[XS_PERM_TEXT_BUF];
	struct xs_perm perm, perm2;
	struct xs_path path;

	memcpy(text, bytes, size);
	text[size] = '\0';
	if (xs_path_canonical(text, size, 7, 2048, &path) == 0)
		check_canonical(&path);
	if (xs_path_canonical_watch(text, size, 7, 2048, &path) == 0 && path.text[0] != '@')
		check_canonical(&path);
	if (xs_perm_parse(text, &perm) == 0) {
		FUZZ_CHECK(xs_perm_format(&perm, out) == strlen(out) + 1);
		FUZZ_CHECK(xs_perm_parse(out, &perm2) == 0);
		FUZZ_CHECK(perm.domid == perm2.domid && perm.access == perm2.access);
	}
	free(text);
	return 0;
}
