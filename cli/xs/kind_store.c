/* SPDX-License-Identifier: MIT */
/* kind_store.c - kinds in the store: what kind.h declares, by CONTROL json of our daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kind.h"
#include "store.h"

bool kind_known(void)
{
	static int known = -1; /* one thread, one store */
	struct iovec iov = { (void *)"json\0" "0\0/", 9 };
	char *answer = NULL;

	/* oxenstored says OK to whatever it does not know */
	if (known < 0)
		known = xs_sync(store(), XS_CONTROL, 0, &iov, 1, &answer, NULL) == 0 &&
			answer[0] >= '0' && answer[0] < '0' + XS_KIND_NR;
	free(answer);
	return known;
}

static int submit(uint32_t tx, const char *path, const char *kind, xs_done_fn *fn, void *arg)
{
	/* one thread; a document asks for each of its nodes by the same number */
	static uint32_t number;
	static char id[16] = "0";
	uint32_t now = xs_client_txn_number(store(), tx);
	struct iovec iov[4] = {
		{ (void *)"json", 5 }, { id, 0 }, { (void *)path, strlen(path) + 1 },
		{ (void *)kind, 2 },
	};

	if (now != number)
		snprintf(id, sizeof(id), "%u", number = now);
	iov[1].iov_len = strlen(id) + 1;
	/* CONTROL has no transaction; with the header's, losing the store is an ordinary retry */
	return xs_submit(store(), XS_CONTROL, tx, iov, kind ? 4 : 3, fn, arg);
}

int kind_submit_read(uint32_t tx, const char *path, xs_done_fn *fn, void *arg)
{
	return submit(tx, path, NULL, fn, arg);
}

int kind_submit(uint32_t tx, const char *path, enum xs_kind kind, xs_done_fn *fn, void *arg)
{
	const char digit[2] = { (char)('0' + kind), '\0' };

	return submit(tx, path, digit, fn, arg);
}
