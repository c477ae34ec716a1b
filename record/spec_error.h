/* SPDX-License-Identifier: MIT */
/*
 * spec_error.h - a disk, a network card or a screen as the user wrote it: what is wrong with it, in one
 * line, and its words.
 */
#ifndef STOREVISOR_SPEC_ERROR_H
#define STOREVISOR_SPEC_ERROR_H

#define SPEC_ERROR_LEN 512

/* Writes the line to @err, which has SPEC_ERROR_LEN bytes; longer ones are cut. Returns @code. */
int spec_error(char *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* @s without the blanks at its ends: it is shortened in place. */
char *spec_trim(char *s);

#endif
