/* SPDX-License-Identifier: MIT */
/*
 * fuzz_replay.c - runs a target over the committed corpus and over inputs made from it by a seeded
 * generator: the part of fuzzing that every build does, without libFuzzer.
 *
 * argv[1]: directory of the corpus. argv[2]: variations of each file, 300 if not given.
 * STOREVISOR_LONG=1: many more.
 */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

#define INPUT_MAX 8192

static unsigned int seed = 1;

static unsigned int rnd(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 9) % n;
}

static void mutate(uint8_t *data, size_t *size)
{
	for (unsigned int i = 1 + rnd(6); i > 0; i--) {
		switch (*size ? rnd(4) : 3) {
		case 0:
			data[rnd((unsigned int)*size)] ^= (uint8_t)(1u << rnd(8));
			break;
		case 1:
			data[rnd((unsigned int)*size)] = (uint8_t)rnd(256);
			break;
		case 2:
			*size = rnd((unsigned int)*size + 1);
			break;
		default:
			if (*size < INPUT_MAX / 2) {
				memmove(data + *size, data, *size);
				*size *= 2;
			}
			if (*size == 0)
				data[(*size)++] = (uint8_t)rnd(256);
			break;
		}
	}
}

static void one_file(const char *path, unsigned int rounds)
{
	static uint8_t data[INPUT_MAX], copy[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t size = f ? fread(data, 1, INPUT_MAX, f) : 0;

	if (f)
		fclose(f);
	fuzz_one(data, size);
	for (unsigned int i = 0; i < rounds; i++) {
		size_t len = size;

		memcpy(copy, data, size);
		mutate(copy, &len);
		fuzz_one(copy, len);
	}
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 300, nr = 0;
	struct dirent *e;
	char path[600];
	DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;

	if (!dir) {
		fprintf(stderr, "usage: %s CORPUS [VARIATIONS]\n", argv[0]);
		return 2;
	}
	if (getenv("STOREVISOR_LONG"))
		rounds *= 64;
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		one_file(path, rounds);
		nr++;
	}
	closedir(dir);
	printf("%u files, %u variations of each\n", nr, rounds);
	return nr ? 0 : 1;
}
