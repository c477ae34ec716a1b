/* SPDX-License-Identifier: MIT */
/* fuzz_server.c - see fuzz_server.h. The machine is a few bytes of memory. */
#include "fuzz_server.h"

#include <errno.h>
#include <string.h>

#include "change.h"
#include "check.h"
#include "conn.h"
#include "conn_ring.h"
#include "fuzz.h"
#include "hv.h"
#include "watch.h"

static char page[4096] __attribute__((aligned(4096)));

static int domain_info(struct hv *hv, unsigned int domid, struct hv_domain *out)
{
	*out = (struct hv_domain){ .identity = domid + 1u };
	return domid < 4 ? 0 : -ENOENT;
}

static int ring_map(struct hv *hv, unsigned int domid, uint64_t gfn, uint32_t port,
		    struct hv_ring *out)
{
	out->page = (struct xenstore_domain_interface *)page;
	out->port = 10 + domid;
	return domid == 1 ? 0 : -EINVAL;
}

static int ring_rebind(struct hv *hv, unsigned int domid, uint32_t port, struct hv_ring *ring)
{
	return 0;
}

static void ring_unmap(struct hv *hv, struct hv_ring *ring)
{
}

static void notify(struct hv *hv, uint32_t port)
{
}

static struct hv machine = {
	.domain_info = domain_info, .ring_map = ring_map, .ring_rebind = ring_rebind,
	.ring_unmap = ring_unmap, .notify = notify,
};

struct server *fuzz_server_start(void)
{
	struct server_config cfg = { .in_memory = true };
	struct server *srv = calloc(1, sizeof(*srv));
	struct node_spec s = { .path = "/local/domain/1", .len = 15 };
	struct xs_perm mine = { 1, 0 };
	struct node n;

	memset(page, 0, sizeof(page));
	if (server_init(srv, &cfg, &machine) < 0)
		abort();
	FUZZ_CHECK(server_standard_nodes(srv) == 0);
	FUZZ_CHECK(domain_introduce(srv, 1, 1, 1) == 0);
	s.perms = perms_get(&srv->tree.perms, &mine, 1);
	change_create(srv, &s, &n);
	perms_put(&srv->tree.perms, s.perms);
	server_publish(srv);
	watch_fire_collected(srv);
	return srv;
}

struct xenstore_domain_interface *fuzz_server_ring(struct server *srv)
{
	return (struct xenstore_domain_interface *)page;
}

static void nothing(struct conn *c)
{
}

static const struct conn_ops client_ops = {
	.flush = nothing, .serve = nothing, .resume = nothing, .fini = nothing,
};

struct conn *fuzz_server_client(struct server *srv, unsigned int domid)
{
	struct domain *d = NULL;
	struct conn *c;

	if (domid)
		FUZZ_CHECK(domain_find_or_adopt(srv, domid, &d) == 0);
	c = conn_create(srv, &client_ops, domid, d, NULL);
	if (d)
		d->conn = c;
	return c;
}

void fuzz_server_stop(struct server *srv)
{
	struct conn *dom0 = fuzz_server_client(srv, 0);
	struct xsd_sockmsg hdr = { XS_DIRECTORY, 1, 0, 2 };
	char msg[18];
	struct buf text = { 0 };

	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), "/", 2);
	FUZZ_CHECK(conn_input(dom0, msg, sizeof(msg), 1) == sizeof(msg));
	memcpy(&hdr, buf_front(&dom0->out), sizeof(hdr));
	FUZZ_CHECK(hdr.type == XS_DIRECTORY);
	if (check_all(srv, &text)) {
		fprintf(stderr, "%.*s", (int)buf_len(&text), buf_front(&text));
		abort();
	}
	srv->keep_rings = false;
	server_fini(srv);
	free(srv);
}
