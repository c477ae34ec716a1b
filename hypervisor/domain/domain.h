/* SPDX-License-Identifier: MIT */
/*
 * domain.h - domains and their virtual CPUs: the structures, and their life.
 *
 * Everything here changes only under the hypervisor lock (decision 0008), except what a running
 * vcpu changes of itself: its registers, vcpu_info, and the fields of `pv` that no other CPU reads
 * while it runs.
 */
#ifndef HV_DOMAIN_DOMAIN_H
#define HV_DOMAIN_DOMAIN_H

#include "lib/log.h"
#include "lib/types.h" /* the public headers need the integer types */

#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "domain/timer.h"
#include "mm/frame.h"
#include "domain/pv_vcpu.h"
#include "x86/percpu.h" /* current, guest_regs() */
#include "x86/tlb_space.h"

#define DOMAIN_MAX_VCPUS 32
#define HV_MAX_DOMID (DOMID_FIRST_RESERVED - 1)
#define VCPU_POLL_ANY (~0u)
#define NR_WATCHDOGS 2

struct evtchn_table; /* domain/evtchn.c */
struct grant_table;  /* domain/gnttab.c */
struct sched_vcpu;   /* domain/sched_credit.c */

/* Bits of vcpu.pause_flags: runnable when none is set and the domain is not paused. */
enum vcpu_pause {
	VPF_DOWN = 1 << 0,     /* not brought up */
	VPF_BLOCKED = 1 << 1,  /* SCHEDOP_block: an event ends it */
	VPF_POLLING = 1 << 2,  /* SCHEDOP_poll */
	VPF_PAUSED = 1 << 3,   /* vcpu.pause_count > 0 */
	VPF_SYNC = 1 << 4,     /* domain_stop(): off every CPU while somebody looks at its state */
};

struct vcpu {
	unsigned int vcpu_id;
	struct domain *domain;
	struct vcpu *sched_next; /* run queue link, owner: sched */

	unsigned long pause_flags; /* enum vcpu_pause */
	unsigned int pause_count;
	bool is_initialised; /* has a context (dom0 build, setvcpucontext, VCPUOP_initialise) */
	bool is_running;     /* chosen by the scheduler of state_cpu */
	u32 state_cpu;       /* whose registers hold its state; NO_CPU: `regs` does */
	u32 last_cpu;        /* where it ran last */

	/* The guest's view: in shared_info, or registered by VCPUOP_register_vcpu_info (then
	 * vcpu_info_frame holds a WR typeref). Always a valid, mapped pointer. */
	struct vcpu_info *vcpu_info;
	struct frame *vcpu_info_frame;

	struct vcpu_runstate_info runstate;
	u64 runstate_guest;      /* guest virtual address, 0: none; vcpu_write_guest() */
	u64 time_guest;          /* secondary vcpu_time_info, 0: none */
	u64 time_tsc_base;       /* clock parameters last published; 0: publish again */

	struct timer periodic_timer, singleshot_timer, poll_timer;
	u64 periodic_period_ns; /* 0: off */
	s_time_t periodic_last_ns;
	evtchn_port_t virq_to_evtchn[NR_VIRQS];
	evtchn_port_t poll_evtchn; /* when VPF_POLLING: the one port, or VCPU_POLL_ANY */

	struct sched_vcpu *sched;
	u64 affinity;      /* bit a pCPU: where it may run; at least one is online */
	u64 affinity_before_pin; /* SCHEDOP_pin_override: 0: none */
	u64 soft_affinity; /* where it would rather run: remembered */

	/* While state_cpu is a CPU the live ones are its guest_regs(). */
	struct cpu_user_regs regs;
	void *fpu_area; /* XSAVE area, domain/fpu.c */
	bool fpu_dirty; /* used the FPU since it was switched in */
	struct pv_vcpu pv;
};

/* The lines of the log that somebody caused: domain/guest_log.c. */
struct log_budget {
	s_time_t since;
	u32 used, left_out;
};

struct domain {
	domid_t domain_id;
	u64 life; /* from 1; no other domain has it or had it, also of the same number */
	bool is_privileged; /* dom0: may control others and devices */
	bool is_dying;      /* D2 I11: accepts no new references except from teardown */
	bool is_shutting_down; /* no vcpu may run any more */
	bool is_shut_down;     /* and none does: the toolstack was told */
	bool is_crashed;
	unsigned int controller_pause_count; /* XEN_DOMCTL_pausedomain; a new domain starts at 1 */
	u8 shutdown_code; /* SHUTDOWN_*, valid when is_shut_down */
	evtchn_port_t suspend_evtchn; /* XEN_DOMCTL_subscribe: told at shutdown; 0: none */
	unsigned int pause_count;     /* vcpus run only at 0 */
	char crash_reason[80];
	struct log_budget log;
	xen_domain_handle_t handle;
	u32 create_flags, options;
	struct domain *next; /* all domains, ascending domid */
	struct domain *hash_next; /* same bucket of domain_find */
	const struct domain *target; /* XEN_DOMCTL_set_target: NULL */

