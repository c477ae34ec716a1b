/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* The fourth descriptor of an LDT. */
#define SELECTOR 0x1f

static void load_ds(void *arg)
{
	__asm__ volatile("mov %0, %%ds" ::"r"(SELECTOR));
}

static void far_call(void *arg)
{
	static const struct {
		u32 offset;
		u16 selector;
	} __attribute__((packed)) to = { 0, SELECTOR };

	__asm__ volatile("lcall *%0" ::"m"(to) : "memory");
}

/*
 * After a reset a CPU's LDT lies at address 0: a guest's own memory, where it could put a gate into
 * ring 0.
 */
GUEST_TEST(ldt_none, "a guest without an LDT has none, wherever its memory is", ALSO_DOM0)
{
	struct fault f = guard_run(load_ds, NULL);

	check(f.happened);
	check_is(f.vector, TRAP_GP);
	check_is(f.error, SELECTOR & ~3);
	f = guard_run(far_call, NULL);
	check(f.happened);
	check_is(f.vector, TRAP_GP);
}
