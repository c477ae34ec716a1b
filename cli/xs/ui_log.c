/* SPDX-License-Identifier: MIT */
/*
 * ui_log.c - see ui_log.h.
 */
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "ui_log.h"

struct ui_entry *log_at(struct ui_log *l, size_t i)
{
	return &l->entry[(l->first + i) % UI_LOG_MAX];
}

static void clear(struct ui_entry *e)
{
	free(e->path);
	free(e->value);
	free(e->old);
	memset(e, 0, sizeof(*e));
}

struct ui_entry *log_find(struct ui_log *l, const char *path)
{
	for (size_t i = l->nr; i-- > 0;)
		if (strcmp(log_at(l, i)->path, path) == 0)
			return log_at(l, i);
	return NULL;
}

static struct ui_entry *find_newest(struct ui_log *l, const char *path, size_t fold)
{
	for (size_t i = l->nr; i-- > 0 && fold-- > 0;)
		if (strcmp(log_at(l, i)->path, path) == 0)
			return log_at(l, i);
	return NULL;
}

void log_add(struct ui_log *l, const char *path, int64_t wall_ms, size_t fold)
{
	struct ui_entry *e = find_newest(l, path, fold);

	if (!e) {
		if (l->nr == UI_LOG_MAX) {
			clear(log_at(l, 0));
			l->first = (l->first + 1) % UI_LOG_MAX;
			l->nr--;
		}
		e = log_at(l, l->nr++);
		e->path = strdup(path);
		if (!e->path)
			cli_die(CLI_FAIL, "out of memory");
	}
	e->count++;
	e->stale = true;
	e->at_ms = wall_ms;
}

void log_remove(struct ui_log *l, const char *path)
{
	struct ui_entry *gone = log_find(l, path);

	if (!gone)
		return;
	clear(gone);
	for (size_t i = 0; i < l->nr; i++) {
		if (log_at(l, i)->path)
			continue;
		for (; i + 1 < l->nr; i++)
			*log_at(l, i) = *log_at(l, i + 1);
		memset(log_at(l, --l->nr), 0, sizeof(struct ui_entry));
	}
}

void log_set_old(struct ui_entry *e, const char *value, size_t len)
{
	free(e->old);
	e->old = must(malloc(len + 1));
	memcpy(e->old, value, len);
	e->old[len] = '\0';
	e->old_len = len;
}

void log_set_value(struct ui_entry *e, const char *value, size_t len, int rc)
{
	bool same = value && e->value && e->len == len && memcmp(e->value, value, len) == 0;

	if (e->value && !same)
		log_set_old(e, e->value, e->len);
	free(e->value);
	e->value = NULL;
	e->rc = rc;
	e->len = 0;
	if (!value)
		return;
	e->value = malloc(len + 1);
	if (!e->value)
		cli_die(CLI_FAIL, "out of memory");
	memcpy(e->value, value, len);
	e->value[len] = '\0';
	e->len = len;
}

void log_fini(struct ui_log *l)
{
	while (l->nr)
		clear(log_at(l, --l->nr));
	l->first = 0;
}
