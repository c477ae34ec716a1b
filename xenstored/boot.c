/* SPDX-License-Identifier: MIT */
/* boot.c - start and end of the daemon. Runs once; no lock. */
#include "boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn_ring.h"
#include "conn_socket.h"
#include "domain.h"
#include "hv.h"
#include "lasting.h"
#include "log.h"
#include "notify.h"
#include "store.h"
#include "monitor.h"
#include "own_dir.h"
#include "sandbox.h"
#include "successor.h"
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

	srv->wire.listener = listener_open(srv, cfg->socket_path, 0600, false, cfg->live_fd);
	if (!srv->wire.listener)
		return -EIO;
	if (cfg->ro_socket_path) {
		srv->wire.ro_listener = listener_open(srv, cfg->ro_socket_path, 0660, true, -1);
		if (!srv->wire.ro_listener)
			return -EIO;
	}
	return 0;
}

/* The live environment: of this boot, or a new one that gets the persistent part from the disk. */
static int open_live(struct server *srv)
{
	enum store_found found;
	struct store *store;
	int ret = store_open(srv->cfg.run_dir, &store, &found);

	if (ret < 0)
		return ret;
	ret = server_take_store(srv, store, found == STORE_MENDED);
	/* Before the persistent part, as they have always been listed. */
	srv->durable.loading = found != STORE_WHOLE;
	if (ret == 0 && found != STORE_WHOLE)
		ret = server_standard_nodes(srv);
	srv->restarted = found != STORE_NEW;
	if (ret == 0)
		ret = durable_up(srv, found != STORE_WHOLE);
	if (ret == 0 && lasting_settle(srv, found == STORE_NEW) < 0)
		log_errorx("the disk has not been given what is to last now: it is tried again");
	return ret;
}

/* After a restart: watches fire once, requests that were cut off go on. */
static void resume(struct server *srv)
{
	if (!srv->restarted)
		return;
	domains_check(srv);
	for (struct conn *c = srv->wire.conns; c; c = c->next) {
		for (struct watch *w = c->watch_first; w; w = w->next)
			watch_fire_first(srv, w);
	}
}

/* RUN and all in it, a socket of ours too, to the user that this is going to be: own_dir.c. */
static int give_dirs(const struct server_config *cfg)
{
	char path[512];
	int ret = 0;

	if (!cfg->in_memory) {
		snprintf(path, sizeof(path), "%s/live", cfg->run_dir);
		if (access(path, F_OK) == 0)
			ret = sandbox_own_dir(path, cfg->uid, cfg->gid);
	}
	return ret < 0 ? ret : sandbox_own_dir(cfg->run_dir, cfg->uid, cfg->gid);
}

/*
 * Whose socket that is: of the group that was asked for; one that was given to us stays as it was.
 */
static int give_socket(const struct server *srv, const struct stat *was)
{
	const struct server_config *cfg = &srv->cfg;
	bool given = listener_is_given(srv->wire.listener);
	gid_t gid = given ? was->st_gid : cfg->socket_gid;

	if (!gid && !given)
		return 0;
	if (lchown(cfg->socket_path, given ? was->st_uid : (uid_t)-1, gid) == 0 &&
	    (given || chmod(cfg->socket_path, 0660) == 0))
		return 0;
	log_error("cannot give %s to group %u", cfg->socket_path, (unsigned int)gid);
	return -errno;
}

/* From here on as another user; everything that needs root has been opened. */
static int drop_privileges(const struct server *srv)
{
	const struct server_config *cfg = &srv->cfg;
	bool becomes = cfg->uid != 0 && cfg->uid != geteuid();
	struct stat was;
	int ret = lstat(cfg->socket_path, &was) < 0 ? -errno : 0;

	if (ret == 0 && becomes)
		ret = give_dirs(cfg);
	if (ret == 0 && (becomes || !listener_is_given(srv->wire.listener)))
		ret = give_socket(srv, &was);
	if (ret == 0 && cfg->uid != 0)
		ret = sandbox_enter(cfg->uid, cfg->gid);
	if (ret < 0)
		log_errorx("cannot become user %u: %s", (unsigned int)cfg->uid, strerror(-ret));
	return ret;
}

