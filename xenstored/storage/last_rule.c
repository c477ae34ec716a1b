/* SPDX-License-Identifier: MIT */
/* last_rule.c - see last_rule.h. */
#include "last_rule.h"

#include <string.h>

static bool within(const char *path, size_t len, const char *top, size_t top_len)
{
	return len >= top_len && memcmp(path, top, top_len) == 0 &&
	       (len == top_len || path[top_len] == '/');
}

bool last_rule(const char *rule, size_t rule_len, const char *path, size_t len)
{
	bool lasts = false, most = false, excepted = false;
	size_t n;

	for (size_t at = 0; at < rule_len; at += n + 1) {
		const char *e = rule + at;

		n = strnlen(e, rule_len - at);
		if (n == 1 && e[0] == '*')
			most = true;
		else if (n > 1 && within(path, len, e + 1, n - 1)) {
			if (e[0] == '-')
				return false;
			lasts |= e[0] == '+';
			excepted |= e[0] == '!';
		}
	}
	return lasts || (most && !excepted) || rule_len == 0;
}
