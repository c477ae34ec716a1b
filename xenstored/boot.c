/* SPDX-License-Identifier: MIT */
/* boot.c - start and end of the daemon. Runs once; no lock. */
#include "boot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "conn_ring.h"
#include "conn_socket.h"
#include "domain.h"
#include "hv.h"
#include "log.h"
#include "keeper.h"
#include "monitor.h"
#include "persist.h"
#include "ring_slot.h"
#include "watch.h"

static int make_dir(const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	log_error("cannot make the directory %s", path);
	return -errno;
}

/* Our own kernel's ring: introduced at every start. */
static int introduce_own(struct server *srv)
{
	uint64_t gfn;
	uint32_t port;
	int ret = srv->hv->own_ring(srv->hv, &gfn, &port);

	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = domain_introduce(srv, 0, gfn, port);
	server_publish(srv);
	watch_fire_collected(srv);
	if (ret < 0)
		log_errorx("cannot connect to this domain's own kernel: %s", strerror(-ret));
	return ret;
}

static int open_sockets(struct server *srv)
{
	const struct server_config *cfg = &srv->cfg;

	srv->listener = listener_open(srv, cfg->socket_path, 0600, false, cfg->live_fd);
	if (!srv->listener)
		return -EIO;
	if (cfg->ro_socket_path) {
		srv->ro_listener = listener_open(srv, cfg->ro_socket_path, 0660, true, -1);
		if (!srv->ro_listener)
			return -EIO;
	}
	return 0;
}

static int open_in_memory(struct server *srv)
{
	srv->slots = ring_slots_open(NULL);
	return srv->slots ? 0 : -ENOMEM;
}

int boot_up(struct boot *b, const struct server_config *cfg, const struct quotas *quotas)
{
	struct server *srv = &b->srv;
	int ret;
	struct hv *hv = cfg->no_domain_init ? hv_none_open() : hv_xen_open();

	if (!hv || make_dir(cfg->run_dir) < 0)
		return -EIO;
	if (server_init(srv, cfg, hv) < 0) {
		log_errorx("not enough memory to start");
		return -ENOMEM;
	}
	srv->quotas = *quotas;
	ret = cfg->in_memory ? open_in_memory(srv) : persist_up(srv);
	if (ret < 0)
		return ret;
	if (cfg->trace_path && trace_open(srv, cfg->trace_path) < 0)
		log_warn("cannot open the trace file %s", cfg->trace_path);
	if (server_standard_nodes(srv) < 0 || introduce_own(srv) < 0)
		return -EIO;
	ret = open_sockets(srv);
	if (ret == 0)
		persist_resume(srv);
	return ret;
}

int boot_serve(struct boot *b, char **argv)
{
	struct server *srv = &b->srv;
	int ret;

	if (srv->keeper && keeper_listen(srv) < 0)
		return -ENOMEM;
	log_info("serving %s, %zu nodes", srv->cfg.socket_path, srv->tree.nr_nodes);
	ret = server_run(srv);
	listener_close(srv->listener, true);
	listener_close(srv->ro_listener, true);
	persist_down(srv);
	srv->keep_rings = true;
	server_fini(srv);
	srv->hv->close(srv->hv);
	return ret;
}
