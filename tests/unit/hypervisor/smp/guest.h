/* SPDX-License-Identifier: MIT */
/*
 * guest.h - the guests of the random machine: what each knows of its memory, grants and ports, and
 * the operations they try. A guest's vcpus share what it knows and run at the same time, so every
 * such word is accessed atomically and may be out of date: that is the point.
 */
#ifndef TESTS_UNIT_HYPERVISOR_SMP_GUEST_H
#define TESTS_UNIT_HYPERVISOR_SMP_GUEST_H

#include "hypercall/handlers.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "machine.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/pte.h"

#define SLOTS 6 /* domains at a time; slot 0 is dom0 */
#define GUEST_VCPUS 3
#define POOL 40	  /* frames a guest knows as its own */
#define HANDLES 12 /* grants it has mapped */
#define PORTS 12
#define REFS 12 /* grant references it gives out */

#define LOAD(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define STORE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define TAKE(x) __atomic_exchange_n(&(x), 0, __ATOMIC_ACQ_REL)
#define GIVE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELEASE)

struct mapping {
	u32 handle_1; /* handle + 1; 0: none */
	u64 host_addr;
};

struct guest {
	u32 domid; /* 0: dom0, or none yet */
	u32 pool[POOL]; /* mfn, 0: none */
	struct mapping mapping[HANDLES];
	u32 port[PORTS]; /* 0: none */
	u32 granted_to_1[REFS]; /* domid + 1 it gave a reference to; 0: nobody */
};
extern struct guest guests[SLOTS];

struct op;
struct guest_vcpu {
	u8 args[8192]; /* what its hypercalls point to */
	const struct op *op; /* under way */
	u32 place; /* op's own: which entry of the guest's tables it is about */
	u32 mfn[8];
};

/* One kind of thing to do: tried by a running vcpu, as one hypercall or none. */
struct op {
	const char *name;
	u32 weight, weight_dom0;
	/* False: nothing to do it with now. True: it was done, or guest_regs() hold a hypercall. */
	bool (*start)(struct guest *g, struct guest_vcpu *gv);
	/* The hypercall is over. Returns whether it did something. NULL: rc >= 0 says so. */
	bool (*done)(struct guest *g, struct guest_vcpu *gv, long rc);
	u64 tried, worked;
};
extern struct op memory_ops[], mmu_ops[], grant_ops[], event_ops[], control_ops[], log_ops[], cpu_ops[],
	vcpu_ops[], firmware_ops[], shared_ops[];

/* --- guest.c --- */
struct guest *guest_of(const struct domain *d);
struct guest_vcpu *guest_vcpu_of(const struct vcpu *v);
/* Prepares hypercall @nr of current; a guest's pointer is GUEST_PTR of something in gv->args. */
bool call(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3);
#define GUEST_PTR(p) ((u64)(uintptr_t)(p))
/* A frame @g knows (0: none there), and its place in g->pool. */
u32 any_frame(const struct guest *g);
u32 any_place(void);
struct guest *any_guest(void);
/* The hypercall of current that is prepared, or the next operation. */
void guest_step(void);
/* Forgets what an earlier guest of the slot knew. */
void guest_forget(struct guest *g);
/* Before all else: hypercalls may name the guests' arguments. */
void guests_begin(void);
void ops_print(void);
/* Adds how often each operation worked, in the order of the lists, to @nr_worked[OPS_MAX]. */
#define OPS_MAX 256
void ops_add_up(u64 *nr_worked);
/* The first that never did; NULL: each did. */
const char *ops_never_worked(const u64 *nr_worked);

/* --- ops_control.c: dom0's life and death of the others --- */
/* True when no guest is left but dom0; dom0's vcpus make it so once asked to. */
bool guests_all_gone(void);
extern bool guests_must_go;

/*
 * Takes a slot whose guest runs or is paused, for one control call of this vcpu's, until
 * control_give_back(). 0: none is free.
 */
u32 control_take_running(u32 *domid);
void control_give_back(u32 slot);

/* --- check_log.c: what log-dirty mode says of frames, against what is in them --- */
/*
 * The guest of @slot enters the mode, or leaves it, or is asked: what it says now is not to be
 * believed until log_ends().
 */
void log_begins(u32 slot);
/*
 * It is done; NULL: and did not work. @bitmap: it was asked, and answered so, for @nr_pages; NULL:
 * it was not asked, and is all written.
 */
void log_ends(u32 slot, const struct domain *d, const u8 *bitmap, u32 nr_pages);
/* No frame was written unnoticed. Nobody else is in the hypervisor. */
void check_log(void);

/* --- ops_firmware.c --- */
/* Makes the machine's firmware a UEFI. */
void firmware_begin(void);

/* --- ops_cpu.c --- */
/* The CPU holds registers of current, and of nobody else. */
void check_registers(void);

/* --- check.c --- */
/* No CPU holds a translation it must not. Cheap; nobody else is in the hypervisor. */
void check_translations(void);
/* The hypervisor's own audit, and that free memory is zero. Hypervisor lock held. */
void check_everything(void);

#endif
