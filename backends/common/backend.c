/* SPDX-License-Identifier: MIT */
/* backend.c - xenbus handshake of one device: see backend.h. */
#include "backend.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <log.h>

#define LOG_WINDOW_NS 10000000000ULL
#define LOG_WINDOW_LINES 20

/*
 * How often a frontend may begin: each time costs dom0's store dozens of requests, and its network
 * a change of the interface. PV GRUB, the kernel after it and some that fail wait for nothing.
 */
#define ROUNDS_AT_ONCE 16
#define ROUND_NS 100000000ULL
/* How often anything that is written may have us look: some requests to the store each time. */
#define LOOKS_AT_ONCE 64
#define LOOK_NS 5000000ULL

static int set_state(struct backend *be, enum xenbus_state state)
{
	int rc = store_write(be->xs, XBT_NULL, be->path, "state", "%d", state);

	if (rc == 0)
		be->state = state;
	return rc;
}

static enum xenbus_state read_state(struct backend *be, const char *dir)
{
	uint64_t state;

	if (store_read_num(be->xs, dir, "state", XenbusStateReconfigured, &state) < 0)
		return XenbusStateUnknown;
	return (enum xenbus_state)state;
}

bool backend_may_log(struct backend *be)
{
	struct timespec ts;
	uint64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now_ns = (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
	if (!be->log_ns || now_ns - be->log_ns > LOG_WINDOW_NS) {
		be->log_ns = now_ns;
		be->log_lines = 0;
	}
	return be->log_lines++ < LOG_WINDOW_LINES;
}

void backend_fail(struct backend *be, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warnx("%s: %s", be->path, text);
	store_write(be->xs, XBT_NULL, be->path, "hotplug-error", "%s", text);
	store_write(be->xs, XBT_NULL, be->path, "hotplug-status", "error");
}

int backend_init(struct backend *be, const struct backend_ops *ops, const char *path)
{
	uint64_t domid, devid;
	char again[sizeof(be->path)];
	unsigned int dom, dev;
	int n = 0, rc;
	char type[16];

	be->ops = ops;
	be->journal.fd = -1;
	if (snprintf(be->path, sizeof(be->path), "%s", path) >= (int)sizeof(be->path))
		return -EINVAL;
	/* The last three parts name the device; the path must be that and nothing else. */
	if (sscanf(path, "/local/domain/0/backend/%15[a-z]/%u/%u%n", type, &dom, &dev, &n) != 3 ||
	    path[n] || strcmp(type, ops->type))
		return -EINVAL;
	snprintf(again, sizeof(again), "/local/domain/0/backend/%s/%u/%u", type, dom, dev);
	domid = dom;
	devid = dev;
	if (strcmp(again, path))
		return -EINVAL;
	rc = store_has(be->xs, path);
	if (rc <= 0)
		return rc ? rc : -ENOENT;
	rc = store_read_str(be->xs, path, "frontend", be->frontend, sizeof(be->frontend));
	if (rc < 0)
		return rc == -ENOENT ? -EINVAL : rc;
	rc = store_read_num(be->xs, path, "frontend-id", DOMID_FIRST_RESERVED - 1, &domid);
	if (rc < 0)
		return rc == -ENOENT ? -EINVAL : rc;
	be->domid = (uint32_t)domid;
	be->devid = (uint32_t)devid;
	rc = journal_name(be->journal_path, sizeof(be->journal_path), type, dom, dev);
	return rc < 0 ? rc : journal_open(&be->journal, be->journal_path, ops->journal_extra);
}

struct rsp_record *backend_record(struct backend *be, unsigned int i)
{
	return &be->journal.page->ring[i];
}

void backend_notify(struct backend *be, unsigned int queue)
{
	xenevtchn_notify(be->evt, be->port[queue]);
}

static void *map_ring(struct backend *be, uint32_t ref)
{
	if (be->ops->map)
		return be->ops->map(be, ref);
	return xengnttab_map_grant_ref(be->gnt, be->domid, ref, PROT_READ | PROT_WRITE);
}

static void unmap_ring(struct backend *be, void *page)
{
	if (be->ops->unmap)
		be->ops->unmap(be, page);
	else
		xengnttab_unmap(be->gnt, page, 1);
}

static void detach(struct backend *be)
{
	be->journal.page->open = 0;
	for (unsigned int q = 0; q < JOURNAL_QUEUES; q++)
		if (be->port[q])
			xenevtchn_unbind(be->evt, be->port[q]);
	for (unsigned int i = 0; i < JOURNAL_RINGS; i++)
		if (be->ring_page[i])
			unmap_ring(be, be->ring_page[i]);
	memset(be->port, 0, sizeof(be->port));
	memset(be->ring_page, 0, sizeof(be->ring_page));
	be->nr_queues = be->nr_rings = 0;
	be->due = 0;
}

/* The same page or channel for two: each would take the other's requests for its own. */
static bool has_twice(const struct journal_page *want)
{
	unsigned int nr = want->nr_queues * want->nr_rings;

	for (unsigned int i = 0; i < nr; i++)
		for (unsigned int j = 0; j < i; j++)
			if (want->refs[i] == want->refs[j])
				return true;
	for (unsigned int i = 0; i < want->nr_queues; i++)
		for (unsigned int j = 0; j < i; j++)
			if (want->port[i] == want->port[j])
				return true;
	return false;
}

static int map_and_bind(struct backend *be, const struct journal_page *want)
{
	be->nr_queues = want->nr_queues;
	be->nr_rings = want->nr_rings;
	for (unsigned int i = 0; i < be->nr_queues * be->nr_rings; i++) {
		be->ring_page[i] = map_ring(be, want->refs[i]);
		if (!be->ring_page[i])
			return errno ? -errno : -EIO;
	}
	for (unsigned int q = 0; q < be->nr_queues; q++) {
		xenevtchn_port_or_error_t bound =
			xenevtchn_bind_interdomain(be->evt, be->domid, want->port[q]);

		if (bound < 0)
			return -errno;
		be->port[q] = (evtchn_port_t)bound;
	}
	return 0;
}

static bool is_same(const struct journal_page *a, const struct journal_page *b)
{
	return a->nr_queues == b->nr_queues && (a->nr_rings == b->nr_rings || !a->nr_rings) &&
	       !memcmp(a->refs, b->refs, sizeof(a->refs)) &&
	       !memcmp(a->port, b->port, sizeof(a->port));
}

int backend_attach(struct backend *be, const struct backend_queue *queue, unsigned int nr,
		   unsigned int nr_rings)
{
	struct journal_page *page = be->journal.page;
	struct journal_page want = { .nr_queues = nr, .nr_rings = nr_rings };
	int rc;

	for (unsigned int q = 0; q < nr; q++) {
		memcpy(want.refs + q * nr_rings, queue[q].ref, nr_rings * sizeof(want.refs[0]));
		want.port[q] = queue[q].port;
	}
	if (has_twice(&want))
		return -EINVAL;
	be->resumed = page->open && is_same(page, &want);
	if (be->resumed)
		page->nr_rings = nr_rings;
	rc = map_and_bind(be, &want);
	if (rc < 0)
		return rc;
	if (!be->resumed) {
		page->open = 0;
		memset(page->ring, 0, sizeof(page->ring));
		page->nr_queues = nr;
		page->nr_rings = nr_rings;
		memcpy(page->refs, want.refs, sizeof(page->refs));
		memcpy(page->port, want.port, sizeof(page->port));
		/* From here on a successor resumes: nothing was consumed yet, so that is right too.
		 */
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		page->open = 1;
	}
	return 0;
}

static void disconnect(struct backend *be)
{
	if (!be->connected)
		return;
	be->connected = false;
	be->ops->disconnect(be);
	detach(be);
	if (backend_may_log(be))
		log_info("%s: disconnected", be->path);
}

/* The frontend broke the protocol, or its rings cannot be had: this device stops, nothing else. */
static void fatal(struct backend *be, const char *what, int err)
{
	disconnect(be);
	detach(be);
	if (backend_may_log(be))
		log_warnx("%s: %s: %s: device stopped", be->path, what, strerror(-err));
	store_write(be->xs, XBT_NULL, be->path, "error", "%s: %s", what, strerror(-err));
	set_state(be, XenbusStateClosing);
}

static int connect_now(struct backend *be)
{
	bool takeover = be->journal.page->open;
	int rc = be->ops->connect(be);

	/* What may pass must not cost a running guest its device: the next process tries again. */
	if (takeover && (rc == -ENOMEM || rc == -EAGAIN || rc == -EBUSY))
		return rc;
	if (rc < 0) {
		fatal(be, "cannot connect to the frontend", rc);
		return 0;
	}
	be->connected = true;
	be->journal.page->server = getpid();
	if (backend_may_log(be))
		log_info("%s: %s", be->path, be->resumed ? "connection taken over" : "connected");
	if (be->state != XenbusStateConnected) {
		rc = set_state(be, XenbusStateConnected);
		if (rc < 0)
			return rc;
	}
	/* Requests and wake-ups may have passed while nobody was bound. */
	backend_work(be, BACKEND_ALL_QUEUES);
	for (unsigned int q = 0; be->connected && be->resumed && q < be->nr_queues; q++)
		backend_notify(be, q);
	return 0;
}

int backend_work(struct backend *be, unsigned int due)
{
	const unsigned int nr = be->nr_queues, first = be->turn;
	bool any = false;

	if (!be->connected)
		return 0;
	due |= be->due;
	be->due = 0;
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int q = (first + i) % nr;
		int rc;

		if (!(due & 1u << q))
			continue;
		if (!any)
			be->turn = q + 1;
		any = true;
		rc = be->ops->work(be, q);
		if (rc < 0) {
			fatal(be, "the frontend broke its ring", rc);
			return 0;
		}
		if (rc > 0)
			be->due |= 1u << q;
	}
	return be->due != 0;
}

