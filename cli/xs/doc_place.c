/* SPDX-License-Identifier: MIT */
/* doc_place.c - see doc_place.h. */
#include "doc_place.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "die.h"

#define POINTER_MAX 4096

/* RFC 6901. Returns the length; what does not fit is cut. */
static size_t pointer_text(const struct place *p, char *buf, size_t size)
{
	size_t at;

	if (!p->up) {
		buf[0] = '\0';
		return 0;
	}
	at = pointer_text(p->up, buf, size);
	if (!p->key) {
		int n = snprintf(buf + at, size - at, "/%zu", p->index);

		return at + (size_t)n < size ? at + (size_t)n : at;
	}
	for (const char *k = p->key - 1; k < p->key || *k; k++) {
		char c = k < p->key ? '/' : *k;
		const char *code = k < p->key ? NULL : c == '~' ? "~0" : c == '/' ? "~1" : NULL;

		if (at + 3 > size)
			break;
		if (code)
			buf[at++] = *code++;
		buf[at++] = code ? *code : iscntrl((unsigned char)c) ? '?' : c;
	}
	buf[at] = '\0';
	return at;
}

void doc_problem(struct doc *d, const struct place *p, const char *fmt, ...)
{
	char text[768], pointer[POINTER_MAX];
	va_list ap;

	d->nr_errors++;
	if (d->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pointer_text(p, pointer, sizeof(pointer));
	if (p->pos->line)
		cli_warn("%s:%d:%d: %s: %s", d->name, p->pos->line, p->pos->column,
			 *pointer ? pointer : "(document)", text);
	else
		cli_warn("%s: at %s: %s", d->name, *pointer ? pointer : "/", text);
}

void doc_problem_in(struct doc *d, const struct json_problem *why)
{
	d->nr_errors++;
	if (!d->quiet)
		cli_warn("%s:%d:%d: %s", d->name, why->line, why->column, why->text);
}
