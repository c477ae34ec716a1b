/* SPDX-License-Identifier: MIT */
/*
 * insn.h - decodes the few instruction forms the hypervisor ever looks at: privileged instructions
 * of a guest kernel, and stores to a page table. The bytes are fetched once (C59); nothing is
 * executed here.
 */
#ifndef HV_PV_INSN_H
#define HV_PV_INSN_H

#include "lib/types.h"

#include <xen/xen.h>

#define INSN_MAX_LEN 15

struct insn {
	u8 bytes[INSN_MAX_LEN];
	unsigned int nr_bytes; /* fetched */
	unsigned int len;      /* decoded */
	bool opsize16, rep, repne, lock;
	u8 rex;
	u8 segment; /* 0x64, 0x65, or 0 */
	u16 opcode; /* one byte, or 0x0f00 | second byte */
	bool has_modrm, modrm_is_mem;
	u8 mod, reg, rm; /* reg and rm with their REX bits */
	u64 ea;          /* effective address of a memory operand, segment base not added */
	u64 imm;         /* sign-extended */
};

/* How the operands of an opcode follow it. */
enum insn_form {
	INSN_NONE = 0, /* not known: refuse */
	INSN_BARE,
	INSN_MODRM,
	INSN_IMM8,
	INSN_MODRM_IMM8,
	INSN_MODRM_IMMZ, /* 2 or 4 bytes by operand size */
};

/*
 * Fetches at current's RIP and decodes. 0; -EFAULT (code cannot be read: *@fault_va says where);
 * -EINVAL (a form not known, or longer than 15 bytes).
 */
int insn_fetch(struct insn *i, const struct cpu_user_regs *regs, u64 *fault_va);

/* Pointer to general register @nr (0..15) in @regs. */
u64 *insn_reg(struct cpu_user_regs *regs, unsigned int nr);
/* Bytes of the operand: 1 for byte opcodes; else 8 with REX.W, 2 with 0x66, 4. */
unsigned int insn_operand_size(const struct insn *i, bool is_byte);
/*
 * Reads / writes register @nr as an operand of @size bytes, honouring ah..bh and the 32-bit zero
 * extension.
 */
u64 insn_reg_read(const struct insn *i, struct cpu_user_regs *regs, unsigned int nr,
		  unsigned int size);
void insn_reg_write(const struct insn *i, struct cpu_user_regs *regs, unsigned int nr,
		    unsigned int size, u64 val);

#endif
