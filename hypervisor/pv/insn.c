/* SPDX-License-Identifier: MIT */
/*
 * insn.c - the decoder: prefixes, opcode, ModRM, SIB, displacement, immediate. Intel SDM volume 2,
 * chapter 2. 64-bit code only: guests run no privileged 32-bit code.
 */
#include "pv/insn.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/guest_access.h"

/* Opcodes that emul.c or ptwr.c understand. */
static const u8 form_one[256] = {
	[0x01] = INSN_MODRM, [0x09] = INSN_MODRM, [0x21] = INSN_MODRM, [0x29] = INSN_MODRM,
	[0x31] = INSN_MODRM, [0x00] = INSN_MODRM, [0x08] = INSN_MODRM, [0x20] = INSN_MODRM,
	[0x28] = INSN_MODRM, [0x30] = INSN_MODRM, [0x6c] = INSN_BARE, [0x6d] = INSN_BARE,
	[0x6e] = INSN_BARE, [0x6f] = INSN_BARE, [0x80] = INSN_MODRM_IMM8, [0x81] = INSN_MODRM_IMMZ,
	[0x83] = INSN_MODRM_IMM8, [0x86] = INSN_MODRM, [0x87] = INSN_MODRM, [0x88] = INSN_MODRM,
	[0x89] = INSN_MODRM, [0xaa] = INSN_BARE, [0xab] = INSN_BARE, [0xc6] = INSN_MODRM_IMM8,
	[0xc7] = INSN_MODRM_IMMZ, [0xcd] = INSN_IMM8, [0xe4] = INSN_IMM8, [0xe5] = INSN_IMM8,
	[0xe6] = INSN_IMM8, [0xe7] = INSN_IMM8, [0xec] = INSN_BARE, [0xed] = INSN_BARE,
	[0xee] = INSN_BARE, [0xef] = INSN_BARE, [0xf4] = INSN_BARE, [0xfa] = INSN_BARE,
	[0xfb] = INSN_BARE,
};
static const u8 form_two[256] = {
	[0x01] = INSN_MODRM, [0x06] = INSN_BARE, [0x08] = INSN_BARE, [0x09] = INSN_BARE,
	[0x0b] = INSN_BARE, [0x20] = INSN_MODRM, [0x21] = INSN_MODRM, [0x22] = INSN_MODRM,
	[0x23] = INSN_MODRM, [0x30] = INSN_BARE, [0x31] = INSN_BARE, [0x32] = INSN_BARE,
	[0x33] = INSN_BARE, [0xa2] = INSN_BARE, [0xab] = INSN_MODRM, [0xb0] = INSN_MODRM,
	[0xb1] = INSN_MODRM, [0xb3] = INSN_MODRM, [0xba] = INSN_MODRM_IMM8, [0xbb] = INSN_MODRM,
	[0xc0] = INSN_MODRM, [0xc1] = INSN_MODRM, [0xc3] = INSN_MODRM,
};

u64 *insn_reg(struct cpu_user_regs *regs, unsigned int nr)
{
	static const u8 offset[16] = {
		offsetof(struct cpu_user_regs, rax), offsetof(struct cpu_user_regs, rcx),
		offsetof(struct cpu_user_regs, rdx), offsetof(struct cpu_user_regs, rbx),
		offsetof(struct cpu_user_regs, rsp), offsetof(struct cpu_user_regs, rbp),
		offsetof(struct cpu_user_regs, rsi), offsetof(struct cpu_user_regs, rdi),
		offsetof(struct cpu_user_regs, r8),  offsetof(struct cpu_user_regs, r9),
		offsetof(struct cpu_user_regs, r10), offsetof(struct cpu_user_regs, r11),
		offsetof(struct cpu_user_regs, r12), offsetof(struct cpu_user_regs, r13),
		offsetof(struct cpu_user_regs, r14), offsetof(struct cpu_user_regs, r15),
	};

	return (u64 *)((char *)regs + offset[nr & 15]);
}

unsigned int insn_operand_size(const struct insn *i, bool is_byte)
{
	if (is_byte)
		return 1;
	if (i->rex & 8)
		return 8;
	return i->opsize16 ? 2 : 4;
}

/* ah, ch, dh, bh: byte registers 4..7 without any REX prefix. */
static bool is_high_byte(const struct insn *i, unsigned int nr, unsigned int size)
{
	return size == 1 && !i->rex && nr >= 4 && nr < 8;
}

u64 insn_reg_read(const struct insn *i, struct cpu_user_regs *regs, unsigned int nr,
		  unsigned int size)
{
	u64 v;

	if (is_high_byte(i, nr, size))
		return (*insn_reg(regs, nr - 4) >> 8) & 0xff;
	v = *insn_reg(regs, nr);
	return size == 8 ? v : v & ((1ULL << (size * 8)) - 1);
}

void insn_reg_write(const struct insn *i, struct cpu_user_regs *regs, unsigned int nr,
		    unsigned int size, u64 val)
{
	u64 mask = size == 8 ? ~0ULL : (1ULL << (size * 8)) - 1, *r;

	if (is_high_byte(i, nr, size)) {
		r = insn_reg(regs, nr - 4);
		*r = (*r & ~0xff00ULL) | (val & 0xff) << 8;
		return;
	}
	r = insn_reg(regs, nr);
	*r = size == 4 ? (u32)val : (*r & ~mask) | (val & mask);
}

