/* SPDX-License-Identifier: MIT */
/*
 * floor.c - what the real files of the fake machine stand on, beside its CPUs and TLBs: RAM, time,
 * softirqs, guest memory by address, and the end of a run that failed.
 */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "domain/fpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "pv/context.h"
#include "world.h"
#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/ioports.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/pagetable.h"
#include "x86/smp.h"
#include "x86/softirq.h"

#define M2P_FRAME 4
#define FIRST_FREE_FRAME 32
#define TIMERS 1500 /* more than all guests have, those that died but are still mapped among them */

struct world world; /* of the devices that are shared with the other host tests */
unsigned char *fake_ram;
u64 *hv_l4;
bool machine_is_stopping;

static struct frame *table;
static s_time_t now = 1000;
static s_time_t deadline[MACHINE_CPUS_MAX];
static char *guest_start;
static size_t guest_len;
static void (*on_failure)(void), (*run_guests)(void);
static unsigned int idle_limit, idle_turns;

static void nothing(void *arg)
{
}

/* The room that timers need stays for good: taken before anybody counts frames. */
static void timers_reserve(void)
{
	static struct timer timer[TIMERS];

	for (unsigned int i = 0; i < TIMERS; i++)
		if (timer_init(&timer[i], nothing, NULL))
			machine_fail("no timer");
	for (unsigned int i = 0; i < TIMERS; i++)
		timer_fini(&timer[i]);
}

void machine_make(void)
{
	u64 *m2p;

	fake_ram = aligned_alloc(PAGE_SIZE, MACHINE_FRAMES * PAGE_SIZE);
	table = calloc(MACHINE_FRAMES, sizeof(*table));
	hv_l4 = calloc(PAGE_SIZE / sizeof(u64), sizeof(u64));
	if (!fake_ram || !table || !hv_l4)
		abort();
	memset(fake_ram, 0, MACHINE_FRAMES * PAGE_SIZE);
	m2p = (u64 *)(fake_ram + M2P_FRAME * PAGE_SIZE);
	memset(fake_cpus, 0, sizeof(fake_cpus));
	memset(fake_tlb, 0, sizeof(fake_tlb));
	memset(deadline, 0, sizeof(deadline));
	cpu_has_xsave = true;
	for (unsigned int i = NR_CPUS; i-- > 0;) {
		fake_cpus[i].cpu_id = i;
		fake_here = &fake_cpus[i];
		fake_cpu.cr4 = X86_CR4_PGE;
		fpu_init();
	}
	machine_is_stopping = false;
	frame_table_init(table, m2p, MACHINE_FRAMES * sizeof(*m2p), MACHINE_FRAMES);
	frame_mark_xen(_mfn(0), _mfn(FIRST_FREE_FRAME));
	page_alloc_add(_mfn(FIRST_FREE_FRAME), _mfn(MACHINE_FRAMES - 64)); /* then: device memory */
	sched_init();
	timers_reserve();
}

void machine_unmake(void)
{
	free(fake_ram);
	free(table);
	free(hv_l4);
}

/* --- time and interrupts --- */

s_time_t now_ns(void)
{
	return __atomic_add_fetch(&now, 100, __ATOMIC_RELAXED);
}

void machine_advance(s_time_t ns)
{
	__atomic_add_fetch(&now, ns, __ATOMIC_RELAXED);
}

void apic_timer_set(s_time_t when)
{
	deadline[this_cpu_id()] = when > 0 ? when : 0;
}

/* Moving time on is what wakes an idle CPU. */
static void timer_check(void)
{
	s_time_t *mine = &deadline[this_cpu_id()];

	if (!*mine || now_ns() < *mine)
		return;
	*mine = 0;
	softirq_raise(SOFTIRQ_TIMER);
}

void apic_send(u32 apic_id, u8 vector)
{
	cpu_interrupt(apic_id, vector == VECTOR_REQUEST);
}

void softirq_raise(enum softirq nr)
{
	__atomic_or_fetch(&this_cpu()->softirq_pending, 1u << nr, __ATOMIC_SEQ_CST);
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	__atomic_or_fetch(&cpu_info_of(cpu)->softirq_pending, 1u << nr, __ATOMIC_SEQ_CST);
	smp_kick(cpu);
}

