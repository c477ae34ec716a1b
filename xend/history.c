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
	char value[256];
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
	char **old = store_list(tx->xs, tx->t, path_history(e->name, NULL), &nr);
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
		 const char *why)
{
	struct entry e = { .name = name };
	time_t t = time(NULL);
	struct tm tm;
	char when[32];

	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(e.value, sizeof(e.value), "%s %s %s %s", when, from, to, why);
	if (store_transact(x->xs, add_body, &e))
		log_warn("%s: history cannot be written", name);
}

void history_forget(struct xend *x, const char *name)
{
	store_rm(x->xs, path_history(name, NULL));
}
