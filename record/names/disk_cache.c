/* SPDX-License-Identifier: MIT */
/* disk_cache.c - see disk_cache.h. */
#include "disk_cache.h"

#include <string.h>

const char *const disk_cache_words[] = {
	"", "none", "writeback", "writethrough", "directsync", "unsafe", NULL,
};

const char disk_cache_remote[] = "cache= is for files and devices of this host: of a disk of "
				 "another machine its server decides";

int disk_cache_parse(const char *word, enum disk_cache *cache)
{
	for (int i = 0; disk_cache_words[i]; i++) {
		if (!strcmp(word, disk_cache_words[i])) {
			*cache = (enum disk_cache)i;
			return 0;
		}
	}
	return -1;
}
