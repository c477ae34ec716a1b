/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the fake machine: what mm/ and pv/ ask of x86/, domain/ and hypercall/, as plain as
 * can be.
 */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "domain/fpu.h"
#include "domain/gnttab.h"
#include "domain/preempt.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "pv/context.h"
#include "pv/desc.h"
#include "pv/enter.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/fpu_insn.h"
#include "x86/guest_access.h"
#include "x86/ioports.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/pte.h"
#include "x86/smp.h"
#include "x86/tlb.h"

#define TLB_SIZE 512
#define M2P_FRAME 4 /* the table's own place */

unsigned char *fake_ram;
struct domain fake_domain[FAKE_DOMAINS];
/* Behind a domain's last: who looks there faults. */
#define FAKE_NO_VCPU ((struct vcpu *)16)
struct vcpu fake_vcpu[FAKE_VCPUS];
struct domain *dom0, *domain_list;
u64 *hv_l4;
unsigned int cpu_maxphys_bits = 40;
char cpu_vendor[13] = "AuthenticAMD";
bool cpu_has_xsave, cpu_has_fsgsbase = true;

u64 fake_unmapped, fake_guest_start, fake_guest_len;

static struct vcpu_info fake_vcpu_info[FAKE_VCPUS];
static u32 frames_in[FAKE_DOMAINS][FAKE_FRAMES]; /* more than chunks */
static unsigned int preempt_1_in, rng;

static struct {
	u64 va;
	u64 mfn;
	bool writable, valid;
} tlb[NR_CPUS][TLB_SIZE];
static unsigned int tlb_next;

unsigned int machine_random(void)
{
	rng = rng * 1664525u + 1013904223u;
	return rng >> 8;
}

/* As after cpu_init() and fpu_init(). */
static void cpus_reset(void)
{
	memset(fake_cpus, 0, sizeof(fake_cpus));
	memset(fake_registers, 0, sizeof(fake_registers));
	memset(fake_fpus, 0, sizeof(fake_fpus));
	cpu_has_xsave = true;
	fake_pointers_stay = fake_fpu_refuses = false;
	for (fake_cpu_id = NR_CPUS; fake_cpu_id-- > 0;) {
		fake_cpus[fake_cpu_id].cpu_id = fake_cpu_id;
		fake_cpu.cr4 = X86_CR4_PGE;
		fpu_init();
	}
	fake_cpu_id = 0;
}

/* Always the same, and zero: only what a test touches costs anything. */
static unsigned char *fresh_ram(void)
{
	const size_t len = FAKE_FRAMES * PAGE_SIZE;
	static void *ram;

	if (!ram)
		ram = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED || madvise(ram, len, MADV_DONTNEED))
		abort();
	return ram;
}

void machine_reset(unsigned int preempt, unsigned int seed)
{
	static struct frame *table;
	u64 *m2p;

	machine_free();
	free(table);
	fake_ram = fresh_ram();
	table = calloc(FAKE_FRAMES, sizeof(*table));
	m2p = (u64 *)(fake_ram + M2P_FRAME * PAGE_SIZE);
	hv_l4 = calloc(PT_ENTRIES, sizeof(*hv_l4));
	rng = seed;
	preempt_1_in = 0;
	fake_cpu_id = 0;
	fake_nr_cpus = 1;
	memset(tlb, 0, sizeof(tlb));
	frame_table_init(table, m2p, FAKE_FRAMES * sizeof(*m2p), FAKE_FRAMES);
	frame_mark_xen(_mfn(0), _mfn(16));
	page_alloc_add(_mfn(16), _mfn(FAKE_FRAMES - 64)); /* the last 64 stay DOMID_IO: device memory */
	cpus_reset();
	memset(frames_in, 0, sizeof(frames_in));
	memset(fake_domain, 0, sizeof(fake_domain));
	memset(fake_vcpu, 0, sizeof(fake_vcpu));
	memset(fake_vcpu_info, 0, sizeof(fake_vcpu_info));
	for (unsigned int i = 0; i < FAKE_DOMAINS; i++) {
		struct domain *d = &fake_domain[i];

		d->domain_id = (domid_t)i;
		d->is_privileged = i == 0;
		d->max_pages = 500;
		d->nr_vcpus_max = 2;
		d->vcpu[2] = FAKE_NO_VCPU;
		d->frames_in = frames_in[i];
		tlb_space_init(&d->tlb);
		if (pv_domain_init(d))
			abort();
		for (unsigned int k = 0; k < 2; k++) {
			struct vcpu *v = &fake_vcpu[k * FAKE_DOMAINS + i];

			d->vcpu[k] = v;
			v->vcpu_id = k;
			v->domain = d;
			v->state_cpu = NO_CPU;
			v->vcpu_info = &fake_vcpu_info[k * FAKE_DOMAINS + i];
			if (pv_vcpu_init(v) || fpu_vcpu_init(v))
				abort();
		}
	}
	fake_unmapped = 0;
	fake_walked = NULL;
	fake_domain_goes = NULL;
	dom0 = &fake_domain[0];
	machine_run(0);
	preempt_1_in = preempt;
}

