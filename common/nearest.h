/* SPDX-License-Identifier: MIT */
/*
 * nearest.h - "did you mean": edit distance between a word and the words that would have done.
 * Pure: no allocation, no I/O.
 */
#ifndef STOREVISOR_NEAREST_H
#define STOREVISOR_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Damerau-Levenshtein distance (swapped neighbours count one), ASCII case ignored. Words longer
 * than 63 bytes are compared by their first 63.
 */
unsigned int nearest_distance(const char *a, const char *b);

/*
 * One candidate at a time: @best starts as { NULL, 0 }; each call keeps the closer word. A word is
 * only kept when it could be a slip of the finger: at most 2 edits and fewer than half its length,
 * or one is the beginning of the other (3 bytes at least).
 */
struct nearest {
	const char *word;
	unsigned int distance;
};

/* Whether what was kept is one, and not a shared beginning. */
bool nearest_is_slip(const struct nearest *best);

void nearest_offer(struct nearest *best, const char *typed, const char *candidate);

#endif
