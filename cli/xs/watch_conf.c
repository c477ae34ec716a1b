/* SPDX-License-Identifier: MIT */
/*
 * watch_conf.c - reads an automation: NAME = VALUE lines become a command line of `xs watch`, which
 * then checks them as any other. Comments begin with #. A command is cut into words at blanks;
 * '...' and "..." keep blanks together.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "watch_conf.h"
#include "watch_resume.h"

#define LINE_MAX_LEN 4096
#define WORDS_MAX 256
#define VARIABLE "XS_WATCH_CONF" /* the descriptor of what is kept of the file */

struct conf {
	const char *file;
	int line, column;
	int nr, nr_exec;
	char *words[WORDS_MAX];	    /* options and paths */
	char *exec[WORDS_MAX];	    /* --exec and the command */
};

static _Noreturn void wrong(const struct conf *c, const char *what, const char *word)
{
	cli_die(CLI_USAGE, "%s:%d:%d: %s%s%s", c->file, c->line, c->column, what,
		*word ? ": " : "", word);
}

static void add(const struct conf *c, char **list, int *nr, char *word)
{
	if (*nr >= WORDS_MAX - 1)
		wrong(c, "too many words", "");
	list[(*nr)++] = must(word);
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return s;
}

/* Cuts the next word out of *@at, in place. NULL: none is left. */
static char *next_word(const struct conf *c, char **at)
{
	char *in = *at + strspn(*at, " \t"), *start = in, *out = in;
	char quote = '\0';

	if (!*in)
		return NULL;
	for (; *in && (quote || (*in != ' ' && *in != '\t')); in++) {
		if (quote ? *in == quote : *in == '\'' || *in == '"')
			quote = quote ? '\0' : *in;
		else
			*out++ = *in;
	}
	if (quote)
		wrong(c, "a quotation mark is not closed", "");
	*at = *in ? in + 1 : in;
	*out = '\0';
	return start;
}

static void take_command(struct conf *c, const char *name, char *value)
{
	char option[32], *word;

	if (c->nr_exec)
		wrong(c, "there is a command already", "");
	snprintf(option, sizeof(option), "--%s", name);
	add(c, c->exec, &c->nr_exec, strdup(option));
	while ((word = next_word(c, &value)))
		add(c, c->exec, &c->nr_exec, strdup(word));
	if (c->nr_exec == 1)
		wrong(c, "a command is missing after", name);
}

static const struct cli_opt *option_named(const char *name)
{
	const struct cli_opt *o = cmd_watch.opts;

	while (o->name && strcmp(o->name, name) != 0)
		o++;
	return o->name && strcmp(name, "config") != 0 ? o : NULL;
}

static void take_option(struct conf *c, const char *name, const char *value)
{
	const struct cli_opt *o = option_named(name);
	char *text = NULL;

	if (!o)
		wrong(c, "there is no such option", name);
	if (!o->arg && strcmp(value, "yes") != 0)
		wrong(c, "this option is \"yes\" or is left out", name);
	if (asprintf(&text, "--%s%s%s", name, o->arg ? "=" : "", o->arg ? value : "") < 0)
		text = NULL;
	add(c, c->words, &c->nr, text);
}

static void take_line(struct conf *c, char *text)
{
	char *equal, *name, *value, *start = text;

	text = trim(text);
	c->column = (int)(text - start) + 1;
	if (!*text || *text == '#')
		return;
	equal = strchr(text, '=');
	if (!equal)
		wrong(c, "NAME = VALUE is wanted", text);
	*equal = '\0';
	name = trim(text);
	value = trim(equal + 1);
	if (strcmp(name, "path") == 0)
		add(c, c->words, &c->nr, strdup(value));
	else if (strcmp(name, "exec") == 0 || strcmp(name, "exec-per-key") == 0)
		take_command(c, name, value);
	else
		take_option(c, name, value);
}

/* What a process before this one kept, once; NULL: nothing. */
static FILE *kept(void)
{
	const char *number = getenv(VARIABLE);
	FILE *f = number ? fdopen(atoi(number), "r") : NULL;

	unsetenv(VARIABLE); /* no handler is to see it */
	if (f)
		rewind(f);
	return f;
}

static void load(struct conf *c)
{
	char line[LINE_MAX_LEN];
	FILE *f = kept();

	if (!f)
		f = fopen(c->file, "re");

	if (!f)
		cli_die(CLI_USAGE, "%s: %s", c->file, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		c->line++;
		if (strlen(line) == sizeof(line) - 1 && line[sizeof(line) - 2] != '\n')
			wrong(c, "the line is too long", "");
		take_line(c, line);
	}
	if (ferror(f))
		cli_die(CLI_USAGE, "%s: %s", c->file, strerror(errno));
	fclose(f);
}

static int copy(FILE *from)
{
	int to = memfd_create("xs-watch-conf", 0);
	char part[4096];
	size_t n;

	while (to >= 0 && (n = fread(part, 1, sizeof(part), from)) > 0)
		if (write(to, part, n) != (ssize_t)n)
			break;
	if (to < 0 || (feof(from) && !ferror(from)))
		return to;
	close(to);
	errno = EIO;
	return -1;
}

static int keeping = -1; /* the descriptor */

bool watch_conf_keep(const char *file)
{
	FILE *from = fopen(file, "re");
	char number[16];

	if (!from)
		return false;
	keeping = copy(from);
	fclose(from);
	snprintf(number, sizeof(number), "%d", keeping);
	return keeping >= 0 && setenv(VARIABLE, number, 1) == 0;
}

void watch_conf_forget(void)
{
	unsetenv(VARIABLE);
	if (keeping >= 0)
		close(keeping);
	keeping = -1;
}

bool watch_conf_is_right(const char *file)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execl("/proc/self/exe", "xs", "watch", "--check", "--config", file, (char *)NULL);
		_exit(CLI_NO_HANDLER);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK;
}

static const char *file_read; /* once, at the start */

const char *watch_conf_file(void)
{
	return file_read;
}

int watch_conf_run(const struct cli_args *a)
{
	static struct conf c;
	static char *argv[2 * WORDS_MAX + 2];
	int argc = 0;

	c.file = file_read = cli_str(a, "config", NULL);
	resume_listen();
	load(&c);
	argv[argc++] = (char *)a->cmd->name;
	if (cli_has(a, "check"))
		argv[argc++] = (char *)"--check";
	for (int i = 0; i < a->argc; i++)
		add(&c, c.words, &c.nr, a->argv[i]);
	for (int i = 0; i < c.nr; i++)
		argv[argc++] = c.words[i];
	for (int i = 0; i < c.nr_exec; i++)
		argv[argc++] = c.exec[i];
	return cli_run_again(a, argc, argv);
}
