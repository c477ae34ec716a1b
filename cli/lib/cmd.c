/* SPDX-License-Identifier: MIT */
/*
 * cmd.c - dispatch, options and help from one table of commands.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "die.h"

#define MAX_OPTS 32
#define LONG_BASE 256 /* getopt values of options without a letter */

/* -j first: not everybody's */
static const struct cli_opt common_opts[] = {
	{ 'j', "json", NULL, "machine-readable output, errors too" },
	{ 'h', "help", NULL, "this text" },
	{ 0 },
};

static bool opt_end(const struct cli_opt *o)
{
	return !o->letter && !o->name;
}

/* ---- help ---- */

static void print_usage(const struct cli_tool *tool, const struct cli_cmd *cmd, FILE *f)
{
	fprintf(f, "Usage: %s %s%s %s\n", tool->name, cmd->name,
		cmd->opts ? " [OPTION]..." : "", cmd->args ? cmd->args : "");
}

static void print_opts(const struct cli_opt *o, FILE *f)
{
	for (; o && !opt_end(o); o++) {
		char left[64];
		int n = o->letter ? snprintf(left, sizeof(left), "-%c", o->letter) :
				    snprintf(left, sizeof(left), "  ");

		if (o->name)
			n += snprintf(left + n, sizeof(left) - n, "%s --%s", o->letter ? "," : " ",
				      o->name);
		if (o->arg)
			snprintf(left + n, sizeof(left) - n, " %s", o->arg);
		fprintf(f, "  %-28s %s\n", left, o->help);
	}
}

