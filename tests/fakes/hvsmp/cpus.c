/* SPDX-License-Identifier: MIT */
/*
 * cpus.c - the CPUs themselves. As fibers: one runs, and a random number says which is next. As
 * threads: the host decides, and an audit asks all others to stand still.
 */
#include "machine.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "lib/log.h"
#include "x86/asm.h"
#include "x86/lock.h"
#include "x86/smp.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define FIBER_SWITCH_BEGIN(save, stack, size) __sanitizer_start_switch_fiber(save, stack, size)
#define FIBER_SWITCH_END(save) __sanitizer_finish_switch_fiber(save, NULL, NULL)
#else
#define FIBER_SWITCH_BEGIN(save, stack, size) ((void)(save), (void)(stack), (void)(size))
#define FIBER_SWITCH_END(save) ((void)(save))
#endif

#define FIBER_STACK (256 * 1024)
#define YIELDS_TO_SLEEP 8

struct cpu_info fake_cpus[NR_CPUS];
__thread struct cpu_info *fake_here;

static unsigned int nr_cpus = 1;
static bool is_threaded;
static void (*run_cpu)(void);

static struct {
	ucontext_t context;
	char *stack;
	void *sanitizer_stack;
	u32 interrupts; /* bit 0: kick, bit 1: request */
	u32 rng;
} cpus[MACHINE_CPUS_MAX];
static ucontext_t main_context;
static void *main_sanitizer_stack;
static unsigned int nr_left;

static bool halt_wanted; /* threads: an audit waits until nr_halted others stand */
static unsigned int nr_halted;

unsigned int smp_nr_cpus(void)
{
	return nr_cpus;
}

u64 smp_cpu_mask(void)
{
	return (1ULL << nr_cpus) - 1;
}

u32 smp_apic_id(unsigned int cpu)
{
	return cpu;
}

u32 smp_acpi_id(unsigned int cpu)
{
	return cpu;
}

static bool all_have_left(void)
{
	return __atomic_load_n(&nr_left, __ATOMIC_SEQ_CST) == nr_cpus;
}

/* --- chance --- */

void cpus_seed(u32 seed)
{
	for (unsigned int i = 0; i < MACHINE_CPUS_MAX; i++)
		cpus[i].rng = seed * 2654435761u + i * 40503u + 1;
}

u32 cpu_random(u32 below)
{
	u32 *rng = &cpus[is_threaded ? this_cpu_id() : 0].rng;

	*rng ^= *rng << 13;
	*rng ^= *rng >> 17;
	*rng ^= *rng << 5;
	return (u32)((u64)*rng * below >> 32);
}

/* --- fibers --- */

static void fiber_main(void)
{
	FIBER_SWITCH_END(NULL);
	run_cpu();
	cpu_leave();
}

static void fiber_go(unsigned int to)
{
	unsigned int from = this_cpu_id();

	if (to == from || all_have_left())
		return;
	fake_here = &fake_cpus[to];
	FIBER_SWITCH_BEGIN(&cpus[from].sanitizer_stack, cpus[to].stack, FIBER_STACK);
	swapcontext(&cpus[from].context, &cpus[to].context);
	FIBER_SWITCH_END(cpus[from].sanitizer_stack);
}

static void fiber_make(unsigned int i)
{
	cpus[i].stack = malloc(FIBER_STACK);
	if (!cpus[i].stack || getcontext(&cpus[i].context))
		abort();
	cpus[i].context.uc_stack.ss_sp = cpus[i].stack;
	cpus[i].context.uc_stack.ss_size = FIBER_STACK;
	cpus[i].context.uc_link = NULL;
	makecontext(&cpus[i].context, fiber_main, 0);
}

static void fibers_go(void)
{
	fake_here = &fake_cpus[0];
	FIBER_SWITCH_BEGIN(&main_sanitizer_stack, cpus[0].stack, FIBER_STACK);
	swapcontext(&main_context, &cpus[0].context);
	FIBER_SWITCH_END(main_sanitizer_stack);
}

static void fibers_run(void)
{
	for (unsigned int i = 0; i < nr_cpus; i++)
		fiber_make(i);
	fibers_go();
	for (unsigned int i = 0; i < nr_cpus; i++)
		free(cpus[i].stack);
}

/* --- threads --- */

static void *thread_main(void *arg)
{
	fake_here = arg;
	run_cpu();
	cpu_leave();
}

static void threads_run(void)
{
	pthread_t thread[MACHINE_CPUS_MAX];

	for (unsigned int i = 0; i < nr_cpus; i++)
		if (pthread_create(&thread[i], NULL, thread_main, &fake_cpus[i]))
			abort();
	for (unsigned int i = 0; i < nr_cpus; i++)
		pthread_join(thread[i], NULL);
}

