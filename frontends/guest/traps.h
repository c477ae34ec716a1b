/* SPDX-License-Identifier: MIT */
/*
 * traps.h - what the hypervisor hands to this kernel: exceptions, system calls from user mode.
 *
 * A fault outside a guard ends the guest with its registers on the console.
 */
#ifndef KIT_TRAPS_H
#define KIT_TRAPS_H

#include "guest/guest.h"

/* Vectors that are no exception; entry points in head.S. */
#define ENTRY_EVENT 32
#define ENTRY_SYSCALL 33
#define ENTRY_INT 34
#define ENTRY_FAILSAFE 35
#define ENTRY_NMI 36

#define TRAP_DE 0
#define TRAP_DB 1
#define TRAP_BP 3
#define TRAP_UD 6
#define TRAP_NM 7
#define TRAP_NP 11
#define TRAP_GP 13
#define TRAP_PF 14

/* As head.S pushes it. */
struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* A place to come back to; lives on the stack of guard_run(). */
struct guard {
	u64 rsp; /* first: head.S knows */
	struct guard *outer;
	bool in_trap; /* how events were masked when it began */
};

/* What stopped a guarded function. */
struct fault {
	bool happened;
	unsigned int vector;
	u64 error, address; /* error code; CR2 for a page fault */
	struct trap_frame frame;
};

/* Registers the trap table and the callbacks of the caller's vcpu: each has its own. */
void traps_init_vcpu(void);

/* Runs @fn(@arg); a fault inside ends it and is told. */
struct fault guard_run(void (*fn)(void *), void *arg);
/* Ends the innermost guarded function from inside, as if it had returned. */
void guard_abort(void) __attribute__((noreturn));

/*
 * Runs @fn(@arg) in user mode on the same page tables, until it faults or makes a system call;
 * frame.rax then has the call's number. Events are let in meanwhile.
 */
struct fault user_run(void (*fn)(void *), void *arg);

/* Called first for every entry, faults too; NULL: none. Returns true when it dealt with it. */
typedef bool (*trap_hook_fn)(struct trap_frame *frame);
void trap_hook(trap_hook_fn hook);

/* One access; true: it faulted. */
bool peek_faults(const volatile void *va);
bool poke_faults(volatile void *va);

#endif