	unsigned int nr_vcpus_max;
	struct vcpu *vcpu[DOMAIN_MAX_VCPUS]; /* NULL: not allocated */

	/* memory; frames owned have owner == domain_id */
	/* frames whose owner it is and that are not free: also those given back and still in use */
	u64 tot_pages;
	u64 max_pages;      /* limit, XEN_DOMCTL_max_mem */
	u64 xenheap_pages;  /* shared hypervisor pages not yet unshared */
	u64 outstanding_claim; /* frames promised to it and not yet its; claim_set() */
	/* [frame_chunks()]: how many of tot_pages lie in each chunk of the frame table */
	u32 *frames_in;
	struct tlb_space tlb; /* of its page tables */
	u64 relinquish_cursor; /* mfn from which teardown goes on */
	int relinquish_step;
	unsigned int nr_holds; /* domain_hold(): the structure stays */

	struct shared_info *shared_info; /* xenheap page */
	struct evtchn_table *evtchn;
	struct grant_table *gnttab;
	unsigned int max_evtchn_port, max_grant_frames, max_maptrack_frames, grant_version_max;

	s64 time_offset_s;
	u64 vm_assist;
	u32 tsc_mode;
	u8 *pirq_to_gsi; /* dom0 only: pirq -> gsi, 0xff: none */
	struct frame *pirq_eoi_frame; /* PHYSDEVOP_pirq_eoi_gmfn_v*, holds a WR typeref */
	u64 *pirq_eoi_map;
	bool pirq_eoi_unmasks; /* v1 of it: PHYSDEVOP_eoi unmasks the event channel too */
	s_time_t created_ns;

	/* guest's extra memory facts, domctl/memory_op */
	void *memory_map; /* XENMEM_set_memory_map copy */
	unsigned int nr_memory_map;

	u32 scheduler_weight; /* 1..65535, 256 is usual */
	u32 scheduler_cap;    /* percent of one pCPU, 0: none */
	u32 watchdog_timer_set; /* bit a watchdog in use */
	struct timer watchdog_timer[NR_WATCHDOGS];
	struct pv_domain pv;
};

extern struct domain *domain_list;  /* ascending by domid */
extern struct domain *dom0;         /* NULL before it is built */

static inline bool domain_is_paused(const struct domain *d)
{
	return d->pause_count != 0 || d->controller_pause_count != 0;
}

/* --- domain/domain.c --- */

/*
 * Creates an empty, paused domain: tables, shared_info, event channels, grant table, pv part.
 * @config: validated by the caller. domid 0 makes it privileged.
 * Returns 0 and the domain, -EEXIST (domid in use), -ENOMEM, -EINVAL (a flag or limit).
 */
int domain_create(domid_t domid, const struct xen_domctl_createdomain *config, struct domain **out);
/* A living or dying domain by number; NULL: none. DOMID_SELF is not resolved here. */
struct domain *domain_find(domid_t domid);
/*
 * Resolves a hypercall's domid: DOMID_SELF or current's own number, else another domain, allowed
 * only when current is privileged (or the domain's device model). 0; -ESRCH none; -EPERM.
 */
int domain_find_remote(domid_t domid, struct domain **out);
/* Marks it dying and starts teardown; -ERESTART until all is returned; 0 when the domain is gone
 * or only waits for others' grant mappings. D9's order. */
int domain_kill(struct domain *d);
/*
 * Frees the structure once dying, torn down, held by nobody and tot_pages == 0. Called by frame_put
 * too.
 */
void domain_try_free(struct domain *d);
/*
 * Keeps the structure of @d, which may be dying, over an operation that drops references on its
 * frames: with the last of them it would go. domain_unhold() may free it.
 */
static inline void domain_hold(struct domain *d)
{
	d->nr_holds++;
}
static inline void domain_unhold(struct domain *d)
{
	if (--d->nr_holds == 0 && unlikely(d->is_dying))
		domain_try_free(d);
}
/* Adds vcpu @id (allocated, down). 0, -EEXIST, -EINVAL, -ENOMEM. */
int vcpu_create(struct domain *d, unsigned int id);
/* The guest broke its contract: shuts it down as crashed; the first reason is kept and logged.
 * Safe for `current`: the caller returns normally and the exit path switches away. */
