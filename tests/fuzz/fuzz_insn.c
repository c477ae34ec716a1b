/* SPDX-License-Identifier: MIT */
/*
 * fuzz_insn.c - any bytes as an instruction that trapped, with any registers, readable up to any
 * byte: the decoder uses nothing it did not fetch, a privileged instruction changes what its row of
 * the table below says and nothing else, and a store to a page table is a checked one.
 *
 * An input: guest's rights, bytes that can be read (0..15), fifteen of code, one per register.
 */
#include <string.h>

#include "fuzz.h"

#include "guest.h"
#include "pv/emul.h"
#include "pv/insn.h"
#include "pv/ptwr.h"
#include "x86/asm.h"
#include "x86/segment.h"

#define REGS 16
#define RAX 1u
#define RCX 2u
#define RDX 4u
#define RSI 0x40u
#define RDI 0x80u
#define RM 0x10000u /* the operand that ModRM names */
#define USER 0x20000u /* user mode may, too */
#define L1_VA (2 * PAGE_SIZE) /* where the level-1 table is mapped, read-only */
#define SLOT 5
#define SLOT_VA (L1_VA + SLOT * 8)

/* Guest memory: the code ends with the first page, what must not be read follows. */
static u8 guest_memory[3 * PAGE_SIZE] __attribute__((aligned(4096)));

struct input {
	u8 rights, readable, code[INSN_MAX_LEN], regs[REGS];
};

static struct tree tree;
static struct frame *page;
static struct pv_vcpu pv_before;
static struct fake_registers cpu_before;
static struct cpu_user_regs before;

static void machine_once(void)
{
	static bool is_made;

	if (is_made)
		return;
	is_made = true;
	machine_reset(0, 1);
	machine_run(1);
	tree = tree_new(1);
	page = frame_new(1);
	table_of(tree.l1)[2] = entry_to(tree.l1, RO);
	FUZZ_CHECK(install(&tree) == 0);
	fake_guest_start = (u64)(uintptr_t)guest_memory;
	fake_guest_len = sizeof(guest_memory);
	pv_before = current->pv;
	cpu_before = fake_cpu;
}

/* Registers hold what means something to some instruction. */
static u64 value_of(u8 choice)
{
	switch (choice >> 4) {
	case 0:
		return choice & 15;
	case 1:
		return 1ULL << (choice & 15) * 4;
	case 2:
		return 0xc0000080 + (choice & 15); /* EFER and its neighbours */
	case 3:
		return 0xc0000100 + (choice & 7); /* FS_BASE, GS_BASE, SHADOW_GS_BASE, TSC_AUX */
	case 4:
		return HV_HOLE_START + ((u64)(choice & 15) - 8) * 8;
	case 5:
		return 1ULL << 47; /* not canonical */
	case 6:
		return (u64)(uintptr_t)guest_memory + (choice & 15) * 512;
	case 7:
		return SLOT_VA + (choice & 15);
	case 8:
		return entry_to(page, RW);
	case 9:
		return entry_to(tree.l2, choice & 1 ? RW : RO);
	case 10:
		return entry_to(page, RO | 1ULL << (choice & 15));
	default:
		return ~0ULL >> (choice & 63);
	}
}

static void place_code(const struct input *in)
{
	u8 *rip = guest_memory + PAGE_SIZE - in->readable;

	memset(guest_memory, 0x5a, sizeof(guest_memory));
	memcpy(rip, in->code, INSN_MAX_LEN);
	memset(&before, 0, sizeof(before));
	for (unsigned int i = 0; i < REGS; i++)
		*insn_reg(&before, i) = value_of(in->regs[i]);
	before.rip = (u64)(uintptr_t)rip;
	before.cs = FLAT_KERNEL_CS;
	before.rflags = in->rights & 0x80 ? 0x602 : 0x202; /* DF */
}

static void cut_here(bool is_cut)
{
	fake_unmapped = is_cut ? (u64)(uintptr_t)guest_memory + PAGE_SIZE : 0;
}

/* --- the decoder --- */

static void check_decoder(const struct input *in)
{
	struct insn whole, cut;
	u64 fault_va = 0;
	int rc, rc_cut;

	cut_here(false);
	rc = insn_fetch(&whole, &before, &fault_va);
	FUZZ_CHECK(rc == 0 || rc == -EINVAL);
	cut_here(true);
	rc_cut = insn_fetch(&cut, &before, &fault_va);
	if (in->readable == 0) {
		FUZZ_CHECK(rc_cut == -EFAULT && fault_va == before.rip);
		return;
	}
	FUZZ_CHECK(cut.nr_bytes == in->readable);
	FUZZ_CHECK(rc_cut == (rc || whole.len > in->readable ? -EINVAL : 0));
	if (rc)
		return;
	FUZZ_CHECK(whole.len >= 1 && whole.len <= INSN_MAX_LEN);
	if (rc_cut)
		return;
	FUZZ_CHECK(cut.len == whole.len && cut.opcode == whole.opcode && cut.imm == whole.imm);
	FUZZ_CHECK(cut.ea == whole.ea && cut.reg == whole.reg && cut.rm == whole.rm);
	FUZZ_CHECK(cut.rex == whole.rex && cut.segment == whole.segment && cut.mod == whole.mod);
}

/* --- privileged instructions --- */