static int offer_body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct backend *be = arg;
	int rc = be->ops->offer(be, t);

	if (rc == 0)
		rc = store_write(xs, t, be->path, "hotplug-status", "connected");
	return rc ? rc : store_write(xs, t, be->path, "state", "%d", XenbusStateInitWait);
}

/* Publishes the device: features and InitWait appear together. Nothing is connected then. */
static int offer(struct backend *be)
{
	int rc;

	be->journal.page->open = 0;
	rc = xs_easy_transact(be->xs, offer_body, be);
	if (rc == 0)
		be->state = XenbusStateInitWait;
	return rc;
}

int backend_start(struct backend *be)
{
	int rc = be->ops->prepare(be);

	if (rc < 0)
		return rc;
	be->state = read_state(be, be->path);
	/*
	 * A predecessor was killed: say again what the guest's record needs, keep the state. Also
	 * without its journal (one of another version): a connected guest's disk must not be
	 * offered anew.
	 */
	if (be->state == XenbusStateConnected && (be->journal.page->open || be->journal.fresh))
		return store_write(be->xs, XBT_NULL, be->path, "hotplug-status", "connected");
	if (be->state == XenbusStateClosing || be->state == XenbusStateClosed)
		return 0;
	return offer(be);
}

/* Closes for good: the frontend is done, or had its chance. */
static int finish(struct backend *be)
{
	int rc;

	for (unsigned int q = 0; be->connected && q < be->nr_queues; q++)
		be->ops->work(be, q);
	disconnect(be);
	rc = be->state == XenbusStateClosed && read_state(be, be->path) == XenbusStateClosed
		     ? 0
		     : set_state(be, XenbusStateClosed);
	return rc == -ENOENT || rc == 0 ? 1 : rc;
}

