/* SPDX-License-Identifier: MIT */
/* snapshot_name.c - see snapshot_name.h. */
#include "snapshot_name.h"

#include <string.h>

#define NAME_MAX_LEN 60

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

bool snapshot_name_ok(const char *name, bool make)
{
	size_t len = strlen(name);

	if (len < 5 || len > NAME_MAX_LEN || strcmp(name + len - 4, ".mdb") != 0)
		return false;
	if (!strchr(letters, name[0]))
		return false;
	for (const char *s = name; *s; s++) {
		if (!strchr(letters, *s) && !strchr("._-", *s))
			return false;
	}
	return !make || strcmp(name, "last-good.mdb") != 0;
}