void domain_crash(struct domain *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- domain/guest_log.c --- */
/*
 * One line of the log that @d caused, cut at 200 bytes. It may not appear: a domain has five lines
 * a second, all domains twenty. With or without the hypervisor lock.
 */
void domain_log(struct domain *d, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Guest asked for, or earned, SHUTDOWN_*. dom0: the machine goes down. */
void domain_shutdown(struct domain *d, u8 code);
/* A vcpu left its CPU: a shutdown is complete when it was the last. */
void domain_shutdown_check(struct domain *d);
/* Counted pause by the hypervisor itself. */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
/* Counted pause by the toolstack; -EINVAL: was not paused. */
void domain_pause_by_controller(struct domain *d);
int domain_unpause_by_controller(struct domain *d);
/* XEN_DOMCTL_resumedomain: undoes domain_shutdown (suspend cancelled or checkpoint). */
void domain_resume(struct domain *d);
/* The next free domid, never one used very recently; DOMID_INVALID: none left. */
domid_t domain_next_free_domid(void);

/* --- domain/sched.c --- */

void sched_init(void);
int sched_vcpu_init(struct vcpu *v);
void sched_vcpu_fini(struct vcpu *v);
/* The vcpu became runnable or stopped being it (pause flags changed). */
void vcpu_wake(struct vcpu *v);
void vcpu_sleep(struct vcpu *v);
/* An event arrived for @v: unblocks it, ends a poll. */
void vcpu_kick(struct vcpu *v);
/*
 * SOFTIRQ_SCHEDULE: picks the next vcpu, switches registers; idles with interrupts on when none
 * runs.
 */
void sched_softirq(void);
/* This CPU, with nothing loaded and the hypervisor lock held, begins to run vcpus. */
void sched_start_cpu(void) __attribute__((noreturn));
/*
 * Keeps every vcpu of @d off the CPUs until domain_go_on(). True: now they are, with their state
 * saved; false: asked to stop, but one still runs: ask again later (hypercall restart). @d is not
 * current's own domain.
 */
bool domain_stop(struct domain *d);
void domain_go_on(struct domain *d);
u64 vcpu_cpu_time_ns(const struct vcpu *v);
/* @cpu: online. */
u64 sched_idle_time_ns(unsigned int cpu);
static inline bool vcpu_is_runnable(const struct vcpu *v)
{
	const struct domain *d = v->domain;

	return v->pause_flags == 0 && !domain_is_paused(d) && !d->is_shutting_down && !d->is_dying;
}

/* An event is pending and not masked; vcpu_info is the guest's memory. */
static inline bool vcpu_event_is_deliverable(const struct vcpu *v)
{
	const struct vcpu_info *vi = v->vcpu_info;

	return READ_ONCE(vi->evtchn_upcall_pending) && !READ_ONCE(vi->evtchn_upcall_mask);
}

/* --- domain/vcpu.c, domain/vtime.c --- */

/* Frees what vcpu_create made. Only from domain teardown. */
void vcpu_destroy(struct vcpu *v);
/* Drops the references a vcpu holds on guest frames (registered vcpu_info). */
void vcpu_release_frames(struct vcpu *v);
/* Brings an initialised vcpu up or takes it down. -EINVAL: no context yet. */
int vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/*
 * VCPUOP_register_vcpu_info: @mfn, @offset guest-controlled. Copies the old contents and keeps
 * all pending bits. -EINVAL (already done, offset, not the domain's writable page, another vcpu
 * than the caller that is up).
 */
int vcpu_register_info(struct vcpu *v, u64 mfn, u32 offset);
/*
 * Writes @len (<= PAGE_SIZE) bytes at the guest kernel's virtual address @va, by walking @v's
 * kernel page table in software: works whatever is loaded. False: not mapped writable (nothing is
 * reported to the guest: the area is its own to keep mapped).
 */
bool vcpu_write_guest(const struct vcpu *v, u64 va, const void *src, size_t len);
/* Changes the runstate and accounts the time spent in the old one. */
void vcpu_runstate_change(struct vcpu *v, int new_state, s_time_t now);
/* Runstate with the running interval included. */
void vcpu_runstate_get(const struct vcpu *v, struct vcpu_runstate_info *out);
/* Periodic timer: armed only while the vcpu runs; a missed period fires at switch-in. */
void vcpu_periodic_start(struct vcpu *v);
void vcpu_periodic_stop(struct vcpu *v);

/*
 * Writes @v's time info (vcpu_info and the secondary area). On switch-in and after a clock
 * change.
 */
void vcpu_time_update(struct vcpu *v);
/* Writes the runstate to the guest's registered area. */
void vcpu_runstate_publish(struct vcpu *v);
void wallclock_update(struct domain *d);

#endif
