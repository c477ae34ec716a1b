/* SPDX-License-Identifier: MIT */
/*
 * kind.h - what a value is in JSON (enum xs_kind): kept by our daemon beside the value, as text in
 * documents, in patches and plans. A kind that the value is not of any more counts for nothing:
 * READ and WRITE of Xen's protocol do not know it.
 */
#ifndef STOREVISOR_XS_KIND_OF_H
#define STOREVISOR_XS_KIND_OF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <xs.h>
#include <xs_kind.h>

/* Whether the daemon keeps kinds, and tells us; asked once. */
bool kind_known(void);

/* Of a scalar, a list or an object of a document. */
enum xs_kind kind_of(const json_t *v);
/* Whether @value is (still) of that kind; children are not looked at. */
bool kind_fits(enum xs_kind kind, const char *value, size_t len);
/* "text", "number", ... and back; false: no such kind. */
const char *kind_name(enum xs_kind kind);
bool kind_named(const char *name, enum xs_kind *out);
/* "a number", for sentences. */
const char *kind_words(enum xs_kind kind);

/* The value as JSON; a number as near as a machine's numbers are. The caller owns it. */
json_t *kind_json(enum xs_kind kind, const char *value, size_t len);

/*
 * Asks for kind and value of @path in @tx: the answer's first byte is the kind's digit, the value
 * follows. Of a daemon without kinds: see kind_known(). 0 or -errno of the connection.
 */
int kind_submit_read(uint32_t tx, const char *path, xs_done_fn *fn, void *arg);
/* Sets the kind of an existing node in @tx, which is a transaction. As above. */
int kind_submit(uint32_t tx, const char *path, enum xs_kind kind, xs_done_fn *fn, void *arg);

#endif
