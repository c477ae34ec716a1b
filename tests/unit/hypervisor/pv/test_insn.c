/* SPDX-License-Identifier: MIT */
/* test_insn.c - the decoder: what it knows it reads right, and everything else it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "guest.h"
#include "pv/insn.h"

static struct cpu_user_regs regs;

static int fresh(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	regs = (struct cpu_user_regs){ .rax = 0x1122334455667788, .rcx = 0x20, .rbx = 0x1000, .r12 = 0x7000 };
	return 0;
}

static int done(void **state)
{
	machine_free();
	return 0;
}

/* Decodes @n bytes followed by fifteen NOPs. */
static int decode(struct insn *i, const char *bytes, size_t n)
{
	static u8 code[64];
	u64 va;

	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, n);
	regs.rip = (u64)(uintptr_t)code;
	return insn_fetch(i, &regs, &va);
}
#define DECODE(i, bytes) decode(i, bytes, sizeof(bytes) - 1)

static void test_memory_operands_are_computed(void **state)
{
	struct insn i;

	assert_int_equal(DECODE(&i, "\x48\x89\x03"), 0); /* mov %rax, (%rbx) */
	assert_int_equal(i.len, 3);
	assert_int_equal(i.ea, 0x1000);
	assert_int_equal(insn_operand_size(&i, false), 8);
	assert_int_equal(DECODE(&i, "\x48\x89\x44\xcb\xf8"), 0); /* mov %rax, -8(%rbx,%rcx,8) */
	assert_int_equal(i.ea, 0x1000 + 0x20 * 8 - 8);
	assert_int_equal(DECODE(&i, "\x49\x89\x84\x24\x00\x01\x00\x00"), 0); /* mov %rax, 0x100(%r12) */
	assert_int_equal(i.ea, 0x7100);
	assert_int_equal(DECODE(&i, "\x89\x05\x10\x00\x00\x00"), 0); /* mov %eax, 0x10(%rip) */
	assert_int_equal(i.ea, regs.rip + 6 + 0x10);
	assert_int_equal(insn_operand_size(&i, false), 4);
	assert_int_equal(DECODE(&i, "\x48\xc7\x04\x25\x00\x20\x00\x00\xff\xff\xff\xff"), 0); /* movq $-1, 0x2000 */
	assert_int_equal(i.ea, 0x2000);
	assert_int_equal(i.imm, ~0ULL);
	assert_int_equal(i.len, 12);
}

