/* SPDX-License-Identifier: MIT */
/*
 * sched.h - between sched.c (states, switching, idling) and the policy that chooses who runs
 * next.
 */
#ifndef HV_DOMAIN_SCHED_H
#define HV_DOMAIN_SCHED_H

#include "domain/domain.h"

/* --- the policy (sched_credit.c) --- */
int credit_vcpu_init(struct vcpu *v); /* 0, -ENOMEM */
void credit_vcpu_fini(struct vcpu *v);
void credit_init(void);
/* @v became runnable. @after_block: it waited for an event of its own will, and may be boosted.
 * The CPU that should choose again: an idle one, or one that runs something less urgent; NO_CPU:
 * @v waits for its turn. */
u32 credit_insert(struct vcpu *v, bool after_block, s_time_t now);
/* Has idle CPUs look for what waits and may run there. */
void credit_call_idle(void);
/* @v is no longer runnable; it may be queued or not. */
void credit_remove(struct vcpu *v);
/* The vcpu running on this CPU used it until @now. Charges it. */
void credit_charge(struct vcpu *v, s_time_t now);
/*
 * The running vcpu (still runnable) goes back to the queue. @yield: behind all of its priority.
 */
void credit_requeue(struct vcpu *v, bool yield);
/* Takes the next for this CPU off the queue; NULL: none may run here. Arms slice timers if others
 * wait. */
struct vcpu *credit_pick(s_time_t now);

/*
 * XEN_DOMCTL_SCHEDOP_putinfo for the credit scheduler: 0; -EINVAL weight 0 or above 65535, cap.
 */
int credit_set_params(struct domain *d, u16 weight, u16 cap);

/* Debug key: who runs and who waits, to the log. */
void credit_print(void);

/* --- sched.c for hypercall/ --- */
/* @v's affinity was set: leaves a CPU where it may not be, and finds one where it may. */
void sched_affinity_changed(struct vcpu *v);
/*
 * SCHEDOP_pin_override: @v on CPU @cpu alone, until a negative number gives its affinity back.
 * -EINVAL: no such CPU; -EBUSY: already so; -ENOENT: there is nothing to give back.
 */
int sched_pin(struct vcpu *v, s32 cpu);
/* SCHEDOP_block for current, which unmasked its events already. */
void sched_block(void);
void sched_yield(void);
/* SCHEDOP_poll for current: @ports (each < 4096, validated), @timeout_ns absolute, 0: none. */
void sched_poll(const evtchn_port_t *ports, unsigned int nr, s_time_t timeout_ns);
/*
 * SCHEDOP_watchdog: @id 0 takes a free one and returns its id + 1; else re-arms (or stops:
 * timeout 0) that one. -EEXIST: all in use; -EINVAL: no such.
 */
long sched_watchdog(struct domain *d, u32 id, u32 timeout_s);

#endif
