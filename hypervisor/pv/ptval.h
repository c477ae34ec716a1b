/* SPDX-License-Identifier: MIT */
/*
 * ptval.h - the page-type state machine (security.md D4, D5): what a frame is used as, counted, and
 * validated before a page-table type is granted.
 *
 * A type reference is always backed by a general reference of the same holder (I2).
 */
#ifndef HV_PV_PTVAL_H
#define HV_PV_PTVAL_H

#include "domain/guest.h"
#include "mm/frame.h"

/*
 * Takes one type reference of @type on @f; the caller holds a general reference and keeps it.
 * Validates the contents when the frame was not of that type yet. 0; -EINVAL (in use as another
 * type, or an entry breaks D3); -EBUSY (an entry maps what is in use as another type writable);
 * -EPERM (an entry names a frame it may not); -ERESTART (preempted: the frame is PARTIAL, keeps
 * references of its own, and the caller should drop its general reference and re-issue the call);
 * -ESRCH (owner is dying).
 */
int must_check frame_type_get(struct frame *f, enum frame_type type);
/*
 * Drops one type reference of the frame's present type. Never preempted: a page table whose last
 * reference goes is devalidated completely, or is left to current's deferred work.
 */
void frame_type_put(struct frame *f);
/*
 * The same for teardown, which may stop: -ERESTART leaves the frame PARTIAL, to be finished by
 * ptval_finish_partial().
 */
int must_check frame_type_put_preemptible(struct frame *f);

/*
 * Holds a live table between a check and its use: a general and a type reference on @f, if it is a
 * validated table of @level that @d owns. 0: held until frame_put_and_type(); -EINVAL: no such
 * table (it is never made one); -EPERM: not @d's; -EBUSY: counted to the maximum.
 */
int must_check frame_hold_table(struct frame *f, const struct domain *d, unsigned int level);

/*
 * Before entry @idx of @f changes. True: @f still is what its holder checked, a validated table of
 * @level with references on it, and in log-dirty mode the change is noted and the entry's shadow
 * gone; it does not come back while the hypervisor lock is held. False: the hypervisor erred
 * between a check and its use. Checked builds stop then; others crash current's domain before
 * anything in the table is believed, and the caller gives up (D4).
 */
bool must_check ptval_entry_changes(struct frame *f, unsigned int level, unsigned int idx);

/*
 * Finishes devalidation left over from an earlier call. Only pv_enter() calls it (pv/enter.h). 0;
 * -ERESTART.
 */
int must_check pv_drain_deferred(struct vcpu *v);

/* Teardown: devalidates a PARTIAL frame of a dying domain. 0; -ERESTART. */
int ptval_finish_partial(struct frame *f);

#endif
