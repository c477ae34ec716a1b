/* SPDX-License-Identifier: MIT */
/*
 * usermode.c - what a hostile program of a PV guest can throw at the hypervisor from user mode: bad
 * frames to return to, forbidden instructions, descriptors, addresses of the hypervisor. Each case
 * runs in a child, as nobody; the claim is what Linux on bare hardware without UMIP does to it.
 * Success: TAP "ok", a machine that is still alive, and a kernel that has nothing to say about
 * itself. A silent machine has crashed. Static, runs on any Linux as root.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define NOT_CANONICAL 0x800000000000L
#define HYPERVISOR_IMAGE 0xffff828000200000L
#define DIRECT_MAP 0xffff830000000000L
#define M2P 0xffff800000000000L

static void (*damage)(greg_t *g);

static void handler(int sig, siginfo_t *info, void *context)
{
	damage(((ucontext_t *)context)->uc_mcontext.gregs);
}

/* Returns from a signal through a frame that @how changed. */
static void sigreturn_with(void (*how)(greg_t *g))
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	damage = how;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
}

static void set_cs(greg_t *g, long cs)
{
	g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffL) | cs;
}

static void hv_cs(greg_t *g)
{
	set_cs(g, 0xe008);
}
static void null_ldt_cs(greg_t *g)
{
	set_cs(g, 0x1f);
}
static void tss_cs(greg_t *g)
{
	set_cs(g, 0xe043);
}
static void hv_ss(greg_t *g)
{
	g[REG_CSGSFS] = (long)(((unsigned long)g[REG_CSGSFS] & 0xffffffffffffUL) | 0xe010UL << 48);
}
static void odd_rip(greg_t *g)
{
	g[REG_RIP] = NOT_CANONICAL;
}
static void hv_rip(greg_t *g)
{
	g[REG_RIP] = HYPERVISOR_IMAGE;
}
static void all_flags(greg_t *g)
{
	g[REG_EFL] |= 0x37000; /* IOPL, NT, RF, VM: silently dropped */
}

static void bad_cs(void)
{
	sigreturn_with(hv_cs);
}
static void bad_ldt_cs(void)
{
	sigreturn_with(null_ldt_cs);
}
static void bad_tss_cs(void)
{
	sigreturn_with(tss_cs);
}
static void bad_ss(void)
{
	sigreturn_with(hv_ss);
}
static void bad_rip(void)
{
	sigreturn_with(odd_rip);
}
static void bad_hv_rip(void)
{
	sigreturn_with(hv_rip);
}
static void bad_flags(void)
{
	sigreturn_with(all_flags);
}

