/* SPDX-License-Identifier: MIT */
/*
 * ops.h - THE table of the protocol's operations and the dispatcher that enforces its flags.
 *
 * Order for every request: lookup, privilege, transaction, handler, reply, then watch events.
 */
#ifndef XENSTORED_OPS_H
#define XENSTORED_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view.h"
#include "xs_wire.h"

struct watch;

/* The most arguments that any row has. */
#define OP_ARGS_MAX 3

/* One request while it is carried out. */
struct req {
	struct server *srv;
	struct conn *conn;
	struct xsd_sockmsg hdr;
	const char *in;		/* payload: the client's bytes, untrusted */
	size_t in_len;
	const char *arg[OP_ARGS_MAX];	/* its first strings, as many as the row asks for at most */
	unsigned int nr_args;
	size_t rest;		/* where in the payload that which follows them begins */
	struct view view;
	uint32_t type;		/* the operation; hdr.type becomes XS_ERROR on failure */
	struct watch *new_watch;	/* gets its first event after the reply */
	bool at_once;		/* the answer does not wait for the disk, whatever has changed */
	bool replied;
	char *reply;		/* XENSTORE_PAYLOAD_MAX bytes */
	uint32_t reply_len;
};

#define OP_PRIVILEGED	1u	/* domain 0 only: else EACCES */
#define OP_NO_TXN	2u	/* the transaction id is ignored */
#define OP_CHANGES	4u	/* refused on a read-only connection */
#define OP_CONFINED	8u	/* left to a connection that is confined (confine.h) */

/* What may follow the arguments in a payload; anything else there is EINVAL. */
enum op_rest {
	OP_REST_NOTHING,
	OP_REST_BYTES,		/* a value: any bytes */
	OP_REST_STRINGS,	/* any number of strings, the last one ended, too */
	OP_REST_IGNORED,	/* xenstore.txt leaves room for more ("?"), or nobody ever looked */
};

struct op {
	const char *name;
	int (*handler)(struct req *r);	/* 0 after replying, or -Exxx; -EINPROGRESS: park */
	unsigned int flags;
	unsigned int min_args, max_args;	/* NUL-terminated strings at the front */
	enum op_rest rest;
};

extern const struct op ops_table[XS_WIRE_OP_NR];

/*
 * Carries out the message with header @hdr. Returns false when it has to wait: nothing has been
 * done and the same message is to be offered again when the connection resumes.
 */
bool ops_dispatch(struct conn *c, const struct xsd_sockmsg *hdr, const char *payload);

/* Queue the reply of a request. Return 0, or -E2BIG when it does not fit into a message. */
int reply_data(struct req *r, const void *data, size_t len);
int reply_string(struct req *r, const char *s);
int reply_ok(struct req *r);

/* The canonical form of the path at the start of the payload, for op_*.c. 0 or -EINVAL. */
int req_path(struct req *r, const char *s, struct xs_path *out);

int op_directory(struct req *r);
int op_directory_part(struct req *r);
int op_read(struct req *r);
int op_write(struct req *r);
int op_mkdir(struct req *r);
int op_rm(struct req *r);
int op_get_perms(struct req *r);
int op_set_perms(struct req *r);
int op_transaction_start(struct req *r);
int op_transaction_end(struct req *r);
int op_watch(struct req *r);
int op_unwatch(struct req *r);
int op_reset_watches(struct req *r);
int op_introduce(struct req *r);
int op_release(struct req *r);
int op_resume(struct req *r);
int op_is_introduced(struct req *r);
int op_domain_path(struct req *r);
int op_set_target(struct req *r);
int op_get_feature(struct req *r);
int op_set_feature(struct req *r);
int op_get_quota(struct req *r);
int op_set_quota(struct req *r);
int op_control(struct req *r);
/* CONTROL json: a node's kind and value, or its kind set; op_node.c. */
int op_json(struct req *r, const char **arg, unsigned int nr);

#endif