bool softirq_is_pending(void)
{
	return __atomic_load_n(&this_cpu()->softirq_pending, __ATOMIC_SEQ_CST) != 0;
}

void softirq_process(void)
{
	u32 pending;

	BUG_ON(!hv_lock_is_held());
	while ((pending = __atomic_exchange_n(&this_cpu()->softirq_pending, 0, __ATOMIC_SEQ_CST))) {
		if (pending & 1u << SOFTIRQ_TIMER)
			timer_softirq();
		if (pending & 1u << SOFTIRQ_SCHEDULE)
			sched_softirq();
	}
}

void irq_window(void)
{
	cpu_take_interrupts();
	timer_check();
	cpu_may_yield(4);
}

void machine_idle_limit(unsigned int turns)
{
	idle_limit = turns;
	idle_turns = 0;
}

void machine_is_busy(void)
{
	idle_turns = 0;
}

void cpu_idle_wait(void)
{
	cpu_yield(); /* others run meanwhile, whether it waits or not */
	while (!softirq_is_pending()) {
		if (idle_limit && ++idle_turns > idle_limit)
			machine_is_stopping = true;
		if (__atomic_load_n(&machine_is_stopping, __ATOMIC_ACQUIRE))
			cpu_leave();
		machine_advance(2000);
		cpu_take_interrupts();
		timer_check();
		cpu_yield();
	}
}

void machine_exit_work(void)
{
	timer_check();
	while (softirq_is_pending()) {
		hv_lock();
		softirq_process();
		hv_unlock();
	}
}

void machine_run_guests(void (*loop)(void))
{
	run_guests = loop;
}

void return_to_guest(void)
{
	run_guests();
	cpu_leave();
}

/* --- guest memory by address --- */

void machine_guest_memory(void *start, size_t len)
{
	guest_start = start;
	guest_len = len;
}

bool guest_range_ok(u64 va, u64 n, u64 size)
{
	u64 len;

	return !__builtin_mul_overflow(n, size, &len) && va + len >= va &&
	       (va + len <= HV_HOLE_START || va >= HV_HOLE_END) && va_is_canonical(va);
}

static bool is_mapped(u64 va, size_t len)
{
	u64 at = va - (u64)(uintptr_t)guest_start;

	return at <= guest_len && len <= guest_len - at;
}

/* A copy is where a hypercall looks at what its guest may be changing: others go on before it. */
int copy_from_guest(void *dst, u64 va, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	cpu_may_yield(8);
	if (len)
		memcpy(dst, (const void *)va, len);
	return 0;
}

int copy_to_guest(u64 va, const void *src, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	cpu_may_yield(8);
	if (len)
		memcpy((void *)va, src, len);
	return 0;
}

int clear_guest(u64 va, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	if (len)
		memset((void *)va, 0, len);
	return 0;
}

/* --- the rest of the machine --- */

bool mmio_is_hv(mfn_t mfn)
{
	return mfn_x(mfn) == MACHINE_FRAMES - 1;
}

mfn_t desc_hv_gdt_mfn(unsigned int cpu)
{
	return _mfn(1 + cpu % 2);
}

void desc_load_gdt(unsigned long va)
{
}

void desc_load_ldt(unsigned long va, u32 nr)
{
}

void desc_load_own(void)
{
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		memcpy(dst, src, MIN(len, size - 1));
		dst[MIN(len, size - 1)] = 0;
	}
	return len;
}

/* --- what is said, and the end --- */

void machine_on_failure(void (*tell)(void))
{
	on_failure = tell;
}

static void __attribute__((noreturn)) fail_with(const char *fmt, va_list ap)
{
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	if (on_failure)
		on_failure();
	exit(1);
}

void machine_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_with(fmt, ap);
}

void hv_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_with(fmt, ap);
}

/* Only what the hypervisor says is its own fault; the audit's lines are among that. */
void hv_log(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level != LOG_ERROR)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
