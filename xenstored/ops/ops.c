/* SPDX-License-Identifier: MIT */
/*
 * ops.c - the table of operations and their dispatcher: privilege, transaction and order are
 * enforced here, once. Source: docs/misc/xenstore.txt of Xen; <xen/io/xs_wire.h>.
 */
#include "ops.h"

#include <errno.h>
#include <string.h>

#include "conn.h"
#include "durable.h"
#include "monitor.h"
#include "server.h"
#include "txn.h"

#define PRIVILEGED_CHANGE (OP_PRIVILEGED | OP_NO_TXN | OP_CHANGES)

const struct op ops_table[XS_WIRE_OP_NR] = {
	[XS_CONTROL] = { "CONTROL", op_control, OP_PRIVILEGED | OP_NO_TXN | OP_CONFINED,
			 1, 1, OP_REST_STRINGS },
	[XS_DIRECTORY] = { "DIRECTORY", op_directory, OP_CONFINED, 1, 1 },
	[XS_READ] = { "READ", op_read, OP_CONFINED, 1, 1 },
	[XS_GET_PERMS] = { "GET_PERMS", op_get_perms, 0, 1, 1 },
	[XS_WATCH] = { "WATCH", op_watch, OP_NO_TXN | OP_CONFINED, 2, 3 },
	[XS_UNWATCH] = { "UNWATCH", op_unwatch, OP_NO_TXN | OP_CONFINED, 2, 2 },
	[XS_TRANSACTION_START] = { "TRANSACTION_START", op_transaction_start,
				   OP_CONFINED, 0, 0, OP_REST_IGNORED },
	[XS_TRANSACTION_END] = { "TRANSACTION_END", op_transaction_end, OP_CONFINED, 1, 1 },
	[XS_INTRODUCE] = { "INTRODUCE", op_introduce, PRIVILEGED_CHANGE, 3, 3, OP_REST_IGNORED },
	[XS_RELEASE] = { "RELEASE", op_release, PRIVILEGED_CHANGE, 1, 1 },
	[XS_GET_DOMAIN_PATH] = { "GET_DOMAIN_PATH", op_domain_path, OP_NO_TXN, 1, 1 },
	[XS_WRITE] = { "WRITE", op_write, OP_CHANGES | OP_CONFINED, 1, 1, OP_REST_BYTES },
	[XS_MKDIR] = { "MKDIR", op_mkdir, OP_CHANGES, 1, 1 },
	[XS_RM] = { "RM", op_rm, OP_CHANGES, 1, 1 },
	[XS_SET_PERMS] = { "SET_PERMS", op_set_perms, OP_CHANGES, 2, 2, OP_REST_STRINGS },
	[XS_IS_DOMAIN_INTRODUCED] = { "IS_DOMAIN_INTRODUCED", op_is_introduced, OP_NO_TXN, 1, 1 },
	[XS_RESUME] = { "RESUME", op_resume, PRIVILEGED_CHANGE, 1, 1 },
	[XS_SET_TARGET] = { "SET_TARGET", op_set_target, PRIVILEGED_CHANGE, 2, 2 },
	[XS_RESET_WATCHES] = { "RESET_WATCHES", op_reset_watches, OP_NO_TXN,
			       0, 0, OP_REST_IGNORED },
	[XS_DIRECTORY_PART] = { "DIRECTORY_PART", op_directory_part, 0, 2, 2 },
	[XS_WIRE_GET_FEATURE] = { "GET_FEATURE", op_get_feature, OP_NO_TXN, 0, 1 },
	[XS_WIRE_SET_FEATURE] = { "SET_FEATURE", op_set_feature, PRIVILEGED_CHANGE, 2, 2 },
	[XS_WIRE_GET_QUOTA] = { "GET_QUOTA", op_get_quota, OP_NO_TXN, 0, 2 },
	[XS_WIRE_SET_QUOTA] = { "SET_QUOTA", op_set_quota, PRIVILEGED_CHANGE, 2, 3 },
};

int reply_data(struct req *r, const void *data, size_t len)
{
	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	memcpy(r->reply, data, len);
	r->reply_len = (uint32_t)len;
	r->replied = true;
	return 0;
}

int reply_string(struct req *r, const char *s)
{
	return reply_data(r, s, strlen(s) + 1);
}

int reply_ok(struct req *r)
{
	return reply_string(r, "OK");
}

int req_path(struct req *r, const char *s, struct xs_path *out)
{
	uint64_t max = 0;

	if (!r->conn->privileged)
		max = quota_limit(&r->srv->quotas, &r->conn->account->quota, QUOTA_PATH_MAX);
	return xs_path_canonical(s, strlen(s), r->conn->domid, max, out);
}

static int find_txn(struct req *r, const struct op *op)
{
	if (op->flags & OP_NO_TXN)
		r->hdr.tx_id = 0;
	if (r->hdr.tx_id == 0)
		return 0;
	r->view.txn = txn_find(r->conn, r->hdr.tx_id);
	return r->view.txn ? 0 : -ENOENT;
}