void machine_preempt(unsigned int one_in)
{
	preempt_1_in = one_in;
}

void machine_free(void)
{
	free(hv_l4);
	fake_ram = NULL;
	hv_l4 = NULL;
}

void machine_run(unsigned int i)
{
	if (fake_vcpu[i].state_cpu != NO_CPU)
		fake_cpu_id = fake_vcpu[i].state_cpu;
	if (current == &fake_vcpu[i])
		return;
	machine_unload();
	current = &fake_vcpu[i];
	current->state_cpu = fake_cpu_id;
	this_cpu()->tlb_space = &current->domain->tlb;
	tlb_flush_local_all();
}

void machine_unload(void)
{
	if (!current)
		return;
	current->state_cpu = NO_CPU;
	tlb_flush_local_all();
	this_cpu()->tlb_space = NULL;
	current = NULL;
}

/* --- the TLB --- */

static bool walk(u64 va, u64 *leaf, bool *writable)
{
	u64 cr3 = current->pv.in_kernel ? current->pv.kernel_cr3 : current->pv.user_cr3;
	struct frame *f = mfn_to_frame(maddr_to_mfn(cr3));

	*writable = true;
	if (!cr3)
		return false;
	for (unsigned int level = 4;; level--) {
		u64 *e = (u64 *)mfn_to_virt(frame_to_mfn(f)) + pt_index(va, level);

		if (!(*e & PTE_P))
			return false;
		*writable &= !!(*e & PTE_RW);
		*e |= PTE_A;
		if (level == 1) {
			*leaf = *e;
			return mfn_x(pte_mfn(*e)) < FAKE_FRAMES;
		}
		f = mfn_to_frame(pte_mfn(*e));
	}
}

bool guest_touch(u64 va, bool write)
{
	bool writable;
	u64 leaf;

	if (!walk(va, &leaf, &writable) || (write && !writable))
		return false;
	tlb[fake_cpu_id][tlb_next].va = va;
	tlb[fake_cpu_id][tlb_next].mfn = mfn_x(pte_mfn(leaf));
	tlb[fake_cpu_id][tlb_next].writable = writable;
	tlb[fake_cpu_id][tlb_next].valid = true;
	tlb_next = (tlb_next + 1) % TLB_SIZE;
	return true;
}

bool tlb_has(mfn_t mfn, bool writable)
{
	for (unsigned int c = 0; c < fake_nr_cpus; c++)
		for (unsigned int i = 0; i < TLB_SIZE; i++)
			if (tlb[c][i].valid && tlb[c][i].mfn == mfn_x(mfn) &&
			    (tlb[c][i].writable || !writable))
				return true;
	return false;
}

/* What x86/tlb.c does to drop everything: a change of PGE. */
void write_cr4(u64 v)
{
	if ((v ^ fake_cpu.cr4) & X86_CR4_PGE) {
		memset(tlb[fake_cpu_id], 0, sizeof(tlb[0]));
		if (v & X86_CR4_PGE)
			fake_did('f');
		if (fake_walked)
			fake_found = *fake_walked;
	}
	fake_cpu.cr4 = v;
}

/* Walks begin at current's tables. */
void write_cr3(u64 v)
{
	fake_cpu.cr3 = v;
	fake_did('3');
}

void invlpg(unsigned long va)
{
	for (unsigned int i = 0; i < TLB_SIZE; i++)
		if (tlb[fake_cpu_id][i].va >> PAGE_SHIFT == va >> PAGE_SHIFT)
			tlb[fake_cpu_id][i].valid = false;
}

