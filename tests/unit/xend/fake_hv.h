/* SPDX-License-Identifier: MIT */
/*
 * fake_hv.h - xend's hv.h over a machine in memory.
 *
 * Frames are handed out in a scattered order, so that code which takes a pfn for an mfn fails.
 * Pinning walks the page tables and checks what a hypervisor would.
 */
#ifndef TEST_FAKE_HV_H
#define TEST_FAKE_HV_H

#include <stdbool.h>
#include <stdint.h>

#include "hv.h"

struct hv *fake_hv_new(unsigned int machine_mib);
/* The same, in memory that this process's children share, and that outlives them. */
struct hv *fake_hv_new_shared(unsigned int machine_mib);
/* What a child that was killed had mapped is not mapped any more. */
void fake_hv_unmap_all(void);
void fake_hv_free(void);

/* The operation called @name (a function's name without hv_) fails with @err from now on. */
void fake_hv_fail(const char *name, int err);

uint64_t fake_hv_free_kib(void);
/* Dom0 gets @kib of what is free, or less than nothing: it gives them. */
void fake_hv_dom0_gets(int64_t kib);
unsigned int fake_hv_domains(void);		/* without dom0 */
unsigned int fake_hv_windows(void);		/* mappings not undone */
/* The only guest's id, -1 when there is not exactly one. */
int fake_hv_guest(void);
bool fake_hv_paused(int domid);
/* The guest calls SHUTDOWN_@reason. */
void fake_hv_shutdown(int domid, enum hv_shutdown_reason reason);
/* What the hypervisor has logged; NULL: 5000 times x. Whether who read it last cleared it. */
extern const char *fake_hv_log;
extern bool fake_hv_log_cleared;
/* The debug keys that were pressed last. */
extern char fake_debug_keys[HV_DEBUG_KEYS_MAX + 1];
/* It has run for so long. */
void fake_hv_ran(int domid, uint64_t ns);
/* Another tool destroys it. */
void fake_hv_vanish(int domid);
/* Another tool's domain has that number, and this uuid. */
void fake_hv_foreign(int domid, const uint8_t uuid[16]);
/* While set, a destroyed domain stays as a dying one: somebody maps its frames. */
void fake_hv_hold(bool hold);

/* What a guest would see at a virtual address of its first vcpu; NULL if not mapped. */
uint8_t *fake_hv_guest_memory(int domid, uint64_t vaddr);
uint64_t fake_hv_guest_reg(int domid, const char *name);	/* rip rsp rsi rax cr3 */
const struct shared_info *fake_hv_shared_info(int domid);
/* The guest does what Linux does before SCHEDOP_shutdown, and calls it to be suspended. */
void fake_hv_suspend(int domid);
/*
 * At each look at what it wrote, a guest that runs writes so many pages more; how many looks there
 * were.
 */
extern unsigned int fake_hv_writes, fake_hv_looks;
extern bool fake_hv_calms;		/* each look finds half of what the one before did */
/* The least cap that any domain was given and that is below it. */
extern uint16_t fake_hv_least_cap;
extern unsigned int fake_hv_grant_rooms;	/* times that hv_grant_room() was called */
bool fake_hv_granted(int domid, uint32_t ref, uint64_t mfn);
bool fake_hv_pinned(int domid);
/* It was given the MSRs that a domain here is saved with. */
bool fake_hv_has_msrs(int domid);

#endif
