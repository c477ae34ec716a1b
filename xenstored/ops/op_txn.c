/* SPDX-License-Identifier: MIT */
/* op_txn.c - TRANSACTION_START, TRANSACTION_END. Source: docs/misc/xenstore.txt of Xen. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "confine.h"
#include "conn.h"
#include "ops.h"
#include "saved.h"
#include "server.h"
#include "txn.h"

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
	ret = saved_room(r->conn, false);
	if (ret == 0)
		ret = txn_start(r->srv, r->conn, &t);
	if (ret < 0)
		return ret;
	saved_txn(r->conn, t->id, true);
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
	if (commit && precedence_waits_end(r->conn, r->view.txn))
		return -EINPROGRESS;
	if (commit)
		ret = txn_commit(r->srv, r->view.txn);
	else
		txn_abort(r->srv, r->view.txn);
	if (ret == -EINPROGRESS)
		return ret;
	r->view.txn = NULL;
	saved_txn(r->conn, id, false);
	return ret < 0 ? ret : reply_ok(r);
}