void smp_request(u64 mask, enum cpu_request what, unsigned long va)
{
	unsigned int here = fake_cpu_id;

	for (unsigned int i = 0; i < fake_nr_cpus; i++) {
		if (!(mask >> i & 1) || i == here)
			continue;
		fake_cpu_id = i;
		if (what == CPU_REQUEST_FLUSH)
			tlb_flush_local_all();
		else if (what == CPU_REQUEST_INVLPG)
			tlb_flush_local_va(va);
	}
	fake_cpu_id = here;
}

/* --- the rest of the machine --- */

bool mmio_is_hv(mfn_t mfn)
{
	return mfn_x(mfn) == FAKE_FRAMES - 1;
}

mfn_t desc_hv_gdt_mfn(unsigned int cpu)
{
	return _mfn(8 + cpu);
}

void desc_load_gdt(unsigned long va)
{
	fake_cpu.gdt_va = va;
	fake_did('g');
}

void desc_load_ldt(unsigned long va, u32 nr)
{
	fake_cpu.ldt_va = va;
	fake_cpu.nr_ldt_entries = nr;
	fake_did('l');
}

void desc_load_own(void)
{
	fake_cpu.gdt_va = fake_cpu.ldt_va = fake_cpu.nr_ldt_entries = 0;
	fake_did('o');
}

/*
 * What log-dirty mode asks of domains: the test calls it with nobody running, and grants are other
 * tests'.
 */
void domain_pause(struct domain *d)
{
	d->pause_count++;
}

void domain_unpause(struct domain *d)
{
	d->pause_count--;
}

int gnttab_note_writers(const struct domain *d, u64 *cursor)
{
	return 0;
}

bool hypercall_should_preempt(void)
{
	return preempt_1_in && machine_random() % preempt_1_in == 0;
}

struct domain *domain_find(domid_t domid)
{
	return domid < FAKE_DOMAINS ? &fake_domain[domid] : NULL;
}

int domain_find_remote(domid_t domid, struct domain **out)
{
	*out = domain_find(domid);
	if (!*out)
		return -ESRCH;
	return *out == current->domain || current->domain->is_privileged ? 0 : -EPERM;
}

void (*fake_domain_goes)(struct domain *d);

void domain_try_free(struct domain *d)
{
	if (d->is_dying && !d->nr_holds && !d->tot_pages && fake_domain_goes)
		fake_domain_goes(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	va_list ap;

	if (d->is_crashed)
		return;
	d->is_crashed = true;
	va_start(ap, fmt);
	vsnprintf(d->crash_reason, sizeof(d->crash_reason), fmt, ap);
	va_end(ap);
}

/* Guest addresses of hypercall arguments are the test's own; one page may be declared unmapped. */
bool guest_range_ok(u64 va, u64 n, u64 size)
{
	return va < HV_HOLE_START || va >= HV_HOLE_END;
}

static bool faults(u64 va, size_t len)
{
	u64 at = va - fake_guest_start;

	if (fake_guest_len && (at > fake_guest_len || len > fake_guest_len - at))
		return true;
	return !guest_range_ok(va, 1, len) ||
	       (fake_unmapped && va + len > fake_unmapped && va < fake_unmapped + PAGE_SIZE);
}

int copy_from_guest(void *dst, u64 va, size_t len)
{
	if (faults(va, len))
		return -EFAULT;
	memcpy(dst, (void *)va, len);
	return 0;
}

int clear_guest(u64 va, size_t len)
{
	if (faults(va, len))
		return -EFAULT;
	memset((void *)(uintptr_t)va, 0, len);
	return 0;
}

int copy_to_guest(u64 va, const void *src, size_t len)
{
	if (faults(va, len))
		return -EFAULT;
	memcpy((void *)va, src, len);
	return 0;
}

void domain_log(struct domain *d, enum log_level level, const char *fmt, ...)
{
}

unsigned int fake_log_lines;

void hv_log(enum log_level level, const char *fmt, ...)
{
	fake_log_lines++;
}

void hv_panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

long call(long (*fn)(struct hc_args *), u64 a0, u64 a1, u64 a2, u64 a3)
{
	struct hc_args a = { .a = { a0, a1, a2, a3 } };
	long rc;

	do {
		rc = pv_enter();
		if (rc)
			continue;
		rc = fn(&a);
		pv_leave();
	} while (rc == -ERESTART);
	return rc ? rc : a.value;
}
