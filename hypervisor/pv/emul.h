/* SPDX-License-Identifier: MIT */
/* emul.h - privileged instructions of a guest kernel, and the machine they see. */
#ifndef HV_PV_EMUL_H
#define HV_PV_EMUL_H

#include "domain/domain.h"

enum emul_result {
	EMUL_DONE,	/* regs is past the instruction */
	EMUL_REFUSED,	/* the guest gets its #GP */
	EMUL_FAULTED,	/* another exception was already delivered */
};

/* A #GP with error code 0 in a guest: is it a privileged instruction it may have? */
enum emul_result pv_emul_privileged(struct cpu_user_regs *regs);
/*
 * The same, without the hypervisor lock, for what concerns this CPU's predictors and caches alone
 * and takes long: WRMSR, as it is commonly encoded, to PRED_CMD and FLUSH_CMD. True: done.
 */
bool pv_emul_barrier(struct cpu_user_regs *regs);
/* #UD: the forced-emulation CPUID (ud2; "xen"; cpuid). True: done. */
bool pv_emul_forced_cpuid(struct cpu_user_regs *regs);

/* msr.c: allow-list (C56). @val: in or out. False: #GP. */
bool pv_msr_read(struct vcpu *v, u32 msr, u64 *val);
bool pv_msr_write(struct vcpu *v, u32 msr, u64 val);

/*
 * ioport.c: one access of 1, 2 or 4 bytes. A domain without rights reads all-ones, and its writes
 * go nowhere.
 */
u32 pv_ioport_read(const struct domain *d, u16 port, unsigned int size);
void pv_ioport_write(const struct domain *d, u16 port, unsigned int size, u32 val);

#endif
