/* SPDX-License-Identifier: MIT */
/* store.c - typed access to store keys: see store.h. */
#include "store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Empty when it does not fit. */
static const char *join(char path[STORE_PATH_MAX], const char *dir, const char *key)
{
	int n = snprintf(path, STORE_PATH_MAX, "%s%s%s", dir, *key ? "/" : "", key);

	return n < 0 || n >= STORE_PATH_MAX ? "" : path;
}

int store_read_str(struct xs_handle *xs, const char *dir, const char *key, char *buf, size_t len)
{
	char path[STORE_PATH_MAX];

	return xs_easy_read_to(xs, XBT_NULL, join(path, dir, key), buf, len);
}

int store_read_num(struct xs_handle *xs, const char *dir, const char *key, uint64_t max,
		   uint64_t *num)
{
	char path[STORE_PATH_MAX];

	return xs_easy_number(xs, XBT_NULL, join(path, dir, key), max, num);
}

bool store_read_bool(struct xs_handle *xs, const char *dir, const char *key, bool otherwise)
{
	uint64_t num;

	return store_read_num(xs, dir, key, 1, &num) < 0 ? otherwise : num;
}

int store_write(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *key,
		const char *fmt, ...)
{
	char path[STORE_PATH_MAX];
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = xs_easy_vwrite(xs, t, join(path, dir, key), fmt, ap);
	va_end(ap);
	return rc;
}

int store_has(struct xs_handle *xs, const char *dir)
{
	return xs_easy_has(xs, XBT_NULL, dir);
}
