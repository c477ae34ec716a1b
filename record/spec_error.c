/* SPDX-License-Identifier: MIT */
/*
 * spec_error.c - see spec_error.h.
 */
#include <stdarg.h>
#include <stdio.h>

#include "spec_error.h"

int spec_error(char *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, SPEC_ERROR_LEN, fmt, ap);
	va_end(ap);
	return code;
}
