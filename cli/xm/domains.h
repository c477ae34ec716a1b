/* SPDX-License-Identifier: MIT */
/*
 * domains.h - the domains as xm sees them: /status/domain (what is) joined with /config/domain
 * (what should be). Read only. Source: docs/store-paths.md.
 */
#ifndef XM_DOMAINS_H
#define XM_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"
#include "store.h"
#include "xm.h"

enum dom_state {
	DOM_DEFINED, /* has a record, does not run */
	DOM_STARTING,
	DOM_RUNNING,
	DOM_PAUSED,
	DOM_STOPPING,
	DOM_SHUTDOWN,
	DOM_CRASHED,
	DOM_FAILED,  /* could not be started */
	DOM_UNKNOWN, /* a word this xm does not know */
	DOM_STATE_NR
};

struct domain {
	char name[DOMAIN_NAME_MAX + 1];
	char uuid[RECORD_UUID_LEN + 1];
	int domid; /* -1: none at the moment */
	enum dom_state state;
	char state_word[32]; /* as the store says it */
	bool has_record, persistent;
	bool foreign; /* other tools built it: no record, and xm only ends it */
	bool blocked; /* running, but all its VCPUs wait */
	long long memory_kib, cpu_time_ns, vcpus;
};

struct domains {
	struct domain *at; /* by domid, then those without one by name */
	size_t nr;
};

/* Reads them all. 0 or -errno. Free with domains_fini(). */
int domains_load(struct xs_handle *xs, struct domains *all);
void domains_fini(struct domains *all);

/*
 * The domain a user means by a name or a number. 0; -ENOENT after saying so with the nearest name;
 * -errno after saying why the store failed.
 */
int domain_find(struct xm *xm, const char *arg, struct domain *dom);

/* As domain_find(), but -ENOENT too, and told, when it does not run now. */
int domain_find_running(struct xm *xm, const char *arg, struct domain *dom);

/* Reads one domain by its exact name; false when neither record nor status is there. */
bool domain_read(struct xs_handle *xs, const char *name, struct domain *dom);

/* The state with that word (DOM_UNKNOWN for any other). */
enum dom_state dom_state_parse(const char *word);

/* xl list's six letters, such as "-b----". */
const char *domain_flags(const struct domain *dom);

/* Whether there is a domain in memory: the states from starting to crashed, and a domid. */
/* Live, or on its way to or from that: to be listed and ended, even while it has no number. */
bool domain_is_active(const struct domain *dom);

bool domain_is_live(const struct domain *dom);

/*
 * Before something is written into the home of @dom, in that transaction: 0, or -ESRCH when it has
 * ended since it was looked for, and what is written would be left there for the next one of its
 * number; -errno.
 */
int domain_has_home(struct xs_handle *xs, xs_transaction_t t, const struct domain *dom);

#endif