static void do_hlt(void)
{
	__asm__ volatile("hlt");
}
static void do_cli(void)
{
	__asm__ volatile("cli");
}
static void do_out(void)
{
	__asm__ volatile("outb %al, $0x80");
}
static void do_int20(void)
{
	__asm__ volatile("int $0x20");
}
static void do_int2(void)
{
	__asm__ volatile("int $2");
}
static void do_int8(void)
{
	__asm__ volatile("int $8");
}
static void do_int14(void)
{
	__asm__ volatile("int $14");
}
static void do_int3(void)
{
	__asm__ volatile("int3");
}
static void do_ud2(void)
{
	__asm__ volatile("ud2");
}
static void do_mov_cr0(void)
{
	__asm__ volatile("mov %%cr0, %%rax" ::: "rax");
}
static void do_wrmsr(void)
{
	__asm__ volatile("wrmsr" ::"a"(0), "d"(0), "c"(0xc0000082));
}
static void do_lgdt(void)
{
	__asm__ volatile("lgdt (%rsp)");
}
static void do_sgdt(void)
{
	char table[10];

	__asm__ volatile("sgdt %0" : "=m"(table));
}
static void do_sidt(void)
{
	char table[10];

	__asm__ volatile("sidt %0" : "=m"(table));
}
static void do_smsw_sldt_str(void)
{
	long word;

	__asm__ volatile("smsw %0; sldt %0; str %0" : "=r"(word));
}
static void do_wild_read(void)
{
	(void)*(volatile int *)0xdeadbeefdeadbeef;
}
static void do_rdtsc_forbidden(void)
{
	unsigned int low, high;

	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
		_exit(2);
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
}
static void do_xsetbv(void)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"(1), "d"(0));
}
static void do_swapgs(void)
{
	__asm__ volatile("swapgs");
}
static void do_mov_dr7(void)
{
	__asm__ volatile("mov %0, %%db7" ::"r"(0x400L));
}
static void do_iret_kernel(void)
{
	__asm__ volatile("push $0; push %%rsp; push $2; push $0xe008; push $0; iretq" ::: "memory");
}
static void do_fs_hv(void)
{
	__asm__ volatile("mov %0, %%fs" ::"r"(0xe010));
}
static void do_ds_ldt(void)
{
	__asm__ volatile("mov %0, %%ds" ::"r"(0x1f));
}
static void do_bad_stack(void)
{
	__asm__ volatile("mov %0, %%rsp; push %%rax" ::"r"(NOT_CANONICAL) : "memory");
}
static void do_jump_odd(void)
{
	__asm__ volatile("jmp *%0" ::"r"(NOT_CANONICAL));
}
static void do_write_directmap(void)
{
	*(volatile int *)DIRECT_MAP = 1;
}
static void do_read_directmap(void)
{
	(void)*(volatile int *)DIRECT_MAP;
}
static void do_read_image(void)
{
	(void)*(volatile int *)HYPERVISOR_IMAGE;
}
static void do_write_m2p(void)
{
	*(volatile int *)M2P = 1;
}

static void do_int80(void)
{
	long pid = 0;

	__asm__ volatile("int $0x80" : "=a"(pid) : "a"(20)); /* getpid of the 32-bit table */
	_exit(pid != getpid());
}

static void do_popf_then_syscall(void)
{
	__asm__ volatile("pushf; orq $0x7000, (%%rsp); popf" ::: "memory", "cc");
	_exit(syscall(SYS_getpid) <= 0);
}

static void do_unknown_syscall(void)
{
	_exit(syscall(999999) != -1);
}

static void do_ldt_segment(void)
{
	struct user_desc d =
		{ .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1, .useable = 1 };
	static int word = 4711;
	int got;

	if (syscall(SYS_modify_ldt, 1, &d, sizeof(d)))
		_exit(2);
	__asm__ volatile("mov %1, %%fs; mov %%fs:(%2), %0" : "=r"(got) : "r"(7), "r"(&word));
	_exit(got != 4711);
}

static void do_gs_base(void)
{
	unsigned long want = 0x123456789000, got;

	__asm__ volatile("wrgsbase %0" ::"r"(want));
	for (int i = 0; i < 200; i++)
		sched_yield();
	__asm__ volatile("rdgsbase %0" : "=r"(got));
	_exit(got != want);
}

static void do_single_step(void)
{
	pid_t child = fork();
	int status, steps = 0;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit((int)syscall(SYS_getpid) == 0);
	}
	for (waitpid(child, &status, 0); !WIFEXITED(status); waitpid(child, &status, 0), steps++)
		if (WIFSIGNALED(status) || ptrace(PTRACE_SINGLESTEP, child, 0, 0))
			_exit(3);
	_exit(steps < 20 || WEXITSTATUS(status));
}

/* Vector registers hold their values over many switches to another user of them. */
static void do_fpu_switches(void)
{
	double x = getpid() % 97 + 0.5, want = x, got = x;
	pid_t child = fork();
	int status;

	for (int i = 0; i < 300; i++) {
		got = got * 1.0000001 + (child ? 1 : 2);
		sched_yield();
	}
	for (int i = 0; i < 300; i++)
		want = want * 1.0000001 + (child ? 1 : 2);
	if (!child)
		_exit(got != want);
	waitpid(child, &status, 0);
	_exit(got != want || status);
}