static const struct {
	u16 opcode;
	u32 changes;
} privileged[] = {
	{ 0xfa, USER }, { 0xfb, USER }, { 0xec, RAX | USER }, { 0xed, RAX | USER }, { 0xee, USER },
	{ 0xef, USER }, { 0xe4, RAX | USER }, { 0xe5, RAX | USER }, { 0xe6, USER }, { 0xe7, USER },
	{ 0x6c, RDI | RCX | USER }, { 0x6d, RDI | RCX | USER }, { 0x6e, RSI | RCX | USER },
	{ 0x6f, RSI | RCX | USER }, { 0x0f32, RAX | RDX }, { 0x0f30, 0 }, { 0x0f20, RM }, { 0x0f22, 0 },
	{ 0x0f21, RM }, { 0x0f23, 0 }, { 0x0f06, 0 }, { 0x0f08, 0 }, { 0x0f09, 0 },
	{ 0x0f31, RAX | RDX | USER }, { 0x0f01, RAX | RDX | RCX | USER },
};

static u32 row_of(u16 opcode)
{
	for (size_t i = 0; i < ARRAY_SIZE(privileged); i++)
		if (privileged[i].opcode == opcode)
			return privileged[i].changes;
	FUZZ_CHECK(!"an instruction that is in no row was emulated");
	return 0;
}

static void check_changes(const struct cpu_user_regs *after, const struct insn *i)
{
	u32 row = row_of(i->opcode);
	bool is_string = row & (RSI | RDI);
	struct cpu_user_regs a = before, b = *after;

	FUZZ_CHECK(pv_before.in_kernel || row & USER);
	if (i->opcode == 0x0f01 && (i->reg & 7) == 2) { /* XSETBV, beside RDTSCP */
		FUZZ_CHECK(pv_before.in_kernel);
		row = 0;
	}
	FUZZ_CHECK(b.rip == a.rip + i->len || (is_string && b.rip == a.rip));
	for (unsigned int n = 0; n < REGS; n++)
		if (row >> n & 1 || (row & RM && i->rm == n))
			*insn_reg(&a, n) = *insn_reg(&b, n) = 0;
	a.rip = b.rip = 0;
	FUZZ_CHECK(memcmp(&a, &b, sizeof(a)) == 0);
}

/* What no instruction of an unprivileged guest may reach. */
static void check_machine(void)
{
	u64 ts = 8;

	FUZZ_CHECK(((fake_cpu.cr4 ^ cpu_before.cr4) & ~(X86_CR4_TSD | X86_CR4_FSGSBASE)) == 0);
	FUZZ_CHECK((fake_cpu.cr0 & ~ts) == (cpu_before.cr0 & ~ts));
	FUZZ_CHECK(fake_cpu.msr_efer == cpu_before.msr_efer);
	FUZZ_CHECK(fake_cpu.msr_apic_base == cpu_before.msr_apic_base);
	FUZZ_CHECK(va_is_canonical(fake_cpu.msr_fs_base) && va_is_canonical(fake_cpu.msr_gs_base));
	FUZZ_CHECK(va_is_canonical(fake_cpu.msr_shadow_gs_base));
	FUZZ_CHECK(fake_cpu.nr_port_accesses == cpu_before.nr_port_accesses);
	for (unsigned int i = 0; i < 4; i++) {
		u64 at = current->pv.debugreg[i];

		FUZZ_CHECK(va_is_canonical(at) && (at < HV_HOLE_START || at >= HV_HOLE_END));
	}
}

static void check_emulation(const struct input *in)
{
	struct cpu_user_regs *regs = guest_regs();
	struct insn insn;
	u64 fault_va;

	current->pv = pv_before;
	current->pv.in_kernel = pv_before.in_kernel = in->rights & 1;
	current->pv.iopl = in->rights & 2 ? 3 : 0;
	fake_cpu = cpu_before;
	*regs = before;
	if (insn_fetch(&insn, regs, &fault_va))
		insn.opcode = 0;
	switch (pv_emul_privileged(regs)) {
	case EMUL_DONE:
		check_changes(regs, &insn);
		break;
	case EMUL_REFUSED:
		FUZZ_CHECK(memcmp(regs, &before, sizeof(before)) == 0);
		break;
	case EMUL_FAULTED:
		FUZZ_CHECK(row_of(insn.opcode) & (RSI | RDI));
		break;
	}
	check_machine();
	current->domain->is_crashed = false; /* a fault without a handler */
	current->pv = pv_before;
	fake_cpu = cpu_before;
}

/* --- stores to page tables --- */

static void check_store(const struct input *in)
{
	static u64 copy[PT_ENTRIES];
	u64 *table = table_of(tree.l1), va = SLOT_VA + (in->rights >> 3 & 7);
	struct cpu_user_regs regs = before;
	bool is_done;

	current->pv.in_kernel = true;
	memcpy(copy, table, sizeof(copy));
	is_done = pv_ptwr_fault(&regs, va);
	if (!is_done)
		FUZZ_CHECK(memcmp(&regs, &before, sizeof(regs)) == 0);
	FUZZ_CHECK(is_done || table[SLOT] == copy[SLOT]);
	copy[SLOT] = table[SLOT];
	FUZZ_CHECK(memcmp(copy, table, sizeof(copy)) == 0);
	if (is_done) {
		FUZZ_CHECK(regs.rip > before.rip && regs.rip <= before.rip + INSN_MAX_LEN);
		FUZZ_CHECK(audit(NULL, NULL) == 0);
		fake_guest_len = 0; /* the request is on the stack */
		FUZZ_CHECK(update(maddr_of(tree.l1, SLOT), 0, DOMID_SELF) == 0);
		fake_guest_len = sizeof(guest_memory);
	}
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct input in = { 0 };

	machine_once();
	memset(in.code, 0x90, sizeof(in.code));
	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	in.readable %= INSN_MAX_LEN + 1;
	place_code(&in);
	check_decoder(&in);
	check_emulation(&in);
	place_code(&in);
	check_store(&in);
	return 0;
}
