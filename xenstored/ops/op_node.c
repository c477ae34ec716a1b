/* SPDX-License-Identifier: MIT */
/*
 * op_node.c - READ, WRITE, MKDIR, RM, DIRECTORY, DIRECTORY_PART, GET_PERMS, SET_PERMS.
 * Decodes, calls the view, encodes. Source: docs/misc/xenstore.txt of Xen; docs/protocol.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "confine.h"
#include "conn.h"
#include "lease.h"
#include "ops.h"
#include "server.h"
#include "txn.h"
#include "xs_kind.h"

/* Takes a turn on a contended node before a transaction reads it: -EINPROGRESS to wait. */
static int await_turn(struct req *r, const struct xs_path *path)
{
	struct node n;

	if (!r->view.txn || !r->srv->turns.contended)
		return 0;
	if (!tree_find(&r->srv->tree, path->text, path->len, &n) ||
	    !(conn_access(r->conn, n.perms) & ACCESS_READ) ||
	    !confine_allows(r->conn, path, ACCESS_READ))
		return 0;
	return lease_take(r->srv, n.id, r->view.txn) ? 0 : -EINPROGRESS;
}

/*
 * The node that a request is going to change: outside transactions this may have to wait. @below:
 * what is below it matters, too.
 */
static int changed_node_arg(struct req *r, const char *name, bool below, struct xs_path *out)
{
	int ret = req_path(r, name, out);

	if (ret == 0 && !r->view.txn && precedence_waits(r->conn, out->text, out->len, below))
		return -EINPROGRESS;
	return ret;
}

int op_read(struct req *r)
{
	struct xs_path path XS_NOT_CLEARED;
	struct vnode vn;
	int ret = req_path(r, r->arg[0], &path);

	if (ret == 0)
		ret = await_turn(r, &path);
	if (ret == 0)
		ret = view_get(&r->view, &path, ACCESS_READ, SEEN_VALUE, &vn);
	return ret < 0 ? ret : reply_data(r, vn.value, vn.value_len);
}

int op_write(struct req *r)
{
	struct xs_path path XS_NOT_CLEARED;
	int ret = changed_node_arg(r, r->arg[0], false, &path);

	if (ret == 0)
		ret = await_turn(r, &path);
	if (ret == 0)
		ret = view_write(&r->view, &path, r->in + r->rest, r->in_len - r->rest);
	return ret < 0 ? ret : reply_ok(r);
}

