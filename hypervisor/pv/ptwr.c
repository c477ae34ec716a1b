/* SPDX-License-Identifier: MIT */
/*
 * ptwr.c - a guest kernel's plain store to one of its level-1 tables, which are mapped read-only:
 * the store is decoded, and done as a checked entry update (security.md D6 path 3). Not a general
 * emulator: the table lists every form.
 */
#include "pv/ptwr.h"

#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/enter.h"
#include "pv/insn.h"
#include "pv/mmu.h"
#include "pv/ptval.h"
#include "x86/asm.h"
#include "x86/layout.h"
#include "x86/pte.h"

/* What a store computes from the old operand and its source. */
struct store {
	u64 old, src;
	unsigned int size;
	u64 result;
	bool returns_old; /* XCHG: the register gets the old value */
	bool sets_carry, carry, sets_zero;
};

typedef void (*store_fn)(struct store *s);

static void do_mov(struct store *s)
{
	s->result = s->src;
}
static void do_and(struct store *s)
{
	s->result = s->old & s->src;
	s->sets_zero = true;
}
static void do_or(struct store *s)
{
	s->result = s->old | s->src;
	s->sets_zero = true;
}
static void do_xor(struct store *s)
{
	s->result = s->old ^ s->src;
	s->sets_zero = true;
}
static void do_xchg(struct store *s)
{
	s->result = s->src;
	s->returns_old = true;
}
static void bit_test(struct store *s)
{
	s->sets_carry = true;
	s->carry = (s->old >> s->src) & 1;
}
static void do_bts(struct store *s)
{
	bit_test(s);
	s->result = s->old | 1ULL << s->src;
}
static void do_btr(struct store *s)
{
	bit_test(s);
	s->result = s->old & ~(1ULL << s->src);
}
static void do_btc(struct store *s)
{
	bit_test(s);
	s->result = s->old ^ 1ULL << s->src;
}

enum source { SRC_REG, SRC_IMM, SRC_REG_BIT, SRC_IMM_BIT };

struct store_form {
	u16 opcode;
	u8 group; /* required reg field of ModRM, or 0xff */
	bool is_byte;
	enum source source;
	store_fn fn; /* NULL: CMPXCHG, which needs RAX */
};

static const struct store_form forms[] = {
	{ 0x88, 0xff, true, SRC_REG, do_mov },     { 0x89, 0xff, false, SRC_REG, do_mov },
	{ 0xc6, 0, true, SRC_IMM, do_mov },        { 0xc7, 0, false, SRC_IMM, do_mov },
	{ 0x0fc3, 0xff, false, SRC_REG, do_mov },  /* movnti */
	{ 0x86, 0xff, true, SRC_REG, do_xchg },    { 0x87, 0xff, false, SRC_REG, do_xchg },
	{ 0x20, 0xff, true, SRC_REG, do_and },     { 0x21, 0xff, false, SRC_REG, do_and },
	{ 0x08, 0xff, true, SRC_REG, do_or },      { 0x09, 0xff, false, SRC_REG, do_or },
	{ 0x30, 0xff, true, SRC_REG, do_xor },     { 0x31, 0xff, false, SRC_REG, do_xor },
	{ 0x80, 1, true, SRC_IMM, do_or },         { 0x81, 1, false, SRC_IMM, do_or },
	{ 0x83, 1, false, SRC_IMM, do_or },        { 0x80, 4, true, SRC_IMM, do_and },
	{ 0x81, 4, false, SRC_IMM, do_and },       { 0x83, 4, false, SRC_IMM, do_and },
	{ 0x80, 6, true, SRC_IMM, do_xor },        { 0x81, 6, false, SRC_IMM, do_xor },
	{ 0x83, 6, false, SRC_IMM, do_xor },       { 0x0fab, 0xff, false, SRC_REG_BIT, do_bts },
	{ 0x0fb3, 0xff, false, SRC_REG_BIT, do_btr }, { 0x0fbb, 0xff, false, SRC_REG_BIT, do_btc },
	{ 0x0fba, 5, false, SRC_IMM_BIT, do_bts }, { 0x0fba, 6, false, SRC_IMM_BIT, do_btr },
	{ 0x0fba, 7, false, SRC_IMM_BIT, do_btc }, { 0x0fb0, 0xff, true, SRC_REG, NULL },
	{ 0x0fb1, 0xff, false, SRC_REG, NULL },
};

static const struct store_form *form_find(const struct insn *i)
{
	for (size_t n = 0; n < ARRAY_SIZE(forms); n++)
		if (forms[n].opcode == i->opcode &&
		    (forms[n].group == 0xff || forms[n].group == (i->reg & 7)))
			return &forms[n];
	return NULL;
}

