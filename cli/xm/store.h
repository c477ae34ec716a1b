/* SPDX-License-Identifier: MIT */
/*
 * store.h - short ways to say what xm says to the store: formatted paths, numbers, transactions,
 * waiting. A thin layer over <xenstore.h>; knows no path, but that a domain's name in one is
 * escaped (domain_name.h).
 */
#ifndef XM_STORE_H
#define XM_STORE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#define STORE_PATH_MAX 512

/* The value as a string (malloc'd; a NUL is added), or NULL with errno. */
char *store_read(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The value as a decimal number; false when it is absent or not one. */
bool store_read_number(struct xs_handle *xs, xs_transaction_t t, long long *out, const char *fmt,
		       ...) __attribute__((format(printf, 4, 5)));

/* For what must not be done where it is there. 1; 0: known not to be; -errno: the store does not say. */
int store_has(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool store_exists(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes a string (without its NUL). 0 or -errno. */
int store_write(struct xs_handle *xs, xs_transaction_t t, const char *value, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int store_write_number(struct xs_handle *xs, xs_transaction_t t, long long value, const char *fmt,
		       ...) __attribute__((format(printf, 4, 5)));

/* Removes a subtree; its absence is no error. 0 or -errno. */
int store_remove(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Child names, sorted; free() the array in one go. NULL and *nr = 0 when there is no such node. */
char **store_list(struct xs_handle *xs, xs_transaction_t t, unsigned int *nr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* All records' names, to free() as those. 0; -errno: the store does not say. */
int store_list_records(struct xs_handle *xs, xs_transaction_t t, char ***names, unsigned int *nr);

/* As store_list(), of a directory whose entries are names of domains: the names. */
char **store_list_names(struct xs_handle *xs, xs_transaction_t t, unsigned int *nr,
			const char *dir);

/*
 * Runs @body in a transaction, again when another writer was faster (at most 100 times).
 * @body returns 0 to commit, anything else to abort; that is then returned. Else 0 or -errno.
 */
int store_transact(struct xs_handle *xs, int (*body)(struct xs_handle *, xs_transaction_t, void *),
		   void *data);

/* Copies a whole subtree inside a transaction. 0 or -errno. */
int store_copy(struct xs_handle *xs, xs_transaction_t t, const char *from, const char *to);

/* Watches a formatted path, or ends that. false with errno. */
bool store_watch(struct xs_handle *xs, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void store_unwatch(struct xs_handle *xs, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

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

/* Takes all queued watch events off. Returns whether there were any. */
bool store_drain(struct xs_handle *xs);

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