/* xend asked for removal. A live frontend gets the chance to let go first. */
static int poll_removal(struct backend *be, enum xenbus_state fe, uint64_t now_ns)
{
	if (!be->removal_ns)
		be->removal_ns = now_ns;
	be->state = XenbusStateClosing;
	if (!be->connected || !be->ops->has_frontend)
		return finish(be);
	/* Closing: it saw the request; a mounted disk holds on to it until the guest lets go. */
	if (fe == XenbusStateClosing)
		return 0;
	if (fe != XenbusStateConnected || now_ns - be->removal_ns >= BACKEND_REMOVAL_NS)
		return finish(be);
	be->again_ns = be->removal_ns + BACKEND_REMOVAL_NS;
	return 0;
}

/* false: not yet, but at be->again_ns. */
static bool may_begin(struct backend *be, uint64_t now_ns)
{
	be->again_ns = pace_take(&be->rounds, now_ns, ROUNDS_AT_ONCE, ROUND_NS);
	return be->again_ns == 0;
}

static int frontend_initialising(struct backend *be, uint64_t now_ns)
{
	disconnect(be);
	return be->state == XenbusStateInitWait || !may_begin(be, now_ns) ? 0 : offer(be);
}

static int frontend_ready(struct backend *be, uint64_t now_ns)
{
	if (be->connected)
		return 0;
	if (be->state != XenbusStateInitWait && be->state != XenbusStateConnected)
		return 0;
	if (be->state == XenbusStateInitWait && be->ops->may_connect && !be->ops->may_connect(be))
		return 0;
	return may_begin(be, now_ns) ? connect_now(be) : 0;
}

