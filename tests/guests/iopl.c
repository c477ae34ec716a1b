/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define DELAY_PORT 0x80 /* of a machine's own: a write there does nothing */

static void do_cli(void *arg)
{
	__asm__ volatile("cli");
}

static void do_sti(void *arg)
{
	__asm__ volatile("sti");
}

static void do_out(void *arg)
{
	__asm__ volatile("outb %%al, $0x80" ::"a"(0));
}

static void do_in(void *arg)
{
	__asm__ volatile("inb $0x80, %%al" ::: "eax");
}

static void do_outs(void *arg)
{
	__asm__ volatile("outsb" : "+S"(arg) : "d"(DELAY_PORT));
}

static void (*const tries[])(void *) = { do_cli, do_sti, do_out, do_in, do_outs };

static void set_iopl(u32 level)
{
	struct physdev_set_iopl op = { level };

	need(hc_physdev(PHYSDEVOP_set_iopl, &op));
}

GUEST_TEST(iopl,
	   "the virtual I/O privilege level decides: 0 for nobody, 1 for the kernel, 3 for all",
	   ALSO_DOM0)
{
	struct physdev_set_iopl bad = { 4 };
	void *byte = page_alloc();

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct fault f;

		set_iopl(0);
		f = guard_run(tries[i], byte);
		check(f.happened && f.vector == TRAP_GP);
		check_is(f.error, 0);
		set_iopl(1);
		check(!guard_run(tries[i], byte).happened);
	}
	set_iopl(2);
	check_is(user_run(do_out, NULL).vector, TRAP_GP);
	check_is(hc_physdev(PHYSDEVOP_set_iopl, &bad), -EINVAL);
	set_iopl(0);
	page_free(byte);
}