static int json_read(struct req *r, const struct xs_path *path)
{
	char reply[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	struct vnode vn;
	int ret = await_turn(r, path);

	if (ret == 0)
		ret = view_get(&r->view, path, ACCESS_READ, SEEN_VALUE, &vn);
	if (ret < 0)
		return ret;
	if (vn.value_len >= sizeof(reply))
		return -E2BIG;
	reply[0] = (char)('0' + vn.mark);
	memcpy(reply + 1, vn.value, vn.value_len);
	return reply_data(r, reply, 1 + vn.value_len);
}

int op_json(struct req *r, const char **arg, unsigned int nr)
{
	struct xs_path path XS_NOT_CLEARED;
	uint64_t id, kind = 0;
	int ret = xs_wire_get_number(arg[0], UINT32_MAX, &id);

	if (ret == 0 && nr > 2)
		ret = xs_wire_get_number(arg[2], XS_KIND_NR - 1, &kind);
	if (ret < 0 || (nr > 2 && id == 0))
		return -EINVAL;
	/* CONTROL has no transaction of its own (xenstore.txt): this one is told by an argument. */
	r->view.txn = id ? txn_find(r->conn, (uint32_t)id) : NULL;
	if (id && !r->view.txn)
		return -ENOENT;
	ret = req_path(r, arg[1], &path);
	if (ret == 0 && nr == 2)
		return json_read(r, &path);
	if (ret == 0)
		ret = view_set_mark(&r->view, &path, (uint8_t)kind);
	return ret < 0 ? ret : reply_ok(r);
}

int op_mkdir(struct req *r)
{
	struct xs_path path XS_NOT_CLEARED;
	int ret = changed_node_arg(r, r->arg[0], false, &path);

	if (ret == 0)
		ret = view_mkdir(&r->view, &path);
	return ret < 0 ? ret : reply_ok(r);
}

int op_rm(struct req *r)
{
	struct xs_path path XS_NOT_CLEARED;
	int ret = changed_node_arg(r, r->arg[0], true, &path);

	if (ret == 0)
		ret = view_rm(&r->view, &path);
	return ret < 0 ? ret : reply_ok(r);
}

int op_directory(struct req *r)
{
	struct xs_path path XS_NOT_CLEARED;
	struct buf names = { 0 };
	uint64_t gen;
	int ret = req_path(r, r->arg[0], &path);

	if (ret == 0)
		ret = view_children(&r->view, &path, &names, &gen);
	if (ret == 0)
		ret = reply_data(r, buf_front(&names), buf_len(&names));
	buf_fini(&names);
	return ret;
}

/* As many whole names from @offset on as fit beside the generation; a last NUL marks the end. */
static int reply_part(struct req *r, const struct buf *names, uint64_t gen, uint64_t offset)
{
	char part[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	size_t at = (size_t)snprintf(part, sizeof(part), "%llu", (unsigned long long)gen) + 1;
	size_t left = buf_len(names) > offset ? buf_len(names) - (size_t)offset : 0;
	const char *from = buf_front(names) + (left ? offset : 0);

	while (left > 0) {
		size_t len = strnlen(from, left - 1) + 1;

		if (at + len > sizeof(part))
			return reply_data(r, part, at);
		memcpy(part + at, from, len);
		at += len;
		from += len;
		left -= len;
	}
	if (at < sizeof(part))
		part[at++] = '\0';
	return reply_data(r, part, at);
}

int op_directory_part(struct req *r)
{
	struct buf names = { 0 };
	struct xs_path path XS_NOT_CLEARED;
	uint64_t offset, gen;
	int ret = req_path(r, r->arg[0], &path);

	if (ret == 0)
		ret = xs_wire_get_number(r->arg[1], UINT32_MAX, &offset);
	if (ret == 0)
		ret = view_children(&r->view, &path, &names, &gen);
	if (ret == 0)
		ret = reply_part(r, &names, gen, offset);
	buf_fini(&names);
	return ret;
}

/* "@name" nodes hold the permissions of special watches: domain 0 only, outside transactions. */
static int special_path(struct req *r, const char *name, struct xs_path *out)
{
	if (!r->conn->privileged || r->view.txn)
		return -EINVAL;
	return xs_path_canonical_watch(name, strlen(name), 0, 0, out);
}

int op_get_perms(struct req *r)
{
	char text[XENSTORE_PAYLOAD_MAX] XS_NOT_CLEARED;
	struct xs_path path XS_NOT_CLEARED;
	struct vnode vn;
	size_t len = 0;
	int ret = r->arg[0][0] == '@' ? special_path(r, r->arg[0], &path) :
					req_path(r, r->arg[0], &path);

	if (ret == 0)
		ret = view_get(&r->view, &path, ACCESS_READ, SEEN_PERMS, &vn);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < vn.perms->nr; i++) {
		if (len + XS_PERM_TEXT_BUF > sizeof(text))
			return -E2BIG;
		len += xs_perm_format(&vn.perms->e[i], text + len);
	}
	return reply_data(r, text, len);
}

/* Reads the permission strings behind the path. A reference in *@out, or -Exxx. */
static int parse_perms(struct req *r, size_t at, struct perms **out)
{
	unsigned int nr = xs_wire_count_strings(r->in + at, r->in_len - at);
	struct xs_perm *e = calloc(nr, sizeof(*e));
	int ret = 0;

	if (!e)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr && ret == 0; i++) {
		struct domain *d;

		ret = xs_perm_parse(r->in + at, &e[i]);
		if (ret == 0)
			ret = domain_find_or_adopt(r->srv, e[i].domid, &d);
		at += strlen(r->in + at) + 1;
	}
	if (ret == 0) {
		*out = perms_get(&r->srv->tree.perms, e, nr);
		ret = *out ? 0 : -ENOMEM;
	}
	free(e);
	return ret;
}

/* The node of an "@" name is made by the first SET_PERMS. */
static int make_special(struct req *r, const struct xs_path *path, struct perms *perms)
{
	const struct change_need need = { .nr_nodes = 1, .nr_perms = perms->nr };
	const struct node_spec s = { .path = path->text, .len = path->len, .perms = perms };
	struct node n;
	int ret;

	if (strncmp(path->text, "@introduceDomain", 16) != 0 &&
	    strncmp(path->text, "@releaseDomain", 14) != 0)
		return -ENOENT;
	if (tree_find(&r->srv->tree, path->text, path->len, &n))
		return 0;
	ret = change_room(r->srv, &need);
	if (ret == 0)
		change_create(r->srv, &s, &n);
	return ret;
}

int op_set_perms(struct req *r)
{
	struct perms *perms = NULL;
	struct xs_path path XS_NOT_CLEARED;
	size_t at = strlen(r->arg[0]) + 1;
	bool special = r->arg[0][0] == '@';
	int ret = special ? special_path(r, r->arg[0], &path) :
			    changed_node_arg(r, r->arg[0], false, &path);

	if (ret == 0)
		ret = parse_perms(r, at, &perms);
	if (ret < 0)
		return ret;
	if (special)
		ret = make_special(r, &path, perms);
	if (ret == 0)
		ret = view_set_perms(&r->view, &path, perms);
	perms_put(&r->srv->tree.perms, perms);
	return ret < 0 ? ret : reply_ok(r);
}
