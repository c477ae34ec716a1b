/* SPDX-License-Identifier: MIT */
/* store.c - typed access to store keys: see store.h. */
#include "store.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEV_XENBUS "/dev/xen/xenbus"

struct xs_handle *store_open(void)
{
	bool by_device = !getenv("XENSTORED_PATH") && access(DEV_XENBUS, F_OK) == 0;
	struct xs_handle *xs;

	if (by_device)
		setenv("XENSTORED_PATH", DEV_XENBUS, 0);
	xs = xs_open(0);
	if (by_device)
		unsetenv("XENSTORED_PATH");
	return xs;
}

static int join(char *path, const char *dir, const char *key)
{
	int n = snprintf(path, STORE_PATH_MAX, "%s%s%s", dir, *key ? "/" : "", key);

	return n < 0 || n >= STORE_PATH_MAX ? -ENAMETOOLONG : 0;
}

int store_read_str(struct xs_handle *xs, const char *dir, const char *key, char *buf, size_t len)
{
	char path[STORE_PATH_MAX];
	unsigned int got = 0;
	char *value;
	int rc = join(path, dir, key);

	if (rc < 0)
		return rc;
	value = xs_read(xs, XBT_NULL, path, &got);
	if (!value)
		return -errno;
	if (got >= len || memchr(value, '\0', got)) {
		rc = -EINVAL;
	} else {
		memcpy(buf, value, got);
		buf[got] = '\0';
	}
	free(value);
	return rc;
}

int store_read_num(struct xs_handle *xs, const char *dir, const char *key, uint64_t max,
		   uint64_t *num)
{
	char text[24], *end;
	int rc = store_read_str(xs, dir, key, text, sizeof(text));

	if (rc < 0)
		return rc;
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*num = strtoull(text, &end, 10);
	return errno || *end || *num > max ? -EINVAL : 0;
}

bool store_read_bool(struct xs_handle *xs, const char *dir, const char *key, bool otherwise)
{
	uint64_t num;

	return store_read_num(xs, dir, key, 1, &num) < 0 ? otherwise : num;
}

int store_write(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *key,
		const char *fmt, ...)
{
	char path[STORE_PATH_MAX], value[1024];
	va_list ap;
	int rc = join(path, dir, key), n;

	if (rc < 0)
		return rc;
	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0)
		return -EINVAL;
	/* A longer text (an error naming a long path) is cut, not refused. */
	if ((size_t)n >= sizeof(value))
		n = sizeof(value) - 1;
	return xs_write(xs, t, path, value, (unsigned int)n) ? 0 : -errno;
}

bool store_exists(struct xs_handle *xs, const char *dir)
{
	unsigned int len;
	char *value;

	errno = 0;
	value = xs_read(xs, XBT_NULL, dir, &len);
	if (!value)
		return false;
	free(value);
	return true;
}
