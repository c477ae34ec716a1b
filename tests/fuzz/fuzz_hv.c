/* SPDX-License-Identifier: MIT */
/* fuzz_hv.c - see fuzz_hv.h. The machine is made once; its domains live for one input. */
#include "fuzz_hv.h"

#include <setjmp.h>

#include <xen/sched.h>

#include "domain/sched.h"
#include "guest.h"
#include "mm/page_alloc.h"
#include "pv/context.h"
#include "world.h"
#include "x86/lock.h"

#define RIP_BEFORE 0x1000 /* of a `syscall`: where a hypercall that is issued again goes on */
#define RIP_AFTER 0x1002
#define ISSUES_MAX 20000 /* an input ends sooner than that, or goes round and round */
#define IDLE_TURNS 2000
#define YIELDS_MAX 16

u32 fuzz_pool[FUZZ_DOMAINS][FUZZ_FRAMES];
u8 fuzz_memory[16384] __attribute__((aligned(4096)));

static const uint8_t *input;
static size_t input_left;
static unsigned int nr_issued, nr_yields; /* yields left until wanted_domid must have come */
static domid_t wanted_domid;
static void (*do_step)(void), (*do_check)(void);

/* --- the input --- */

u64 take(unsigned int nr)
{
	u64 v = 0;

	for (unsigned int i = 0; i < nr && input_left; i++, input_left--)
		v |= (u64)*input++ << (8 * i);
	return v;
}

u32 take_frame(void)
{
	u32 b = (u32)take(1), d = current->domain->domain_id;

	if (d >= FUZZ_DOMAINS || b >= 0xf0)
		d = b % FUZZ_DOMAINS;
	return fuzz_pool[d][b % FUZZ_FRAMES];
}

u64 take_entry(void)
{
	static const u64 flags[] = {
		RW,	     RO,	  RW | PTE_NX,	    0,
		RW | PTE_PS, RO | PTE_G,  RW | PTE_PCD,	    RO | PTE_A,
		RW | PTE_D,  RO | PTE_PS, RW | 1ULL << 45,  RW | PTE_GRANT,
		PTE_P,	     PTE_RW,	  RO | PTE_GRANT,   ~0ULL,
	};
	u64 b = take(1);
	mfn_t mfn = _mfn(b & 0x80 ? (u32)take(2) : take_frame());

	if (b & 0x40) /* device memory, and what is beyond all */
		mfn = _mfn(MACHINE_FRAMES - 4 + (b >> 4 & 3) * 3);
	return pte_make(mfn, 0) | flags[b & 15];
}

u64 take_slot(void)
{
	u64 b = take(1);

	return mfn_to_maddr(_mfn(take_frame())) | (b & 63) * 8 | b >> 6;
}

u64 take_value(void)
{
	static const u64 strange[] = {
		~0ULL, HV_HOLE_START, HV_HOLE_END, 1ULL << 47, DOMID_SELF, DOMID_IO,
		DOMID_XEN, 1ULL << 63, ~0U, 1ULL << 32, 0x7fffffff, 0x80000000,
		1ULL << 52, PAGE_SIZE, HV_HOLE_START - 8, HV_HOLE_END - 8,
	};
	u64 b = take(1);

	switch (b >> 5) {
	case 0:
		return b & 31;
	case 1:
		return FUZZ_PTR(fuzz_memory) + (b & 31) * 512 + take(1) * 8;
	case 2:
		return take_frame();
	case 3:
		return take_slot();
	case 4:
		return take_entry();
	case 5:
		return b & 16 ? va_of(b & 15) : strange[b & 15];
	case 6:
		return take(4);
	default:
		return take(8);
	}
}

/* --- steps --- */

static void issue(void)
{
	struct cpu_user_regs *regs = guest_regs();

	if (nr_issued++ > ISSUES_MAX)
		input_left = 0;
	regs->rip = RIP_AFTER;
	hypercall_entry(regs);
}

void fuzz_hypercall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	*guest_regs() = (struct cpu_user_regs){
		.rax = nr, .rdi = a0, .rsi = a1, .rdx = a2, .r10 = a3, .r8 = a0 & 0xff,
		.rsp = FUZZ_PTR(fuzz_memory) + PAGE_SIZE};
	issue();
}

void fuzz_want_domain(domid_t domid)
{
	wanted_domid = domid;
	nr_yields = YIELDS_MAX;
}

static bool is_unwanted(void)
{
	return nr_yields && current->domain->domain_id != wanted_domid;
}

/* What current does: goes on with its hypercall, makes room, or takes a step. */
static void go_on(void)
{
	if (guest_regs()->rip == RIP_BEFORE) {
		issue();
	} else if (is_unwanted()) {
		nr_yields--;
		fuzz_hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0);
	} else {
		nr_yields = 0;
		do_step();
	}
}

/* What a CPU does in guests. */
static void run_guests(void)
{
	while (!machine_is_stopping && input_left) {
		machine_is_busy();
		if (!current->pv.in_kernel)
			pv_toggle_mode(current); /* its kernel was called */
		go_on();
		check_translations();
		if (do_check)
			do_check();
		machine_exit_work();
		cpu_take_interrupts();
	}
	machine_is_stopping = true;
}

static void cpu_main(void)
{
	jmp_buf stop;

	world.on_stop = &stop;
	if (setjmp(stop)) { /* dom0 ended, and the machine with it */
		while (hv_lock_is_held())
			hv_unlock();
		cpu_leave();
	}
	hv_lock();
	sched_start_cpu();
}

static void domains_make(void)
{
	hv_lock();
	for (unsigned int i = 0; i < FUZZ_DOMAINS; i++) {
		unsigned int nr_vcpus = i == 1 ? 2 : 1;
		struct domain *d =
			machine_domain((domid_t)i, nr_vcpus, fuzz_pool[i], FUZZ_FRAMES);

		machine_build_tables(fuzz_pool[i]);
		machine_domain_start(d, fuzz_pool[i]);
	}
	hv_unlock();
}

static void audit(void)
{
	hv_lock();
	check_everything();
	hv_unlock();
}

static u64 machine_once(void)
{
	static u64 at_start;

	cpus_set(1, false);
	cpus_seed(1);
	if (!at_start) {
		machine_make();
		machine_guest_memory(fuzz_memory, sizeof(fuzz_memory));
		at_start = page_alloc_free_frames();
	}
	return at_start;
}

void fuzz_hv_run(const uint8_t *data, size_t size, void (*step)(void), void (*check)(void))
{
	u64 at_start = machine_once();

	input = data;
	input_left = size;
	nr_issued = nr_yields = 0;
	do_step = step;
	do_check = check;
	memset(fuzz_memory, 0, sizeof(fuzz_memory));
	machine_is_stopping = false;
	machine_idle_limit(IDLE_TURNS);
	domains_make();
	machine_run_guests(run_guests);
	cpus_run(cpu_main);
	audit();
	machine_domains_end();
	FUZZ_CHECK(page_alloc_free_frames() == at_start);
}
