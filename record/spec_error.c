/* SPDX-License-Identifier: MIT */
/*
 * spec_error.c - see spec_error.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spec_error.h"

int spec_error(char *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, SPEC_ERROR_LEN, fmt, ap);
	va_end(ap);
	return code;
}

char *spec_trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

int spec_each(const char *text, const char *noun, const char *example, spec_set_fn set, void *data,
	      char err[SPEC_ERROR_LEN])
{
	char copy[1024], *next = copy;

	if (strlen(text) >= sizeof(copy))
		return spec_error(err, -EINVAL, "the %s is longer than %zu characters", noun,
				  sizeof(copy) - 1);
	strcpy(copy, text);
	while (next) {
		char *field = spec_trim(strsep(&next, ",")), *eq = strchr(field, '=');
		int ret;

		if (!*field)
			continue;
		if (!eq)
			return spec_error(err, -EINVAL, "'%.400s' has no '=': a %s is written '%s'",
					  field, noun, example);
		*eq = '\0';
		ret = set(data, spec_trim(field), spec_trim(eq + 1), err);
		if (ret)
			return ret;
	}
	return 0;
}
