/* SPDX-License-Identifier: MIT */
/* path_key.c - see path_key.h. Pure. */
#include "path_key.h"

#include <string.h>

#include "sha256.h"

#define LONG_MARK 0xff

_Static_assert(PATH_KEY_HEAD + 1 + SHA256_LEN == PATH_KEY_MAX, "a long path's key is full");

size_t path_key(const char *path, size_t len, unsigned char out[PATH_KEY_MAX])
{
	if (len <= PATH_KEY_MAX) {
		memcpy(out, path, len);
		return len;
	}
	memcpy(out, path, PATH_KEY_HEAD);
	out[PATH_KEY_HEAD] = LONG_MARK;
	sha256(path, len, out + PATH_KEY_HEAD + 1);
	return PATH_KEY_MAX;
}

bool path_key_is_path(const void *key, size_t len)
{
	const unsigned char *p = key;

	return len < PATH_KEY_MAX || p[PATH_KEY_HEAD] != LONG_MARK;
}

size_t path_key_below(const char *path, size_t len, unsigned char out[PATH_KEY_MAX])
{
	size_t n = len < PATH_KEY_HEAD ? len : PATH_KEY_HEAD;

	memcpy(out, path, n);
	if (n == len && n < PATH_KEY_HEAD && len > 1)
		out[n++] = '/';
	return n;
}
