/* SPDX-License-Identifier: MIT */
/* fuzz.h - what a fuzz target provides, and how it says that something is wrong. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Tries one input; aborts when a claim does not hold. Always 0. */
int fuzz_one(const uint8_t *data, size_t size);

#define FUZZ_CHECK(x)                                                                       \
	do {                                                                                \
		if (!(x)) {                                                                 \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);   \
			abort();                                                            \
		}                                                                           \
	} while (0)

#endif
