/* SPDX-License-Identifier: MIT */
/* op_txn.c - TRANSACTION_START, TRANSACTION_END. Source: docs/misc/xenstore.txt of Xen. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "confine.h"
#include "conn.h"
#include "doubt.h"
#include "journal.h"
#include "ops.h"
#include "record.h"
#include "server.h"
#include "txn.h"

/* A ring's open transactions are known after a restart, to be answered EAGAIN. */
static int log_txn(struct req *r, uint32_t id, bool open)
{
	char key[RECORD_KEY_MAX];
	size_t len = record_key(key, RECORD_TXN, r->conn->domid, id);

	if (!r->srv->journal || !r->conn->domain)
		return 0;
	if (change_reserve(r->srv, 1, 0, !open) < 0)
		return -ENOSPC;
	if (open)
		journal_put(r->srv->journal, JOURNAL_RUNTIME, key, len, 0);
	else
		journal_del(r->srv->journal, JOURNAL_RUNTIME, key, len);
	return 0;
}

int op_transaction_start(struct req *r)
{
	struct txn *t;
	char id[16];
	int ret;

	if (r->view.txn)
		return -EBUSY;
	ret = confine_txn(r->conn);
	if (ret < 0)
		return ret;
	if (!precedence_may_start(r->conn))
		return -EINPROGRESS;
	ret = txn_start(r->srv, r->conn, &t);
	if (ret < 0)
		return ret;
	ret = log_txn(r, t->id, true);
	if (ret < 0) {
		txn_abort(r->srv, t);
		return ret;
	}
	precedence_started(r->conn, t);
	snprintf(id, sizeof(id), "%u", t->id);
	return reply_string(r, id);
}

int op_transaction_end(struct req *r)
{
	bool commit = strcmp(r->arg[0], "T") == 0;
	uint32_t id = r->hdr.tx_id;
	int ret = 0;

	if (!commit && strcmp(r->arg[0], "F") != 0)
		return -EINVAL;
	if (!r->view.txn)
		return -ENOENT;
	if (commit && (doubt_waits_end(r->conn, r->view.txn) ||
				precedence_waits_end(r->conn, r->view.txn)))
		return -EINPROGRESS;
	if (commit)
		ret = txn_commit(r->srv, r->view.txn);
	else
		txn_abort(r->srv, r->view.txn);
	r->view.txn = NULL;
	log_txn(r, id, false);
	return ret < 0 ? ret : reply_ok(r);
}
