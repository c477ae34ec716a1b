/* SPDX-License-Identifier: MIT */
/*
 * domain.h - one domain as xend sees it: record, state, place in the step table.
 */
#ifndef XEND_DOMAIN_H
#define XEND_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"
#include "xspaths.h"

struct xend;
struct build;
struct restore;
struct save;
struct hv_domain;
struct maker;

/* What the builder has made of a domain, for the steps after it. */
struct build_result {
	uint64_t store_mfn, console_mfn;
	uint32_t store_port, console_port;
};

enum domain_state {
	STATE_DEFINED, STATE_STARTING, STATE_RUNNING, STATE_PAUSED, STATE_STOPPING, STATE_SHUTDOWN,
	STATE_CRASHED, STATE_FAILED, STATE_NR
};

/* Which way the step table is being walked. */
enum domain_walk { WALK_NONE, WALK_UP, WALK_DOWN };

/* What follows when everything is undone; journalled, so a restarted xend knows. */
enum domain_after { AFTER_STOP, AFTER_RESTART, AFTER_CRASH, AFTER_FAIL, AFTER_MOVED, AFTER_NR };

/*
 * OFFERED: to the other host, or the file's system is asked for it: the guest has heard of nothing.
 */
enum save_state { SAVE_OFFERED, SAVE_ASKED, SAVE_SUSPENDED, SAVE_DRAINING, SAVE_WRITING };

/* Of a domain that is being saved; without a file, one that suspends itself is resumed. */
struct saving {
	struct save *file;
	enum save_state state;
	bool goes_on;			/* afterwards: xm save -c */
	bool waited_on;			/* longer than it should: it had begun to suspend */
};

#define DOMAIN_ERROR_MAX 512

struct domain {
	struct domain *next;
	char name[PATH_NAME_MAX];
	enum domain_state state;
	int domid;			/* -1: the hypervisor has none */
	char uuid[37];
	uint8_t uuid_bytes[16];
	struct record rec;		/* what it was or is being built from */
	uint64_t built_hash;		/* rec_hash then; 0: unknown */

	enum domain_walk walk;
	int step;			/* next to do or undo */
	uint64_t deadline_ns;		/* 0: the step has not begun to wait */
	enum domain_after after;
	uint64_t start_kib;		/* what its kernel needs to start; 0: not known */
	uint64_t log_from;		/* where in its console's log it begins: before are earlier ones */
	char end_why[32];		/* with a walk down: what began it; "": not known */
	const struct maker *maker;	/* with a walk up: where its memory comes from */
	struct build *build;		/* while the maker's steps run; of one of them */
	struct restore *restore;
	struct build_result made;
	struct saving saving;

	bool dirty;			/* record or state must be looked at */
	bool give_up;			/* failed: not again until the record is written */
	bool ended;			/* which its record does not say yet: it must not start */
	bool held;			/* its record is not to be acted on: loss.h */
	bool as_built;			/* between two lives: it ran with what its record says */
	bool handed;			/* to another host, or perhaps: must not run here */
	bool preserved;			/* dead, kept for a look */
	bool transient;			/* made by xm create: goes with its domain */
	uint64_t started_ns;
	unsigned int fast_restarts;
	char error[DOMAIN_ERROR_MAX];	/* one line in the user's words */
};

const char *domain_state_name(enum domain_state state);
/* STATE_NR for an unknown word or NULL. */
enum domain_state domain_state_parse(const char *name);
const char *domain_after_name(enum domain_after after);
enum domain_after domain_after_parse(const char *name);

/* Finds by name, NULL if none. */
struct domain *domain_find(struct xend *x, const char *name);
struct domain *domain_find_id(struct xend *x, int domid);
/* Finds or makes; NULL without memory or when the name cannot be a store path. */
struct domain *domain_get(struct xend *x, const char *name);
/* Whether @list has another domain by its number: then nothing that has the number is its own. */
bool domain_lost_number(const struct domain *d, const struct hv_domain *list, size_t nr);
/*
 * 0: no living domain has the uuid of its record, before it is written down that this one has.
 * -EEXIST, or what the hypervisor says, with its error line: who looks for domains by uuid
 * (recover.c, xl) would take each of two for the other.
 */
int domain_claim_uuid(struct xend *x, struct domain *d);
/* Takes it off the list and frees it. */
void domain_drop(struct xend *x, struct domain *d);

/* Sets the error line unless one is there already: the first reason is the true one. */
void domain_error(struct domain *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Moves to @state: status, history and log. @why is one or two words for the history. */
void domain_set_state(struct xend *x, struct domain *d, enum domain_state state, const char *why);
/* Of a move from @from whose status is written: history and log. */
void domain_tell(struct xend *x, const struct domain *d, enum domain_state from, const char *why);

#endif
