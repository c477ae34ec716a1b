/* SPDX-License-Identifier: MIT */
/*
 * glob.c - patterns over store paths.
 */
#include <string.h>

#include "glob.h"

/* Backtracks to the latest star only: enough, because a later star makes an earlier one idle
 * within one name, and ** is tried at each name boundary. */
static bool match_name(const char *p, size_t plen, const char *s, size_t slen)
{
	const char *pe = p + plen, *se = s + slen, *star = NULL, *mark = s;

	while (s < se) {
		if (p < pe && *p == '*') {
			star = p++;
			mark = s;
		} else if (p < pe && (*p == '?' || *p == *s)) {
			p++;
			s++;
		} else if (star) {
			p = star + 1;
			s = ++mark;
		} else {
			return false;
		}
	}
	while (p < pe && *p == '*')
		p++;
	return p == pe;
}

bool glob_match(const char *pattern, const char *path)
{
	const char *again_pattern = NULL, *again_path = NULL;

	for (;;) {
		size_t plen = strcspn(pattern, "/"), slen = strcspn(path, "/");

		if (plen == 2 && memcmp(pattern, "**", 2) == 0) {
			again_pattern = pattern + 2 + (pattern[2] == '/');
			again_path = path;
			if (!*again_pattern)
				return true;
			pattern = again_pattern;
			continue;
		}
		if (match_name(pattern, plen, path, slen)) {
			pattern += plen;
			path += slen;
			if (!*pattern && !*path)
				return true;
			if (*pattern && *path) {
				pattern++;
				path++;
				continue;
			}
		}
		if (!again_path)
			return false;
		/* let the ** take one name more */
		again_path += strcspn(again_path, "/");
		if (!*again_path)
			return false;
		path = ++again_path;
		pattern = again_pattern;
	}
}

bool glob_is_pattern(const char *s)
{
	return strpbrk(s, "*?") != NULL;
}

size_t glob_base_len(const char *pattern)
{
	size_t first = strcspn(pattern, "*?");

	if (!pattern[first])
		return first;
	while (first && pattern[first - 1] != '/')
		first--;
	return first > 1 ? first - 1 : first;
}
