/* SPDX-License-Identifier: MIT */
/*
 * xs_txn.c - transactions of the libxenstore API. The caller holds an id of ours, because the
 * daemon's own id means something else, or nothing, on the connection after a reconnect.
 */
#include <errno.h>
#include <stdlib.h>

#include "xs_handle.h"

static uint32_t txn_record(struct xs_handle *h, uint32_t wire, uint32_t epoch)
{
	struct xs_open_txn *t = malloc(sizeof(*t));

	if (!t)
		return XBT_NULL;
	pthread_mutex_lock(&h->lock);
	if (++h->next_txn_id == XBT_NULL)
		h->next_txn_id++;
	*t = (struct xs_open_txn){
		.id = h->next_txn_id, .wire = wire, .epoch = epoch, .next = h->txns
	};
	h->txns = t;
	pthread_mutex_unlock(&h->lock);
	return t->id;
}

static void txn_forget(struct xs_handle *h, uint32_t id)
{
	pthread_mutex_lock(&h->lock);
	for (struct xs_open_txn **p = &h->txns; *p; p = &(*p)->next) {
		struct xs_open_txn *t = *p;

		if (t->id == id) {
			*p = t->next;
			free(t);
			break;
		}
	}
	pthread_mutex_unlock(&h->lock);
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	struct iovec empty = { (void *)"", 1 };
	uint32_t epoch;
	char *reply = xs_talk_epoch(h, 0, XS_TRANSACTION_START, &empty, 1, NULL, &epoch);
	uint32_t wire;

	if (!reply)
		return XBT_NULL;
	wire = strtoul(reply, NULL, 0);
	free(reply);
	return txn_record(h, wire, epoch);
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	bool ok = xs_ack(xs_talk_str(h, t, XS_TRANSACTION_END, abort ? "F" : "T", NULL));
	int err = errno;

	txn_forget(h, t);
	errno = err;
	return ok;
}
