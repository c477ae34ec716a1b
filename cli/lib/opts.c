/* SPDX-License-Identifier: MIT */
/*
 * opts.c - the words of a command line into options and arguments, by the rows of one command.
 * Unlike getopt it keeps no state in the process, and offers the nearest of what there is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "nearest.h"

const struct cli_opt cli_common_opts[] = {
	{ 'j', "json", NULL, "machine-readable output, errors too" },
	{ 'h', "help", NULL, "this text" },
	{ 0 },
};

static const struct cli_opt *const json_opt = &cli_common_opts[0];
static const struct cli_opt *const help_opt = &cli_common_opts[1];

struct cursor {
	struct cli_args *a;
	int at, end; /* the next word; where options end */
	char **argv;
	char *err; /* what is wrong first; empty: nothing */
	bool help;
};

/* The rest is looked at all the same: -j may stand there. */
static void wrong(struct cursor *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct cursor *c, const char *fmt, ...)
{
	va_list ap;

	if (*c->err)
		return;
	va_start(ap, fmt);
	vsnprintf(c->err, CLI_ERROR_LEN, fmt, ap);
	va_end(ap);
}

static bool opt_end(const struct cli_opt *o)
{
	return !o->letter && !o->name;
}

/* The command's options, then everybody's; NULL after the last. Begins with @o NULL. */
static const struct cli_opt *opt_next(const struct cli_cmd *cmd, const struct cli_opt *o)
{
	bool common = o == json_opt || o == help_opt;

	o = o ? o + 1 : cmd->opts;
	if (!common && (!o || opt_end(o)))
		return json_opt;
	return opt_end(o) ? NULL : o;
}

static const struct cli_opt *find_letter(const struct cli_cmd *cmd, char letter)
{
	const struct cli_opt *o = NULL;

	while ((o = opt_next(cmd, o)) && o->letter != letter)
		;
	return o;
}

/* By its name, or a beginning that is shown and no other's. */
static const struct cli_opt *find_name(const struct cli_cmd *cmd, const char *name, size_t len)
{
	const struct cli_opt *found = NULL;
	int nr = 0;

	for (const struct cli_opt *o = NULL; (o = opt_next(cmd, o));) {
		if (!o->name || strncmp(o->name, name, len) != 0)
			continue;
		if (!o->name[len])
			return o;
		if (!o->help)
			continue;
		found = o;
		nr++;
	}
	return nr == 1 ? found : NULL;
}

static void give(struct cursor *c, const struct cli_opt *o, const char *value)
{
	struct cli_args *a = c->a;

	if (o == help_opt)
		c->help = true;
	if (o == json_opt)
		a->json = true;
	if (a->nr_seen == CLI_OPT_MAX)
		wrong(c, "more than %d options", CLI_OPT_MAX);
	else
		a->seen[a->nr_seen++] = (struct cli_seen){ o, value };
}

/* The next word as a value, for options that need one and had none attached. */
static const char *next_word(struct cursor *c)
{
	return c->at < c->end ? c->argv[c->at++] : NULL;
}

static void unknown_long(struct cursor *c, const char *word, const char *name, size_t len)
{
	struct nearest near = { 0 };
	char bare[64];

	snprintf(bare, sizeof(bare), "%.*s", (int)(len < sizeof(bare) ? len : sizeof(bare) - 1), name);
	for (const struct cli_opt *o = NULL; (o = opt_next(c->a->cmd, o));)
		if (o->name && o->help)
			nearest_offer(&near, bare, o->name);
	if (near.word)
		wrong(c, "unknown option '%.80s'; did you mean '--%s'?", word, near.word);
	else
		wrong(c, "unknown option '%.80s'", word);
}

static void take_long(struct cursor *c, const char *word)
{
	const char *name = word + 2, *value;
	size_t len = strcspn(name, "=");
	const struct cli_opt *o = find_name(c->a->cmd, name, len);

	value = name[len] ? name + len + 1 : NULL;
	if (!o) {
		unknown_long(c, word, name, len);
		return;
	}
	if (!o->arg && value) {
		wrong(c, "option '--%s' takes no value", o->name);
		return;
	}
	if (o->arg && !value)
		value = next_word(c);
	if (o->arg && !value)
		wrong(c, "option '--%s' needs %s", o->name, o->arg);
	else
		give(c, o, value);
}

static void take_letters(struct cursor *c, const char *word)
{
	for (const char *s = word + 1; *s && !c->help; s++) {
		const struct cli_opt *o = find_letter(c->a->cmd, *s);
		const char *value;

		if (!o) {
			wrong(c, "unknown option '-%c'", *s);
			continue;
		}
		if (!o->arg) {
			give(c, o, NULL);
			continue;
		}
		value = s[1] ? s + 1 : next_word(c);
		if (!value)
			wrong(c, "option '-%c' needs %s", *s, o->arg);
		else
			give(c, o, value);
		return;
	}
}

/* Index of the first "--exec..." argument, else @argc. */
static int exec_at(int argc, char **argv)
{
	int i = 1;

	while (i < argc && strncmp(argv[i], "--exec", 6) != 0)
		i++;
	return i;
}

int cli_parse(struct cli_args *a, int argc, char **argv, char err[CLI_ERROR_LEN])
{
	const struct cli_cmd *cmd = a->cmd;
	int end = cmd->stop_at_exec ? exec_at(argc, argv) : argc;
	struct cursor c = { .a = a, .at = 1, .end = end, .argv = argv, .err = err };
	bool only_args = false;

	*err = '\0';
	a->argv = argv + 1;
	while (c.at < end && !c.help) {
		char *word = argv[c.at++];

		if (only_args || word[0] != '-' || !word[1]) {
			a->argv[a->argc++] = word;
			only_args = only_args || cmd->stop_at_first;
		} else if (strcmp(word, "--") == 0) {
			only_args = true;
		} else if (word[1] == '-') {
			take_long(&c, word);
		} else {
			take_letters(&c, word);
		}
	}
	if (*err || c.help)
		return *err ? -EINVAL : CLI_HELP_ASKED;
	for (int i = end; i < argc; i++)
		a->argv[a->argc++] = argv[i];
	if (a->argc + 1 < argc)
		a->argv[a->argc] = NULL;
	return 0;
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

bool cli_ms_of(const char *text, long *ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	char *end;
	double n = strtod(text, &end);

	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0 && n >= 0 && n * units[i].ms < 1e12) {
			*ms = (long)(n * units[i].ms);
			return true;
		}
	return false;
}

long cli_ms(const struct cli_args *a, const char *name, long def)
{
	const char *text = cli_str(a, name, NULL);
	long ms = def;

	if (text && !cli_ms_of(text, &ms))
		cli_usage(a, "--%s %s: " CLI_MS_WANTED, name, text);
	return ms;
}
