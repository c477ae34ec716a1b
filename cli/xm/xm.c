/* SPDX-License-Identifier: MIT */
/*
 * xm.c - from the words of the command line to one row of the command table; messages; the
 * connection. See xm.h.
 */
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#include "args.h"
#include "commands.h"
#include "nearest.h"
#include "xm.h"

static void say(struct xm *xm, const char *label, const char *colour, const char *fmt, va_list ap)
{
	fflush(xm->out);
	if (xm->colour)
		fprintf(xm->err, "\033[%sm%s:\033[0m ", colour, label);
	else
		fprintf(xm->err, "%s: ", label);
	vfprintf(xm->err, fmt, ap);
	fputc('\n', xm->err);
	fflush(xm->err);
}

int xm_fail(struct xm *xm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(xm, "Error", "31", fmt, ap);
	va_end(ap);
	return 1;
}

void xm_warn(struct xm *xm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(xm, "Warning", "33", fmt, ap);
	va_end(ap);
}

int xm_fail_store(struct xm *xm, const char *what, int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return xm_fail(xm, "%s: the store does not allow it: run as root in Domain-0",
			       what);
	case ENOSPC:
		return xm_fail(
			xm,
			"%s: the store is full: no room under /var/lib/xenstored, or a quota "
			"is reached",
			what);
	case EAGAIN:
		return xm_fail(xm, "%s: others kept changing the same keys; try again", what);
	default:
		return xm_fail(xm, "%s: the store says: %s", what, strerror(err));
	}
}

struct xs_handle *xm_store(struct xm *xm)
{
	if (xm->xs)
		return xm->xs;
	xm->xs = xs_open(0);
	if (!xm->xs && (errno == EACCES || errno == EPERM))
		xm_fail(xm, "the store at %s does not let you in: run as root", xs_daemon_socket());
	else if (!xm->xs)
		xm_fail(xm, "cannot reach the store at %s: %s; is xenstored running?",
			xs_daemon_socket(), strerror(errno));
	return xm->xs;
}

static void command_nearest(struct xm *xm, const char *name)
{
	struct nearest near = {0};

	for (size_t i = 0; command_at(i); i++)
		nearest_offer(&near, name, command_at(i)->name);
	if (near.word)
		xm_fail(xm, "unknown command '%s'; did you mean '%s'? ('%s help' lists them all)",
			name, near.word, xm->prog);
	else
		xm_fail(xm, "unknown command '%s' ('%s help' lists them all)", name, xm->prog);
}

const struct command *command_find(struct xm *xm, const char *name)
{
	const struct command *found = NULL;
	char candidates[256] = "";
	int nr = 0;

	for (size_t i = 0; command_at(i); i++) {
		const struct command *cmd = command_at(i);
		size_t used = strlen(candidates);

		if (strcmp(cmd->name, name) == 0)
			return cmd;
		if (strncmp(cmd->name, name, strlen(name)) != 0)
			continue;
		found = cmd;
		snprintf(candidates + used, sizeof(candidates) - used, "%s%s", nr++ ? ", " : "",
			 cmd->name);
	}
	if (nr == 1)
		return found;
	if (nr > 1)
		xm_fail(xm, "'%s' is the beginning of several commands: %s", name, candidates);
	else
		command_nearest(xm, name);
	return NULL;
}

static bool wrong_count(struct xm *xm, const struct command *cmd, const struct args *args)
{
	if (args->nr < cmd->min_args)
		xm_fail(xm, "something is missing: %s %s %s", xm->prog, cmd->name, cmd->usage);
	else if (cmd->max_args >= 0 && args->nr > cmd->max_args)
		xm_fail(xm, "'%s' is one word too many: %s %s %s", args->at[cmd->max_args],
			xm->prog, cmd->name, cmd->usage);
	else
		return false;
	return true;
}

static int run(struct xm *xm, const struct command *cmd, int argc, char **argv)
{
	char err[ARGS_ERROR_LEN];
	struct args *args = malloc(sizeof(*args));
	int ret;

	if (!args)
		return xm_fail(xm, "out of memory");
	xm->command = cmd->name;
	if (args_parse(args, cmd->options, argc, argv, err) < 0) {
		ret = xm_fail(xm, "%s ('%s %s -h' shows its options)", err, xm->prog, cmd->name);
	} else if (args_has(args, 'h')) {
		command_help(xm, xm->out, cmd);
		ret = 0;
	} else {
		ret = wrong_count(xm, cmd, args) ? 1 : cmd->run(xm, args);
	}
	free(args);
	return ret;
}

/*
 * Options before the command: xl's -v (verbose), -f -t -T (accepted, no effect here). Returns the
 * number of words taken, or -1 after an error.
 */
static int global_options(struct xm *xm, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			break;
		if (strspn(argv[i] + 1, "vftT") != strlen(argv[i] + 1)) {
			xm_fail(xm, "unknown option '%s' before the command ('%s help')", argv[i],
				xm->prog);
			return -1;
		}
		xm->verbose = xm->verbose || strchr(argv[i], 'v');
	}
	return i;
}

static int dispatch(struct xm *xm, int argc, char **argv)
{
	const struct command *cmd;
	int taken = global_options(xm, argc, argv);

	if (taken < 0)
		return 1;
	if (taken == argc) {
		help_summary(xm, xm->err);
		return 1;
	}
	if (strcmp(argv[taken], "-h") == 0 || strcmp(argv[taken], "--help") == 0) {
		help_summary(xm, xm->out);
		return 0;
	}
	cmd = command_find(xm, argv[taken]);
	return cmd ? run(xm, cmd, argc - taken - 1, argv + taken + 1) : 1;
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
	struct xm xm = {
		.prog = strcmp(base, "xl") == 0 ? "xl" : "xm", .in = in, .out = out, .err = err};
	int ret;

	xm.out_tty = is_terminal(out);
	xm.progress = is_terminal(err) && (!term || strcmp(term, "dumb") != 0);
	xm.colour = xm.progress && !(no_colour && *no_colour);
	ret = dispatch(&xm, argc, argv);
	if (fflush(out) || ferror(out))
		ret = ret ? ret : 1;
	if (xm.xs)
		xs_close(xm.xs);
	return ret;
}
