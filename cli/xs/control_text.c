/* SPDX-License-Identifier: MIT */
/* control_text.c - see control_text.h. */
#include "control_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "store.h"

#define MAX_WORDS 16

/* The line that says that there is more, and from where on; NULL: there is none. */
static char *cut_line(char *text, unsigned long long *from)
{
	size_t len = strlen(text);
	unsigned long long more;
	int end = 0;

	if (!len || text[len - 1] != '\n')
		return NULL;
	while (len > 1 && text[len - 2] != '\n')
		len--;
	if (sscanf(text + len - 1, "... %llu more lines (from %llu)\n%n", &more, from, &end) != 2 ||
	    text[len - 1 + (size_t)end])
		return NULL;
	return text + len - 1;
}

/* One part, from line @from on, behind what there is in *@out. */
static int part(int n, const char *const *words, const char *from, char **out)
{
	struct iovec iov[MAX_WORDS + 2];
	size_t len = *out ? strlen(*out) : 0;
	char *text;
	int rc;

	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){ (void *)words[i], strlen(words[i]) + 1 };
	if (*from) {
		iov[n++] = (struct iovec){ (void *)"from", 5 };
		iov[n++] = (struct iovec){ (void *)from, strlen(from) + 1 };
	}
	rc = xs_sync(store(), XS_CONTROL, 0, iov, n, &text, NULL);
	if (rc)
		return rc;
	*out = must(realloc(*out, len + strlen(text) + 1));
	strcpy(*out + len, text);
	free(text);
	return 0;
}

int control_text(int n, const char *const *words, char **out)
{
	unsigned long long next = 0, before;
	char from[24] = "", *cut;
	int rc;

	*out = NULL;
	if (n > MAX_WORDS)
		cli_die(CLI_USAGE, "more than %d words", MAX_WORDS);
	do {
		before = next;
		rc = part(n, words, from, out);
		cut = rc ? NULL : cut_line(*out, &next);
		if (cut && next > before) {
			*cut = '\0';
			snprintf(from, sizeof(from), "%llu", next);
		}
	} while (cut && next > before);
	if (rc)
		free(*out);
	return rc;
}
