/* SPDX-License-Identifier: MIT */
/*
 * test_machine.c - whatever the vcpus of six domains do at the same time on several CPUs, no CPU
 * keeps a translation it must not, every reference is counted, and in the end every frame is back.
 *
 * usage: test_machine [seed=N] [seeds=N] [ops=N] [cpus=N] [threads=1] [broken=NAME] [verbose=1]
 *        test_machine proof=1
 *
 * Seeds seed, seed+1, ... run ops operations each, on 1 to 4 CPUs by turns. A failure prints the
 * command that repeats it (fibers; with threads the host has its say). proof: for each thing that
 * can be left out (tests/fakes/hvsmp/broken.c), a run without it must fail.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domain/sched.h"
#include "guest.h"
#include "mm/page_alloc.h"
#include "x86/fpu_insn.h"
#include "x86/lock.h"

#define CHECK_EVERY 4096 /* operations between two full audits */
#define CHECK_LOG_EVERY 16
#define FRAMES_DOM0 POOL
#define ENOUGH_OPS 200000 /* for each kind to have worked once */

static unsigned int opt_seed = 1, opt_seeds = 1, opt_ops = 20000, opt_cpus, opt_threads,
		    opt_proof, opt_verbose;
static char opt_broken[40];

static unsigned int seed, nr_cpus;
static unsigned int ops_done;

static void tell_how_to_repeat(void)
{
	fprintf(stderr, "after %u operations; repeat: test_machine seed=%u ops=%u cpus=%u%s%s%s\n",
		ops_done, seed, opt_ops, nr_cpus, opt_threads ? " threads=1" : "",
		opt_broken[0] ? " broken=" : "", opt_broken);
}

/* --- dom0 --- */

static void dom0_make(void)
{
	struct guest *g = &guests[0];
	struct domain *d;

	guest_forget(g);
	d = machine_domain(0, GUEST_VCPUS, g->pool, FRAMES_DOM0);
	machine_build_tables(g->pool);
	machine_domain_start(d, g->pool);
}

/* --- a CPU --- */

static void audit(void)
{
	hv_lock();
	cpus_halt_others();
	check_everything();
	cpus_let_go();
	hv_unlock();
}

static void next_phase(unsigned int n)
{
	if (n >= opt_ops)
		STORE(guests_must_go, true);
	if (LOAD(guests_must_go) && guests_all_gone())
		__atomic_store_n(&machine_is_stopping, true, __ATOMIC_RELEASE);
	if (n > 50 * opt_ops + 1000000)
		machine_fail("the guests do not end");
}

/* What a CPU does in guests, once the scheduler has given it one. */
static void run_guests(void)
{
	while (!__atomic_load_n(&machine_is_stopping, __ATOMIC_ACQUIRE)) {
		unsigned int n = __atomic_add_fetch(&ops_done, 1, __ATOMIC_RELAXED);

		guest_step();
		check_registers();
		if (!opt_threads && cpus_are_quiet()) {
			check_translations();
			if (n % CHECK_LOG_EVERY == 0)
				check_log();
		}
		machine_exit_work();
		cpu_take_interrupts();
		cpu_may_yield(3);
		if (n % CHECK_EVERY == 0)
			audit();
		next_phase(n);
	}
}

static void cpu_main(void)
{
	hv_lock();
	sched_start_cpu();
}

/* --- runs --- */

static void run_seed(void)
{
	u64 at_start;

	cpus_set(nr_cpus, opt_threads);
	cpus_seed(seed);
	fake_xsave_ignores_ts = seed & 4; /* with each number of CPUs */
	machine_make();
	guests_begin();
	at_start = page_alloc_free_frames();
	hv_lock();
	dom0_make();
	hv_unlock();
	machine_run_guests(run_guests);
	cpus_run(cpu_main);
	audit();
	machine_domains_end();
	if (page_alloc_free_frames() != at_start)
		machine_fail("%lu of %lu frames are back", (unsigned long)page_alloc_free_frames(),
			     (unsigned long)at_start);
	machine_unmake();
}

static u64 *nr_worked; /* each operation, shared with the runs' processes; NULL: not asked */

/* A process for each run: the hypervisor's own variables begin as at boot. Its status. */
static int run_apart(bool is_quiet)
{
	int status;
	pid_t pid;

	nr_cpus = opt_cpus ? opt_cpus : 1 + seed % MACHINE_CPUS_MAX;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		/* a test that is stopped leaves nothing running */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (is_quiet && !freopen("/dev/null", "w", stderr))
			exit(2);
		run_seed();
		if (opt_verbose)
			ops_print();
		if (nr_worked)
			ops_add_up(nr_worked);
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_all(void)
{
	const char *never;

	/* of all seeds: what is rare may not come in one */
	if (opt_ops >= ENOUGH_OPS && !opt_broken[0])
		nr_worked = mmap(NULL, OPS_MAX * sizeof(*nr_worked), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (nr_worked == MAP_FAILED)
		return 1;
	for (unsigned int i = 0; i < opt_seeds; i++) {
		seed = opt_seed + i;
		if (run_apart(false))
			return 1;
	}
	if (nr_worked && (never = ops_never_worked(nr_worked))) {
		fprintf(stderr, "operation %s never worked\n", never);
		return 1;
	}
	printf("seeds %u to %u, %u operations each\n", opt_seed, opt_seed + opt_seeds - 1, opt_ops);
	return 0;
}

/* Some run with that broken must notice. */
static bool is_found(void)
{
	for (unsigned int i = 0; i < opt_seeds; i++) {
		seed = opt_seed + i;
		if (run_apart(true) == 1)
			return true;
	}
	return false;
}

static int prove(void)
{
	const char *name;
	int missed = 0;

	for (unsigned int i = 0; (name = broken_name(i)); i++) {
		bool found;

		broken_select(name);
		found = is_found();
		printf("%s: %s\n", name, found ? "found" : "NOT FOUND");
		missed += !found;
	}
	return missed ? 1 : 0;
}

static bool option(const char *arg)
{
	static const struct {
		const char *name;
		unsigned int *value;
	} numbers[] = { { "seed", &opt_seed },	  { "seeds", &opt_seeds }, { "ops", &opt_ops },
			{ "cpus", &opt_cpus },	  { "threads", &opt_threads }, { "proof", &opt_proof },
			{ "verbose", &opt_verbose } };
	char name[16];
	unsigned int n;

	if (sscanf(arg, "broken=%39s", opt_broken) == 1)
		return broken_select(opt_broken) == 0;
	if (sscanf(arg, "%15[a-z]=%u", name, &n) != 2)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(numbers[i].name, name)) {
			*numbers[i].value = n;
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!option(argv[i])) {
			fprintf(stderr, "test_machine: '%s'?\n", argv[i]);
			return 2;
		}
	machine_on_failure(tell_how_to_repeat);
	if (opt_proof)
		return prove();
	return run_all();
}