static void test_prefixes_are_read_in_any_number(void **state)
{
	struct insn i;

	assert_int_equal(DECODE(&i, "\xf0\x48\x0f\xb1\x0b"), 0); /* lock cmpxchg %rcx, (%rbx) */
	assert_true(i.lock);
	assert_int_equal(i.opcode, 0x0fb1);
	assert_int_equal(i.reg, 1);
	assert_int_equal(DECODE(&i, "\xf3\x66\x6f"), 0); /* rep outsw */
	assert_true(i.rep && i.opsize16);
	assert_int_equal(DECODE(&i, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\xec"), -EINVAL);
}

/* Fifteen bytes are all: prefixes take the room of what follows them. */
static void test_no_part_of_it_is_beyond_the_fifteenth_byte(void **state)
{
	static const struct {
		const char *bytes; /* behind the prefixes */
		unsigned int len, needs;
	} cases[] = {
		{ "\x89\x83", 2, 6 }, { "\x89\x43", 2, 3 }, { "\x89\x04\x24", 3, 3 }, { "\x89\x04\x25", 3, 7 }, { "\x89\x05", 2, 6 },
		{ "\xc7\x03", 2, 4 }, { "\xc6\x03", 2, 3 }, { "\x89", 1, 2 }, { "\x0f\xb1", 2, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned int nr = 15 - cases[i].needs; nr <= 16 - cases[i].needs; nr++) {
			char bytes[24];
			struct insn in;

			memset(bytes, 0x66, nr);
			memcpy(bytes + nr, cases[i].bytes, cases[i].len);
			memset(bytes + nr + cases[i].len, 0x03, sizeof(bytes) - nr - cases[i].len);
			if (decode(&in, bytes, sizeof(bytes)) != (nr + cases[i].needs > 15 ? -EINVAL : 0))
				fail_msg("case %zu behind %u prefixes", i, nr);
		}
}

static void test_byte_registers_follow_rex(void **state)
{
	struct insn i;

	assert_int_equal(DECODE(&i, "\x88\x23"), 0); /* mov %ah, (%rbx) */
	assert_int_equal(insn_reg_read(&i, &regs, i.reg, 1), 0x77);
	insn_reg_write(&i, &regs, i.reg, 1, 0xaa);
	assert_int_equal(regs.rax, 0x112233445566aa88);
	regs.rsp = 0x99;
	assert_int_equal(DECODE(&i, "\x40\x88\x23"), 0); /* mov %spl, (%rbx) */
	assert_int_equal(insn_reg_read(&i, &regs, i.reg, 1), 0x99);
}

static void test_a_32_bit_result_clears_the_upper_half(void **state)
{
	struct insn i;

	assert_int_equal(DECODE(&i, "\xed"), 0); /* in %dx, %eax */
	insn_reg_write(&i, &regs, 0, 4, 0xdeadbeef);
	assert_int_equal(regs.rax, 0xdeadbeef);
	regs.rax = ~0ULL;
	insn_reg_write(&i, &regs, 0, 2, 0x1234);
	assert_int_equal(regs.rax, 0xffffffffffff1234);
}

static void test_unknown_opcodes_are_refused(void **state)
{
	struct insn i;

	assert_int_equal(DECODE(&i, "\xc4\xe2\x79\x18\x00"), -EINVAL); /* VEX */
	assert_int_equal(DECODE(&i, "\x0f\x38\x00\x00"), -EINVAL);
	assert_int_equal(DECODE(&i, "\x9a"), -EINVAL);
	assert_int_equal(DECODE(&i, "\xcf"), -EINVAL);
}

static void test_code_at_the_end_of_mapped_memory_is_read_as_far_as_it_goes(void **state)
{
	u8 *page = aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE);
	struct insn i;
	u64 va;

	memset(page, 0x90, PAGE_SIZE);
	fake_unmapped = (u64)(uintptr_t)(page + PAGE_SIZE);
	page[PAGE_SIZE - 1] = 0xfa; /* cli, the very last byte */
	regs.rip = fake_unmapped - 1;
	assert_int_equal(insn_fetch(&i, &regs, &va), 0);
	assert_int_equal(i.len, 1);
	page[PAGE_SIZE - 1] = 0x0f; /* half an instruction */
	assert_int_equal(insn_fetch(&i, &regs, &va), -EINVAL);
	regs.rip = fake_unmapped;
	assert_int_equal(insn_fetch(&i, &regs, &va), -EFAULT);
	assert_int_equal(va, fake_unmapped);
	free(page);
}

static void test_random_bytes_never_run_past_fifteen(void **state)
{
	for (unsigned int n = 0; n < 200000; n++) {
		char bytes[INSN_MAX_LEN];
		struct insn i;

		for (unsigned int k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char)machine_random();
		if (decode(&i, bytes, sizeof(bytes)) == 0)
			assert_in_range(i.len, 1, INSN_MAX_LEN);
	}
}

#define CLAIM(t) cmocka_unit_test_setup_teardown(t, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_memory_operands_are_computed),
		CLAIM(test_prefixes_are_read_in_any_number),
		CLAIM(test_no_part_of_it_is_beyond_the_fifteenth_byte),
		CLAIM(test_byte_registers_follow_rex),
		CLAIM(test_a_32_bit_result_clears_the_upper_half),
		CLAIM(test_unknown_opcodes_are_refused),
		CLAIM(test_code_at_the_end_of_mapped_memory_is_read_as_far_as_it_goes),
		CLAIM(test_random_bytes_never_run_past_fifteen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
