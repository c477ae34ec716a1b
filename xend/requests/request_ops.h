/* SPDX-License-Identifier: MIT */
/*
 * request_ops.h - what the operations of /request share: the request under way, and refusing it.
 * The table of operations is request.c's.
 */
#ifndef XEND_REQUEST_OPS_H
#define XEND_REQUEST_OPS_H

#include "domain.h"

struct xend;
struct save;
struct txn;

enum request_state { REQUEST_NEW, REQUEST_WORKING, REQUEST_ANSWERED };

struct request {
	struct request *next;
	char id[PATH_NAME_MAX];
	enum request_state state;
	uint64_t remove_ns;
	char error[DOMAIN_ERROR_MAX];
	/* with REQUEST_WORKING: what it waits for */
	int (*poll)(struct xend *x, struct request *r); /* -EINPROGRESS, 0, or refused */
	uint64_t deadline_ns;		/* 0: none */
	char domain[PATH_NAME_MAX];
	enum device_kind kind;
	char device[16];
	char epoch[37];			/* of a save or a move */
	uint64_t began_ns;		/* to bring its disks to rest, send its memory; 0: not yet */
	struct save *channel;		/* of one that has ended well */
};

/* Says why in the user's words. Returns @err. */
int refuse(struct request *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Notes that @arg, a request, was done, in the transaction that does it: what another xend finds of
 * it after a kill is its own, and no reason to refuse it.
 */
void request_note(struct txn *tx, const void *arg);
/* 1: that was noted; 0: it was not; -errno: not known. */
int request_noted(struct xend *x, const struct request *r);

/* The argument @name of a request as text the caller frees; NULL: not given. */
char *request_argument(struct xend *x, const struct request *r, const char *name);

/* The domain a request names, by name or by number; NULL after refusing. */
struct domain *any_target(struct xend *x, struct request *r);

/*
 * The same, in memory and not between two lives; NULL
 * after refusing.
 */
struct domain *running_target(struct xend *x, struct request *r);

/* The same, not being saved or moved: its name and what its guest is asked for stay. */
struct domain *settled_target(struct xend *x, struct request *r);

/*
 * The operations, each: 0 done, -EINPROGRESS with r->poll set, else -errno after refusing.
 * Arguments are keys below /request/ID/args, any text; results are lines below output.
 */

/* request_device.c. args list (disk, vif) and item: item of the record becomes a device. */
int op_attach(struct xend *x, struct request *r);
/* args kind (vbd, vif), device (its number), force (1: without the guest's consent). */
int op_detach(struct xend *x, struct request *r);

/* request_cpu.c. Output: a line a virtual CPU: number, CPU, state, seconds, hard, soft. */
int op_vcpu_list(struct xend *x, struct request *r);
/* args vcpu (a number or all), hard, soft: CPUs as "0-3,^2" or "all". */
int op_vcpu_pin(struct xend *x, struct request *r);
/* args weight, cap, both optional. Output: both, as they are then. */
int op_sched_credit(struct xend *x, struct request *r);
/* args kib. */
int op_mem_max(struct xend *x, struct request *r);
/* args name: the new one. Record, status, history and home move in one transaction. */
int op_rename(struct xend *x, struct request *r);

/*
 * request_save.c. args file (absolute, in dom0), checkpoint (1: the domain goes on afterwards). The
 * guest suspends itself, its memory goes to the file, then the domain ends.
 */
int op_save(struct xend *x, struct request *r);

/*
 * request_migrate.c. args channel (a unix socket in dom0 that leads to xm migrate-receive there),
 * host (its name, for people), live (1: in rounds while it runs, until it would stop for at most
 * max_stop_ms, sending at most max_kib_s). Output: a line if that could not be. Of a domain whose
 * record says moved=: asks what came of that time. Done: the domain runs there and is forgotten
 * here.
 */
int op_migrate(struct xend *x, struct request *r);

#endif
