/* SPDX-License-Identifier: MIT */
/* workload.c - see workload.h. */
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "live.h"
#include "tree.h"

static void some_path(char *path, unsigned int (*rnd)(unsigned int n))
{
	unsigned int depth = 1 + rnd(3);

	strcpy(path, rnd(8) ? "/config" : "/history");
	for (unsigned int i = 0; i < depth; i++)
		sprintf(path + strlen(path), "/%c%u", "abc"[rnd(3)], rnd(4));
}

static void make_req(struct change_req *r, unsigned int (*rnd)(unsigned int n))
{
	static const char *const perms[] = { "n0", "b0", "r0", "n0\0r0" };
	static const size_t perms_len[] = { 3, 3, 3, 6 };
	unsigned int kind = rnd(10), which = rnd(4);

	some_path(r->data, rnd);
	r->len = (uint32_t)strlen(r->data) + 1;
	r->type = kind < 6 ? XS_WRITE : kind < 7 ? XS_MKDIR : kind < 9 ? XS_RM : XS_SET_PERMS;
	if (r->type == XS_WRITE) {
		/* Now and then a value that LMDB keeps in pages of its own. */
		unsigned int len = rnd(6) ? rnd(60) : rnd(3900);

		memset(r->data + r->len, 'a' + (int)rnd(26), len);
		r->len += len;
	} else if (r->type == XS_SET_PERMS) {
		memcpy(r->data + r->len, perms[which], perms_len[which]);
		r->len += (uint32_t)perms_len[which];
	}
}

void change_make(struct edit *c, unsigned int (*rnd)(unsigned int n))
{
	c->nr = rnd(4) ? 1 : 2 + rnd(CHANGE_REQS - 2);
	for (unsigned int i = 0; i < c->nr; i++)
		make_req(&c->req[i], rnd);
	/* One foot of every third transaction is in the other part of the store. */
	if (c->nr > 1 && rnd(3) == 0) {
		struct change_req *r = &c->req[rnd(c->nr)];

		r->type = XS_WRITE;
		r->len = (uint32_t)sprintf(r->data, "/run/w") + 1;
		r->data[r->len++] = 'x';
	}
}

void change_model(struct conn *dom0, const struct edit *c)
{
	uint32_t t = c->nr > 1 ? t_begin(dom0) : 0;

	for (unsigned int i = 0; i < c->nr; i++)
		t_req(dom0, c->req[i].type, t, c->req[i].data, c->req[i].len);
	if (t)
		assert_int_equal(t_end(dom0, t, true), 0);
}

static void mix(uint64_t *h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		*h = (*h ^ p[i]) * 0x100000001b3ull;
	*h = (*h ^ len) * 0x100000001b3ull;
}

static const char *const roots[] = { "/config", "/history" };

uint64_t digest_of_tree(struct server *srv)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (int i = 0; i < 2; i++) {
		struct walk w;
		bool more = walk_begin(&w, &srv->tree, roots[i], strlen(roots[i]));

		for (; more; more = walk_next(&w, UINT32_MAX)) {
			const struct perms *p = w.node.perms;
			char perms[256];
			size_t len = 0;

			mix(&h, w.path, w.len);
			mix(&h, w.node.value, w.node.value_len);
			for (unsigned int k = 0; k < p->nr; k++)
				len += (size_t)sprintf(perms + len, "%c%u",
						       "nrwb"[p->e[k].access & 3],
						       p->e[k].domid) + 1;
			mix(&h, perms, len);
		}
	}
	return h;
}

static bool ask(int fd, uint32_t type, const char *path, char *out, uint32_t *len)
{
	return live_send(fd, type, 0, path, (uint32_t)strlen(path) + 1) &&
	       live_await_len(fd, out, len) == 0;
}

static bool digest_node(int fd, const char *path, uint64_t *h)
{
	char out[XENSTORE_PAYLOAD_MAX + 1], child[XS_PATH_BUF];
	uint32_t len;

	mix(h, path, strlen(path));
	if (!ask(fd, XS_READ, path, out, &len))
		return false;
	mix(h, out, len);
	if (!ask(fd, XS_GET_PERMS, path, out, &len))
		return false;
	mix(h, out, len);
	if (!ask(fd, XS_DIRECTORY, path, out, &len))
		return false;
	for (uint32_t at = 0; at < len; at += (uint32_t)strlen(out + at) + 1) {
		snprintf(child, sizeof(child), "%s/%s", path, out + at);
		if (!digest_node(fd, child, h))
			return false;
	}
	return true;
}

uint64_t digest_of_daemon(int fd)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (int i = 0; i < 2; i++) {
		if (!digest_node(fd, roots[i], &h))
			return 0;
	}
	return h;
}