/* --- both --- */

void cpus_set(unsigned int nr, bool as_threads)
{
	nr_cpus = nr_left = nr; /* none has begun */
	is_threaded = as_threads;
}

void cpus_run(void (*cpu_main)(void))
{
	run_cpu = cpu_main;
	nr_left = 0;
	if (is_threaded)
		threads_run();
	else
		fibers_run();
	fake_here = &fake_cpus[0];
}

/* Nobody goes before all do: the others may want this CPU to flush. */
void cpu_leave(void)
{
	__atomic_add_fetch(&nr_left, 1, __ATOMIC_SEQ_CST);
	while (!all_have_left()) {
		cpu_take_interrupts();
		cpu_yield();
	}
	if (is_threaded)
		pthread_exit(NULL);
	FIBER_SWITCH_BEGIN(NULL, NULL, 0);
	setcontext(&main_context);
	abort();
}

static void halt_if_wanted(void)
{
	if (!__atomic_load_n(&halt_wanted, __ATOMIC_ACQUIRE) || hv_lock_is_held())
		return;
	__atomic_add_fetch(&nr_halted, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&halt_wanted, __ATOMIC_ACQUIRE)) {
		cpu_take_interrupts(); /* what the audit allocates may want a flush */
		syscall(SYS_sched_yield);
	}
	__atomic_sub_fetch(&nr_halted, 1, __ATOMIC_SEQ_CST);
}

void cpus_halt_others(void)
{
	if (!is_threaded || all_have_left())
		return;
	__atomic_store_n(&halt_wanted, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&nr_halted, __ATOMIC_SEQ_CST) < nr_cpus - 1)
		syscall(SYS_sched_yield);
}

void cpus_let_go(void)
{
	__atomic_store_n(&halt_wanted, false, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&nr_halted, __ATOMIC_SEQ_CST))
		syscall(SYS_sched_yield);
}

bool cpus_are_quiet(void)
{
	for (unsigned int i = 0; i < nr_cpus; i++)
		if (fake_cpus[i].lock_depth)
			return false;
	return true;
}

/* A moment off the host's CPU: on a busy host whoever is waited for gets there sooner. */
static void thread_pause(void)
{
	static __thread unsigned int nr;
	struct timespec moment = { .tv_nsec = 1000 };

	halt_if_wanted();
	if (++nr % YIELDS_TO_SLEEP)
		syscall(SYS_sched_yield);
	else
		nanosleep(&moment, NULL);
}

void cpu_yield(void)
{
	if (is_threaded) {
		thread_pause();
	} else {
		fiber_go(cpu_random(nr_cpus));
	}
}

void cpu_may_yield(unsigned int n)
{
	if (is_threaded)
		halt_if_wanted();
	else if (cpu_random(n) == 0)
		fiber_go(cpu_random(nr_cpus));
}

/* What spinning code does between two looks. */
void fake_cpu_relax(void)
{
	cpu_yield();
}

void cpu_interrupt(unsigned int cpu, bool is_request)
{
	struct cpu_info *here = fake_here;

	if (is_request && all_have_left()) { /* they stand: done in their name */
		fake_here = &fake_cpus[cpu];
		smp_serve_requests();
		fake_here = here;
		return;
	}
	__atomic_or_fetch(&cpus[cpu].interrupts, is_request ? 2 : 1, __ATOMIC_SEQ_CST);
}

void cpu_take_interrupts(void)
{
	u32 which = __atomic_exchange_n(&cpus[this_cpu_id()].interrupts, 0, __ATOMIC_SEQ_CST);

	if (which & 2)
		smp_serve_requests();
}

#if defined(__SANITIZE_THREAD__)
/* These write what a guest asks for into its own pages, its shared ones among them. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:gnttab_swap\nrace:gnttab_copy_one\nrace:write_plain\nrace:op_copy_page\n"
	       "race:op_clear_page\n";
}

/* READ_ONCE and WRITE_ONCE say that they race (gcc's tsan-distinguish-volatile): no news. */
#define MARKED_ACCESS(kind, size)                                                                  \
	void __tsan_volatile_##kind##size(void *p);                                                \
	void __tsan_volatile_##kind##size(void *p)                                                 \
	{                                                                                          \
	}
MARKED_ACCESS(read, 1)
MARKED_ACCESS(read, 2)
MARKED_ACCESS(read, 4)
MARKED_ACCESS(read, 8)
MARKED_ACCESS(write, 1)
MARKED_ACCESS(write, 2)
MARKED_ACCESS(write, 4)
MARKED_ACCESS(write, 8)
#endif
