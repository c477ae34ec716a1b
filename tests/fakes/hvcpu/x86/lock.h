/* SPDX-License-Identifier: MIT */
/*
 * lock.h (fake) - locks in a host test of one thread: counted, so that an unbalanced one is
 * noticed.
 */
#ifndef TESTS_FAKES_HVCPU_X86_LOCK_H
#define TESTS_FAKES_HVCPU_X86_LOCK_H

#include "lib/log.h"
#include "x86/percpu.h"

enum lock_rank { LOCK_HV, LOCK_CONSOLE };
struct spinlock {
	bool is_held;
	enum lock_rank rank;
};

extern int fake_lock_depth;
extern bool fake_lock_is_wanted;

static inline void hv_lock(void)
{
	fake_lock_depth++;
}
static inline void hv_unlock(void)
{
	BUG_ON(fake_lock_depth-- == 0);
}
static inline bool hv_lock_is_held(void)
{
	return fake_lock_depth != 0;
}
static inline bool hv_lock_is_wanted(void)
{
	return fake_lock_is_wanted;
}
static inline void spin_lock(struct spinlock *l)
{
	BUG_ON(l->is_held);
	l->is_held = true;
}
static inline void spin_unlock(struct spinlock *l)
{
	l->is_held = false;
}

#endif
