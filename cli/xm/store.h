/* SPDX-License-Identifier: MIT */
/*
 * store.h - how xm names paths to the store (xs_easy.h): formatted, and a domain's name in one
 * escaped (domain_name.h); waiting, and signals beside that. Knows no path.
 */
#ifndef XM_STORE_H
#define XM_STORE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "xs_easy.h"

#define STORE_PATH_MAX 512

/*
 * A path, formatted and with what it cannot hold escaped; empty when it does not fit (xs_easy.h).
 */
struct store_path {
	char text[STORE_PATH_MAX];
};
struct store_path store_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* As in xs_easy.h, each of the path that the last arguments format. */
#define store_read(xs, t, ...) xs_easy_read(xs, t, store_path(__VA_ARGS__).text)
#define store_has(xs, t, ...) xs_easy_has(xs, t, store_path(__VA_ARGS__).text)
#define store_write(xs, t, value, ...) xs_easy_write(xs, t, store_path(__VA_ARGS__).text, value)
#define store_remove(xs, t, ...) xs_easy_rm(xs, t, store_path(__VA_ARGS__).text)
#define store_list(xs, t, nr, ...) xs_easy_list(xs, t, store_path(__VA_ARGS__).text, nr)
#define store_transact xs_easy_transact

/* Whether it is there, for what is only shown: in a transaction an unknown is no absence. */
#define store_exists(xs, ...) (store_has(xs, XBT_NULL, __VA_ARGS__) > 0)

/* The value as a decimal number to *@out; false when it is absent or not one. */
#define store_read_number(xs, t, out, ...) store_number(xs, t, out, store_path(__VA_ARGS__).text)
bool store_number(struct xs_handle *xs, xs_transaction_t t, long long *out, const char *path);

/* All records' names, to free() as those. 0; -errno: the store does not say. */
int store_list_records(struct xs_handle *xs, xs_transaction_t t, char ***names, unsigned int *nr);

/* As store_list(), of a directory whose entries are names of domains: the names. */
char **store_list_names(struct xs_handle *xs, xs_transaction_t t, unsigned int *nr,
			const char *dir);

/* Copies a whole subtree inside a transaction. 0 or -errno. */
int store_copy(struct xs_handle *xs, xs_transaction_t t, const char *from, const char *to);

/* Watches a formatted path, or ends that. false with errno. */
#define store_watch(xs, token, ...) xs_watch(xs, store_path(__VA_ARGS__).text, token)
#define store_unwatch(xs, token, ...) xs_unwatch(xs, store_path(__VA_ARGS__).text, token)

/* Nanoseconds of the monotonic clock, and a point in time that far away. */
int64_t store_now(void);
int64_t store_deadline(int64_t ns);

#define STORE_FOREVER INT64_MAX
#define STORE_MS INT64_C(1000000) /* ns */

/*
 * Sleeps until a watch fires (all that are queued are taken off: callers read again what they
 * need), or @interrupt_fd (-1: none) becomes readable, or @deadline_ns. Returns 1 after a watch
 * event, 0 at the deadline, -EINTR for the interrupt, -EIO when the store is gone.
 */
int store_wait(struct xs_handle *xs, int interrupt_fd, int64_t deadline_ns);

/* Signals as data; fd is -1 when that is not possible (Ctrl-C then ends the process as usual). */
struct interrupts {
	int fd;
	sigset_t before;
};

/*
 * From here to interrupts_close(), SIGINT, SIGTERM and SIGHUP make @in->fd readable instead of
 * ending the process. Pairs may follow each other and nest.
 */
void interrupts_open(struct interrupts *in);
void interrupts_close(struct interrupts *in);

#endif
