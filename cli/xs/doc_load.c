/* SPDX-License-Identifier: MIT */
/*
 * doc_load.c - documents from files: the whole text is read first, then doc_read.c looks at it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "doc.h"
#include "json_pos.h"

#define TEXT_MAX (256u << 20)

static char *read_file(const char *file, const char *name, size_t *len)
{
	bool from_stdin = strcmp(file, "-") == 0;
	FILE *f = from_stdin ? stdin : fopen(file, "re");
	size_t room = 65536;
	char *text = must(malloc(room));

	*len = 0;
	if (!f)
		cli_die(CLI_USAGE, "%s: %s", file, strerror(errno));
	while ((*len += fread(text + *len, 1, room - *len, f)) == room) {
		if (room >= TEXT_MAX)
			cli_die(CLI_USAGE, "%s: is larger than %u MiB", name, TEXT_MAX >> 20);
		room *= 2;
		text = must(realloc(text, room));
	}
	if (ferror(f))
		cli_die(CLI_USAGE, "%s: %s", name, strerror(errno));
	if (!from_stdin)
		fclose(f);
	return text;
}

static const char *name_of(const char *file)
{
	return strcmp(file, "-") == 0 ? "standard input" : file;
}

void doc_load(struct doc *d, const char *file, const char *at, bool allow_null)
{
	size_t len;
	char *text = read_file(file, name_of(file), &len);

	*d = (struct doc){ .name = name_of(file), .allow_null = allow_null };
	doc_read(d, text, len, at);
	free(text);
	doc_end_if_wrong(d);
}

json_t *doc_load_json(const char *file)
{
	size_t len, used = 0;
	char *text = read_file(file, name_of(file), &len);
	struct json_problem why;
	struct json_pos *p = json_pos_read(text, len, 1, &used, &why);
	json_t *v;

	if (!p)
		cli_die(CLI_USAGE, "%s:%d:%d: %s", name_of(file), why.line, why.column, why.text);
	v = json_incref(p->v);
	json_pos_free(p);
	free(text);
	return v;
}