static void print_example(const char *text)
{
	printf("\nFor example:\n");
	while (*text) {
		int len = (int)strcspn(text, "\n");

		printf("  %.*s\n", len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_cmd_help(const struct cli_tool *tool, const struct cli_cmd *cmd)
{
	print_usage(tool, cmd, stdout);
	printf("\n%s%s\n", cmd->help, strchr(".", cmd->help[strlen(cmd->help) - 1]) ? "" : ".");
	if (cmd->alias)
		printf("Also called %s.\n", cmd->alias);
	printf("\n");
	print_opts(cmd->opts, stdout);
	print_opts(common_opts + (cmd->says == CLI_SAYS_NO_JSON), stdout);
	if (cmd->more)
		printf("\n%s\n", cmd->more);
	if (cmd->example)
		print_example(cmd->example);
}

static int print_help(const struct cli_tool *tool)
{
	printf("Usage: %s COMMAND [OPTION]... [ARGUMENT]...\n%s\n\n", tool->name, tool->summary);
	for (size_t i = 0; tool->cmds[i]; i++)
		printf(" %-12s %s\n", tool->cmds[i]->name, tool->cmds[i]->help);
	printf("\n%s help COMMAND tells more.\n", tool->name);
	if (tool->footer)
		printf("%s\n", tool->footer);
	return CLI_OK;
}

_Noreturn void cli_usage(const struct cli_args *a, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_die(CLI_USAGE, "%s (see: %s help %s)", text, cli_name(), a->cmd->name);
}

/* ---- options ---- */

struct parser {
	char letters[2 * MAX_OPTS + 8];
	struct option longs[MAX_OPTS + 3];
	const struct cli_opt *by_index[MAX_OPTS + 3];
	int nr;
};

static void parser_add(struct parser *p, const struct cli_opt *o)
{
	for (; o && !opt_end(o) && p->nr < MAX_OPTS + 2; o++) {
		size_t at = strlen(p->letters);

		p->by_index[p->nr] = o;
		p->longs[p->nr] = (struct option){
			.name = o->name ? o->name : "",
			.has_arg = o->arg ? required_argument : no_argument,
			.val = LONG_BASE + p->nr,
		};
		if (o->letter) {
			p->letters[at++] = o->letter;
			if (o->arg)
				p->letters[at++] = ':';
			p->letters[at] = '\0';
		}
		p->nr++;
	}
}

static const struct cli_opt *parser_find(const struct parser *p, int val)
{
	if (val >= LONG_BASE)
		return p->by_index[val - LONG_BASE];
	for (int i = 0; i < p->nr; i++)
		if (p->by_index[i]->letter == val)
			return p->by_index[i];
	return NULL;
}

static void take_opt(struct cli_args *a, const struct cli_opt *o, const char *value)
{
	const int max = sizeof(a->seen) / sizeof(a->seen[0]);

	if (o->letter == 'j' && o->name && strcmp(o->name, "json") == 0) {
		a->json = true;
		cli_set_json_errors(1);
	}
	if (a->nr_seen == max)
		cli_usage(a, "more than %d options", max);
	a->seen[a->nr_seen++] = (struct cli_seen){ o, value };
}

/* Index of the first "--exec..." argument, else @argc. */
static int exec_at(int argc, char **argv)
{
	int i = 1;

	while (i < argc && strncmp(argv[i], "--exec", 6) != 0)
		i++;
	return i;
}

/* Returns false when help was asked for. */
static bool parse(struct cli_args *a, int argc, char **argv)
{
	struct parser p = { .letters = "" };
	int val, end = a->cmd->stop_at_exec ? exec_at(argc, argv) : argc;

	strcpy(p.letters, a->cmd->stop_at_first ? "+:" : ":");
	parser_add(&p, a->cmd->opts);
	parser_add(&p, common_opts);
	optind = 0;
	opterr = 0;
	/* what is wrong with an option before it is told as -j wants it, too */
	for (int i = 1; i < end && !a->cmd->stop_at_first && strcmp(argv[i], "--"); i++)
		if (strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0)
			cli_set_json_errors(1);
	while ((val = getopt_long(end, argv, p.letters, p.longs, NULL)) != -1) {
		const struct cli_opt *o;

		if (val == ':')
			cli_usage(a, "%s needs an argument", argv[optind - 1]);
		if (val == '?')
			cli_usage(a, "unknown option %s", argv[optind - 1]);
		o = parser_find(&p, val);
		if (o->letter == 'h' && o->name && strcmp(o->name, "help") == 0)
			return false;
		take_opt(a, o, optarg);
	}
	a->argc = argc - optind;
	a->argv = argv + optind;
	return true;
}

static const char *key_of(const struct cli_opt *o, char buf[2])
{
	if (o->name)
		return o->name;
	buf[0] = o->letter;
	buf[1] = '\0';
	return buf;
}

const char *cli_str(const struct cli_args *a, const char *name, const char *def)
{
	char buf[2];

	for (int i = a->nr_seen - 1; i >= 0; i--)
		if (strcmp(key_of(a->seen[i].opt, buf), name) == 0)
			return a->seen[i].value ? a->seen[i].value : "";
	return def;
}

bool cli_has(const struct cli_args *a, const char *name)
{
	return cli_str(a, name, NULL) != NULL;
}

long cli_num(const struct cli_args *a, const char *name, long min, long max, long def)
{
	const char *text = cli_str(a, name, NULL);
	char *end;
	long n;

	if (!text)
		return def;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		cli_usage(a, "--%s %s: a number from %ld to %ld is wanted", name, text, min, max);
	return n;
}

long cli_ms(const struct cli_args *a, const char *name, long def)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	const char *text = cli_str(a, name, NULL);
	char *end;
	double n;

	if (!text)
		return def;
	n = strtod(text, &end);
	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0 && n >= 0 && n * units[i].ms < 1e12)
			return (long)(n * units[i].ms);
	cli_usage(a, "--%s %s: a time such as 200ms, 5s or 2m is wanted", name, text);
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

int cli_run_cmd(const struct cli_tool *tool, const struct cli_cmd *cmd, int argc, char **argv)
{
	struct cli_args a = { .tool = tool, .cmd = cmd };
	int code;

	if (!parse(&a, argc, argv)) {
		print_cmd_help(tool, cmd);
		return CLI_OK;
	}
	if (a.argc < cmd->min_args)
		cli_usage(&a, "%s: an argument is missing: %s", cmd->name, cmd->args);
	if (cmd->max_args >= 0 && a.argc > cmd->max_args)
		cli_usage(&a, "%s: one argument too many: %s", cmd->name, a.argv[cmd->max_args]);
	if (a.json && cmd->says == CLI_SAYS_NO_JSON)
		cli_usage(&a, "%s: there is no JSON of it", cmd->name);
	code = cmd->run(&a);
	if (a.json && cmd->says == CLI_SAYS_NOTHING && code <= CLI_FAIL)
		printf("{\"ok\":%s}\n", code ? "false" : "true");
	return code;
}

static int run_help(const struct cli_tool *tool, int argc, char **argv)
{
	const struct cli_cmd *cmd = argc > 2 ? cli_find(tool, argv[2]) : NULL;

	if (argc <= 2)
		return print_help(tool);
	if (!cmd)
		cli_die(CLI_USAGE, "there is no command %s (see: %s help)", argv[2], tool->name);
	print_cmd_help(tool, cmd);
	return CLI_OK;
}

static int run_named(const struct cli_tool *tool, int argc, char **argv)
{
	const struct cli_cmd *cmd;

	if (argc < 2) {
		print_help(tool);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)
		return run_help(tool, argc, argv);
	if (strcmp(argv[1], "--version") == 0) {
		printf("%s (Storevisor) %s\n", tool->name, STOREVISOR_VERSION);
		return CLI_OK;
	}
	cmd = cli_find(tool, argv[1]);
	if (!cmd)
		cli_die(CLI_USAGE, "there is no command %s (see: %s help)", argv[1], tool->name);
	return cli_run_cmd(tool, cmd, argc - 1, argv + 1);
}

/* A backup cut short by a full disk is no success; a reader that went away wants no more. */
int cli_run(const struct cli_tool *tool, int argc, char **argv)
{
	int code = run_named(tool, argc, argv);

	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE)
		cli_die(CLI_FAIL, "standard output: %s",
			errno ? strerror(errno) : "not all was written");
	return code;
}