static int frontend_closing(struct backend *be, uint64_t now_ns)
{
	(void)now_ns;
	disconnect(be);
	if (be->state == XenbusStateClosing || be->state == XenbusStateClosed)
		return 0;
	return set_state(be, XenbusStateClosing);
}

static int frontend_closed(struct backend *be, uint64_t now_ns)
{
	(void)now_ns;
	disconnect(be);
	return be->state == XenbusStateClosed ? 0 : set_state(be, XenbusStateClosed);
}

static int frontend_gone(struct backend *be, uint64_t now_ns)
{
	(void)now_ns;
	disconnect(be);
	return 0;
}

/* What each state of the frontend means for us; no row: wait. */
static int (*const on_frontend[])(struct backend *, uint64_t) = {
	[XenbusStateUnknown] = frontend_gone,
	[XenbusStateInitialising] = frontend_initialising,
	[XenbusStateInitialised] = frontend_ready,
	[XenbusStateConnected] = frontend_ready,
	[XenbusStateClosing] = frontend_closing,
	[XenbusStateClosed] = frontend_closed,
	[XenbusStateReconfigured] = NULL,
};

int backend_poll(struct backend *be, uint64_t now_ns, uint64_t *again_ns)
{
	enum xenbus_state fe, own;
	int rc;

	*again_ns = pace_take(&be->looks, now_ns, LOOKS_AT_ONCE, LOOK_NS);
	if (*again_ns)
		return 0;
	be->again_ns = 0;
	rc = store_has(be->xs, be->path);
	if (rc < 0)
		return rc;
	if (!rc) {
		disconnect(be);
		return 1;
	}
	own = read_state(be, be->path);
	fe = be->ops->has_frontend ? read_state(be, be->frontend) : XenbusStateConnected;
	if (!store_read_bool(be->xs, be->path, "online", true) &&
	    (own == XenbusStateClosing || own == XenbusStateClosed || fe == XenbusStateClosed))
		rc = poll_removal(be, fe, now_ns);
	else
		rc = on_frontend[fe] ? on_frontend[fe](be, now_ns) : 0;
	/* Also when it is to go and the guest holds on to it: it is served until then. */
	if (rc == 0 && be->ops->look)
		be->ops->look(be);
	*again_ns = be->again_ns;
	/* The directory may vanish under any write. */
	return rc == -ENOENT ? 0 : rc;
}

void backend_fini(struct backend *be, bool handover)
{
	/* For a successor everything stays as a kill would leave it; the kernel unmaps the rings.
	 */
	if (!handover)
		disconnect(be);
	if (be->ops->fini)
		be->ops->fini(be);
	journal_close(&be->journal);
}
