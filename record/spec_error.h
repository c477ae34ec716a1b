/* SPDX-License-Identifier: MIT */
/*
 * spec_error.h - what is wrong with a disk or a network card as the user wrote it: one line.
 */
#ifndef STOREVISOR_SPEC_ERROR_H
#define STOREVISOR_SPEC_ERROR_H

#define SPEC_ERROR_LEN 512

/* Writes the line to @err, which has SPEC_ERROR_LEN bytes; longer ones are cut. Returns @code. */
int spec_error(char *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
