/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - shadows: the tables that the CPUs walk for a domain in log-dirty mode (decision 0035).
 * Each is the copy of one validated table of the guest's, filled as faults ask for it. The guest's
 * own are walked by no CPU then, and stay as the guest means them.
 *
 * What holds of each present entry of a shadow, whenever the hypervisor lock is free:
 * - - the guest's entry at that place is present, with A; it names the same frame, or the table
 *   whose shadow is named here;
 * - it gives no right that the guest's does not give;
 * - - of a level-1 entry: it is writable only if the guest's has D, and the frame is FRAME_WRITTEN
 *   or another domain's.
 *
 * A shadow lives no longer than its table is one. All here needs the hypervisor lock.
 */
#ifndef HV_PV_SHADOW_H
#define HV_PV_SHADOW_H

#include "domain/domain.h"

struct shadow {
	u32 mfn;      /* its page: from the hypervisor's heap, this domain's until the mode ends */
	u32 original; /* mfn of the guest's table; 0: free */
	u32 stamp;    /* free: TLB clock when it was dropped */
	u32 next;     /* free: the next one, 0: none */
};

/*
 * All memory that the mode takes of a domain; it does not grow. Numbers begin with 1: 0 is no
 * shadow.
 */
struct shadow_pool {
	u32 nr, nr_free;
	/* dropped last, used last: by then the CPUs have flushed of themselves */
	u32 first_free, last_free;
	struct shadow shadow[]; /* [nr + 1] */
};

/*
 * Makes a pool of @nr pages, in several calls when it must: -ERESTART, with *@pool to be passed
 * again. 0; -ENOMEM, and what there is of it, if anything, is to be freed.
 * @nr: at least SHADOWS_PER_VCPU for each vcpu that the domain may have.
 */
#ifndef SHADOWS_PER_VCPU /* the random machine has few, so that there is never room */
#define SHADOWS_PER_VCPU 64u
#endif
int must_check shadow_pool_make(struct shadow_pool **pool, u32 nr);
/*
 * Gives all back, in several calls when it must: -ERESTART; 0, and *@pool is NULL. No CPU has one
 * of them loaded. *@pool NULL: 0.
 */
int must_check shadow_pool_free(struct shadow_pool **pool);

/*
 * The machine address of the shadow of @l4, a LOGGED level-4 table of @d, made if there is none.
 * Drops others when there is no room.
 */
u64 shadow_of_l4(struct domain *d, struct frame *l4);
/* Entry @idx of @table, LOGGED, is about to change. */
void shadow_entry_forget(struct domain *d, const struct frame *table, unsigned int idx);
/* @table, LOGGED, is about to be no table any more. */
void shadow_forget(struct domain *d, struct frame *table);
/*
 * Drops all but those of the level-4 tables that vcpus have, and these lose all their entries.
 * Flushes the domain's CPUs.
 */
void shadow_drop_all(struct domain *d);

/*
 * A fault of current at @va, guest-controlled and no address of the hypervisor's, with the CPU's
 * error code *@code.
 * True: the guest's tables allow the access, and now the shadows do: the instruction runs again; A
 * and D are set in the guest's entries. False: it is the guest's own fault, and *@code is what it
 * would be by the guest's tables.
 */
bool shadow_fault(u64 va, u32 *code);

/*
 * Counts and logs the shadows of @d that are not what is said above; at most so many lines as
 * *@lines says.
 */
unsigned int shadow_audit(const struct domain *d, unsigned int *lines);

#endif
