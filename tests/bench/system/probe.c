/* SPDX-License-Identifier: MIT */
/*
 * probe.c - what the machine costs a process, as one static program for dom0, a guest and bare
 * Linux.
 *
 * probe tsc: the time stamp counter, which under -icount counts instructions since power-on.
 * probe costs: lines "NAME VALUE", VALUE in nanoseconds a turn (instructions under -icount), all of
 * them as often as ROUNDS in the environment says (1).
 * probe begin, probe end: the marks for tests/bench/profile/run, around what others do.
 * As process 1: loads the modules in /m, does the same on the console and powers off.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define WARM_UP 50

/*
 * No-operations that tests/bench/profile/count.c knows by their displacement: it counts what is
 * executed from the first to the second.
 */
#define MARK_BEGIN() __asm__ volatile("nopl 0x4252414d(%%rax, %%rax)" ::: "memory") /* "MARB" */
#define MARK_END() __asm__ volatile("nopl 0x4552414d(%%rax, %%rax)" ::: "memory")   /* "MARE" */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

void fail(const char *what)
{
	perror(what);
	exit(1);
}

double measure(turn_fn turn, void *arg, unsigned int turns)
{
	uint64_t start;
	unsigned int i;

	for (i = 0; i < WARM_UP; i++)
		turn(arg);
	MARK_BEGIN();
	start = now_ns();
	for (i = 0; i < turns; i++)
		turn(arg);
	start = now_ns() - start;
	MARK_END();
	return (double)start / turns;
}

/* The same for turns of which each is long. */
static double measure_cold(turn_fn turn, void *arg, unsigned int turns)
{
	uint64_t start;

	turn(arg);
	MARK_BEGIN();
	start = now_ns();
	for (unsigned int i = 0; i < turns; i++)
		turn(arg);
	start = now_ns() - start;
	MARK_END();
	return (double)start / turns;
}

void report(const char *name, double value)
{
	printf("%s %.0f\n", name, value);
	fflush(stdout);
}

static void turn_syscall(void *arg)
{
	syscall(SYS_getppid);
}

static void turn_pipe(void *arg)
{
	struct pair *p = arg;
	char byte = 0;

	if (write(p->out, &byte, 1) != 1 || read(p->in, &byte, 1) != 1)
		fail("pipe");
}

/* Two processes hand a byte to and fro: two context switches a turn. */
static void context_switches(void)
{
	int to[2], from[2];
	struct pair mine, theirs;
	pid_t child;

	if (pipe(to) < 0 || pipe(from) < 0)
		fail("pipe");
	mine = (struct pair){ .in = from[0], .out = to[1] };
	theirs = (struct pair){ .in = to[0], .out = from[1] };
	child = fork();
	if (child == 0) {
		char byte;

		while (read(theirs.in, &byte, 1) == 1 && write(theirs.out, &byte, 1) == 1)
			;
		_exit(0);
	}
	report("context_switch", measure(turn_pipe, &mine, 5000) / 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void turn_fork(void *arg)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
}

static void turn_exec(void *arg)
{
	pid_t child = vfork();

	if (child == 0) {
		execl(arg, "probe", "nothing", (char *)NULL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
}

#define MAPPED (64UL << 20)
#define PAGE 4096

static char *map_anonymous(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	/* a PV guest has no large pages: the same work for all */
	madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

/* One new page at a time. */
static void turn_page_fault(void *arg)
{
	char **next = arg;

	**next = 1;
	*next += PAGE;
}

static void page_faults(void)
{
	char *area = map_anonymous(4096 * PAGE), *next = area;

	report("page_fault", measure(turn_page_fault, &next, 4000));
	munmap(area, 4096 * PAGE);
}

static void turn_touch(void *arg)
{
	char *p = map_anonymous(MAPPED);

	for (size_t i = 0; i < MAPPED; i += PAGE)
		p[i] = 1;
	munmap(p, MAPPED);
}

#define NAP_NS 200000

static void turn_nap(void *arg)
{
	struct timespec nap = { 0, NAP_NS };

	nanosleep(&nap, NULL);
}

/* What is left of a sleep's length without the sleep: timer, wake-up, back in the process. */
static void wake_up(void)
{
	prctl(PR_SET_TIMERSLACK, 1);
	report("wake_up", measure(turn_nap, NULL, 500) - NAP_NS);
}

static volatile uint32_t sink;

static void turn_cpu(void *arg)
{
	uint32_t x = 1;

	for (unsigned int i = 0; i < 5000000; i++)
		x = x * 1664525 + 1013904223;
	sink = x;
}

static void costs(const char *self)
{
	report("null_system_call", measure(turn_syscall, NULL, 50000));
	context_switches();
	report("fork_and_exit", measure(turn_fork, NULL, 200));
	report("fork_and_exec", measure(turn_exec, (void *)self, 100));
	page_faults();
	report("mmap_touch_64_mib", measure_cold(turn_touch, NULL, 3));
	wake_up();
	report("cpu_bound_job", measure_cold(turn_cpu, NULL, 3));
	xen_costs();
}

/* So often as the environment's ROUNDS says: tests/bench/system/median.awk takes the middle one. */
static void rounds(const char *self)
{
	const char *text = getenv("ROUNDS");
	int nr = text ? atoi(text) : 1;

	while (nr-- > 0)
		costs(self);
}

/*
 * Where its memory lies decides how many page tables a process has, and whether a mapping shares
 * one with another: the same in each run, or figures would differ by it.
 */
static void settle_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now & ADDR_NO_RANDOMIZE)
		return;
	personality(now | ADDR_NO_RANDOMIZE);
	execv(getpid() == 1 ? "/init" : "/proc/self/exe", argv);
	fail("execv");
}

static void load_module(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/m/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* a module that does not fit this machine is missed by who needs it */
	if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0) < 0)
		perror(name);
	close(fd);
}

/* The whole system, when there is nothing else. */
static void as_init(void)
{
	DIR *modules = opendir("/m");
	struct dirent *e;
	int console;

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	console = open("/dev/console", O_RDWR);
	for (int i = 0; console >= 0 && i < 3; i++)
		dup2(console, i);
	while (modules && (e = readdir(modules)))
		if (e->d_name[0] != '.')
			load_module(e->d_name);
	rounds("/init");
	printf("bench: done\n");
	fflush(stdout);
	sleep(1); /* the console's other end reads on its own time */
	reboot(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (getpid() == 1) {
		settle_addresses(argv);
		as_init();
		return 0;
	}
	if (strcmp(what, "nothing") == 0)
		return 0;
	if (strcmp(what, "tsc") == 0) {
		printf("%llu\n", (unsigned long long)__builtin_ia32_rdtsc());
		return 0;
	}
	if (strcmp(what, "costs") == 0) {
		settle_addresses(argv);
		rounds("/proc/self/exe");
		return 0;
	}
	if (strcmp(what, "begin") == 0) {
		MARK_BEGIN();
		return 0;
	}
	if (strcmp(what, "end") == 0) {
		MARK_END();
		return 0;
	}
	fprintf(stderr, "usage: probe tsc|costs|begin|end\n");
	return 2;
}