static const struct {
	const char *claim;
	void (*run)(void);
	int signal; /* 0: exits with 0 */
} cases[] = {
	{ "sigreturn to the hypervisor's code segment", bad_cs, SIGSEGV },
	{ "sigreturn to an empty LDT code segment", bad_ldt_cs, SIGSEGV },
	{ "sigreturn to the TSS as code segment", bad_tss_cs, SIGSEGV },
	{ "sigreturn to the hypervisor's stack segment", bad_ss, SIGSEGV },
	{ "sigreturn to a RIP that is not canonical", bad_rip, SIGSEGV },
	{ "sigreturn into the hypervisor's image", bad_hv_rip, SIGSEGV },
	{ "sigreturn with IOPL, NT, RF and VM", bad_flags, 0 },
	{ "hlt", do_hlt, SIGSEGV },
	{ "cli", do_cli, SIGSEGV },
	{ "out to a port", do_out, SIGSEGV },
	{ "int 0x20", do_int20, SIGSEGV },
	{ "int 2, the NMI's vector", do_int2, SIGSEGV },
	{ "int 8, the double fault's vector", do_int8, SIGSEGV },
	{ "int 14, the page fault's vector", do_int14, SIGSEGV },
	{ "int3", do_int3, SIGTRAP },
	{ "ud2", do_ud2, SIGILL },
	{ "reading CR0", do_mov_cr0, SIGSEGV },
	{ "wrmsr LSTAR", do_wrmsr, SIGSEGV },
	{ "lgdt", do_lgdt, SIGSEGV },
	{ "sgdt", do_sgdt, 0 },
	{ "sidt", do_sidt, 0 },
	{ "smsw, sldt and str", do_smsw_sldt_str, 0 },
	{ "reading where no address is canonical", do_wild_read, SIGSEGV },
	{ "rdtsc that the program has forbidden itself", do_rdtsc_forbidden, SIGSEGV },
	{ "xsetbv", do_xsetbv, SIGSEGV },
	{ "swapgs", do_swapgs, SIGSEGV },
	{ "writing DR7", do_mov_dr7, SIGSEGV },
	{ "iret to the hypervisor's code", do_iret_kernel, SIGSEGV },
	{ "the hypervisor's data segment in FS", do_fs_hv, SIGSEGV },
	{ "an empty LDT segment in DS", do_ds_ldt, SIGSEGV },
	{ "a push with RSP not canonical", do_bad_stack, SIGSEGV },
	{ "a jump to an address that is not canonical", do_jump_odd, SIGSEGV },
	{ "writing the direct map", do_write_directmap, SIGSEGV },
	{ "reading the direct map", do_read_directmap, SIGSEGV },
	{ "reading the hypervisor's image", do_read_image, SIGSEGV },
	{ "writing the machine-to-physical table", do_write_m2p, SIGSEGV },
	{ "int 0x80 calls the 32-bit table", do_int80, 0 },
	{ "a system call with NT and IOPL set by popf", do_popf_then_syscall, 0 },
	{ "a system call number out of range", do_unknown_syscall, 0 },
	{ "a segment of the program's own LDT", do_ldt_segment, 0 },
	{ "wrgsbase survives switches", do_gs_base, 0 },
	{ "single stepping through a system call", do_single_step, 0 },
	{ "floating point survives switches", do_fpu_switches, 0 },
};
#define NR_CASES (int)(sizeof(cases) / sizeof(cases[0]))

/* Without XSAVE the instruction is none at all. */
static int signal_of(int i)
{
	unsigned int a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	return cases[i].run == do_xsetbv && !(c >> 27 & 1) ? SIGILL : cases[i].signal;
}

static int run_case(int i)
{
	int status, wanted = signal_of(i);
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		alarm(60);
		if (setgid(65534) || setuid(65534)) /* nobody */
			_exit(2);
		cases[i].run();
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (wanted ? WIFSIGNALED(status) && WTERMSIG(status) == wanted
		   : WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		printf("ok %d - %s\n", i + 1, cases[i].claim);
		return 0;
	}
	printf("not ok %d - %s\n# wait status %#x\n", i + 1, cases[i].claim, status);
	return 1;
}

int main(void)
{
	int failed = 0;

	for (int i = 0; i < NR_CASES; i++)
		failed += run_case(i);
	printf("1..%d\n", NR_CASES);
	return failed != 0;
}
