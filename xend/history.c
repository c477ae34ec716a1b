/* SPDX-License-Identifier: MIT */
/*
 * history.c - the only writer of /history.
 *
 * Names are zero-padded sequence numbers, so the store's own order is the order of events.
 */
#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "store.h"
#include "xend.h"

struct entry {
	const char *name;
	char value[800];
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_body(struct txn *tx, void *arg)
{
	const struct entry *e = arg;
	unsigned long seq = 0;
	unsigned int nr;
	char **old = txn_list(tx, path_history(e->name, NULL), &nr);
	char text[24];

	if (nr) {
		qsort(old, nr, sizeof(old[0]), by_text);
		seq = strtoul(old[nr - 1], NULL, 10) + 1;
	}
	for (unsigned int i = 0; i + HISTORY_ENTRIES <= nr; i++)
		txn_rm(tx, path_history(e->name, old[i]));
	free(old);
	snprintf(text, sizeof(text), "%08lu", seq);
	txn_write(tx, path_history(e->name, text), e->value);
	return 0;
}

void history_add(struct xend *x, const char *name, const char *from, const char *to,
		 const char *why, const char *error)
{
	struct entry e = { .name = name };
	time_t t = time(NULL);
	struct tm tm;
	char when[32];

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(e.value, sizeof(e.value), "%s %s %s %s%s%s", when, from, to, why,
		 error[0] ? ": " : "", error);
	if (store_transact(x->xs, add_body, &e))
		log_warn("%s: history cannot be written", name);
}

/* When the newest move of @name was, as text that sorts; "" when there is none. */
static void last_time(struct xend *x, const char *name, char out[32])
{
	unsigned int nr;
	char **moves = store_list(x->xs, path_history(name, NULL), &nr), *value = NULL;

	if (nr) {
		qsort(moves, nr, sizeof(moves[0]), by_text);
		value = store_read(x->xs, path_history(name, moves[nr - 1]));
	}
	snprintf(out, 32, "%.31s", value ? value : "");
	free(value);
	free(moves);
}

void history_prune(struct xend *x)
{
	struct path root = { PATH_HISTORY_ROOT };
	char name[PATH_NAME_MAX], oldest[PATH_NAME_MAX] = "", first[32] = "", when[32];
	unsigned int nr, nr_gone = 0;
	char **names = store_list(x->xs, root, &nr);

	for (unsigned int i = 0; i < nr; i++) {
		if (!path_name_of(names[i], name) || domain_find(x, name) ||
		    store_has(x->xs, path_config(name, NULL)) != 0)
			continue;
		last_time(x, name, when);
		if (!nr_gone++ || strcmp(when, first) < 0) {
			memcpy(first, when, sizeof(first));
			memcpy(oldest, name, sizeof(oldest));
		}
	}
	free(names);
	if (nr_gone > HISTORY_GONE)
		store_rm(x->xs, path_history(oldest, NULL));
}
