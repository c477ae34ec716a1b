/* SPDX-License-Identifier: MIT */
/*
 * lock.h - ticket locks. There are few, and each has a rank: a CPU takes them in ascending order
 * only, which is checked at each (docs/locks.md). Interrupts are off in the hypervisor, so an
 * interrupt never finds a lock of its own CPU taken, but for the hypervisor lock at a preemption
 * point, which counts how often its owner took it.
 */
#ifndef HV_X86_LOCK_H
#define HV_X86_LOCK_H

#include "lib/log.h"
#include "x86/asm.h"
#include "x86/percpu.h"
#include "x86/probe.h"

enum lock_rank { LOCK_HV, LOCK_CONSOLE };

struct spinlock {
	u32 next, owner; /* free-running; owner == next: free */
	enum lock_rank rank;
};

extern struct spinlock hv_big_lock;
/* Spins, doing what other CPUs request meanwhile: the owner may be waiting for it. */
void hv_lock_wait(u32 ticket);

/*
 * THE lock: every structure that more than one CPU could see changes only under it (decision
 * 0008). Taken again by its owner it only counts.
 */
static inline void hv_lock(void)
{
	struct cpu_info *c = this_cpu();
	u32 ticket;

	if (c->lock_depth) {
		c->lock_depth++;
		return;
	}
	BUG_ON(c->locks_held);
	ticket = __atomic_fetch_add(&hv_big_lock.next, 1, __ATOMIC_ACQUIRE);
	if (unlikely(__atomic_load_n(&hv_big_lock.owner, __ATOMIC_ACQUIRE) != ticket))
		hv_lock_wait(ticket);
	c->lock_depth = 1; /* who waits holds nothing: hv_lock_wait() tells the owner by it */
	if (unlikely(probe_is_on))
		probe_begin();
}

static inline void hv_unlock(void)
{
	struct cpu_info *c = this_cpu();

	if (c->lock_depth > 1) {
		c->lock_depth--;
		return;
	}
	if (unlikely(probe_is_on))
		probe_stop();
	c->lock_depth = 0;
	__atomic_store_n(&hv_big_lock.owner, hv_big_lock.owner + 1, __ATOMIC_RELEASE);
}

static inline bool hv_lock_is_held(void)
{
	return this_cpu()->lock_depth != 0;
}

/* Somebody waits for the lock this CPU holds. */
static inline bool hv_lock_is_wanted(void)
{
	return READ_ONCE(hv_big_lock.next) != hv_big_lock.owner + 1;
}

/* A leaf lock: held for a few lines, nothing waits inside but for hardware. */
static inline void spin_lock(struct spinlock *l)
{
	struct cpu_info *c = this_cpu();
	u32 ticket;

	BUG_ON(c->locks_held >> l->rank);
	/* said before it is true, and until it is no more: an NMI may come in between */
	WRITE_ONCE(c->locks_held, c->locks_held | 1u << l->rank);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		cpu_relax();
}

static inline void spin_unlock(struct spinlock *l)
{
	struct cpu_info *c = this_cpu();

	__atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
	WRITE_ONCE(c->locks_held, c->locks_held & ~(1u << l->rank));
}

#endif
