/* SPDX-License-Identifier: MIT */
/*
 * domain.h - the domains the store knows: introduced ones and those that some permission names.
 *
 * A struct domain is bound to one life of a domid: when that life ends, everything that named it
 * (nodes, permission entries, watches, quotas) goes before the domid can mean somebody else
 * (rule C10). What the hypervisor says about domains comes through hv.h.
 */
#ifndef XENSTORED_DOMAIN_H
#define XENSTORED_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perms.h"
#include "quota.h"

struct conn;
struct node;
struct server;

struct domain {
	struct domain *next, *prev;	/* all domains */
	unsigned int domid;
	bool introduced;
	bool shutdown;			/* reported to watchers of @releaseDomain already */
	uint64_t identity;		/* the hypervisor's unique id of this life */
	uint64_t since;			/* revision at which it became known here */
	uint64_t gfn;			/* of the ring page, as INTRODUCE gave it */
	uint32_t remote_port;
	unsigned int target;		/* domid it also acts for, or NO_DOMID */
	uint32_t features;		/* bits shown to it; see SET_FEATURE */
	struct conn *conn;		/* its ring, or NULL */
	uint64_t used[QUOTA_NR];	/* counted kinds only */
	bool soft_warned;		/* over the soft memory limit, said so once */
	uint64_t quota_warned_ns;	/* when a refused request was last logged */
	struct quota_overrides quota;
};

struct domains {
	struct domain **by_id;		/* 65536 pointers: domains, and people above them */
	struct domain *list;
	unsigned int nr;
	bool ended_still_named;		/* an ended one is still named somewhere */
};

int domains_init(struct domains *t);
void domains_fini(struct domains *t);

/* The domain with @domid if known here, else NULL. Any @domid may be asked for. */
struct domain *domain_find(const struct domains *t, unsigned int domid);

/*
 * The domain with @domid, taken up now if the hypervisor says that it exists.
 * A person's number (people.h) counts as one when the table has it.
 * Returns 0; -ENOENT when there is no such domain; -EBUSY: its domid is still named where an ended
 * domain could not be forgotten yet; -ENOSPC; -ENOMEM.
 */
int domain_find_or_adopt(struct server *srv, unsigned int domid, struct domain **out);

/* Takes up a domain without asking (start, restart, tests). NULL: no memory. */
struct domain *domain_create(struct server *srv, unsigned int domid, uint64_t identity);

/*
 * INTRODUCE: connects the ring of @domid. For a domain already introduced, binds the (possibly
 * new) channel again. Fires @introduceDomain for a new one. Returns 0, -EINVAL (the channel or page
 * cannot be had), or what domain_find_or_adopt() says.
 */
int domain_introduce(struct server *srv, unsigned int domid, uint64_t gfn, uint32_t port);

/* RELEASE: forgets the domain, its nodes, watches and permissions; fires @releaseDomain. */
void domain_release(struct server *srv, struct domain *d);

/*
 * Takes domids that no domain has out of the tree: those of an earlier boot in the persistent
 * part, those the disk has brought back, and what could not be taken out when they ended.
 */
void domains_forget_unknown(struct server *srv);

/*
 * The persistent part has come from an earlier boot: whatever it names has ended. Domains that are
 * there have begun since. 0; -ENOSPC, -ENOMEM: not all of it could be taken out.
 */
int domains_forget_loaded(struct server *srv);

/*
 * Whether a right that was given to @domid at revision @rev at the latest is the one's who has that
 * number now: who has come later has none of it.
 */
bool domain_had(const struct server *srv, unsigned int domid, uint64_t rev);

/* VIRQ_DOM_EXC: asks the hypervisor about every known domain; releases and reports. */
void domains_check(struct server *srv);

/*
 * Adds @delta to a counted use and keeps the peak. The caller has checked the limit: by
 * domain_may(), which answers 0 or -ENOSPC (-E2BIG for watches) for @more of @kind.
 */
void domain_use(struct server *srv, unsigned int domid, enum quota_kind kind, int64_t delta);
/* Counts node @n with a name of @name_len bytes as its owner's: a tree_each of a start. */
void domain_count_node(void *srv, const struct node *n, size_t name_len);
int domain_may(struct server *srv, struct domain *d, enum quota_kind kind, uint64_t more);

#endif