static int take(struct insn *i, unsigned int nr, s64 *out)
{
	u64 v = 0;

	if (i->len + nr > i->nr_bytes)
		return -EINVAL;
	for (unsigned int k = 0; k < nr; k++)
		v |= (u64)i->bytes[i->len + k] << (8 * k);
	i->len += nr;
	*out = (s64)(v << (64 - 8 * nr)) >> (64 - 8 * nr);
	return 0;
}

static int decode_prefixes(struct insn *i)
{
	for (; i->len < i->nr_bytes; i->len++) {
		switch (i->bytes[i->len]) {
		case 0x66:
			i->opsize16 = true;
			break;
		case 0xf0:
			i->lock = true;
			break;
		case 0xf2:
			i->repne = true;
			break;
		case 0xf3:
			i->rep = true;
			break;
		case 0x64:
		case 0x65:
			i->segment = i->bytes[i->len];
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			break; /* no effect in 64-bit code */
		default:
			if ((i->bytes[i->len] & 0xf0) == 0x40)
				i->rex = i->bytes[i->len++];
			return 0;
		}
	}
	return -EINVAL;
}

static int decode_memory(struct insn *i, struct cpu_user_regs *regs, u8 rm, bool *is_rip_relative)
{
	unsigned int base = rm | (i->rex & 1 ? 8 : 0);
	bool has_base = true;
	s64 v, disp = 0;

	i->ea = 0;
	if (rm == 4) {
		unsigned int index;

		if (take(i, 1, &v))
			return -EINVAL;
		index = ((v >> 3) & 7) | (i->rex & 2 ? 8 : 0);
		base = (v & 7) | (i->rex & 1 ? 8 : 0);
		if (index != 4)
			i->ea = *insn_reg(regs, index) << ((v >> 6) & 3);
		has_base = !((v & 7) == 5 && i->mod == 0);
	} else if (rm == 5 && i->mod == 0) {
		has_base = false;
		*is_rip_relative = true;
	}
	if (i->mod == 1 ? take(i, 1, &disp) : (i->mod == 2 || !has_base) ? take(i, 4, &disp) : 0)
		return -EINVAL;
	if (has_base)
		i->ea += *insn_reg(regs, base);
	i->ea += (u64)disp;
	return 0;
}

static int decode_modrm(struct insn *i, struct cpu_user_regs *regs, bool *is_rip_relative)
{
	s64 v;

	if (take(i, 1, &v))
		return -EINVAL;
	i->has_modrm = true;
	i->mod = ((u8)v >> 6) & 3;
	i->reg = (((u8)v >> 3) & 7) | (i->rex & 4 ? 8 : 0);
	i->rm = (v & 7) | (i->rex & 1 ? 8 : 0);
	if (i->mod == 3)
		return 0;
	i->modrm_is_mem = true;
	return decode_memory(i, regs, v & 7, is_rip_relative);
}

static int decode(struct insn *i, struct cpu_user_regs *regs)
{
	bool is_rip_relative = false;
	enum insn_form form;
	s64 v = 0;

	if (decode_prefixes(i) || take(i, 1, &v))
		return -EINVAL;
	i->opcode = (u8)v;
	if (i->opcode == 0x0f) {
		if (take(i, 1, &v))
			return -EINVAL;
		i->opcode = 0x0f00 | (u8)v;
		form = form_two[(u8)v];
	} else {
		form = form_one[(u8)v];
	}
	if (form == INSN_NONE)
		return -EINVAL;
	if ((form == INSN_MODRM || form == INSN_MODRM_IMM8 || form == INSN_MODRM_IMMZ) &&
	    decode_modrm(i, regs, &is_rip_relative))
		return -EINVAL;
	v = 0;
	if ((form == INSN_IMM8 || form == INSN_MODRM_IMM8) && take(i, 1, &v))
		return -EINVAL;
	if (form == INSN_MODRM_IMMZ && take(i, i->opsize16 ? 2 : 4, &v))
		return -EINVAL;
	i->imm = (u64)v;
	if (is_rip_relative)
		i->ea += regs->rip + i->len;
	return 0;
}

int insn_fetch(struct insn *i, const struct cpu_user_regs *regs, u64 *fault_va)
{
	struct cpu_user_regs copy = *regs;
	u64 in_page = PAGE_SIZE - (regs->rip & PAGE_OFFSET_MASK);
	size_t first = MIN((u64)INSN_MAX_LEN, in_page);

	memset(i, 0, sizeof(*i));
	if (copy_from_guest(i->bytes, regs->rip, first)) {
		*fault_va = regs->rip;
		return -EFAULT;
	}
	i->nr_bytes = (unsigned int)first;
	/* the rest of a page-crossing instruction; not there: perhaps it is not needed */
	if (first < INSN_MAX_LEN &&
	    !copy_from_guest(i->bytes + first, regs->rip + first, INSN_MAX_LEN - first))
		i->nr_bytes = INSN_MAX_LEN;
	return decode(i, &copy);
}
