/* SPDX-License-Identifier: MIT */
/*
 * xs_easy.h - what every program says to the store by <xenstore.h>: values, numbers, children and
 * transactions, with errors as -errno. Whose functions those are, the library's or a test's, is for
 * who links. How a program names its paths is its own; the asynchronous client is xs_client.h.
 *
 * An empty @path is one that did not fit where it was put together: -ENAMETOOLONG, and nothing is
 * asked. Of a transaction whose connection was lost every call says -EAGAIN.
 */
#ifndef STOREVISOR_XS_EASY_H
#define STOREVISOR_XS_EASY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

/* The value as a string (malloc'd; a NUL is added), or NULL with errno, which is never 0. */
char *xs_easy_read(struct xs_handle *xs, xs_transaction_t t, const char *path);

/* The value to @buf of @size bytes. 0; -EINVAL: longer, or with a NUL inside; -errno. */
int xs_easy_read_to(struct xs_handle *xs, xs_transaction_t t, const char *path, char *buf,
		    size_t size);

/*
 * A decimal number of at most @max: digits, nothing else. 0; -EINVAL: not such a number; -errno.
 * *@out is written with 0 only. The value may be anybody's.
 */
int xs_easy_number(struct xs_handle *xs, xs_transaction_t t, const char *path, uint64_t max,
		   uint64_t *out);

/* 1: it is there; 0: it is known not to be; -errno: the store does not say. */
int xs_easy_has(struct xs_handle *xs, xs_transaction_t t, const char *path);

/* Writes a string, without its NUL. 0 or -errno. */
int xs_easy_write(struct xs_handle *xs, xs_transaction_t t, const char *path, const char *value);

/* The same of a formatted value; one longer than XS_EASY_TEXT_MAX bytes is cut, not refused. */
#define XS_EASY_TEXT_MAX 1023
int xs_easy_vwrite(struct xs_handle *xs, xs_transaction_t t, const char *path, const char *fmt,
		   va_list ap);

/* Removes a subtree; its absence is no error. 0 or -errno. */
int xs_easy_rm(struct xs_handle *xs, xs_transaction_t t, const char *path);

/*
 * Names of the children, sorted, *@nr of them; free() the array in one go. NULL and *@nr 0 with
 * errno, which is never 0 (ENOENT: no such node).
 */
char **xs_easy_list(struct xs_handle *xs, xs_transaction_t t, const char *path, unsigned int *nr);

/*
 * Takes every watch event off that is there, for who then looks at all anyway. 1: there were some;
 * 0: none; -EIO: none, and there is no connection to come.
 */
int xs_easy_drain(struct xs_handle *xs);

/*
 * Runs @body in a transaction, which it returns 0 to commit, and anything else to give up; -EAGAIN
 * is what it gives up for this attempt only. It runs again, XS_TRIES times at most, when somebody
 * else was faster, and when the connection was lost, whatever it made of that: what it read then is
 * nothing to go by. 0; what @body returned; -EAGAIN: never got through; -errno of the store, also
 * when that did not hear that it was given up.
 */
typedef int xs_easy_body_fn(struct xs_handle *xs, xs_transaction_t t, void *arg);
int xs_easy_transact(struct xs_handle *xs, xs_easy_body_fn *body, void *arg);

#endif
