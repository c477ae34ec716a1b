/* SPDX-License-Identifier: MIT */
/* past.c - see past.h. */
#include "past.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "long_value.h"
#include "store.h"

static bool parse(const char *word, uint64_t *rev)
{
	char *end;

	if (strcmp(word, "now") == 0) {
		*rev = PAST_NOW;
		return true;
	}
	errno = 0;
	*rev = strtoull(word, &end, 10);
	return isdigit((unsigned char)word[0]) && *end == '\0' && !errno;
}

/* What looks like a revision may be the end of a name: "@20" is a blank there. */
static bool is_node(const char *typed)
{
	char *path = store_path(typed);
	bool is = xs_sync_str(store(), XS_READ, 0, path, NULL, NULL) == 0;

	free(path);
	return is;
}

bool past_named(const char *typed, char **path, uint64_t *rev)
{
	const char *at = strrchr(typed, '@');
	char *name;

	if (!at || at == typed || !parse(at + 1, rev) || (*rev != PAST_NOW && is_node(typed)))
		return false;
	name = must(strndup(typed, (size_t)(at - typed)));
	*path = store_path(name);
	free(name);
	return true;
}

uint64_t past_revision(const char *word)
{
	uint64_t rev;

	if (!parse(word, &rev) || rev == PAST_NOW)
		cli_die(CLI_USAGE, "%s: is no revision (xs log PATH shows them)", word);
	return rev;
}

void past_failed(const char *path, int rc)
{
	static const struct {
		int rc;
		const char *words;
	} causes[] = {
		{ -ESTALE, "what was there at that revision is not known any more" },
		{ -E2BIG, "that is more than is told at once: ask for a part of it" },
		{ -EOPNOTSUPP, "this store keeps no history" },
		{ -ENOENT, "there was no such node" },
		{ -EPROTO, "the daemon's answer makes no sense" },
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (causes[i].rc == rc)
			cli_die(CLI_FAIL, "%s: %s", path, causes[i].words);
	}
	cli_die(cli_code(rc), "%s: %s", path, cli_words(rc));
}

void past_log(const char *path, xs_past_fn *fn, void *arg)
{
	int rc = xs_past_log(store(), path, NULL, fn, arg);

	if (rc < 0)
		past_failed(path, rc);
}

static int read_tree(const char *path, uint64_t rev, struct xs_node **out)
{
	int rc;

	if (rev != PAST_NOW)
		rc = xs_past_tree(store(), rev, path, out);
	else
		rc = xs_tree_read(store(), 0, path, -1, XS_TREE_VALUES | XS_TREE_PERMS, out);
	if (!rc)
		long_fold(*out);
	return rc;
}

struct xs_node *past_tree_there(const char *path, uint64_t rev)
{
	struct xs_node *root;
	int rc = read_tree(path, rev, &root);

	if (rc)
		past_failed(path, rc);
	return root;
}

struct xs_node *past_tree(const char *path, uint64_t rev)
{
	struct xs_node *root;
	int rc = read_tree(path, rev, &root);

	if (rc == -ENOENT) {
		root = must(calloc(1, sizeof(*root)));
		root->name = must(strdup(path));
	} else if (rc) {
		past_failed(path, rc);
	}
	return root;
}
