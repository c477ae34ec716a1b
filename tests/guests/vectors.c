/* SPDX-License-Identifier: MIT */
/*
 * vectors.c - programs whose vector registers must stay theirs: each process fills all sixteen YMM
 * registers with a pattern of its own, spins, enters the kernel or is interrupted by a handler that
 * fills them with something else, and compares. Static, runs on any Linux.
 *
 * vectors state          what the CPU, as a program asks it, and XCR0 say: "xsave XCR0" or "none"
 * vectors run SEED S [N] N processes (1) for S seconds, then "vectors SEED: rounds R, wrong W"
 * vectors count SEED     one process for ever: "vectors SEED: round R" each second, or "wrong"
 * Success: status 0; of "run": no register was wrong, and each process made at least two rounds.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_REGS 16
#define NR_WORDS (NR_REGS * 4) /* of 64 bits */
#define SPINS 2000000
#define TICK_US 3000
#define NR_YIELDS 24 /* __NR_sched_yield */

static uint64_t wanted[NR_WORDS] __attribute__((aligned(32)));
static uint64_t got[NR_WORDS] __attribute__((aligned(32)));

/* The low bit of XCR0 is always set: 0 is a system without XSAVE. */
static uint32_t xcr0(void)
{
	uint32_t a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return a;
}

static void fill(uint64_t *words, uint64_t seed, uint64_t round)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15 + round + 1;

	for (unsigned int i = 0; i < NR_WORDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		words[i] = x;
	}
}

#define EACH(insn)                                                                                 \
	insn(0) insn(1) insn(2) insn(3) insn(4) insn(5) insn(6) insn(7) insn(8) insn(9) insn(10) \
		insn(11) insn(12) insn(13) insn(14) insn(15)
#define LOAD(n) "vmovdqa " #n "*32(%[from]), %%ymm" #n "\n"
#define STORE(n) "vmovdqa %%ymm" #n ", " #n "*32(%[to])\n"
#define ALL_ONES(n) "vcmptrueps %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n"

/* The registers as they are after @spins empty turns and one entry into the kernel. */
static void pass_through(uint64_t spins)
{
	register uint64_t nr __asm__("rax") = NR_YIELDS;

	__asm__ volatile(EACH(LOAD)
			 "1: dec %[spins]\n"
			 "jnz 1b\n"
			 "syscall\n" EACH(STORE)
			 : [spins] "+r"(spins), "+r"(nr)
			 : [from] "r"(wanted), [to] "r"(got)
			 : "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
			   "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
			   "xmm14", "xmm15");
}

static void on_tick(int sig)
{
	__asm__ volatile(EACH(ALL_ONES)::: "memory");
}

/* False, and it says which: a register is not as it was. */
static int is_right(uint64_t seed, uint64_t round)
{
	for (unsigned int i = 0; i < NR_WORDS; i++)
		if (got[i] != wanted[i]) {
			printf("vectors %lu: round %lu: ymm%u, word %u is %016lx, not %016lx\n", seed, round,
			       i / 4, i % 4, got[i], wanted[i]);
			return 0;
		}
	return 1;
}

static void tick(void)
{
	struct itimerval it = { { 0, TICK_US }, { 0, TICK_US } };
	struct sigaction sa = { .sa_handler = on_tick, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static int one(uint64_t seed, unsigned int seconds, int is_counting)
{
	time_t last = time(NULL), end = last + seconds;
	uint64_t round, nr_wrong = 0;

	tick();
	for (round = 0; is_counting || time(NULL) < end; round++) {
		fill(wanted, seed, round);
		pass_through(round % 8 ? SPINS : 1);
		nr_wrong += !is_right(seed, round);
		if (is_counting && time(NULL) != last) {
			last = time(NULL);
			printf("vectors %lu: %s %lu\n", seed, nr_wrong ? "wrong" : "round", round);
			fflush(stdout);
		}
	}
	printf("vectors %lu: rounds %lu, wrong %lu\n", seed, round, nr_wrong);
	fflush(stdout);
	return nr_wrong || round < 2;
}

static int run(uint64_t seed, unsigned int seconds, unsigned int processes)
{
	int is_bad = 0;

	for (unsigned int i = 1; i < processes; i++)
		if (fork() == 0)
			exit(one(seed + i, seconds, 0));
	is_bad |= one(seed, seconds, 0);
	for (int status; wait(&status) > 0;)
		is_bad |= status != 0;
	return is_bad;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "state")) {
		if (xcr0())
			printf("xsave %x\n", xcr0());
		else
			puts("none");
		return 0;
	}
	if ((xcr0() & 6) != 6) {
		puts("vectors: no AVX here");
		return 1;
	}
	if (!strcmp(what, "run") && argc >= 4)
		return run(strtoul(argv[2], NULL, 0), (unsigned int)atoi(argv[3]),
			   argc > 4 ? (unsigned int)atoi(argv[4]) : 1);
	if (!strcmp(what, "count") && argc == 3)
		return one(strtoul(argv[2], NULL, 0), 0, 1);
	fprintf(stderr, "usage: vectors state | run SEED SECONDS [PROCESSES] | count SEED\n");
	return 2;
}
