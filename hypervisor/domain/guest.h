/* SPDX-License-Identifier: MIT */
/*
 * guest.h - what the floor of domains asks of the kind of guest above it: declared here, defined in
 * pv/. docs/architecture.md names all of it among the calls that go up.
 */
#ifndef HV_DOMAIN_GUEST_H
#define HV_DOMAIN_GUEST_H

#include "lib/types.h"
#include "mm/frame.h"

struct domain;
struct vcpu;

/* --- what a frame is used as (pv/ptval.c) --- */
/*
 * General and type reference in one: frame_get + frame_type_get; nothing is held on failure.
 * -EPERM: not @d's.
 */
int must_check frame_get_and_type(struct frame *f, const struct domain *d, enum frame_type type);
void frame_put_and_type(struct frame *f);

/* --- life (pv/domain.c) --- */
int pv_domain_init(struct domain *d); /* 0, -ENOMEM */
void pv_domain_fini(struct domain *d);
int pv_vcpu_init(struct vcpu *v); /* 0, -ENOMEM */
void pv_vcpu_fini(struct vcpu *v);
/* Drops CR3, GDT, LDT, deferred of all vcpus, unpins and devalidates every frame, drops ALLOC refs.
 * Preemptible: -ERESTART; 0 when done. */
int pv_domain_relinquish(struct domain *d);
/* --- running (pv/context.c) --- */
/* Saves segment bases, selectors and debug registers of the vcpu leaving the CPU. */
void pv_vcpu_switch_out(struct vcpu *v);
/* Loads CR3, GDT, LDT, bases, selectors, debug registers. */
void pv_vcpu_switch_in(struct vcpu *v);
/* After a switch-out with nobody to follow: the hypervisor's own page tables and descriptors. */
void pv_tables_leave(void);

/* --- for grants (pv/mmu_grant.c) --- */
/*
 * Installs/removes a grant mapping in current's page tables. GNTMAP_contains_pte: @host_addr is the
 * machine address of the PTE; else a virtual address whose L1 must exist. The WR typeref of a
 * writable mapping is taken and dropped by the grant code, not here (D8: one place).
 * @frame: what to map. 0; -EINVAL (no such L1 entry, not the expected frame), -EPERM.
 */
int pv_grant_map_pte(u64 host_addr, u32 gnt_flags, mfn_t frame);
/* Clears (or replaces, @new_addr != 0) exactly the entry that grant_map made; GNTST-like -errno. */
int pv_grant_unmap_pte(u64 host_addr, u64 new_addr, u32 gnt_flags, mfn_t frame);

/* --- the way out (entry/entry.S) --- */
/* Leaves the boot stack and returns to the guest in guest_regs(). */
void return_to_guest(void) __attribute__((noreturn));

#endif