static u64 source_value(const struct store_form *form, const struct insn *i,
			struct cpu_user_regs *regs,
			unsigned int size)
{
	switch (form->source) {
	case SRC_REG:
		return insn_reg_read(i, regs, i->reg, size);
	case SRC_REG_BIT:
		/* only bits of this operand: Linux never reaches beyond the entry */
		return insn_reg_read(i, regs, i->reg, size) & (size * 8 - 1);
	case SRC_IMM_BIT:
		return i->imm & (size * 8 - 1);
	case SRC_IMM:
		break;
	}
	return i->imm;
}

static u64 size_mask(unsigned int size)
{
	return size == 8 ? ~0ULL : (1ULL << (size * 8)) - 1;
}

static void flags_set(struct cpu_user_regs *regs, const struct store *s)
{
	if (s->sets_carry)
		regs->rflags = (regs->rflags & ~(u64)X86_EFLAGS_CF) |
			       (s->carry ? X86_EFLAGS_CF : 0);
	if (s->sets_zero) {
		u64 sign = s->result >> (s->size * 8 - 1) & 1;
		bool parity = !__builtin_parity((u8)s->result);

		/* CF and OF are cleared by the logic operations */
		regs->rflags &= ~(u64)(0x8d5);
		regs->rflags |= (!(s->result & size_mask(s->size)) ? 0x40 : 0) | sign << 7 |
				(parity ? 4 : 0);
	}
}

static void cmpxchg(struct store *s, struct cpu_user_regs *regs, const struct insn *i)
{
	bool is_equal = insn_reg_read(i, regs, 0, s->size) == s->old;

	s->result = is_equal ? s->src : s->old;
	regs->rflags = (regs->rflags & ~0x40ULL) | (is_equal ? 0x40 : 0);
	if (!is_equal)
		insn_reg_write(i, regs, 0, s->size, s->old);
}

/* The level-1 table of current's domain that @va maps read-only, held. False: @va maps none. */
static bool stored_table_hold(u64 va, struct frame **table)
{
	u64 entry = pv_l1_entry(current, va);

	if ((entry & (PTE_P | PTE_RW)) != PTE_P || !mfn_is_ram(pte_mfn(entry)))
		return false;
	*table = mfn_to_frame(pte_mfn(entry));
	return frame_hold_table(*table, current->domain, 1) == 0;
}

/* Computes what the entry that was @old becomes, and what the registers become. */
static u64 store_compute(const struct store_form *form, const struct insn *insn, unsigned int byte,
			 u64 old,
			 struct store *st, struct cpu_user_regs *after)
{
	u64 mask = size_mask(st->size) << (byte * 8);

	st->old = (old & mask) >> (byte * 8);
	st->src = source_value(form, insn, after, st->size);
	if (form->fn)
		form->fn(st);
	else
		cmpxchg(st, after, insn);
	if (st->returns_old)
		insn_reg_write(insn, after, insn->reg, st->size, st->old);
	flags_set(after, st);
	return (old & ~mask) | (st->result << (byte * 8) & mask);
}

/* Does the store at regs->rip to the entry of @table, held, that @va names. As pv_ptwr_fault(). */
static bool store_do(struct cpu_user_regs *regs, u64 va, struct frame *table)
{
	struct pt_subject s = { .pt_owner = current->domain, .frame_owner = current->domain };
	unsigned int idx = (unsigned int)((va & PAGE_OFFSET_MASK) / 8), byte = va & 7;
	struct cpu_user_regs after = *regs;
	const struct store_form *form;
	struct store st = { 0 };
	struct insn insn;
	u64 old, entry, fault_va;
	int rc;

	if (insn_fetch(&insn, regs, &fault_va) || !insn.modrm_is_mem)
		return false;
	form = form_find(&insn);
	if (!form)
		return false;
	st.size = insn_operand_size(&insn, form->is_byte);
	if (byte + st.size > 8)
		return false;
	old = READ_ONCE(((u64 *)mfn_to_virt(frame_to_mfn(table)))[idx]);
	entry = store_compute(form, &insn, byte, old, &st, &after);
	rc = pv_entry_exchange(table, idx, old, entry, &s);
	if (rc == -EAGAIN)
		/* the MMU set A or D for another CPU meanwhile: the instruction runs again */
		return true;
	if (rc)
		return false;
	after.rip += insn.len;
	*regs = after;
	return true;
}

bool pv_ptwr_fault(struct cpu_user_regs *regs, u64 va)
{
	struct frame *table;
	bool is_done = false;

	if (pv_enter())
		/* preempted before anything was looked at: the instruction runs again */
		return true;
	if (stored_table_hold(va, &table)) {
		is_done = store_do(regs, va, table);
		frame_put_and_type(table);
	}
	pv_leave();
	return is_done;
}
