/* SPDX-License-Identifier: MIT */
/*
 * traps.c - trap table, callbacks, guards, user mode. The guard chain belongs to vcpu 0; a second
 * vcpu that faults ends the guest.
 */
#include "guest/traps.h"

#include "guest/events.h"
#include "guest/hypercall.h"
#include "guest/mm.h"

#define USER_STACK 8192
#define KERNEL_STACK 16384
#define FLAG_IF 0x200

void trap_entry(struct trap_frame *f);
int guard_enter(struct guard *g, void (*fn)(void *), void *arg);
void guard_leave(struct guard *g) __attribute__((noreturn));
void guard_resume(void);
void trap_return(void);

#define ENTRY(n) extern char entry_##n[]
ENTRY(0); ENTRY(1); ENTRY(2); ENTRY(3); ENTRY(4); ENTRY(5); ENTRY(6); ENTRY(7); ENTRY(8); ENTRY(9);
ENTRY(10); ENTRY(11); ENTRY(12); ENTRY(13); ENTRY(14); ENTRY(15); ENTRY(16); ENTRY(17); ENTRY(18);
ENTRY(19); ENTRY(32); ENTRY(33); ENTRY(34); ENTRY(36); ENTRY(failsafe);
#undef ENTRY

/* Every gate masks events: handlers are short and not re-entered. */
#define GATE(n) {n, 0 | 4, FLAT_KERNEL_CS, (unsigned long)entry_##n}
#define USER_GATE(n) {n, 3 | 4, FLAT_KERNEL_CS, (unsigned long)entry_##n}

static char user_stack[USER_STACK] __attribute__((aligned(4096)));
static char kernel_stack[KERNEL_STACK] __attribute__((aligned(4096)));
static struct guard *innermost; /* vcpu 0 only */
static struct fault last;	/* vcpu 0 only */
static trap_hook_fn hook;

static void register_callback(unsigned int type, const char *entry)
{
	struct callback_register cb = { .type = (u16)type,
					.flags = CALLBACKF_mask_events,
					.address = (unsigned long)entry };
	long rc = hc_callback(CALLBACKOP_register, &cb);

	if (rc)
		guest_panic("callback %u cannot be registered: %ld", type, rc);
}

void traps_init_vcpu(void)
{
	static const struct trap_info table[] = {
		GATE(0), GATE(1), GATE(2), USER_GATE(3), USER_GATE(4), GATE(5), GATE(6), GATE(7),
		GATE(8), GATE(9), GATE(10), GATE(11), GATE(12), GATE(13), GATE(14), GATE(15),
		GATE(16), GATE(17), GATE(18), GATE(19),
		{ 0x82, 3 | 4, FLAT_KERNEL_CS, (unsigned long)entry_34 }, { 0 },
	};
	long rc = hypercall(set_trap_table, table);

	if (rc)
		guest_panic("no trap table: %ld", rc);
	register_callback(CALLBACKTYPE_event, entry_32);
	register_callback(CALLBACKTYPE_syscall, entry_33);
	register_callback(CALLBACKTYPE_failsafe, entry_failsafe);
}

static void describe(const struct trap_frame *f)
{
	say("trap %lu error %lx at %lx cs %lx flags %lx sp %lx cr2 %lx\n", f->vector, f->error,
	    f->rip, f->cs, f->rflags, f->rsp, (u64)shared_info->vcpu_info[0].arch.cr2);
	say("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx\n", f->rax, f->rbx, f->rcx, f->rdx,
	    f->rsi, f->rdi);
}

/* Back to the guard: the frame is changed so that the iret ends there, in the kernel. */
static void unwind(struct trap_frame *f)
{
	struct guard *g = innermost;

	last = (struct fault){ .happened = true,
			       .vector = (unsigned int)f->vector,
			       .error = f->error,
			       .address = shared_info->vcpu_info[0].arch.cr2,
			       .frame = *f };
	f->rip = (u64)guard_resume;
	f->rsp = g->rsp;
	f->cs = FLAT_KERNEL_CS & ~3UL;
	f->ss = FLAT_KERNEL_SS;
	f->rflags = g->in_trap ? 2 : 2 | FLAG_IF;
}

void trap_entry(struct trap_frame *f)
{
	if (hook && hook(f))
		return;
	if (f->vector == ENTRY_EVENT) {
		events_upcall();
		return;
	}
	if (innermost) {
		unwind(f);
		return;
	}
	describe(f);
	guest_panic("unexpected trap %lu", f->vector);
}

static struct fault guarded(void (*fn)(void *), void *arg, struct guard *g)
{
	bool trapped;

	g->outer = innermost;
	g->in_trap = events_are_masked();
	innermost = g;
	trapped = guard_enter(g, fn, arg);
	innermost = g->outer;
	return trapped ? last : (struct fault){ .happened = false };
}

struct fault guard_run(void (*fn)(void *), void *arg)
{
	struct guard g;

	return guarded(fn, arg, &g);
}

void guard_abort(void)
{
	guard_leave(innermost);
}

struct user_job {
	void (*fn)(void *);
	void *arg;
};

static void enter_user(void *arg)
{
	const struct user_job *job = arg;
	u64 stack = (u64)user_stack + sizeof(user_stack) - 8;
	long rc = hc_mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(pt_base()), 0);

	if (!rc)
		rc = hypercall(stack_switch, FLAT_KERNEL_SS, kernel_stack + sizeof(kernel_stack));
	if (rc)
		guest_panic("no way into user mode: %ld", rc);
	/* struct iret_context from the bottom up */
	__asm__ volatile("push %0\n\tpush %1\n\tpush %2\n\tpush %3\n\tpush %4\n\t"
			 "push $0\n\tpush $0\n\tpush $0\n\tpush $0\n\t"
			 "mov %5, %%eax\n\tsyscall"
			 :
			 : "r"((u64)FLAT_USER_SS), "r"(stack), "r"(2UL | FLAG_IF),
			   "r"((u64)FLAT_USER_CS), "r"(job->fn), "i"(__HYPERVISOR_iret),
			   "D"(job->arg)
			 : "rax", "memory");
	__builtin_unreachable();
}

struct fault user_run(void (*fn)(void *), void *arg)
{
	struct user_job job = { fn, arg };

	return guard_run(enter_user, &job);
}

void trap_hook(trap_hook_fn h)
{
	hook = h;
}

static void peek(void *va)
{
	(void)*(const volatile u8 *)va;
}

static void poke(void *va)
{
	volatile u8 *p = va;

	*p = *p;
}

bool peek_faults(const volatile void *va)
{
	return guard_run(peek, (void *)va).happened;
}

bool poke_faults(volatile void *va)
{
	return guard_run(poke, (void *)va).happened;
}
