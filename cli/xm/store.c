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

/* Names are in @fmt as people say them; what a path cannot hold is escaped. */
struct store_path store_path(const char *fmt, ...)
{
	char plain[STORE_PATH_MAX];
	struct store_path path;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(plain, sizeof(plain), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= STORE_PATH_MAX || !domain_name_path(plain, path.text, sizeof(path.text)))
		path.text[0] = '\0';
	return path;
}

bool store_number(struct xs_handle *xs, xs_transaction_t t, long long *out, const char *path)
{
	uint64_t n;

	if (xs_easy_number(xs, t, path, INT64_MAX, &n))
		return false;
	*out = (long long)n;
	return true;
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
	*names = store_list_names(xs, t, nr, "/config/domain");
	return *names || errno == ENOENT ? 0 : -errno;
}

int store_copy(struct xs_handle *xs, xs_transaction_t t, const char *from, const char *to)
{
	char *value = store_read(xs, t, "%s", from), **names = NULL;
	unsigned int nr = 0;
	int ret = value ? store_write(xs, t, value, "%s", to) : -errno;

	free(value);
	if (!ret) {
		names = store_list(xs, t, &nr, "%s", from);
		ret = names ? 0 : -errno;
	}
	for (unsigned int i = 0; i < nr && !ret; i++) {
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

int store_wait(struct xs_handle *xs, int interrupt_fd, int64_t deadline_ns)
{
	struct pollfd fds[2] = { { .fd = xs_fileno(xs), .events = POLLIN },
				 { .fd = interrupt_fd, .events = POLLIN } };

	for (;;) {
		int64_t left_ms = (deadline_ns - store_now() + 999999) / 1000000;

		int rc = xs_easy_drain(xs);

		if (rc)
			return rc;
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
