/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - one table of commands makes dispatch, option parsing, help and completion.
 *
 * A tool defines a NULL-terminated array of pointers to struct cli_cmd, each const and in the
 * file of its command, and calls cli_run(). Nothing here touches the store: help always works.
 */
#ifndef STOREVISOR_CLI_CMD_H
#define STOREVISOR_CLI_CMD_H

#include <stdbool.h>

struct cli_opt {
	char letter;      /* 0: long form only; otherwise unique in the command */
	const char *name; /* long form without dashes; NULL: letter only */
	const char *arg;  /* what its argument is called in help; NULL: takes none */
	const char *help;
};

struct cli_args;
struct cli_tool;

/* What -j makes of a command. */
enum cli_says {
	CLI_SAYS_JSON,	  /* it prints JSON itself */
	CLI_SAYS_NOTHING, /* it only ends: {"ok":true}, or false with status 1 */
	CLI_SAYS_OTHER,	  /* what it prints is not its own: JSON are its errors only */
	CLI_SAYS_NO_JSON, /* it is for people: -j is refused */
};

struct cli_cmd {
	const char *name;
	const char *alias; /* second name, or NULL */
	const char *args;  /* for the usage line: "PATH..." */
	const char *help;  /* one line */
	const char *more;  /* paragraph for `help COMMAND`, or NULL */
	const char *example; /* command lines to imitate, a line each, without indentation; NULL */
	const struct cli_opt *opts; /* ends with {0}; NULL: none. -h and -j are everybody's */
	enum cli_says says;
	int min_args, max_args; /* positional; max < 0: any number */
	bool stop_at_first;     /* options end at the first positional argument */
	bool stop_at_exec;      /* options end at --exec..., which stays in argv with the rest */
	int (*run)(struct cli_args *a); /* returns the exit status */
};

struct cli_seen {
	const struct cli_opt *opt;
	const char *value;
};

struct cli_args {
	const struct cli_tool *tool;
	const struct cli_cmd *cmd;
	int argc;    /* positional arguments */
	char **argv; /* NULL-terminated */
	bool json;
	int nr_seen;
	struct cli_seen seen[64]; /* options in order of appearance */
};

struct cli_tool {
	const char *name;
	const char *summary;
	const struct cli_cmd *const *cmds;
	const char *footer; /* last lines of the help, or NULL */
};

/* Runs the command argv[1] names. Returns the exit status (CLI_USAGE for a wrong line). */
int cli_run(const struct cli_tool *tool, int argc, char **argv);
/* Runs one command, argv[0] being its name. */
int cli_run_cmd(const struct cli_tool *tool, const struct cli_cmd *cmd, int argc, char **argv);
const struct cli_cmd *cli_find(const struct cli_tool *tool, const char *name);

/* Option by its long name (or, when it has none, its letter as a string). */
bool cli_has(const struct cli_args *a, const char *name);
/* Last value given, else @def. */
const char *cli_str(const struct cli_args *a, const char *name, const char *def);
/* Last value as a number in @min..@max, else @def. A bad number ends the program (CLI_USAGE). */
long cli_num(const struct cli_args *a, const char *name, long min, long max, long def);
/* A duration with unit ("200ms", "2s", "5m", plain seconds) in ms; bad ones end the program. */
long cli_ms(const struct cli_args *a, const char *name, long def);
/* Usage error of this command: message, the usage line, exit CLI_USAGE. */
_Noreturn void cli_usage(const struct cli_args *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
