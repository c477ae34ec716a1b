/* SPDX-License-Identifier: MIT */
/*
 * spec_error.h - a disk, a network card or a screen as the user wrote it: what is wrong with it, in
 * one line, and its words.
 */
#ifndef STOREVISOR_SPEC_ERROR_H
#define STOREVISOR_SPEC_ERROR_H

#define SPEC_ERROR_LEN 512

/* Writes the line to @err, which has SPEC_ERROR_LEN bytes; longer ones are cut. Returns @code. */
int spec_error(char *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Sets what @name says of @data to @value. 0, with a remark in @err or none; negative with @err. */
typedef int (*spec_set_fn)(void *data, const char *name, const char *value, char *err);

/*
 * Each "NAME=VALUE" of @text, which commas part, given to @set, up to the first that is wrong. An
 * empty one is passed over. @noun ("vif") and @example are for errors. 0; -EINVAL: too long, or a
 * part without '='; what @set returned.
 */
int spec_each(const char *text, const char *noun, const char *example, spec_set_fn set, void *data,
	      char err[SPEC_ERROR_LEN]);

/* @s without the blanks at its ends: it is shortened in place. */
char *spec_trim(char *s);

#endif
