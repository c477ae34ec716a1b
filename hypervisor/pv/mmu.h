/* SPDX-License-Identifier: MIT */
/*
 * mmu.h - changing guest page tables: what mmu_update, update_va_mapping, trapped writes and grants
 * share.
 */
#ifndef HV_PV_MMU_H
#define HV_PV_MMU_H

#include "mm/frame.h"
#include "pv/pt_entry.h"

/* Top bit of the count of a restarted mmu_update: private between the hypervisor and itself. */
#define MMU_UPDATE_PREEMPTED (1u << 31)

/*
 * The level-1 entry that maps @va in the page tables @v runs on, as it is now; 0: outside the
 * guest's part, or no level-1 table there. @va: guest-controlled. Holds nothing.
 */
u64 pv_l1_entry(const struct vcpu *v, u64 va);

/*
 * The level-1 table that maps @va for current, held with a general and a type reference until
 * frame_put_and_type(). -EINVAL: there is none.
 */
int must_check pv_l1_hold(u64 va, struct frame **l1);

/*
 * Replaces entry @idx of the validated table @f, held by the caller with a general and a type
 * reference, by @val.
 * @preserve_ad: A and D bits the hardware sets meanwhile are kept. Errors as pt_entry_get; on an
 * error nothing changed. May leave deferred work.
 */
int must_check pv_entry_update(struct frame *f, unsigned int level, unsigned int idx, u64 val,
			       bool preserve_ad,
			       const struct pt_subject *s);

/*
 * The same for a level-1 entry, if it still is @old; -EAGAIN: the MMU set A or D for another CPU,
 * or it was not. What was computed from the old value must not lose such a bit.
 */
int must_check pv_entry_exchange(struct frame *f, unsigned int idx, u64 old, u64 val,
				 const struct pt_subject *s);

/*
 * The CPUs that run, or still have loaded, those vcpus of @d that the guest's mask at @mask_va
 * names. -EFAULT.
 */
int must_check pv_vcpus_to_cpus(const struct domain *d, u64 mask_va, u64 *cpus);

/*
 * Resolves the domid of an MMU hypercall (DOMID_SELF, a foreign domain for a privileged caller,
 * DOMID_IO for device memory = the caller itself). 0, -ESRCH, -EPERM.
 */
int pv_mmu_subject(domid_t domid, struct domain **out);

#endif
