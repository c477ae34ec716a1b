/* SPDX-License-Identifier: MIT */
/*
 * cmd_grep.c - `xs grep`: nodes whose value, or path, matches a regular expression.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "match.h"
#include "store.h"

struct job {
	regex_t regex;
	const char *fixed; /* NULL: the expression counts */
	bool paths, invert;
	struct shower shower;
	size_t found;
};

/* Values may hold NUL bytes: the expression sees all of it. */
static bool has(const struct job *j, const char *text, size_t len)
{
	regmatch_t where = { .rm_so = 0, .rm_eo = (regoff_t)len };

	if (j->fixed)
		return memmem(text, len, j->fixed, strlen(j->fixed)) != NULL;
	return regexec(&j->regex, text, 1, &where, REG_STARTEND) == 0;
}

static void look(void *arg, const struct xs_node *n, const char *path)
{
	struct job *j = arg;
	bool hit = (n->value && has(j, n->value, n->value_len)) ||
		   (j->paths && has(j, path, strlen(path)));

	if (hit == j->invert)
		return;
	j->found++;
	shower_node(&j->shower, n, path);
}

static void compile(struct cli_args *a, struct job *j)
{
	int rc = regcomp(&j->regex, a->argv[0],
			 REG_EXTENDED | (cli_has(a, "ignore-case") ? REG_ICASE : 0));
	char why[128];

	if (!rc)
		return;
	regerror(rc, &j->regex, why, sizeof(why));
	cli_usage(a, "%s: %s", a->argv[0], why);
}

static int run_grep(struct cli_args *a)
{
	struct job j = {
		.fixed = cli_has(a, "fixed") ? a->argv[0] : NULL,
		.paths = cli_has(a, "paths"),
		.invert = cli_has(a, "invert"),
		.shower = shower_of(a),
	};

	if (!j.fixed)
		compile(a, &j);
	if (a->argc == 1)
		match_each("/", true, XS_TREE_VALUES, look, &j);
	for (int i = 1; i < a->argc; i++)
		match_each(a->argv[i], true, XS_TREE_VALUES, look, &j);
	shower_end(&j.shower);
	if (!j.fixed)
		regfree(&j.regex);
	return j.found ? CLI_OK : CLI_FAIL;
}

static const struct cli_opt opts[] = {
	{ 'i', "ignore-case", NULL, "capital or small letters alike" },
	{ 'F', "fixed", NULL, "the text itself, no expression" },
	{ 'k', "paths", NULL, "look at paths, too" },
	{ 'v', "invert", NULL, "those that do not match" },
	{ 'n', "names", NULL, "paths only" },
	{ '0', "null", NULL, "paths, each ended by a NUL byte" },
	{ 'd', "decode", NULL, "what values mean, too" },
	{ 0, "ndjson", NULL, "one JSON object a line" },
	{ 0 },
};

const struct cli_cmd cmd_grep = {
	.name = "grep",
	.args = "REGEX [PATTERN]...",
	.help = "nodes whose value matches an extended regular expression",
	.more = "Below PATTERN, or everywhere. Status 1 when there is none.",
	.example = "xs grep '^file:' /config\n"
		   "xs grep -k -n xvda '/local/domain/*'",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.run = run_grep,
};
