/* SPDX-License-Identifier: MIT */
/* backend_main.c - the process around one backend: see backend_main.h. */
#include "backend_main.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include <log.h>
#include <xs.h>

#include "confine.h"
#include "store_ask.h"

#define WATCH_OWN "own"
#define WATCH_FRONTEND "frontend"

/* State of the one backend this process is. */
struct process {
	struct backend be;
	struct store_source from; /* of be.xs */
	struct event *store, *evtchn, *again, *kick;
	enum backend_exit code;
};

static struct process *self; /* set once in backend_main(), before the loop */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void backend_stop(struct backend *be, enum backend_exit code)
{
	self->code = code;
	event_base_loopbreak(be->base);
}

void backend_kick(struct backend *be, unsigned int due)
{
	be->due |= due;
	event_active(self->kick, EV_TIMEOUT, 0);
}

/* After the other events had their turn, so that no ring starves the store. */
static void go_on_soon(struct process *p)
{
	const struct timeval at_once = { 0, 0 };

	if (p->be.connected && p->be.due)
		event_add(p->kick, &at_once);
}

static void work(struct process *p, unsigned int due)
{
	backend_work(&p->be, due);
	go_on_soon(p);
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	work(arg, 0);
}

static void look(struct process *p)
{
	uint64_t now = now_ns(), again;
	int rc = backend_poll(&p->be, now, &again);

	if (rc != 0) {
		if (rc < 0)
			log_errorx("%s: store: %s", p->be.path, strerror(-rc));
		backend_stop(&p->be, rc > 0 ? BACKEND_EXIT_DONE : BACKEND_EXIT_RETRY);
		return;
	}
	go_on_soon(p);
	if (again) {
		uint64_t left = again > now ? again - now : 0;
		const struct timeval tv = { (time_t)(left / 1000000000ULL),
					    (suseconds_t)(left % 1000000000ULL / 1000) + 1 };

		event_add(p->again, &tv);
	}
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	look(arg);
}

/* Events carry no values: however many there are, one look at the store answers them all. */
void backend_hear(struct backend *be)
{
	if (xs_easy_drain(be->xs) > 0)
		event_active(self->again, EV_TIMEOUT, 0);
}

static void on_store(evutil_socket_t fd, short what, void *arg)
{
	struct process *p = arg;
	int rc = xs_easy_drain(p->be.xs);

	if (rc < 0) {
		log_error("%s: store connection lost", p->be.path);
		backend_stop(&p->be, BACKEND_EXIT_RETRY);
		return;
	}
	/*
	 * A device may have something to look at when dom0 touches its directory: an image's size.
	 */
	if (rc > 0) {
		look(p);
		work(p, BACKEND_ALL_QUEUES);
	}
}

/*
 * The queues that are told of by @port, a bit each; 0: a port of an earlier connection, unbound by
 * now.
 */
static unsigned int queues_of(const struct backend *be, xenevtchn_port_or_error_t port)
{
	for (unsigned int q = 0; q < be->nr_queues; q++)
		if ((evtchn_port_t)port == be->port[q])
			return 1u << q;
	return 0;
}

static void on_evtchn(evutil_socket_t fd, short what, void *arg)
{
	struct process *p = arg;
	xenevtchn_port_or_error_t port = xenevtchn_pending(p->be.evt);
	unsigned int due;

	if (port < 0)
		return;
	/*
	 * Work before unmasking: a frontend that storms its event channel gets one round of work an
	 * event, not one interrupt a send.
	 */
	due = queues_of(&p->be, port);
	if (due)
		work(p, due);
	if (queues_of(&p->be, port))
		xenevtchn_unmask(p->be.evt, (evtchn_port_t)port);
}

/*
 * What this process will be confined to in the store. The one look with all rights: the
 * connection is closed before anything of the guest's is seen.
 */
static int read_scope(struct store_scope *scope, const struct backend_ops *ops, const char *path)
{
	struct xs_handle *xs = store_open();
	uint64_t domid = 0;
	int rc;

	if (!xs) {
		log_error("cannot reach the store");
		return -EIO;
	}
	snprintf(scope->type, sizeof(scope->type), "%s", ops->type);
	snprintf(scope->path, sizeof(scope->path), "%s", path);
	rc = store_read_str(xs, path, "frontend", scope->frontend, sizeof(scope->frontend));
	if (rc == 0)
		rc = store_read_num(xs, path, "frontend-id", DOMID_FIRST_RESERVED - 1, &domid);
	if (rc == -ENOENT && store_has(xs, path) > 0)
		rc = -EINVAL;
	scope->domid = (uint32_t)domid;
	xs_close(xs);
	return rc;
}

