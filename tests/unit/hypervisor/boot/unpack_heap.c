/* SPDX-License-Identifier: MIT */
/* unpack_heap.c - the heap, clock, log and library surroundings of boot/unpack.c on the host. */
#include "unpack_heap.h"

#include <stdint.h>
#include <string.h>

#include "boot/libc_shim.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "x86/clock.h"

#define RAM_FRAMES 128
#define GUARD 0x5a

static struct frame records[RAM_FRAMES];
static unsigned int opened;
static size_t guard_at;

unsigned int unpack_heap_allocs, unpack_heap_frees;
uint8_t fake_ram[(RAM_FRAMES + 1) * PAGE_SIZE] __attribute__((aligned(4096)));
struct frame *frame_table = records;
u64 frame_table_nr = RAM_FRAMES;

void unpack_heap_reset(void)
{
	unpack_heap_allocs = unpack_heap_frees = 0;
	guard_at = sizeof(fake_ram);
}

bool unpack_heap_is_sound(void)
{
	for (size_t i = guard_at; i < sizeof(fake_ram); i++)
		if (fake_ram[i] != GUARD)
			return false;
	return opened == 0;
}

struct frame *frames_alloc(unsigned int order, unsigned int addr_bits)
{
	if (1u << order > RAM_FRAMES)
		return NULL;
	unpack_heap_allocs++;
	guard_at = PAGE_SIZE << order;
	memset(fake_ram + guard_at, GUARD, sizeof(fake_ram) - guard_at);
	return records;
}

void frames_free_dirty(struct frame *f, unsigned int order)
{
	BUG_ON(f != records || PAGE_SIZE << order != guard_at);
	unpack_heap_frees++;
}

void libc_shim_enter(void)
{
	opened++;
}

void libc_shim_leave(void)
{
	opened--;
}

s_time_t now_ns(void)
{
	return 0;
}

void hv_log(enum log_level level, const char *fmt, ...)
{
}

void hv_panic(const char *fmt, ...)
{
	__builtin_trap();
}
