/* SPDX-License-Identifier: MIT */
/*
 * nearest.c - see nearest.h. Source: the optimal string alignment recurrence.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "nearest.h"

#define WORD_MAX_LEN 63
#define SLIP_MAX 2

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

static int fold(char c)
{
	return tolower((unsigned char)c);
}

unsigned int nearest_distance(const char *a, const char *b)
{
	unsigned int rows[3][WORD_MAX_LEN + 1];
	unsigned int *before = rows[0], *prev = rows[1], *now = rows[2];
	size_t a_len = strnlen(a, WORD_MAX_LEN), b_len = strnlen(b, WORD_MAX_LEN);

	for (size_t j = 0; j <= b_len; j++)
		prev[j] = (unsigned int)j;

	for (size_t i = 1; i <= a_len; i++) {
		unsigned int *spare = before;

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int differ = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = min3(prev[j] + 1, now[j - 1] + 1, prev[j - 1] + differ);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = prev;
		prev = now;
		now = spare;
	}
	return prev[b_len];
}

bool nearest_is_slip(const struct nearest *best)
{
	return best->word && best->distance <= SLIP_MAX;
}

void nearest_offer(struct nearest *best, const char *typed, const char *candidate)
{
	size_t typed_len = strlen(typed), len = strlen(candidate);
	size_t common = typed_len < len ? typed_len : len;
	unsigned int distance = nearest_distance(typed, candidate);
	bool slip = distance <= SLIP_MAX && 2 * distance < len;
	bool prefix = common >= 3 && strncasecmp(typed, candidate, common) == 0;

	if (!slip && !prefix)
		return;
	/* A shared beginning is a weaker hint than a slip: it loses to any slip. */
	if (!slip)
		distance += SLIP_MAX + 1;
	if (best->word && best->distance <= distance)
		return;
	best->word = candidate;
	best->distance = distance;
}
