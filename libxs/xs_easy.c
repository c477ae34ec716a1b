/* SPDX-License-Identifier: MIT */
/* xs_easy.c - see xs_easy.h. */
#include "xs_easy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xs_client.h"
#include "xs_wire.h"

#define PAUSE_US 1000 /* times how often it failed ... */
#define PAUSES_MAX 20 /* ... but not more */

static int failed(void)
{
	return errno ? -errno : -EIO;
}

/* 0 as the answer's outcome when it was a yes. */
static int outcome(bool done)
{
	return done ? 0 : failed();
}

static bool is_asked(const char *path)
{
	errno = *path ? 0 : ENAMETOOLONG;
	return *path;
}

static char *read_whole(struct xs_handle *xs, xs_transaction_t t, const char *path,
			unsigned int *len)
{
	char *value = is_asked(path) ? xs_read(xs, t, path, len) : NULL;

	if (!value)
		errno = -failed();
	return value;
}

char *xs_easy_read(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
	unsigned int len;

	return read_whole(xs, t, path, &len);
}

int xs_easy_read_to(struct xs_handle *xs, xs_transaction_t t, const char *path, char *buf,
		    size_t size)
{
	unsigned int len = 0;
	char *value = read_whole(xs, t, path, &len);
	bool fits = value && len < size && !memchr(value, '\0', len);

	if (!value)
		return -errno;
	if (fits) {
		memcpy(buf, value, len);
		buf[len] = '\0';
	}
	free(value);
	return fits ? 0 : -EINVAL;
}

int xs_easy_number(struct xs_handle *xs, xs_transaction_t t, const char *path, uint64_t max,
		   uint64_t *out)
{
	char text[24];
	int rc = xs_easy_read_to(xs, t, path, text, sizeof(text));

	return rc ? rc : xs_wire_get_number(text, max, out);
}

int xs_easy_has(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
	char *value = xs_easy_read(xs, t, path);
	int rc = value ? 1 : errno == ENOENT ? 0 : -errno;

	free(value);
	return rc;
}

int xs_easy_write(struct xs_handle *xs, xs_transaction_t t, const char *path, const char *value)
{
	return outcome(is_asked(path) && xs_write(xs, t, path, value, (unsigned int)strlen(value)));
}

int xs_easy_vwrite(struct xs_handle *xs, xs_transaction_t t, const char *path, const char *fmt,
		   va_list ap)
{
	char value[XS_EASY_TEXT_MAX + 1];

	return vsnprintf(value, sizeof(value), fmt, ap) < 0 ? -EINVAL :
							      xs_easy_write(xs, t, path, value);
}

int xs_easy_rm(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
	return outcome(is_asked(path) && (xs_rm(xs, t, path) || errno == ENOENT));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **xs_easy_list(struct xs_handle *xs, xs_transaction_t t, const char *path, unsigned int *nr)
{
	char **names = is_asked(path) ? xs_directory(xs, t, path, nr) : NULL;

	if (names) {
		qsort(names, *nr, sizeof(*names), compare_names);
		return names;
	}
	*nr = 0;
	errno = -failed();
	return NULL;
}

int xs_easy_drain(struct xs_handle *xs)
{
	bool any = false;
	char **event;

	while ((event = xs_check_watch(xs))) {
		any = true;
		free(event);
	}
	return any ? 1 : errno == EAGAIN ? 0 : -EIO;
}

static int attempt(struct xs_handle *xs, xs_easy_body_fn *body, void *arg)
{
	xs_transaction_t t = xs_transaction_start(xs);
	int rc = t == XBT_NULL ? failed() : 0;

	if (rc)
		return rc;
	rc = body(xs, t, arg);
	return xs_transaction_end(xs, t, rc != 0) ? rc : failed();
}

int xs_easy_transact(struct xs_handle *xs, xs_easy_body_fn *body, void *arg)
{
	int rc = attempt(xs, body, arg);

	for (int i = 1; rc == -EAGAIN && i < XS_TRIES; i++) {
		/* Another writer won; let it get ahead. */
		usleep(PAUSE_US * (useconds_t)(i < PAUSES_MAX ? i - 1 : PAUSES_MAX));
		rc = attempt(xs, body, arg);
	}
	return rc;
}
