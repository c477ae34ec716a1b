/* SPDX-License-Identifier: MIT */
/*
 * die.c - messages and exit codes of the command-line tools.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "text.h"

/* one thread; set once by main */
static const char *tool = "xs";
static int json_errors;
static void (*say_to)(const char *text);

#ifdef __SANITIZE_ADDRESS__
static int died;

/*
 * The sanitizer asks at the end whether leaks count. Who ends by cli_end leaves what its callers hold to
 * the kernel: their pointers may be in registers only, where nobody finds them any more.
 */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return died;
}
#endif

void cli_set_name(const char *name)
{
	tool = name;
}

const char *cli_name(void)
{
	return tool;
}

void cli_set_json_errors(int on)
{
	json_errors = on;
}

void cli_set_say(void (*fn)(const char *text))
{
	say_to = fn;
}

static void say_json(int code, const char *text)
{
	fprintf(stderr, "{\"error\":\"");
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		size_t len = text_utf8_len(p, strnlen((const char *)p, 4));

		if (len > 1) {
			fwrite(p, len, 1, stderr);
			p += len - 1;
		} else if (*p == '"' || *p == '\\')
			fprintf(stderr, "\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f)
			fprintf(stderr, "\\u%04x", *p);
		else
			fputc(*p, stderr);
	}
	fprintf(stderr, "\",\"code\":%d}\n", code);
}

static void say(int code, const char *fmt, va_list ap)
{
	char text[4096];

	vsnprintf(text, sizeof(text), fmt, ap);
	fflush(stdout);
	if (say_to)
		say_to(text);
	else if (json_errors)
		say_json(code, text);
	else
		fprintf(stderr, "%s: %s\n", tool, text);
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(0, fmt, ap);
	va_end(ap);
}

_Noreturn void cli_die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(code, fmt, ap);
	va_end(ap);
	cli_end(code);
}

_Noreturn void cli_end(int code)
{
#ifdef __SANITIZE_ADDRESS__
	died = 1;
#endif
	exit(code);
}

void *must(void *p)
{
	if (!p)
		cli_die(CLI_FAIL, "out of memory");
	return p;
}

int cli_code(int rc)
{
	switch (-rc) {
	case EIO:
	case ECONNRESET:
	case ECONNREFUSED:
	case EPIPE:
	case ENOTRECOVERABLE:
		return CLI_NO_STORE;
	case EACCES:
	case EPERM:
		return CLI_NO_RIGHT;
	default:
		return CLI_FAIL;
	}
}

const char *cli_words(int rc)
{
	switch (-rc) {
	case ENOENT:
		return "no such node";
	case EACCES:
	case EPERM:
		return "permission denied";
	case EINVAL:
		return "not a valid path or argument";
	case ENOSPC:
		return "a quota of the store is used up, or its disk has no room for so much at once";
	case E2BIG:
		return "too large for one request";
	case EAGAIN:
		return "others changed it at the same time, again and again";
	case ENOSYS:
		return "this store daemon cannot do that";
	case EIO:
	case ECONNRESET:
		return "the connection to the store was lost";
	case ENOTRECOVERABLE:
		return "the connection to the store was lost in the middle: whether it came true is "
		       "not known";
	default:
		return strerror(-rc);
	}
}
