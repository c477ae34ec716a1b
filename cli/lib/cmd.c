/* SPDX-License-Identifier: MIT */
/*
 * cmd.c - dispatch and help from one table of commands.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "nearest.h"

#define HELP_COLUMN 12 /* names in `help` have that much room, or what the longest needs */

/* ---- help ---- */

static bool shows_opts(const struct cli_opt *o)
{
	while (o && (o->letter || o->name) && !o->help)
		o++;
	return o && (o->letter || o->name);
}

static void print_usage(const struct cli_tool *tool, const struct cli_cmd *cmd, FILE *f)
{
	fprintf(f, "Usage: %s %s%s%s%s\n", tool->name, cmd->name,
		shows_opts(cmd->opts) ? " [OPTION]..." : "", cmd->args ? " " : "",
		cmd->args ? cmd->args : "");
}

static void print_opts(const struct cli_opt *o, FILE *f)
{
	for (; o && (o->letter || o->name); o++) {
		char left[64];
		int n = o->letter ? snprintf(left, sizeof(left), "-%c", o->letter) :
				    snprintf(left, sizeof(left), "  ");

		if (!o->help)
			continue;
		if (o->name)
			n += snprintf(left + n, sizeof(left) - n, "%s --%s", o->letter ? "," : " ",
				      o->name);
		if (o->arg)
			snprintf(left + n, sizeof(left) - n, " %s", o->arg);
		fprintf(f, "  %-28s %s\n", left, o->help);
	}
}

