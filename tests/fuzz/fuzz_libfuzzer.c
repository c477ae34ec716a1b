/* SPDX-License-Identifier: MIT */
/* fuzz_libfuzzer.c - joins a target to libFuzzer: tests/fuzz/run. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_one(data, size);
}
