/* SPDX-License-Identifier: MIT */
/*
 * timer.c - one-shot timers: a binary heap of pointers ordered by deadline, the earliest
 * programmed into the local APIC. Owns the heap; not the meaning of any timer.
 */
#include "domain/timer.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/machine.h"

#define BOOT_TIMERS 64

static struct timer *boot_heap[BOOT_TIMERS + 1];
static struct timer **heap = boot_heap; /* [1..nr_armed]; entry 0 unused */
static u32 nr_armed, nr_reserved, capacity = BOOT_TIMERS;

static int heap_reserve(void)
{
	if (nr_reserved == capacity) {
		struct timer **bigger = xzalloc_array(struct timer *, (size_t)capacity * 2 + 1);

		if (!bigger)
			return -ENOMEM;
		memcpy(bigger, heap, sizeof(*heap) * (nr_armed + 1));
		if (heap != boot_heap)
			xfree(heap);
		heap = bigger;
		capacity *= 2;
	}
	nr_reserved++;
	return 0;
}

static void heap_place(u32 pos, struct timer *t)
{
	heap[pos] = t;
	t->heap_pos = pos;
}

static void sift_up(u32 pos, struct timer *t)
{
	while (pos > 1 && heap[pos / 2]->deadline_ns > t->deadline_ns) {
		heap_place(pos, heap[pos / 2]);
		pos /= 2;
	}
	heap_place(pos, t);
}

static void sift_down(u32 pos, struct timer *t)
{
	for (;;) {
		u32 child = pos * 2;

		if (child > nr_armed)
			break;
		if (child < nr_armed && heap[child + 1]->deadline_ns < heap[child]->deadline_ns)
			child++;
		if (heap[child]->deadline_ns >= t->deadline_ns)
			break;
		heap_place(pos, heap[child]);
		pos = child;
	}
	heap_place(pos, t);
}

static void heap_remove(struct timer *t)
{
	u32 pos = t->heap_pos;
	struct timer *last = heap[nr_armed--];

	t->heap_pos = 0;
	if (last == t)
		return;
	if (pos > 1 && heap[pos / 2]->deadline_ns > last->deadline_ns)
		sift_up(pos, last);
	else
		sift_down(pos, last);
}

/* The hardware follows the root of the heap. */
static void program_hardware(void)
{
	apic_timer_set(nr_armed ? heap[1]->deadline_ns : 0);
}

int timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
	int rc = heap_reserve();

	if (rc)
		return rc;
	*t = (struct timer){.fn = fn, .arg = arg, .is_initialised = true};
	return 0;
}

void timer_set(struct timer *t, s_time_t deadline_ns)
{
	bool was_first = t->heap_pos == 1;

	if (t->heap_pos)
		heap_remove(t);
	t->deadline_ns = MAX(deadline_ns, 1);
	sift_up(++nr_armed, t);

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
	while (nr_armed && heap[1]->deadline_ns <= now_ns()) {
		struct timer *t = heap[1];

		heap_remove(t);
		t->fn(t->arg);
	}
	program_hardware();
}