static void print_example(const char *text, FILE *f)
{
	fputs("\nFor example:\n", f);
	while (*text) {
		int len = (int)strcspn(text, "\n");

		fprintf(f, "  %.*s\n", len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_cmd_help(const struct cli_tool *tool, const struct cli_cmd *cmd, FILE *f)
{
	print_usage(tool, cmd, f);
	fprintf(f, "\n%s%s\n", cmd->help, strchr(".", cmd->help[strlen(cmd->help) - 1]) ? "" : ".");
	if (cmd->alias)
		fprintf(f, "Also called %s.\n", cmd->alias);
	fputc('\n', f);
	print_opts(cmd->opts, f);
	print_opts(cli_common_opts + (cmd->says == CLI_SAYS_NO_JSON), f);
	if (cmd->more)
		fprintf(f, "\n%s\n", cmd->more);
	if (cmd->example)
		print_example(cmd->example, f);
	if (cmd == &cli_help)
		fprintf(f, "\nFor example:\n  %s help %s\n", tool->name, tool->cmds[0]->name);
}

/* Four lines, which the completion that comes with Xen skips, then some of " name  summary". */
static void print_help(const struct cli_tool *tool, FILE *f)
{
	int width = HELP_COLUMN;

	for (size_t i = 0; tool->cmds[i]; i++)
		if ((int)strlen(tool->cmds[i]->name) > width)
			width = (int)strlen(tool->cmds[i]->name);
	fprintf(f, "Usage: %s COMMAND [OPTION]... [ARGUMENT]...\n\n%s\n\n", tool->name, tool->summary);
	for (size_t i = 0; tool->cmds[i]; i++)
		fprintf(f, " %-*s %s\n", width, tool->cmds[i]->name, tool->cmds[i]->help);
	fprintf(f, "\n%s help COMMAND tells more.\n", tool->name);
	if (tool->footer)
		fprintf(f, "%s\n", tool->footer);
}

/* ---- what is wrong with a line ---- */

int cli_status(const struct cli_tool *tool, int code)
{
	return tool->fails_by_one && code >= CLI_USAGE && code <= CLI_NO_RIGHT ? CLI_FAIL : code;
}

static int refuse(const struct cli_args *a, const char *fmt, va_list ap)
{
	int status = cli_status(a->tool, CLI_USAGE);
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	cli_say(a->voice, CLI_ERROR, status, "%s (see: %s help%s%s)", text, a->tool->name,
		a->cmd ? " " : "", a->cmd ? a->cmd->name : "");
	return status;
}

int cli_refuse(const struct cli_args *a, const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = refuse(a, fmt, ap);
	va_end(ap);
	return status;
}

_Noreturn void cli_usage(const struct cli_args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cli_end(refuse(a, fmt, ap));
}

/* ---- dispatch ---- */

const struct cli_cmd *cli_find(const struct cli_tool *tool, const char *name)
{
	for (size_t i = 0; tool->cmds[i]; i++) {
		const struct cli_cmd *c = tool->cmds[i];

		if (strcmp(c->name, name) == 0 || (c->alias && strcmp(c->alias, name) == 0))
			return c;
	}
	return NULL;
}

/* The one command that begins so; NULL: none, or several, then named in @candidates. */
static const struct cli_cmd *find_beginning(const struct cli_tool *tool, const char *name,
					    char candidates[256])
{
	const struct cli_cmd *found = NULL;
	size_t at = 0;
	int nr = 0;

	candidates[0] = '\0';
	for (size_t i = 0; tool->abbreviates && tool->cmds[i]; i++) {
		if (strncmp(tool->cmds[i]->name, name, strlen(name)) != 0)
			continue;
		found = tool->cmds[i];
		if (at < 256)
			at += (size_t)snprintf(candidates + at, 256 - at, "%s%s", nr ? ", " : "",
					       found->name);
		nr++;
	}
	return nr == 1 ? found : NULL;
}

/* Why there is no @name, which others' tools have; NULL: nobody's. */
static const char *why_absent(const struct cli_tool *tool, const char *name)
{
	for (const struct cli_absent *a = tool->absent; a && a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a->why;
	return NULL;
}

/* Whether a line is to be answered in JSON when nobody knows whose options it has. */
static bool asks_for_json(int argc, char **argv)
{
	static const struct cli_cmd nobodys = { .stop_at_exec = true };
	struct cli_args a = { .cmd = &nobodys };
	char err[CLI_ERROR_LEN];

	cli_parse(&a, argc, argv, err);
	return a.json;
}

/*
 * The command that @argv[0] names; NULL and *@status after saying that there is none, and @argv in
 * another order.
 */
static const struct cli_cmd *find_or_refuse(const struct cli_args *a, int argc, char **argv,
					    int *status)
{
	const char *name = argv[0];
	const struct cli_cmd *cmd = cli_find(a->tool, name);
	const struct cli_args line = { .tool = a->tool, .voice = a->voice };
	const char *why = why_absent(a->tool, name);
	struct nearest near = { 0 };
	char candidates[256];

	if (!cmd)
		cmd = find_beginning(a->tool, name, candidates);
	if (cmd)
		return cmd;
	a->voice->json = a->voice->json || asks_for_json(argc, argv);
	for (size_t i = 0; a->tool->cmds[i]; i++)
		nearest_offer(&near, name, a->tool->cmds[i]->name);
	if (candidates[0])
		*status = cli_refuse(&line, "'%s' is the beginning of several commands: %s", name,
				     candidates);
	else if (why)
		*status = cli_refuse(&line, "there is no %s here: %s", name, why);
	else if (near.word)
		*status = cli_refuse(&line, "unknown command '%s'; did you mean '%s'?", name,
				     near.word);
	else
		*status = cli_refuse(&line, "unknown command '%s'", name);
	return NULL;
}

static int wrong_count(const struct cli_args *a)
{
	const struct cli_cmd *cmd = a->cmd;
	const char *words = cmd->args ? cmd->args : "", *gap = *words ? " " : "";

	if (a->argc < cmd->min_args)
		return cli_refuse(a, "something is missing: %s %s%s%s", a->tool->name, cmd->name, gap,
				  words);
	if (cmd->max_args >= 0 && a->argc > cmd->max_args)
		return cli_refuse(a, "'%s' is one word too many: %s %s%s%s", a->argv[cmd->max_args],
				  a->tool->name, cmd->name, gap, words);
	if (a->json && cmd->says == CLI_SAYS_NO_JSON)
		return cli_refuse(a, "%s: there is no JSON of it", cmd->name);
	return 0;
}

static int run_cmd(struct cli_args *a, int argc, char **argv)
{
	char err[CLI_ERROR_LEN];
	int rc, status;

	rc = cli_parse(a, argc, argv, err);
	if (rc == CLI_HELP_ASKED) {
		print_cmd_help(a->tool, a->cmd, cli_out(a->voice));
		return CLI_OK;
	}
	a->voice->json = a->voice->json || a->json;
	if (rc)
		return cli_refuse(a, "%s", err);
	status = wrong_count(a);
	if (status)
		return status;
	status = a->cmd->run(a);
	if (a->json && a->cmd->says == CLI_SAYS_NOTHING && status <= CLI_FAIL &&
	    !a->voice->said_error)
		fprintf(cli_out(a->voice), "{\"ok\":%s}\n", status ? "false" : "true");
	return status;
}

int cli_run_again(const struct cli_args *like, int argc, char **argv)
{
	struct cli_args a = { .tool = like->tool, .cmd = like->cmd, .voice = like->voice,
			      .with = like->with };

	return run_cmd(&a, argc, argv);
}

static int run_help(struct cli_args *a)
{
	const struct cli_cmd *cmd;
	int status = CLI_OK;

	if (!a->argc) {
		print_help(a->tool, cli_out(a->voice));
		return CLI_OK;
	}
	cmd = find_or_refuse(a, a->argc, a->argv, &status);
	if (cmd)
		print_cmd_help(a->tool, cmd, cli_out(a->voice));
	return status;
}

static const struct cli_opt help_opts[] = {
	{ 0, "long", NULL, NULL }, /* xm help --long */
	{ 0 },
};

const struct cli_cmd cli_help = {
	.name = "help",
	.args = "[COMMAND]",
	.help = "List the commands, or explain one",
	.opts = help_opts,
	.says = CLI_SAYS_NO_JSON,
	.max_args = 1,
	.run = run_help,
};

/* The index of the command's word, or -1 for an option nobody takes there. */
static int skip_before(const struct cli_tool *tool, int argc, char **argv)
{
	const char *letters = tool->before ? tool->before : "";
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "--version") == 0)
			break;
		if (strspn(argv[i] + 1, letters) != strlen(argv[i] + 1))
			return -i;
	}
	return i;
}

static int run_named(struct cli_args *a, int argc, char **argv)
{
	int at = skip_before(a->tool, argc, argv), status;

	if (at < 0) {
		const char *word = argv[-at];

		a->voice->json = a->voice->json || asks_for_json(argc, argv);
		return cli_refuse(a, "unknown option '%s' before the command", word);
	}
	if (at >= argc) {
		print_help(a->tool, cli_err(a->voice));
		return cli_status(a->tool, CLI_USAGE);
	}
	if (strcmp(argv[at], "--version") == 0) {
		fprintf(cli_out(a->voice), "%s (Storevisor) %s\n", a->tool->name, STOREVISOR_VERSION);
		return CLI_OK;
	}
	if (argv[at][0] == '-' && argv[at][1])
		a->cmd = &cli_help;
	else
		a->cmd = find_or_refuse(a, argc - at, argv + at, &status);
	return a->cmd ? run_cmd(a, argc - at, argv + at) : status;
}

/* Whether the reader of @f went away: what failed of old is not in errno any more. */
static bool nobody_reads(FILE *f)
{
	struct pollfd p = { .fd = fileno(f), .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

/* A backup cut short by a full disk is no success; a reader that went away wants no more. */
int cli_run_as(const struct cli_tool *tool, struct cli_voice *voice, void *with, int argc,
	       char **argv)
{
	struct cli_args a = { .tool = tool, .voice = voice, .with = with };
	FILE *out = cli_out(voice);
	int status = run_named(&a, argc, argv);

	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return status;
	if (errno == EPIPE || nobody_reads(out))
		return status;
	cli_say(voice, CLI_ERROR, CLI_FAIL, "standard output: %s",
		errno ? strerror(errno) : "not all was written");
	return CLI_FAIL;
}

int cli_run(const struct cli_tool *tool, int argc, char **argv)
{
	struct cli_voice *voice = cli_voice();

	voice->name = tool->name;
	return cli_run_as(tool, voice, NULL, argc, argv);
}
