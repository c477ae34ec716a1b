/* SPDX-License-Identifier: MIT */
/*
 * ui_fuzzy.c - how well a path has the letters a user typed. Pure.
 */
#include <ctype.h>
#include <string.h>

#include "ui.h"

/* Points a letter gets by where it was found. */
enum { HIT = 1, HIT_NEXT = 4, HIT_WORD = 6, HIT_LEAF = 2, WHOLE = 1000 };

/* @at: a hit in @text; @next: that of the letter behind it, or NULL. */
static int points(const char *text, const char *at, const char *next, const char *leaf)
{
	int n = HIT;

	if (next && at + 1 == next)
		n += HIT_NEXT;
	if (at == text || strchr("/-_.", at[-1]))
		n += HIT_WORD;
	if (at >= leaf)
		n += HIT_LEAF;
	return n;
}

/* For @pattern as one piece: most of all as the end of the path, or in its last name. */
static int whole_points(const char *pattern, const char *text, const char *leaf)
{
	const char *at = strcasestr(text, pattern), *next;

	if (!at)
		return 0;
	while ((next = strcasestr(at + 1, pattern)))
		at = next;
	return WHOLE + (at >= leaf ? WHOLE / 10 : 0) + (at[strlen(pattern)] ? 0 : WHOLE / 10);
}

/* From the end backwards, so that the letters of the last name are taken first. */
int ui_fuzzy(const char *pattern, const char *text)
{
	const char *leaf = strrchr(text, '/') ? strrchr(text, '/') + 1 : text, *next = NULL;
	size_t left = strlen(text);
	int score;

	if (!*pattern)
		return 0;
	score = whole_points(pattern, text, leaf) - (int)left / 8;
	for (size_t i = strlen(pattern); i-- > 0;) {
		int c = tolower((unsigned char)pattern[i]);

		while (left > 0 && tolower((unsigned char)text[left - 1]) != c)
			left--;
		if (!left)
			return 0;
		left--;
		score += points(text, text + left, next, leaf);
		next = text + left;
	}
	return score > 0 ? score : 1;
}
