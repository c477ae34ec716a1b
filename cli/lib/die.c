/* SPDX-License-Identifier: MIT */
/*
 * die.c - messages and exit codes of the command-line tools.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "text.h"

/* one thread; main sets its name */
static struct cli_voice own = { .name = "xs" };

#ifdef __SANITIZE_ADDRESS__
static int died;

/*
 * The sanitizer asks at the end whether leaks count. Who ends by cli_end leaves what its callers
 * hold to the kernel: their pointers may be in registers only, where nobody finds them any more.
 */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return died;
}
#endif

struct cli_voice *cli_voice(void)
{
	return &own;
}

FILE *cli_out(const struct cli_voice *v)
{
	return v->out ? v->out : stdout;
}

FILE *cli_err(const struct cli_voice *v)
{
	return v->err ? v->err : stderr;
}

static void say_json(FILE *f, int code, const char *text)
{
	fprintf(f, "{\"error\":\"");
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		size_t len = text_utf8_len(p, strnlen((const char *)p, 4));

		if (len > 1) {
			fwrite(p, len, 1, f);
			p += len - 1;
		} else if (*p == '"' || *p == '\\')
			fprintf(f, "\\%c", *p);
		else if (*p < 0x20 || *p >= 0x7f)
			fprintf(f, "\\u%04x", *p);
		else
			fputc(*p, f);
	}
	fprintf(f, "\",\"code\":%d}\n", code);
}

/*
 * What a message names is anybody's: a file, a value. No terminal is told anything by it. A line
 * may
 * end: Xen's own tools say so, and ours by their names.
 */
static void put_text(FILE *f, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t len = text_utf8_len(p, strnlen((const char *)p, 4));
		bool control = len == 1 ? (*p < 0x20 && *p != '\n') || *p == 0x7f : p[0] == 0xc2 && p[1] < 0xa0;

		if (!len || control) {
			fprintf(f, "\\x%02x", *p);
			len = 1;
		} else {
			fwrite(p, len, 1, f);
		}
		p += len;
	}
}

static void say_text(const struct cli_voice *v, FILE *f, enum cli_level level, const char *text)
{
	const char *label = v->name ? v->name : level == CLI_ERROR ? "Error" : "Warning";

	if (v->colour && !v->name)
		fprintf(f, "\033[%sm%s:\033[0m ", level == CLI_ERROR ? "31" : "33", label);
	else
		fprintf(f, "%s: ", label);
	put_text(f, text);
	fputc('\n', f);
	fflush(f);
}

void cli_vsay(struct cli_voice *v, enum cli_level level, int code, const char *fmt, va_list ap)
{
	char text[4096];

	vsnprintf(text, sizeof(text), fmt, ap);
	fflush(cli_out(v));
	v->said_error = v->said_error || level == CLI_ERROR;
	if (v->say)
		v->say(text);
	else if (v->json)
		say_json(cli_err(v), code, text);
	else
		say_text(v, cli_err(v), level, text);
}

void cli_say(struct cli_voice *v, enum cli_level level, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vsay(v, level, code, fmt, ap);
	va_end(ap);
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vsay(&own, CLI_WARNING, 0, fmt, ap);
	va_end(ap);
}

_Noreturn void cli_end(int code)
{
#ifdef __SANITIZE_ADDRESS__
	died = 1;
#endif
	exit(code);
}

_Noreturn void cli_die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vsay(&own, CLI_ERROR, code, fmt, ap);
	va_end(ap);
	cli_end(code);
}

_Noreturn void cli_not_run(const char *program)
{
	int why = errno;

	/* what waits to be printed is the parent's, which prints it */
	__fpurge(cli_out(&own));
	cli_say(&own, CLI_ERROR, CLI_NO_HANDLER, "%s: %s", program, strerror(why));
	_exit(CLI_NO_HANDLER);
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
