/* SPDX-License-Identifier: MIT */
/*
 * args.c - see args.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "nearest.h"

const struct opt args_common[] = {
	{'h', "help", NULL, "print this help"},
	{0},
};

struct cursor {
	struct args *args;
	const struct opt *options;
	int argc, at;
	char **argv;
	char *err;
};

static const struct opt *find_in(const struct opt *row, int key, const char *name, size_t len)
{
	for (; row && row->key; row++) {
		if (name && row->name && strlen(row->name) == len &&
		    strncmp(row->name, name, len) == 0)
			return row;
		if (!name && row->key == key && key < 0x100)
			return row;
	}
	return NULL;
}

static const struct opt *find(const struct cursor *c, int key, const char *name, size_t len)
{
	const struct opt *opt = find_in(c->options, key, name, len);

	return opt ? opt : find_in(args_common, key, name, len);
}

static int give(struct cursor *c, const struct opt *opt, const char *value)
{
	struct args *args = c->args;

	if (args->nr_given == ARGS_MAX) {
		snprintf(c->err, ARGS_ERROR_LEN, "more than %d options", ARGS_MAX);
		return -EINVAL;
	}
	args->given[args->nr_given].key = opt->key;
	args->given[args->nr_given++].value = value;
	return 0;
}

/* The next word as a value, for options that need one and had none attached. */
static const char *next_word(struct cursor *c)
{
	return c->at < c->argc ? c->argv[c->at++] : NULL;
}

static int unknown_long(struct cursor *c, const char *word, const char *name)
{
	struct nearest near = {0};
	char bare[64];

	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(name, "="), name);
	for (const struct opt *row = c->options; row && row->key; row++)
		if (row->name && row->help)
			nearest_offer(&near, bare, row->name);
	if (near.word)
		snprintf(c->err, ARGS_ERROR_LEN, "unknown option '%.80s'; did you mean '--%s'?",
			 word, near.word);
	else
		snprintf(c->err, ARGS_ERROR_LEN, "unknown option '%.80s'", word);
	return -EINVAL;
}

static int parse_long(struct cursor *c, const char *word)
{
	const char *name = word + 2, *eq = strchr(name, '='), *value = eq ? eq + 1 : NULL;
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	const struct opt *opt = find(c, 0, name, len);

	if (!opt)
		return unknown_long(c, word, name);
	if (!opt->arg && value) {
		snprintf(c->err, ARGS_ERROR_LEN, "option '--%s' takes no value", opt->name);
		return -EINVAL;
	}
	if (opt->arg && !value)
		value = next_word(c);
	if (opt->arg && !value) {
		snprintf(c->err, ARGS_ERROR_LEN, "option '--%s' needs %s", opt->name, opt->arg);
		return -EINVAL;
	}
	return give(c, opt, value);
}

static int parse_short(struct cursor *c, const char *word)
{
	int ret = 0;

	for (const char *s = word + 1; *s && !ret; s++) {
		const struct opt *opt = find(c, (unsigned char)*s, NULL, 0);
		const char *value = NULL;

		if (!opt) {
			snprintf(c->err, ARGS_ERROR_LEN, "unknown option '-%c'", *s);
			return -EINVAL;
		}
		if (!opt->arg) {
			ret = give(c, opt, NULL);
			continue;
		}
		value = s[1] ? s + 1 : next_word(c);
		if (!value) {
			snprintf(c->err, ARGS_ERROR_LEN, "option '-%c' needs %s", *s, opt->arg);
			return -EINVAL;
		}
		return give(c, opt, value);
	}
	return ret;
}

int args_parse(struct args *args, const struct opt *options, int argc, char **argv,
	       char err[ARGS_ERROR_LEN])
{
	struct cursor c = {args, options, argc, 0, argv, err};
	bool only_args = false;
	int ret = 0;

	memset(args, 0, sizeof(*args));
	while (c.at < argc && !ret) {
		const char *word = argv[c.at++];

		if (only_args || word[0] != '-' || !word[1]) {
			if (args->nr == ARGS_MAX) {
				snprintf(err, ARGS_ERROR_LEN, "more than %d arguments", ARGS_MAX);
				return -EINVAL;
			}
			args->at[args->nr++] = word;
		} else if (strcmp(word, "--") == 0) {
			only_args = true;
		} else if (word[1] == '-') {
			ret = parse_long(&c, word);
		} else {
			ret = parse_short(&c, word);
		}
	}
	return ret;
}

bool args_has(const struct args *args, int key)
{
	for (int i = 0; i < args->nr_given; i++)
		if (args->given[i].key == key)
			return true;
	return false;
}

const char *args_value(const struct args *args, int key)
{
	for (int i = args->nr_given; i-- > 0;)
		if (args->given[i].key == key)
			return args->given[i].value;
	return NULL;
}

bool args_seconds(const char *text, long long *ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0) || seconds > 86400)
		return false;
	*ns = (long long)(seconds * 1e9);
	return true;
}