/* Splits the payload as the row says; true if it has all that, and no more. */
static bool find_args(struct req *r, const struct op *op)
{
	const char *rest;
	size_t len;

	/* "|" alone is how xenstore.txt writes that there are none. */
	if (op->min_args == 0 && r->in_len == 1 && r->in[0] == '\0')
		r->in_len = 0;
	r->nr_args = xs_wire_get_strings(r->in, r->in_len, r->arg, op->max_args, &r->rest);
	if (r->nr_args < op->min_args)
		return false;
	rest = r->in + r->rest;
	len = r->in_len - r->rest;
	switch (op->rest) {
	case OP_REST_NOTHING:
		return len == 0;
	case OP_REST_STRINGS:
		return len == 0 || rest[len - 1] == '\0';
	case OP_REST_BYTES:
	case OP_REST_IGNORED:
		break;
	}
	return true;
}

static int carry_out(struct req *r)
{
	const struct op *op;
	int ret;

	if (r->hdr.type >= XS_WIRE_OP_NR || !ops_table[r->hdr.type].handler) {
		r->srv->stats.unknown_ops++;
		return -ENOSYS;
	}
	if (r->conn->peer && !r->conn->rights.served)
		return -EACCES;
	op = &ops_table[r->hdr.type];
	if (op->flags & OP_PRIVILEGED && !r->conn->privileged)
		return -EACCES;
	if (r->conn->confine && !(op->flags & OP_CONFINED))
		return -EACCES;
	if (op->flags & OP_CHANGES && r->conn->read_only)
		return -EROFS;
	if (!find_args(r, op))
		return -EINVAL;
	ret = find_txn(r, op);
	return ret < 0 ? ret : op->handler(r);
}

static void set_error(struct req *r, int err)
{
	const char *name = xs_wire_error_name(err);

	r->hdr.type = XS_ERROR;
	r->reply_len = (uint32_t)strlen(name) + 1;
	memcpy(r->reply, name, r->reply_len);
}

/* Makes the request's changes true, then queues its reply, then the events it caused. */
static void finish(struct req *r, int err)
{
	struct server *srv = r->srv;
	struct conn_msg msg = { .data = r->reply };
	uint64_t seq;

	session_note(r, err);
	seq = server_publish(srv);
	if (r->at_once)
		seq = 0;
	session_hold(r->conn, seq);
	msg.hdr = r->hdr;
	msg.hdr.len = r->reply_len;
	msg.hold_seq = seq ? seq : r->conn->hold_seq;
	msg.change = seq != 0;
	r->conn->nr_outstanding++;
	if (conn_send(r->conn, &msg) < 0)
		conn_kill(r->conn);
	if (r->new_watch)
		watch_fire_first(srv, r->new_watch);
	watch_fire_collected(srv);
	if (srv->rights_stale)
		people_refresh(srv);
}

static void count(struct req *r, uint32_t type, int err, uint64_t began)
{
	struct op_stats *st;

	if (type >= XS_WIRE_OP_NR)
		return;
	st = &r->srv->stats.op[type];
	st->count++;
	st->errors += err != 0;
	if (began) {
		uint64_t took = now_ns() - began;

		monitor_report(r->srv, r, err, took);
		st->time_ns += took;
		if (took > st->worst_ns)
			st->worst_ns = took;
	}
}

bool ops_dispatch(struct conn *c, const struct xsd_sockmsg *hdr, const char *payload)
{
	struct server *srv = c->srv;
	struct req r;
	uint64_t began = monitor_active(srv) ? now_ns() : 0;
	int ret;

	r.srv = srv;
	r.conn = c;
	r.hdr = *hdr;
	r.type = hdr->type;
	r.in = payload;
	r.in_len = hdr->len;
	r.view = (struct view){ .srv = srv, .conn = c };
	r.nr_args = 0;
	r.new_watch = NULL;
	r.replied = false;
	r.at_once = false;
	r.reply = srv->ops.reply;
	r.reply_len = 0;

	c->hold_seq = 0;
	c->room_lacked = 0;
	srv->ops.acting = &r;
	ret = carry_out(&r);
	srv->ops.acting = NULL;
	/* As the original: who does not look at each answer must not make the rest come true. */
	if (ret == -ENOMEM && r.view.txn)
		txn_doom(r.view.txn, ret);
	if (ret == -EINPROGRESS || (ret == -ENOSPC && durable_await_room(c)))
		return false;
	c->park_bypass = false;
	c->room_asked = 0;
	c->nr_requests++;
	if (ret == 0 && !r.replied)
		ret = -EIO;
	if (ret < 0)
		set_error(&r, -ret);
	count(&r, hdr->type, -ret, began);
	finish(&r, -ret);
	return true;
}
