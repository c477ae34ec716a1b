/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void do_cli(void *arg)
{
	__asm__ volatile("cli");
}

static void do_hlt(void *arg)
{
	__asm__ volatile("hlt");
}

static void do_rdmsr(void *arg)
{
	__asm__ volatile("rdmsr" ::"c"(0xc0000080) : "eax", "edx");
}

static void do_wrmsr(void *arg)
{
	__asm__ volatile("wrmsr" ::"c"(0xc0000100), "a"(0), "d"(0));
}

static void do_mov_cr0(void *arg)
{
	__asm__ volatile("mov %%cr0, %%rax" ::: "rax");
}

static void do_mov_cr3(void *arg)
{
	__asm__ volatile("mov %%rax, %%cr3" ::"a"(0));
}

static void do_out(void *arg)
{
	__asm__ volatile("outb %%al, $0x80" ::"a"(0));
}

static void do_lgdt(void *arg)
{
	__asm__ volatile("lgdt (%0)" ::"r"(arg));
}

static void do_invlpg(void *arg)
{
	__asm__ volatile("invlpg (%0)" ::"r"(arg));
}

static void do_wbinvd(void *arg)
{
	__asm__ volatile("wbinvd");
}

static void do_clts(void *arg)
{
	__asm__ volatile("clts");
}

GUEST_TEST(user_privileged,
	   "privileged instructions of user mode are a fault of its own", ALSO_DOM0)
{
	static void (*const tries[])(void *) = { do_cli,	    do_hlt,	do_rdmsr, do_wrmsr,
						 do_mov_cr0, do_mov_cr3, do_out,	  do_lgdt,
						 do_invlpg,  do_wbinvd,	do_clts };

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		struct fault f = user_run(tries[i], page_alloc());

		check(f.happened);
		check_is(f.vector, TRAP_GP);
		check_is(f.frame.cs & 3, 3);
	}
}