int boot_up(struct boot *b, const struct server_config *cfg, const struct quotas *quotas)
{
	struct server *srv = &b->srv;
	struct hv *hv = cfg->no_domain_init ? hv_none_open() : hv_xen_open();
	int ret;

	if (!hv)
		return -EIO;
	/* The first word opens the way for the others, while there may be one. */
	notify_service("STATUS=starting");
	if (make_dir(cfg->run_dir) < 0) {
		hv->close(hv);
		return -EIO;
	}
	if (server_init(srv, cfg, hv) < 0) {
		log_errorx("not enough memory to start");
		return -ENOMEM;
	}
	srv->quotas = *quotas;
	if (cfg->trace_path && trace_open(srv, cfg->trace_path) < 0)
		log_warn("cannot open the trace file %s", cfg->trace_path);
	ret = cfg->in_memory ? 0 : own_dirs(srv);
	/* The sockets come early: after a crash clients connect and wait instead of failing. */
	if (ret == 0)
		ret = open_sockets(srv);
	if (ret == 0)
		ret = drop_privileges(srv);
	if (ret == 0)
		ret = cfg->in_memory ? 0 : open_live(srv);
	if (ret == 0)
		ret = server_standard_nodes(srv);
	if (ret == 0)
		ret = introduce_own(srv);
	if (ret == 0) {
		resume(srv);
		domains_forget_unknown(srv);
		server_turn(srv);
	}
	return ret;
}

/* Executes the program again; the listening socket stays open, clients connect anew. */
static int live_update(struct server *srv, char **argv)
{
	char fd[32], **args;
	int n = 0, nr = 0, ret;

	if (srv->cfg.uid != 0) {
		log_info("live update: ending with status 75 to be started again");
		exit(75);
	}
	while (argv[nr])
		nr++;
	args = calloc((size_t)nr + 3, sizeof(*args));
	if (!args)
		return -ENOMEM;
	for (int i = 0; i < nr; i++) {
		if (strncmp(argv[i], "--live-fd=", 10) != 0)
			args[n++] = argv[i];
	}
	snprintf(fd, sizeof(fd), "--live-fd=%d", srv->live_fd);
	args[n++] = fd;
	args[n++] = "-N";
	args[n] = NULL;
	ret = successor_exec(srv->successor, args);
	log_errorx("live update: cannot go on as the program that was named: %s", strerror(-ret));
	/* It could when it was asked. There is still the one that is running. */
	if (srv->successor >= 0)
		ret = successor_exec(-1, args);
	free(args);
	return ret;
}

int boot_serve(struct boot *b, char **argv)
{
	struct server *srv = &b->srv;
	bool update;
	int ret;

	if (durable_listen(srv) < 0) {
		log_errorx("not enough memory to serve");
		return -ENOMEM;
	}
	log_info("serving %s, %zu nodes", srv->cfg.socket_path, srv->tree.nr_nodes);
	ret = server_run(srv);
	/* STATE was another daemon's all the time, or may have been: own_dir.c. */
	if (ret == 0 && own_dir_is_lost(srv))
		ret = srv->state_lock;
	else if (ret == 0)
		notify_service("STOPPING=1");
	if (ret == -ENOMEM)
		log_errorx("not enough memory to serve");
	update = ret == 1;
	if (update)
		srv->live_fd = dup(listener_fd(srv->wire.listener));
	listener_close(srv->wire.listener, !update);
	listener_close(srv->wire.ro_listener, !update);
	/* It waits for the other one's end, and would write then. */
	if (srv->state_lock == -EBUSY)
		durable_kill(srv);
	durable_down(srv);
	if (update) {
		server_leave(srv);
		return live_update(srv, argv);
	}
	srv->keep_rings = true;
	server_fini(srv);
	srv->hv->close(srv->hv);
	return ret;
}
