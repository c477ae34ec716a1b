/* SPDX-License-Identifier: MIT */
/* loss.c - see loss.h. */
#include "loss.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "log.h"
#include "store.h"
#include "xend.h"

/* How old it may be that something is lost; and what, which grows only when the store starts. */
#define KEPT_NS NS_PER_S
#define LIST_KEPT_NS (10 * NS_PER_S)

/* The answer to CONTROL @words, each with its NUL. NULL: there is none. */
static char *ask(struct xend *x, const char *word, const char *rest, size_t len)
{
	char data[64];

	memcpy(data, rest, len);
	return xs_control_command(x->xs, word, len ? data : NULL, (unsigned int)len);
}

/* Whether the last line of @text, which is cut off then, says that there are more; where from. */
static bool has_more(char *text, unsigned long long *from)
{
	char *last = strrchr(text, '\n');
	unsigned long long more;

	if (!last)
		return false;
	*last = '\0';
	last = strrchr(text, '\n');
	last = last ? last + 1 : text;
	if (sscanf(last, "... %llu more lines (from %llu)", &more, from) == 2) {
		*last = '\0';
		return true;
	}
	text[strlen(text)] = '\n';
	return false;
}

/* All lines of CONTROL lost; NULL: not all of them can be had. */
static char *ask_lost(struct xend *x)
{
	unsigned long long from = 0, before;
	char *all = calloc(1, 1), rest[40];
	bool more = true;

	while (all && more) {
		int len = from ? snprintf(rest, sizeof(rest), "from%c%llu", 0, from) + 1 : 0;
		char *part = ask(x, "lost", rest, (size_t)len), *longer;

		before = from;
		more = part && has_more(part, &from) && from > before;
		longer = part ? realloc(all, strlen(all) + strlen(part) + 1) : NULL;
		if (!longer) {
			free(part);
			free(all);
			return NULL;
		}
		all = strcat(longer, part);
		free(part);
	}
	return all;
}

static bool is_degraded(struct xend *x)
{
	char *stat = ask(x, "stat", "", 0);
	bool yes;

	/* One of another kind has no such word. No answer is none: what was known stays so. */
	if (!stat)
		return errno != EINVAL && errno != ENOSYS && (x->degraded || !x->loss_told);
	yes = !strncmp(stat, "lost 1\n", 7) || strstr(stat, "\nlost 1\n");
	free(stat);
	return yes;
}

static void write_down(struct xend *x)
{
	const char *word = x->degraded ? "degraded" : "whole";

	if (!xs_write(x->xs, XBT_NULL, PATH_STATUS_STORE, word, (unsigned int)strlen(word)))
		log_warn("%s cannot be written", PATH_STATUS_STORE);
}

void loss_look(struct xend *x)
{
	bool was = x->degraded;

	x->degraded = is_degraded(x);
	x->lost_ns = x->now_ns;
	if (!x->degraded || !x->lost || x->now_ns >= x->list_ns + LIST_KEPT_NS) {
		loss_fini(x);
		if (x->degraded)
			x->lost = ask_lost(x);
		x->list_ns = x->now_ns;
	}
	if (x->degraded == was && x->loss_told)
		return;
	x->loss_told = true;
	write_down(x);
	if (x->degraded)
		log_errorx("the store has lost something: for records that are concerned nothing is "
			   "started or stopped before xs control lost known");
	for (struct domain *d = x->domains; d; d = d->next)
		d->dirty |= d->held;
}

/* Whether a loss at @path is one of @record or of what is below it. */
static bool concerns(const char *path, size_t len, const char *record)
{
	size_t record_len = strlen(record);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len == 1)
		return true;
	if (len <= record_len)
		return !strncmp(path, record, len) && (record[len] == '/' || !record[len]);
	return !strncmp(path, record, record_len) && path[record_len] == '/';
}

/* A line: what it is, revision, time, path. */
static bool line_concerns(const char *line, size_t len, const char *record)
{
	const char *path = memchr(line, '/', len);

	return path && concerns(path, len - (size_t)(path - line), record);
}

bool loss_holds(struct xend *x, const char *name)
{
	struct path record = path_config(name, NULL);
	const char *line, *end;

	if (!x->loss_told || !x->degraded || x->now_ns >= x->lost_ns + KEPT_NS)
		loss_look(x);
	if (!x->degraded)
		return false;
	/* That something is lost is known, and not what. */
	if (!x->lost)
		return true;
	for (line = x->lost; (end = strchr(line, '\n')); line = end + 1)
		if (line_concerns(line, (size_t)(end - line), record.s))
			return true;
	return *line && line_concerns(line, strlen(line), record.s);
}

void loss_fini(struct xend *x)
{
	free(x->lost);
	x->lost = NULL;
}
