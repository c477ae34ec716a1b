/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define CR4_TSD (1UL << 2)
#define CR4_FSGSBASE (1UL << 16)
#define CPUID_7_EBX_FSGSBASE 1u

static u64 cr4_read(void)
{
	u64 value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static void cr4_write(u64 value)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(value));
}

static void do_rdtsc(void *arg)
{
	__asm__ volatile("rdtsc; mov $39, %%eax; syscall" ::: "eax", "edx", "rcx", "r11");
}

static void do_rdfsbase(void *arg)
{
	__asm__ volatile("rdfsbase %%rax; mov $39, %%eax; syscall" ::: "rax", "rcx", "r11");
}

/* The vector of the fault of @fn in user mode; 0: none, it came to its system call. */
static u32 fault_of(void (*fn)(void *))
{
	struct fault f = user_run(fn, NULL);

	check(f.happened);
	return f.vector == ENTRY_SYSCALL ? 0 : f.vector;
}

static bool has_fsgsbase(void)
{
	u32 a = 7, b, c = 0, d;

	__asm__ volatile("ud2a; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b & CPUID_7_EBX_FSGSBASE;
}

/* XSA-293. */
GUEST_TEST(control_user, "what a kernel allows its user mode in CR4 is what it may do", ALSO_DOM0)
{
	u64 cr4 = cr4_read();

	cr4_write(cr4 & ~CR4_TSD);
	check_is(fault_of(do_rdtsc), 0);
	cr4_write(cr4 | CR4_TSD);
	check_is(fault_of(do_rdtsc), TRAP_GP);
	__asm__ volatile("rdtsc" ::: "eax", "edx"); /* the kernel's own goes on */
	cr4_write(cr4 & ~CR4_FSGSBASE);
	check_is(fault_of(do_rdfsbase), TRAP_UD);
	if (has_fsgsbase()) {
		cr4_write(cr4 | CR4_FSGSBASE);
		check_is(fault_of(do_rdfsbase), 0);
	}
	cr4_write(cr4);
}
