/* SPDX-License-Identifier: MIT */
/*
 * store.c - see store.h.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "domain_name.h"
#include "store.h"

#define TRIES_MAX 100

/* Names are in @fmt as people say them; what a path cannot hold is escaped. */
static bool format_path(char path[STORE_PATH_MAX], const char *fmt, va_list ap)
{
	char plain[STORE_PATH_MAX];
	int n = vsnprintf(plain, sizeof(plain), fmt, ap);

	if (n >= 0 && n < STORE_PATH_MAX && domain_name_path(plain, path, STORE_PATH_MAX))
		return true;
	errno = ENAMETOOLONG;
	return false;
}

/* Formats into @path; false (errno ENAMETOOLONG) when it does not fit. */
#define FORMAT_PATH(path, fmt)                                                                     \
	({                                                                                         \
		va_list ap_;                                                                       \
		bool fits_;                                                                        \
		va_start(ap_, fmt);                                                                \
		fits_ = format_path(path, fmt, ap_);                                               \
		va_end(ap_);                                                                       \
		fits_;                                                                             \
	})

char *store_read(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
{
	char path[STORE_PATH_MAX];
	unsigned int len;

	return FORMAT_PATH(path, fmt) ? xs_read(xs, t, path, &len) : NULL;
}

bool store_read_number(struct xs_handle *xs, xs_transaction_t t, long long *out, const char *fmt,
		       ...)
{
	char path[STORE_PATH_MAX], *text, *end;
	unsigned int len;
	bool ok;

	text = FORMAT_PATH(path, fmt) ? xs_read(xs, t, path, &len) : NULL;
	if (!text)
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	ok = end != text && !*end && !errno;
	free(text);
	return ok;
}

bool store_exists(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
{
	char path[STORE_PATH_MAX], *text;
	unsigned int len;

	text = FORMAT_PATH(path, fmt) ? xs_read(xs, t, path, &len) : NULL;
	free(text);
	return text != NULL;
}

int store_has(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
{
	char path[STORE_PATH_MAX], *text;
	unsigned int len;
	int ret;

	text = FORMAT_PATH(path, fmt) ? xs_read(xs, t, path, &len) : NULL;
	ret = text ? 1 : errno == ENOENT ? 0 : -errno;
	free(text);
	return ret;
}

int store_write(struct xs_handle *xs, xs_transaction_t t, const char *value, const char *fmt, ...)
{
	char path[STORE_PATH_MAX];

	if (!FORMAT_PATH(path, fmt) || !xs_write(xs, t, path, value, (unsigned int)strlen(value)))
		return -errno;
	return 0;
}

int store_write_number(struct xs_handle *xs, xs_transaction_t t, long long value, const char *fmt,
		       ...)
{
	char path[STORE_PATH_MAX], text[24];
	int len = snprintf(text, sizeof(text), "%lld", value);

	if (!FORMAT_PATH(path, fmt) || !xs_write(xs, t, path, text, (unsigned int)len))
		return -errno;
	return 0;
}

int store_remove(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
{
	char path[STORE_PATH_MAX];

	if (!FORMAT_PATH(path, fmt))
		return -errno;
	return xs_rm(xs, t, path) || errno == ENOENT ? 0 : -errno;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **store_list(struct xs_handle *xs, xs_transaction_t t, unsigned int *nr, const char *fmt, ...)
{
	char path[STORE_PATH_MAX], **names;

	*nr = 0;
	names = FORMAT_PATH(path, fmt) ? xs_directory(xs, t, path, nr) : NULL;
	if (!names)
		*nr = 0;
	else
		qsort(names, *nr, sizeof(*names), compare_names);
	return names;
}

/* An escape is longer than what it stands for: the names shrink where they are. */
char **store_list_names(struct xs_handle *xs, xs_transaction_t t, unsigned int *nr,
			const char *dir)
{
	char **names = store_list(xs, t, nr, "%s", dir), name[DOMAIN_NAME_MAX + 1];
	unsigned int kept = 0;

	for (unsigned int i = 0; i < *nr; i++) {
		if (!domain_name_of_key(names[i], name))
			continue;
		strcpy(names[i], name);
		names[kept++] = names[i];
	}
	*nr = kept;
	return names;
}

int store_list_records(struct xs_handle *xs, xs_transaction_t t, char ***names, unsigned int *nr)
{
	errno = 0;
	*names = store_list_names(xs, t, nr, "/config/domain");
	return *names || !errno || errno == ENOENT ? 0 : -errno;
}

int store_transact(struct xs_handle *xs, int (*body)(struct xs_handle *, xs_transaction_t, void *),
		   void *data)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		xs_transaction_t t = xs_transaction_start(xs);
		int ret;

		if (t == XBT_NULL)
			return -errno;
		ret = body(xs, t, data);
		if (ret) {
			xs_transaction_end(xs, t, true);
			if (ret == -EAGAIN)
				continue;
			return ret;
		}
		if (xs_transaction_end(xs, t, false))
			return 0;
		if (errno != EAGAIN)
			return -errno;
		/* Another writer won; let it get ahead. */
		usleep(1000 * (useconds_t)(i < 20 ? i : 20));
	}
	return -EAGAIN;
}

int store_copy(struct xs_handle *xs, xs_transaction_t t, const char *from, const char *to)
{
	char source[STORE_PATH_MAX], target[STORE_PATH_MAX];
	unsigned int len, nr;
	char *value, **names;
	int ret = 0;

	if (!domain_name_path(from, source, sizeof(source)) ||
	    !domain_name_path(to, target, sizeof(target)))
		return -ENAMETOOLONG;
	value = xs_read(xs, t, source, &len);
	if (!value)
		return -errno;
	if (!xs_write(xs, t, target, value, len))
		ret = -errno;
	free(value);
	names = ret ? NULL : store_list(xs, t, &nr, "%s", from);
	for (unsigned int i = 0; names && i < nr && !ret; i++) {
		char child[STORE_PATH_MAX], copy[STORE_PATH_MAX];

		if (snprintf(child, sizeof(child), "%s/%s", from, names[i]) >= STORE_PATH_MAX ||
		    snprintf(copy, sizeof(copy), "%s/%s", to, names[i]) >= STORE_PATH_MAX)
			ret = -ENAMETOOLONG;
		else
			ret = store_copy(xs, t, child, copy);
	}
	free(names);
	return ret;
}

bool store_watch(struct xs_handle *xs, const char *token, const char *fmt, ...)
{
	char path[STORE_PATH_MAX];

	return FORMAT_PATH(path, fmt) && xs_watch(xs, path, token);
}

void store_unwatch(struct xs_handle *xs, const char *token, const char *fmt, ...)
{
	char path[STORE_PATH_MAX];

	if (FORMAT_PATH(path, fmt))
		xs_unwatch(xs, path, token);
}

int64_t store_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

int64_t store_deadline(int64_t ns)
{
	return store_now() + ns;
}

bool store_drain(struct xs_handle *xs)
{
	bool any = false;
	char **event;

	while ((event = xs_check_watch(xs))) {
		any = true;
		free(event);
	}
	return any;
}

int store_wait(struct xs_handle *xs, int interrupt_fd, int64_t deadline_ns)
{
	struct pollfd fds[2] = { { .fd = xs_fileno(xs), .events = POLLIN },
				 { .fd = interrupt_fd, .events = POLLIN } };

	for (;;) {
		int64_t left_ms = (deadline_ns - store_now() + 999999) / 1000000;

		if (store_drain(xs))
			return 1;
		if (errno != EAGAIN)
			return -EIO;
		if (left_ms <= 0)
			return 0;
		if (left_ms > 60000)
			left_ms = 60000;
		if (poll(fds, 2, (int)left_ms) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return -EINTR;
	}
}

void interrupts_open(struct interrupts *in)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	in->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (in->fd >= 0)
		pthread_sigmask(SIG_BLOCK, &set, &in->before);
}

void interrupts_close(struct interrupts *in)
{
	struct signalfd_siginfo info;

	if (in->fd < 0)
		return;
	/* What came in and was acted upon must not end the process afterwards. */
	while (read(in->fd, &info, sizeof(info)) > 0)
		;
	close(in->fd);
	in->fd = -1;
	pthread_sigmask(SIG_SETMASK, &in->before, NULL);
}
