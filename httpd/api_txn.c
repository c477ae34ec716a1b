/* SPDX-License-Identifier: MIT */
/* api_txn.c - /v1/txn: a condition and what follows from it, as `xs txn`. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "conn.h"
#include "die.h"
#include "side.h"
#include "txn.h"

void api_txn(struct conn *c, const char *rest)
{
	struct doc_part parts[TXN_NR_PARTS];
	unsigned int nr_errors = 0;
	struct txn t;
	json_t *o;
	char *body;
	size_t nr;
	int rc;

	(void)rest;
	txn_init(&t, parts);
	doc_read_parts("body", c->body, c->head.body_len, parts, &nr_errors);
	nr = t.when.nr + t.then.nr + t.otherwise.nr;
	rc = nr_errors || nr > NODES_MAX ? 0 : txn_run(&t);
	if (nr_errors) {
		side_document_error(c);
	} else if (nr > NODES_MAX) {
		conn_error(c, 413, "body", "send it in parts",
			   "it has %zu nodes, at most %u are taken at once", nr, NODES_MAX);
	} else if (t.nr_refused) {
		side_document_error(c);
	} else if (rc) {
		side_error(c, t.failed ? t.failed : "/v1/txn", rc);
	} else {
		o = txn_json(&t);
		body = must(json_dumps(o, JSON_COMPACT));
		json_decref(o);
		conn_answer_own(c, 200, CONN_TYPE_JSON, NULL, body, strlen(body));
	}
	txn_fini(&t);
}
