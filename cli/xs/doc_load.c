/* SPDX-License-Identifier: MIT */
/*
 * doc_load.c - documents from files: the whole text is read first, then doc_read.c looks at it.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "doc.h"

#define TEXT_MAX (256u << 20)
/* A document is many small pieces: the heap grows by so much for them, not by 128 KiB. */
#define HEAP_STEP (2 << 20)

const char *doc_name(const char *file)
{
	return strcmp(file, "-") == 0 ? "standard input" : file;
}

char *doc_text(const char *file, size_t *len)
{
	const char *name = doc_name(file);
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
	/* what some editors begin a text with says nothing */
	if (*len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		*len -= 3;
		memmove(text, text + 3, *len);
	}
	return text;
}

void doc_load(struct doc *d, const char *file, const char *at, bool allow_null)
{
	size_t len;
	char *text = doc_text(file, &len);

	mallopt(M_TOP_PAD, HEAP_STEP);
	*d = (struct doc){ .name = doc_name(file), .allow_null = allow_null };
	doc_read(d, text, len, at);
	free(text);
	doc_end_if_wrong(d);
}

void doc_load_parts(const char *file, const struct doc_part *parts)
{
	unsigned int nr_errors = 0;
	size_t len;
	char *text = doc_text(file, &len);

	doc_read_parts(doc_name(file), text, len, parts, &nr_errors);
	free(text);
	doc_end_if_wrong(&(struct doc){ .name = doc_name(file), .nr_errors = nr_errors });
}
