/* SPDX-License-Identifier: MIT */
/*
 * backend.h - one device's backend: the xenbus handshake, its rings' mapping, its end.
 *
 * Owns the backend directory's `state`, `hotplug-status`, `hotplug-error` and `error` keys. What
 * the device is (disk, network card, console) is behind struct backend_ops. Nothing here waits:
 * backend_poll() looks at the store and takes the steps due. Single-threaded.
 *
 * Trust: the backend directory is written by dom0 alone; of the frontend directory only numbers
 * and flags are read, each bounded. Source: xen/io/xenbus.h and the notes in xen/io/blkif.h.
 */
#ifndef BACKENDS_BACKEND_H
#define BACKENDS_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xen/io/xenbus.h>

#include "backend_exit.h"
#include "confine.h"
#include "journal.h"
#include "pace.h"
#include "store.h"

/* How long a frontend may take to react to its device being removed before it is cut off. */
#define BACKEND_REMOVAL_NS 1000000000ULL

struct backend;
struct event_base;

struct backend_ops {
	const char *name;     /* program, as in the log: "blkback" */
	const char *type;     /* device class directory: "vbd" */
	size_t journal_extra; /* bytes behind the journal's head for the device itself */
	bool has_frontend;    /* false: no xenbus frontend, connected from start (console) */
	const struct confine_more *more; /* what it needs of the kernel besides, or NULL */
	/*
	 * With all privileges: opens what the device needs (image, tap, pty) and reads the record.
	 * Returns 0, or -errno after backend_fail() named the cause; -EAGAIN: worth a retry.
	 */
	int (*prepare)(struct backend *be);
	/* Writes features and properties inside the transaction that offers the device. 0/-errno.
	 */
	int (*offer)(struct backend *be, xs_transaction_t t);
	/* Whether what dom0 does to an offered device first is done. NULL: nothing is. */
	bool (*may_connect)(struct backend *be);
	/* Reads the frontend's keys, calls backend_attach(), starts work. 0/-errno. */
	int (*connect)(struct backend *be);
	/*
	 * How a page that the frontend named @ref is mapped, and unmapped. NULL: a grant. map()
	 * returns NULL with errno.
	 */
	void *(*map)(struct backend *be, uint32_t ref);
	void (*unmap)(struct backend *be, void *page);
	/* Stops work on the rings, which are unmapped after it returns. */
	void (*disconnect)(struct backend *be);
	/*
	 * Works off some of the rings of queue @queue: a bounded part, for others wait. 0: nothing
	 * left; 1: call again soon; -errno: the frontend broke.
	 */
	int (*work)(struct backend *be, unsigned int queue);
	/* Adds the device's own descriptors to the loop, before privileges go. May be NULL. */
	int (*start)(struct backend *be, struct event_base *base);
	/* Looks at what else dom0 wrote into the backend directory. May be NULL. */
	void (*look)(struct backend *be);
	/* Called once at the end. */
	void (*fini)(struct backend *be);
};

struct backend {
	const struct backend_ops *ops;
	void *dev; /* the device's own state */
	const char *user; /* whom this process, and one that works for it, becomes; NULL: nobody */
	struct xs_handle *xs;
	xengnttab_handle *gnt;
	xenevtchn_handle *evt;

	char path[256];	    /* backend directory */
	char frontend[256]; /* frontend directory, as dom0 wrote it */
	uint32_t domid;
	uint32_t devid;

	enum xenbus_state state; /* what we last wrote */
	uint64_t removal_ns;	 /* when removal was first seen; 0: not asked */
	struct pace rounds, looks; /* what its frontend began; what backend_poll() did */
	uint64_t again_ns;	 /* when backend_poll() is to be called again; 0: on events */
	uint64_t log_ns;	 /* start of the window that log_lines counts in */
	unsigned int log_lines;

	char journal_path[256];
	struct journal journal;
	bool connected;
	bool resumed; /* this connection was taken over from a killed process */
	unsigned int nr_queues, nr_rings;  /* while they are mapped: as many rings a queue as another */
	void *ring_page[JOURNAL_RINGS];	   /* those of the first queue first */
	evtchn_port_t port[JOURNAL_QUEUES]; /* ours, bound to the frontend's */
	unsigned int due; /* queues that there is something to do for: a bit each */
	unsigned int turn; /* who is asked first: whoever comes after the first of last time */
	struct event_base *base;
};

/*
 * Fills @be from backend directory @path (trusted: from the supervisor's command line) and takes
 * the journal. Handles xs, gnt, evt must be set. Returns 0; -ENOENT: no such device; -EBUSY:
 * another process serves it; -EINVAL: a key that xend must have written is missing; -errno.
 */
int backend_init(struct backend *be, const struct backend_ops *ops, const char *path);

/* prepare(), then offers the device or takes a running connection over. 0/-errno. */
int backend_start(struct backend *be);

/*
 * Acts on whatever the store says now; not yet, if it was called very often just before. Returns 0
 * to go on, 1 when the device is finished (closed, or its directory vanished) and the process
 * should exit, -errno of the store.
 * @now_ns: CLOCK_MONOTONIC. Call again at *@again_ns (0: only on store events). It may have
 * connected and begun to work: then be->due says what is left.
 */
int backend_poll(struct backend *be, uint64_t now_ns, uint64_t *again_ns);

#define BACKEND_ALL_QUEUES UINT32_MAX

/*
 * Runs ops->work once for each queue in @due (bits) or be->due, in turn; closes the connection if
 * the frontend broke the protocol. Returns 1: call again soon (be->due says for whom); 0.
 */
int backend_work(struct backend *be, unsigned int due);

/* Drops the journal's lock, the device and, unless a successor takes it over, the connection. */
void backend_fini(struct backend *be, bool handover);

/* Of one queue, the frontend's words: any number. */
struct backend_queue {
	uint32_t ref[JOURNAL_RINGS / JOURNAL_QUEUES];
	uint32_t port;
};

/*
 * For connect(): maps @nr_rings ring grants of each of @nr queues and binds their ports, resuming
 * if the journal says that exactly this connection was open. Sets nr_queues, nr_rings, ring_page[],
 * port[], resumed. 0; -EINVAL: two are the same; -errno.
 */
int backend_attach(struct backend *be, const struct backend_queue *queue, unsigned int nr,
		   unsigned int nr_rings);

/* The response record of ring_page[@i], for bring_attach(). */
struct rsp_record *backend_record(struct backend *be, unsigned int i);

/* Tells the frontend to look at the rings of @queue. */
void backend_notify(struct backend *be, unsigned int queue);

/* May one more line be logged that a guest can cause as often as it likes? At most 20 in 10 s. */
bool backend_may_log(struct backend *be);

/* Publishes hotplug-error/hotplug-status: one line in the user's words, and logs it. */
void backend_fail(struct backend *be, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
