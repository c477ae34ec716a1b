/* SPDX-License-Identifier: MIT */
#include "claim.h"

static u32 value;

static void in_b(void *port)
{
	__asm__ volatile("inb %%dx, %%al" : "=a"(value) : "d"((u16)(u64)port), "0"(0));
}

static void out_b(void *port)
{
	__asm__ volatile("outb %%al, %%dx" ::"a"(0xfe), "d"((u16)(u64)port));
}

GUEST_TEST(io_ports, "a domU's ports read as nothing there; writing resets no machine", 0)
{
	struct physdev_set_iopl iopl = { 1 };

	need(hc_physdev(PHYSDEVOP_set_iopl, &iopl));
	check(!guard_run(in_b, (void *)0x60).happened);
	check_is(value & 0xff, 0xff);
	check(!guard_run(in_b, (void *)0x3f8).happened);
	check_is(value & 0xff, 0xff);
	check(!guard_run(out_b, (void *)0x64).happened); /* 0xfe there pulls the reset line */
	check(!guard_run(out_b, (void *)0xcf9).happened);
}
