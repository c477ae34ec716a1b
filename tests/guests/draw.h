/* SPDX-License-Identifier: MIT */
/* draw.h - numbers drawn from one seed, for guests that do what comes. */
#ifndef TESTS_GUESTS_DRAW_H
#define TESTS_GUESTS_DRAW_H

#include "lib/types.h"

/* The number after @key on the command line; @otherwise where there is none. */
u64 draw_option(const char *key, u64 otherwise);
/* From now on what is drawn is what that seed gives. */
void draw_from(u64 seed);
u64 draw(void);
/* 0 to @limit - 1. */
u64 draw_below(u64 limit);

#endif
