/* SPDX-License-Identifier: MIT */
/*
 * vsnprintf.c - the printf subset of lib/string.h. An unknown conversion is printed as it stands,
 * so a mistake is visible and harmless.
 */
#include <stdarg.h>

#include "lib/string.h"

struct out {
	char *buf;
	size_t size, len; /* len counts what would have been written */
};

struct spec {
	bool left, zero, upper, alternate; /* alternate: 0x before hexadecimal */
	int width, precision; /* precision < 0: none */
	int longs;	      /* 0 int, 1 long/size_t/pointer, 2 long long */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_string(struct out *o, const struct spec *sp, const char *s)
{
	int len;

	if (!s)
		s = "(null)";
	len = (int)strnlen(s, sp->precision >= 0 ? (size_t)sp->precision : 4096);
	if (!sp->left)
		pad(o, ' ', sp->width - len);
	for (int i = 0; i < len; i++)
		put(o, s[i]);
	if (sp->left)
		pad(o, ' ', sp->width - len);
}

static void put_number(struct out *o, const struct spec *sp, u64 v, unsigned int base,
		       bool negative)
{
	const char *digits = sp->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char tmp[24];
	bool prefix = sp->alternate && base == 16 && v;
	int n = 0, total;

	do {
		tmp[n++] = digits[v % base];
		v /= base;
	} while (v);
	total = n + negative + 2 * prefix;
	if (!sp->left && !sp->zero)
		pad(o, ' ', sp->width - total);
	if (negative)
		put(o, '-');
	if (prefix) {
		put(o, '0');
		put(o, sp->upper ? 'X' : 'x');
	}
	if (!sp->left && sp->zero)
		pad(o, '0', sp->width - total);
	while (n)
		put(o, tmp[--n]);
	if (sp->left)
		pad(o, ' ', sp->width - total);
}

static const char *parse_spec(const char *f, struct spec *sp, va_list *ap)
{
	*sp = (struct spec){ .precision = -1 };
	for (;; f++) {
		if (*f == '-')
			sp->left = true;
		else if (*f == '0')
			sp->zero = true;
		else if (*f == '#')
			sp->alternate = true;
		else
			break;
	}
	if (*f == '*') {
		sp->width = va_arg(*ap, int);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		sp->width = sp->width * 10 + (*f - '0');
	if (*f == '.') {
		f++;
		sp->precision = 0;
		if (*f == '*') {
			sp->precision = va_arg(*ap, int);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			sp->precision = sp->precision * 10 + (*f - '0');
	}
	for (; *f == 'l' || *f == 'z' || *f == 'h'; f++)
		if (*f != 'h')
			sp->longs++;
	return f;
}

static u64 arg_unsigned(const struct spec *sp, va_list *ap)
{
	return sp->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
}

static void put_signed(struct out *o, const struct spec *sp, va_list *ap)
{
	s64 v = sp->longs ? va_arg(*ap, long) : va_arg(*ap, int);

	put_number(o, sp, v < 0 ? 0 - (u64)v : (u64)v, 10, v < 0);
}

/* Formats one conversion; returns the first format byte after it. */
static const char *convert(struct out *o, const char *f, va_list *ap)
{
	struct spec sp;
	const char *start = f;

	f = parse_spec(f, &sp, ap);
	switch (*f) {
	case 's':
		put_string(o, &sp, va_arg(*ap, const char *));
		break;
	case 'c':
		put(o, (char)va_arg(*ap, int));
		break;
	case 'd':
	case 'i':
		put_signed(o, &sp, ap);
		break;
	case 'u':
		put_number(o, &sp, arg_unsigned(&sp, ap), 10, false);
		break;
	case 'X':
		sp.upper = true;
		/* fall through */
	case 'x':
		put_number(o, &sp, arg_unsigned(&sp, ap), 16, false);
		break;
	case 'p':
		put_number(o, &sp, (uintptr_t)va_arg(*ap, void *), 16, false);
		break;
	case '%':
		put(o, '%');
		break;
	default:
		put(o, '%');
		return start;
	}
	return f + 1;
}

int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		if (*fmt != '%')
			put(&o, *fmt++);
		else
			fmt = convert(&o, fmt + 1, &args);
	}
	va_end(args);
	if (size)
		buf[MIN(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
