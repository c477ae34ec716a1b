/* SPDX-License-Identifier: MIT */
/* x86.c - the fakes of x86/ and lib/ that domain/ and hypercall/ run on in host tests. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "domain/fpu.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "x86/apic.h"
#include "x86/clock.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/smp.h"
#include "x86/softirq.h"
#include "x86/tlb.h"
#include "x86/tlb_space.h"

s_time_t now_ns(void)
{
	return world.now;
}

void apic_timer_set(s_time_t deadline_ns)
{
	world.hw_timer[fake_cpu_id] = deadline_ns > 0 ? deadline_ns : 0;
}

void softirq_raise(enum softirq nr)
{
	world.softirqs[fake_cpu_id] |= 1u << nr;
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	world.softirqs[cpu] |= 1u << nr;
}

void smp_kick(unsigned int cpu)
{
	world.kicks[cpu]++;
}

bool softirq_is_pending(void)
{
	if (world.preempt_at && --world.preempt_at == 0)
		return true;
	return world.softirqs[fake_cpu_id] != 0 || world.preempt;
}

void softirq_process(void)
{
	while (world.softirqs[fake_cpu_id]) {
		unsigned int pending = world.softirqs[fake_cpu_id];

		world.softirqs[fake_cpu_id] = 0;
		if (pending & 1u << SOFTIRQ_TIMER)
			timer_softirq();
		if (pending & 1u << SOFTIRQ_SCHEDULE)
			sched_softirq();
	}
}

void irq_window(void)
{
	world.softirqs[fake_cpu_id] |= world.irqs_wait;
	world.irqs_wait = 0;
}

void cpu_idle_wait(void)
{
	world.idle_waits++;
	if (hv_lock_is_held())
		abort(); /* nobody else could do anything meanwhile */
	if (world.on_idle) {
		world.on_idle();
	} else if (world.hw_timer[fake_cpu_id]) {
		world.now = MAX(world.now, world.hw_timer[fake_cpu_id]);
		softirq_raise(SOFTIRQ_TIMER);
	} else {
		fprintf(stderr, "idle for ever\n");
		abort();
	}
}

int fpu_vcpu_init(struct vcpu *v)
{
	v->fpu_area = xzalloc(1024);
	return v->fpu_area ? 0 : -ENOMEM;
}

void fpu_vcpu_fini(struct vcpu *v)
{
	xfree(v->fpu_area);
}

bool fpu_is_eager;

void fpu_switch_out(struct vcpu *v)
{
	world_switched('f');
}

void fpu_load_early(struct vcpu *v)
{
	if (v->domain == world.bad_fpu)
		domain_crash(v->domain, "the CPU refuses its floating point state");
}

void fpu_switch_in(struct vcpu *v)
{
	world_switched('F');
}

int fpu_take_xsave(struct vcpu *v, u64 xcr0, u64 xcr0_ever, const void *area, size_t len)
{
	v->pv.xcr0 = xcr0;
	v->pv.xcr0_ever = xcr0_ever;
	world.fpu_len = len;
	world.fpu_first = *(const u8 *)area;
	return 0;
}

u64 fpu_xcr0_mask(void)
{
	return 3;
}

void return_to_guest(void)
{
	abort();
}

size_t fpu_area_size(void)
{
	return 1024;
}

u32 tlb_clock(void)
{
	return 1;
}

void tlb_space_init(struct tlb_space *s)
{
}

void tlb_note_released(struct tlb_space *s)
{
}

void tlb_flush_stale(const struct tlb_space *owner, u32 stamp)
{
}

void tlb_flush_released(u32 stamp)
{
}

/* --- guest copies --- */

bool guest_range_ok(u64 va, u64 n, u64 size)
{
	u64 len = n * size;

	if (size && len / size != n)
		return false;
	return va + len >= va && (va + len <= HV_HOLE_START || va >= HV_HOLE_END) &&
	       (s64)(va << 16) >> 16 == (s64)va;
}

static bool is_mapped(u64 va, size_t len)
{
	return va >= GUEST(guest_mem) && va - GUEST(guest_mem) <= sizeof(guest_mem) &&
	       len <= sizeof(guest_mem) - (va - GUEST(guest_mem));
}

int copy_from_guest(void *dst, u64 va, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	if (len)
		memcpy(dst, (const void *)va, len);
	return 0;
}

int copy_to_guest(u64 va, const void *src, size_t len)
{
	if (len && (!is_mapped(va, len) || world.is_read_only || va == (u64)(uintptr_t)world.read_only))
		return -EFAULT;
	if (len)
		memcpy((void *)va, src, len);
	return 0;
}

int clear_guest(u64 va, size_t len)
{
	if (len && !is_mapped(va, len))
		return -EFAULT;
	memset((void *)va, 0, len);
	return 0;
}

/* --- memory of the hypervisor --- */

long world_blocks;

static bool alloc_fails(void)
{
	return world.alloc_fails_at && --world.alloc_fails_at == 0;
}

void *xzalloc(size_t size)
{
	if (alloc_fails())
		return NULL;
	world_blocks++;
	return calloc(1, size ? size : 1);
}

void xfree(void *p)
{
	world_blocks -= p != NULL;
	free(p);
}

void *xen_pages_alloc(unsigned int order)
{
	struct frame *f = alloc_fails() ? NULL : frames_alloc(order, 0);

	if (!f)
		return NULL;
	memset(mfn_to_virt(frame_to_mfn(f)), 0, PAGE_SIZE << order);
	return mfn_to_virt(frame_to_mfn(f));
}

void xen_pages_free(void *va, unsigned int order)
{
	frames_free(virt_to_frame(va), order);
}

/* --- lib --- */

void hv_log(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(world.last_line, sizeof(world.last_line), fmt, ap);
	va_end(ap);
	world.log_lines++;
	if (world.on_log)
		world.on_log(world.last_line);
}

void hv_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
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
