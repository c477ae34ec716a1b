/* SPDX-License-Identifier: MIT */
/*
 * xm.c - one run under one of its names; messages; the connection. See xm.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#include "commands.h"
#include "xm.h"

static int fail(struct xm *xm, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct xm *xm, int code, const char *fmt, ...)
{
	va_list ap;

	if (code != CLI_FAIL && !xm->cause)
		xm->cause = code;
	va_start(ap, fmt);
	cli_vsay(&xm->voice, CLI_ERROR, cli_status(xm->tool, code), fmt, ap);
	va_end(ap);
	return CLI_FAIL;
}

int xm_fail(struct xm *xm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vsay(&xm->voice, CLI_ERROR, CLI_FAIL, fmt, ap);
	va_end(ap);
	return CLI_FAIL;
}

void xm_warn(struct xm *xm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_vsay(&xm->voice, CLI_WARNING, CLI_OK, fmt, ap);
	va_end(ap);
}

int xm_fail_store(struct xm *xm, const char *what, int err)
{
	int code = cli_code(-err);

	switch (err) {
	case EACCES:
	case EPERM:
		return fail(xm, code, "%s: the store does not allow it: run as root in Domain-0", what);
	case ENOSPC:
		return fail(xm, code,
			    "%s: the store is full: no room under /var/lib/xenstored, or a quota "
			    "is reached",
			    what);
	case EAGAIN:
		return fail(xm, code, "%s: others kept changing the same keys; try again", what);
	default:
		return fail(xm, code, "%s: the store says: %s", what, strerror(err));
	}
}

struct xs_handle *xm_store(struct xm *xm)
{
	if (xm->xs)
		return xm->xs;
	xm->xs = xs_open(0);
	if (!xm->xs && (errno == EACCES || errno == EPERM))
		fail(xm, CLI_NO_RIGHT, "the store at %s does not let you in: run as root",
		     xs_daemon_socket());
	else if (!xm->xs)
		fail(xm, CLI_NO_STORE, "cannot reach the store at %s: %s; is xenstored running?",
		     xs_daemon_socket(), strerror(errno));
	return xm->xs;
}

static bool is_terminal(FILE *f)
{
	int fd = fileno(f);

	return fd >= 0 && isatty(fd);
}

int xm_main(int argc, char **argv, FILE *in, FILE *out, FILE *err)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *base = slash ? slash + 1 : argc > 0 ? argv[0] : "xm";
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	const struct cli_tool *tool = strcmp(base, "xl") == 0 ? &xl_tool : &xm_tool;
	struct xm xm = { .tool = tool, .prog = tool->name, .in = in, .out = out, .err = err,
			 .voice = { .out = out, .err = err } };
	int ret;

	xm.out_tty = is_terminal(out);
	xm.progress = is_terminal(err) && (!term || strcmp(term, "dumb") != 0);
	xm.voice.colour = xm.progress && !(no_colour && *no_colour);
	ret = cli_run_as(tool, &xm.voice, &xm, argc, argv);
	if (ret == CLI_FAIL && xm.cause)
		ret = cli_status(tool, xm.cause);
	if (xm.xs)
		xs_close(xm.xs);
	return ret;
}
