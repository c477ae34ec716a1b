/* SPDX-License-Identifier: MIT */
/* snapshot_name.c - see snapshot_name.h. */
#include "snapshot_name.h"

#include <string.h>

static const char allowed[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

bool snapshot_name(const char *name, char out[SNAPSHOT_NAME_BUF])
{
	size_t len = strlen(name);

	if (len > 4 && strcmp(name + len - 4, ".mdb") == 0)
		len -= 4;
	if (len == 0 || len >= SNAPSHOT_NAME_BUF || strspn(name, allowed) < len)
		return false;
	memcpy(out, name, len);
	out[len] = '\0';
	return true;
}
