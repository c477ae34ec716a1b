/* SPDX-License-Identifier: MIT */
/*
 * cmd.h - one table of commands makes dispatch, option parsing, help and completion.
 *
 * A tool defines a NULL-terminated array of pointers to struct cli_cmd, each const and in the
 * file of its command, and calls cli_run(). Nothing here touches the store: help always works.
 * Nothing is kept in the process: tests run a tool several times, and in threads.
 */
#ifndef STOREVISOR_CLI_CMD_H
#define STOREVISOR_CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "die.h"

#define CLI_OPT_MAX 64 /* options given in one line */

struct cli_opt {
	char letter;      /* 0: long form only; otherwise unique in the command */
	const char *name; /* long form without dashes; NULL: letter only */
	const char *arg;  /* what its argument is called in help; NULL: takes none */
	const char *help; /* NULL: taken for the sake of others' habits, and not shown */
};

struct cli_args;
struct cli_tool;

/* What -j makes of a command. */
enum cli_says {
	CLI_SAYS_JSON,	  /* it prints JSON itself */
	CLI_SAYS_NOTHING, /* it only ends: {"ok":true}, or false: status 1 without an error */
	CLI_SAYS_OTHER,	  /* what it prints is not its own: JSON are its errors only */
	CLI_SAYS_NO_JSON, /* it is for people: -j is refused */
};

struct cli_cmd {
	const char *name;
	const char *alias; /* second name, or NULL */
	const char *args;  /* for the usage line: "PATH..."; NULL: none */
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
	struct cli_voice *voice;
	void *with;  /* cli_run_as()'s */
	int argc;    /* positional arguments */
	char **argv; /* NULL-terminated where the words it was parsed from were */
	bool json;
	int nr_seen;
	struct cli_seen seen[CLI_OPT_MAX]; /* options in order of appearance */
};

/* A command of others' tools of that name that this one has not. */
struct cli_absent {
	const char *name;
	const char *why; /* completes "there is no NAME here: " */
};

struct cli_tool {
	const char *name;
	const char *summary;
	const struct cli_cmd *const *cmds;
	const char *footer; /* last lines of the help, or NULL */
	const struct cli_absent *absent; /* ends with {0}; NULL: none */
	const char *before; /* letters of switches that may stand before the command and do nothing */
	bool abbreviates;   /* a command's beginning will do where no other begins so */
	bool fails_by_one;  /* as Xen's tool: CLI_FAIL where it would be CLI_USAGE to CLI_NO_RIGHT */
};

/* `help [COMMAND]`, for every tool's table. */
extern const struct cli_cmd cli_help;

/* Runs the command argv[1] names, with the program's voice. Returns the exit status. */
int cli_run(const struct cli_tool *tool, int argc, char **argv);
/*
 * The same with another voice; the command finds @with in its arguments. @argv's order is changed.
 */
int cli_run_as(const struct cli_tool *tool, struct cli_voice *voice, void *with, int argc,
	       char **argv);
/* Runs the command of @like with other words, argv[0] being its name. */
int cli_run_again(const struct cli_args *like, int argc, char **argv);
/* A command by name or second name, or NULL. */
const struct cli_cmd *cli_find(const struct cli_tool *tool, const char *name);

/* The status of @tool for @code. */
int cli_status(const struct cli_tool *tool, int code);
/*
 * Says what is wrong with the line and where more is to be read; returns the status of a wrong
 * line.
 */
int cli_refuse(const struct cli_args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, and ends the program. */
_Noreturn void cli_usage(const struct cli_args *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Splits @argv (argv[0] is the command's name) by a->cmd->opts into a->seen and a->argv, which is
 * @argv in another order. Options and arguments may be mixed; "--" ends options; -cp, -f FILE,
 * -fFILE, --file FILE, --file=FILE and --fi FILE, where no other begins so, are understood. 0;
 * CLI_HELP_ASKED; -EINVAL with @err naming the first wrong word and the nearest option, and a->json
 * by all words: what is wrong is told in JSON wherever -j stands.
 */
#define CLI_ERROR_LEN 256
#define CLI_HELP_ASKED 1
int cli_parse(struct cli_args *a, int argc, char **argv, char err[CLI_ERROR_LEN]);
/* -j and -h; the first is not every command's. */
extern const struct cli_opt cli_common_opts[];

/* Option by its long name (or, when it has none, its letter as a string). */
bool cli_has(const struct cli_args *a, const char *name);
/* Last value given, else @def. */
const char *cli_str(const struct cli_args *a, const char *name, const char *def);
/* Last value as a number in @min..@max, else @def. A bad number ends the program (CLI_USAGE). */
long cli_num(const struct cli_args *a, const char *name, long min, long max, long def);
/* A duration with unit ("200ms", "2s", "5m", plain seconds) in ms; bad ones end the program. */
long cli_ms(const struct cli_args *a, const char *name, long def);
/* Such a duration: false when @text is none. */
bool cli_ms_of(const char *text, long *ms);
#define CLI_MS_WANTED "a time such as 200ms, 5s or 2m is wanted"

#endif
