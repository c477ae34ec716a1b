/* SPDX-License-Identifier: MIT */
/*
 * timer.c - one-shot timers: on each CPU a binary heap of pointers ordered by deadline, the
 * earliest programmed into its local APIC. Owns the heaps; not the meaning of any timer. Lock: the
 * hypervisor's.
 */
#include "domain/timer.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/apic.h"
#include "x86/clock.h"
#include "x86/percpu.h"
#include "x86/smp.h"
#include "x86/softirq.h"

#define BOOT_TIMERS 64

static struct timer *boot_slots[NR_CPUS][BOOT_TIMERS + 1];
/* One a CPU: a timer is on that of the CPU which armed it. Each has room for every timer. */
static struct heap {
	struct timer **slot; /* [1..nr_armed]; entry 0 unused; NULL: boot_slots */
	u32 nr_armed;
	u32 capacity; /* 0: BOOT_TIMERS */
} heaps[NR_CPUS];
static u32 nr_reserved;

static struct timer **slots_of(struct heap *h)
{
	return h->slot ? h->slot : boot_slots[h - heaps];
}

static int heap_grow(struct heap *h, u32 capacity)
{
	struct timer **bigger = xzalloc_array(struct timer *, (size_t)capacity + 1);

	if (!bigger)
		return -ENOMEM;
	memcpy(bigger, slots_of(h), sizeof(*bigger) * (h->nr_armed + 1));
	xfree(h->slot);
	h->slot = bigger;
	h->capacity = capacity;
	return 0;
}

/* One that grew when another could not keeps the room. */
static int heaps_reserve(void)
{
	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		u32 capacity = MAX(heaps[i].capacity, (u32)BOOT_TIMERS);

		if (nr_reserved >= capacity && heap_grow(&heaps[i], capacity * 2))
			return -ENOMEM;
	}
	nr_reserved++;
	return 0;
}

static void heap_place(struct timer **heap, u32 pos, struct timer *t)
{
	heap[pos] = t;
	t->heap_pos = pos;
}

static void sift_up(struct timer **heap, u32 pos, struct timer *t)
{
	while (pos > 1 && heap[pos / 2]->deadline_ns > t->deadline_ns) {
		heap_place(heap, pos, heap[pos / 2]);
		pos /= 2;
	}
	heap_place(heap, pos, t);
}

static void sift_down(struct heap *h, u32 pos, struct timer *t)
{
	struct timer **heap = slots_of(h);

	for (;;) {
		u32 child = pos * 2;

		if (child > h->nr_armed)
			break;
		if (child < h->nr_armed && heap[child + 1]->deadline_ns < heap[child]->deadline_ns)
			child++;
		if (heap[child]->deadline_ns >= t->deadline_ns)
			break;
		heap_place(heap, pos, heap[child]);
		pos = child;
	}
	heap_place(heap, pos, t);
}

static void heap_remove(struct timer *t)
{
	struct heap *h = &heaps[t->cpu];
	struct timer **heap = slots_of(h);
	u32 pos = t->heap_pos;
	struct timer *last = heap[h->nr_armed--];

	t->heap_pos = 0;
	if (last == t)
		return;
	if (pos > 1 && heap[pos / 2]->deadline_ns > last->deadline_ns)
		sift_up(heap, pos, last);
	else
		sift_down(h, pos, last);
}

/* The hardware follows the root of this CPU's heap. */
static void program_hardware(void)
{
	struct heap *h = &heaps[this_cpu_id()];

	apic_timer_set(h->nr_armed ? slots_of(h)[1]->deadline_ns : 0);
}

int timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
	int rc = heaps_reserve();

	if (rc)
		return rc;
	*t = (struct timer){ .fn = fn, .arg = arg, .is_initialised = true };
	return 0;
}

void timer_set(struct timer *t, s_time_t deadline_ns)
{
	struct heap *h = &heaps[this_cpu_id()];
	bool was_first = t->heap_pos == 1 && t->cpu == this_cpu_id();

	if (t->heap_pos)
		heap_remove(t);
	t->deadline_ns = MAX(deadline_ns, 1);
	t->cpu = this_cpu_id();
	sift_up(slots_of(h), ++h->nr_armed, t);

	if (t->heap_pos == 1 && t->deadline_ns <= now_ns())
		softirq_raise(SOFTIRQ_TIMER);
	else if (t->heap_pos == 1 || was_first)
		program_hardware();
}

void timer_stop(struct timer *t)
{
	if (!t->heap_pos)
		return;
	/*
	 * A needless interrupt of the old deadline is cheaper than reprogramming: it finds
	 * nothing due.
	 */
	heap_remove(t);
}

void timer_fini(struct timer *t)
{
	if (!t->is_initialised)
		return;
	timer_stop(t);
	t->is_initialised = false;
	nr_reserved--;
}

void timer_softirq(void)
{
	struct heap *h = &heaps[this_cpu_id()];

	/* A timer's function may make more room: the slots are looked up each time. */
	while (h->nr_armed && slots_of(h)[1]->deadline_ns <= now_ns()) {
		struct timer *t = slots_of(h)[1];

		heap_remove(t);
		t->fn(t->arg);
	}
	program_hardware();
}
