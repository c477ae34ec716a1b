/* SPDX-License-Identifier: MIT */
/* digest.c - see digest.h. */
#include "digest.h"

#include <stdio.h>
#include <string.h>

#include "live.h"
#include "xs_path.h"

static void mix(uint64_t *h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		*h = (*h ^ p[i]) * 0x100000001b3ull;
	*h = (*h ^ len) * 0x100000001b3ull;
}

static const char *const roots[] = { "/config", "/history" };

static bool ask(int fd, uint32_t type, const char *path, char *out, uint32_t *len)
{
	return live_send(fd, type, 0, path, (uint32_t)strlen(path) + 1) &&
	       live_await_len(fd, out, len) == 0;
}

static bool digest_node(int fd, const char *path, uint64_t *h)
{
	char out[XENSTORE_PAYLOAD_MAX + 1], child[XS_PATH_BUF];
	uint32_t len;

	mix(h, path, strlen(path));
	if (!ask(fd, XS_READ, path, out, &len))
		return false;
	mix(h, out, len);
	if (!ask(fd, XS_GET_PERMS, path, out, &len))
		return false;
	mix(h, out, len);
	if (!ask(fd, XS_DIRECTORY, path, out, &len))
		return false;
	for (uint32_t at = 0; at < len; at += (uint32_t)strlen(out + at) + 1) {
		snprintf(child, sizeof(child), "%s/%s", path, out + at);
		if (!digest_node(fd, child, h))
			return false;
	}
	return true;
}

uint64_t digest_of_daemon(int fd)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (int i = 0; i < 2; i++) {
		if (!digest_node(fd, roots[i], &h))
			return 0;
	}
	return h;
}