static int open_store(struct process *p, const char *path)
{
	struct store_source *from = &p->from;
	int rc = read_scope(&from->scope, p->be.ops, path);

	if (rc < 0)
		return rc;
	from->may_connect = true;
	p->be.xs = xs_open_with(store_source_connect, from);
	if (p->be.xs)
		return 0;
	rc = errno;
	log_error("cannot reach the store%s",
		  rc == EPROTONOSUPPORT ? ": xenstored cannot confine a connection" : "");
	return rc == EINVAL || rc == ENOMEM ? -rc : -EIO;
}

static int open_handles(struct backend *be)
{
	be->evt = xenevtchn_open(NULL, 0);
	be->gnt = xengnttab_open(NULL, 0);
	if (be->evt && be->gnt) {
		/* From here on the kernel binds channels of this one domain only. */
		if (xenevtchn_restrict(be->evt, (domid_t)be->domid) == 0)
			return 0;
		log_error("cannot restrict event channels to domain %u", be->domid);
		return -EIO;
	}
	log_error("cannot open /dev/xen/%s", be->evt ? "gntdev" : "evtchn");
	return -EIO;
}

static int add_watches(struct backend *be)
{
	char path[sizeof(be->frontend) + 8];

	if (!xs_watch(be->xs, be->path, WATCH_OWN))
		return -errno;
	if (!be->ops->has_frontend)
		return 0;
	snprintf(path, sizeof(path), "%s/state", be->frontend);
	return xs_watch(be->xs, path, WATCH_FRONTEND) ? 0 : -errno;
}

/* Everything that makes descriptors, while that is still allowed. */
static int build_loop(struct process *p)
{
	struct backend *be = &p->be;
	struct event_base *base = event_base_new();

	be->base = base;
	if (!base)
		return -ENOMEM;

	p->store = event_new(base, xs_fileno(be->xs), EV_READ | EV_PERSIST, on_store, p);
	p->evtchn = event_new(base, xenevtchn_fd(be->evt), EV_READ | EV_PERSIST, on_evtchn, p);
	p->again = evtimer_new(base, on_again, p);
	p->kick = evtimer_new(base, on_kick, p);
	if (!p->store || !p->evtchn || !p->again || !p->kick)
		return -ENOMEM;
	event_add(p->store, NULL);
	event_add(p->evtchn, NULL);
	return be->ops->start ? be->ops->start(be, base) : 0;
}

static int give_up_rights(struct process *p, const char *user)
{
	int rc;

	p->from.may_connect = false;
	rc = confine_with(user, p->be.ops->more);
	if (rc == 0)
		return 0;
	backend_fail(&p->be, "%s cannot give up its rights and become user %s: %s",
		     p->be.ops->name, user, rc == -ENOENT ? "no such user" : strerror(-rc));
	return -EPERM;
}

static int serve(struct process *p)
{
	struct backend *be = &p->be;
	int rc = backend_start(be);

	if (rc < 0)
		return rc;
	rc = add_watches(be);
	if (rc < 0)
		return rc;
	rc = build_loop(p);
	if (rc == 0 && be->user)
		rc = give_up_rights(p, be->user);
	if (rc < 0)
		return rc;
	look(p);
	event_base_dispatch(be->base);
	return 0;
}

static int usage(const char *name)
{
	fprintf(stderr,
		"usage: %s [-n] [-u USER] [-v] BACKEND-DIRECTORY\n"
		"  -n       keep all privileges (to debug)\n"
		"  -u USER  a name, or UID[:GID]: run as it once everything is open (default %s)\n"
		"  -v       log every step\n",
		name, CONFINE_USER);
	return BACKEND_EXIT_CONFIG;
}

/* Before anything else is open: the supervisor's descriptors have fixed numbers. */
static int start_process(struct process *p, const struct backend_ops *ops, const char *path)
{
	int rc;

	p->from.supervised = store_ask_possible();
	p->be.ops = ops;
	rc = open_store(p, path);
	if (rc == 0)
		rc = backend_init(&p->be, ops, path);
	return rc < 0 ? rc : open_handles(&p->be);
}

int backend_main(int argc, char **argv, const struct backend_ops *ops)
{
	static struct process process;
	const char *user = CONFINE_USER;
	bool verbose = false;
	int opt, rc;

	while ((opt = getopt(argc, argv, "nu:v")) != -1) {
		switch (opt) {
		case 'n':
			user = NULL;
			break;
		case 'u':
			user = optarg;
			break;
		case 'v':
			verbose = true;
			break;
		default:
			return usage(ops->name);
		}
	}
	if (optind != argc - 1)
		return usage(ops->name);
	log_init(ops->name, verbose ? LOG_LVL_DEBUG : LOG_LVL_INFO, 1);
	signal(SIGPIPE, SIG_IGN);
	self = &process;
	rc = start_process(&process, ops, argv[optind]);
	if (rc == 0) {
		process.be.user = user;
		rc = serve(&process);
		backend_fini(&process.be, process.code == BACKEND_EXIT_RETRY);
	}
	if (rc < 0) {
		log_warnx("%s: %s", argv[optind], strerror(-rc));
		process.code = backend_exit_of(rc);
	}
	return process.code;
}
