/* SPDX-License-Identifier: MIT */
/*
 * enter.h - THE way into the page-table code, for every hypercall and every trap (decision 15).
 *
 * What an earlier call of current left half devalidated is finished here, before anything is looked
 * at: nothing drains between a check and its use, because nothing else drains.
 */
#ifndef HV_PV_ENTER_H
#define HV_PV_ENTER_H

#include "domain/domain.h"
#include "lib/errno.h"
#include "pv/ptval.h"
#include "x86/lock.h"

/*
 * Takes the hypervisor lock for what current's guest asks. 0: held until pv_leave(), and no work of
 * current's is deferred. -ERESTART: preempted in that work; the lock is not held, nothing was done,
 * and the guest issues again what it issued.
 */
static inline int must_check pv_enter(void)
{
	int rc;

	hv_lock();
	if (likely(!current->pv.nr_deferred))
		return 0;
	rc = pv_drain_deferred(current);
	if (rc)
		hv_unlock();
	return rc;
}

static inline void pv_leave(void)
{
	hv_unlock();
}

#endif
