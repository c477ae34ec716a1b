/* SPDX-License-Identifier: MIT */
/*
 * test_ptwr.c - stores to a page table that fault: what Linux executes works, and nothing escapes
 * validation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/mman.h>

#include "guest.h"
#include "pv/ptwr.h"

#define L1_VA (2 * PAGE_SIZE) /* where the level-1 table is mapped, read-only, by its own entry 2 */
#define SLOT 5		      /* the entry the stores go to */
#define SLOT_VA (L1_VA + SLOT * 8)

static struct tree t;
static struct frame *page;
static struct cpu_user_regs regs;
static u8 code[32];

static int fresh(void **state)
{
	machine_reset(0, 1);
	machine_run(1);
	t = tree_new(1);
	page = frame_new(1);
	table_of(t.l1)[2] = entry_to(t.l1, RO);
	if (install(&t))
		return -1;
	regs = (struct cpu_user_regs){ .rip = (u64)(uintptr_t)code, .rdi = SLOT_VA };
	return 0;
}

static int audited(void **state)
{
	unsigned int wrong = audit(NULL, NULL);

	machine_free();
	return wrong != 0;
}

static bool store(const char *bytes, size_t n, u64 va)
{
	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, n);
	regs.rip = (u64)(uintptr_t)code;
	return pv_ptwr_fault(&regs, va);
}
#define STORE(bytes) store(bytes, sizeof(bytes) - 1, SLOT_VA)

static u64 slot(void)
{
	return table_of(t.l1)[SLOT] & ~(PTE_G | PTE_GUEST_KERNEL);
}

static void test_a_plain_move_sets_a_checked_entry(void **state)
{
	regs.rsi = entry_to(page, RW);
	assert_true(STORE("\x48\x89\x37")); /* mov %rsi, (%rdi) */
	assert_int_equal(slot(), entry_to(page, RW));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code + 3);
	assert_int_equal(frame_type_of(page), FT_WR);
}

static void test_a_move_of_a_forbidden_entry_is_the_guests_page_fault(void **state)
{
	regs.rsi = entry_to(t.l2, RW);
	assert_false(STORE("\x48\x89\x37"));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code);
	assert_int_equal(slot(), 0);
	regs.rsi = entry_to(frame_new(2), RO);
	assert_false(STORE("\x48\x89\x37"));
}

static void test_exchange_gives_back_the_old_entry(void **state)
{
	table_of(t.l1)[SLOT] = 0x122; /* not present: content is free */
	regs.rax = entry_to(page, RO);
	assert_true(STORE("\x48\x87\x07")); /* xchg %rax, (%rdi) */
	assert_int_equal(regs.rax, 0x122);
	assert_int_equal(slot(), entry_to(page, RO));
}

static void test_compare_and_exchange_tells_whether_it_stored(void **state)
{
	table_of(t.l1)[SLOT] = 0x100;
	regs.rax = 0x100;
	regs.rcx = entry_to(page, RO);
	assert_true(STORE("\xf0\x48\x0f\xb1\x0f")); /* lock cmpxchg %rcx, (%rdi) */
	assert_true(regs.rflags & 0x40);
	assert_int_equal(slot(), entry_to(page, RO));
	regs.rax = 1;
	assert_true(STORE("\xf0\x48\x0f\xb1\x0f"));
	assert_false(regs.rflags & 0x40);
	assert_int_equal(regs.rax, table_of(t.l1)[SLOT]);
}

static void test_taking_away_a_bit_keeps_the_rest(void **state)
{
	regs.rsi = entry_to(page, RW | PTE_A);
	assert_true(STORE("\x48\x89\x37"));
	assert_true(STORE("\xf0\x80\x27\xfd")); /* lock andb $0xfd, (%rdi): write-protect */
	assert_int_equal(slot(), entry_to(page, RO | PTE_A));
	assert_true(STORE("\xf0\x48\x0f\xba\x37\x05")); /* lock btrq $5, (%rdi): test and clear A */
	assert_true(regs.rflags & 1);
	assert_int_equal(slot(), entry_to(page, RO));
}

static void test_half_an_entry_can_be_stored(void **state)
{
	regs.rsi = 0xaac0;
	assert_true(STORE("\x89\x37")); /* mov %esi, (%rdi) */
	assert_int_equal(slot(), 0xaac0);
	regs.rsi = 0x7;
	assert_true(store("\x89\x77\x04", 3, SLOT_VA + 4)); /* mov %esi, 4(%rdi) */
	assert_int_equal(slot(), 0x70000aac0);
	assert_false(store("\x48\x89\x37", 3, SLOT_VA + 4)); /* eight bytes across two entries */
}

static void test_only_level_1_tables_of_the_domain_are_stored_to(void **state)
{
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(t.l2, RO), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 4), entry_to(page, RO), DOMID_SELF), 0);
	regs.rsi = 0;
	assert_false(store("\x48\x89\x37", 3, 3 * PAGE_SIZE)); /* a level-2 table */
	assert_false(store("\x48\x89\x37", 3, 4 * PAGE_SIZE)); /* plain memory, mapped read-only */
	assert_false(store("\x48\x89\x37", 3, 9 * PAGE_SIZE)); /* nothing there */
	assert_false(STORE("\x48\x01\x37"));		       /* add: nobody does that */
	assert_false(STORE("\x48\x89\xf7"));		       /* a register, not memory */
}

/*
 * A level-2 table is unlinked and its end is put off. Until then its level-1 table still holds what
 * it maps: a store to that table must not drop the same references once more.
 */
static void test_a_store_finishes_deferred_work_before_it_looks(void **state)
{
	struct frame *l2 = frame_new(1), *table = frame_new(1), *other = frame_new(1);

	table_of(table)[SLOT] = entry_to(page, RW);
	table_of(l2)[0] = entry_to(table, RW);
	table_of(l2)[1] = entry_to(other, RW);
	assert_int_equal(update(maddr_of(t.l3, 1), entry_to(l2, RW), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 3), entry_to(table, RO), DOMID_SELF), 0);
	assert_int_equal(update(maddr_of(t.l1, 4), entry_to(page, RW), DOMID_SELF), 0);
	assert_int_equal(frame_type_count(page), 2);
	machine_preempt(1);
	assert_int_equal(update(maddr_of(t.l3, 1), 0, DOMID_SELF), 0);
	assert_int_equal(current->pv.nr_deferred, 1);
	machine_preempt(0);

	regs.rdi = 3 * PAGE_SIZE + SLOT * 8;
	regs.rsi = 0;
	assert_false(store("\x48\x89\x37", 3, regs.rdi)); /* it is no table any more */
	assert_int_equal(frame_type_count(page), 1);
	assert_int_not_equal(mmuext(MMUEXT_PIN_L1_TABLE, page), 0);
}

/* Preempted in what is put off, the store is not done, and the instruction runs again. */
static void test_a_store_waits_for_deferred_work(void **state)
{
	struct frame *l2 = frame_new(1);

	for (unsigned int i = 0; i < 4; i++)
		table_of(l2)[i] = entry_to(frame_new(1), RW);
	assert_int_equal(update(maddr_of(t.l3, 1), entry_to(l2, RW), DOMID_SELF), 0);
	machine_preempt(1);
	assert_int_equal(update(maddr_of(t.l3, 1), 0, DOMID_SELF), 0);
	regs.rsi = entry_to(page, RW);
	assert_true(STORE("\x48\x89\x37"));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code);
	assert_int_equal(slot(), 0);
	machine_preempt(0);
	assert_true(STORE("\x48\x89\x37"));
	assert_int_equal(regs.rip, (u64)(uintptr_t)code + 3);
}

/* --- as the CPU itself does it --- */

#define FLAGS_LOGIC 0x8c5 /* OF, SF, ZF, PF, CF; AF is undefined */
#define FLAG_CARRY 1
#define FLAG_ZERO 0x40

static u8 *native; /* where the CPU executes it */

/* Executes @bytes on @mem, with the registers of @r, which become what they became. */
static void execute(const char *bytes, size_t n, u64 *mem, struct cpu_user_regs *r)
{
	u64 rax = r->rax, rsi = r->rsi, flags = r->rflags & FLAGS_LOGIC;

	memcpy(native, bytes, n);
	native[n] = 0xc3;
	__asm__ volatile("lea -256(%%rsp), %%rsp; push %2; popfq; call *%4; pushfq; pop %2; lea 256(%%rsp), %%rsp"
			 : "+a"(rax), "+S"(rsi), "+r"(flags)
			 : "D"(mem), "r"(native)
			 : "memory", "cc", "rcx", "rdx");
	r->rax = rax;
	r->rsi = rsi;
	r->rflags = flags;
}

/*
 * Each form in each size, on entries that are not present: rdi is the entry, rsi the source, rax
 * what is compared.
 */
static void test_each_store_does_what_the_cpu_does(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		u32 flags; /* those that are defined, and kept by us */
	} stores[] = {
		{ "\x40\x88\x37", 3, 0 }, { "\x66\x89\x37", 3, 0 }, { "\x89\x37", 2, 0 }, { "\x48\x89\x37", 3, 0 }, { "\xc6\x07\x5a", 3, 0 },
		{ "\x66\xc7\x07\x5a\xa5", 5, 0 }, { "\xc7\x07\x5a\xa5\x5a\x25", 6, 0 }, { "\x48\xc7\x07\x5a\xa5\x5a\xa4", 7, 0 },
		{ "\x0f\xc3\x37", 3, 0 }, { "\x48\x0f\xc3\x37", 4, 0 }, { "\x40\x86\x37", 3, 0 }, { "\x66\x87\x37", 3, 0 }, { "\x87\x37", 2, 0 },
		{ "\x48\x87\x37", 3, 0 }, { "\x86\x27", 2, 0 },
		{ "\x40\x20\x37", 3, FLAGS_LOGIC }, { "\x66\x21\x37", 3, FLAGS_LOGIC }, { "\x21\x37", 2, FLAGS_LOGIC }, { "\x48\x21\x37", 3, FLAGS_LOGIC },
		{ "\x40\x08\x37", 3, FLAGS_LOGIC }, { "\x66\x09\x37", 3, FLAGS_LOGIC }, { "\x09\x37", 2, FLAGS_LOGIC }, { "\x48\x09\x37", 3, FLAGS_LOGIC },
		{ "\x40\x30\x37", 3, FLAGS_LOGIC }, { "\x66\x31\x37", 3, FLAGS_LOGIC }, { "\x31\x37", 2, FLAGS_LOGIC }, { "\x48\x31\x37", 3, FLAGS_LOGIC },
		{ "\x80\x0f\x84", 3, FLAGS_LOGIC }, { "\x80\x27\x84", 3, FLAGS_LOGIC }, { "\x80\x37\x84", 3, FLAGS_LOGIC },
		{ "\x81\x0f\x10\x20\x30\x84", 6, FLAGS_LOGIC }, { "\x48\x81\x0f\x10\x20\x30\x84", 7, FLAGS_LOGIC },
		{ "\x48\x81\x27\x10\x20\x30\x84", 7, FLAGS_LOGIC }, { "\x81\x27\x10\x20\x30\x84", 6, FLAGS_LOGIC },
		{ "\x48\x81\x37\x10\x20\x30\x84", 7, FLAGS_LOGIC }, { "\x66\x81\x37\x10\x84", 5, FLAGS_LOGIC },
		{ "\x83\x0f\xf0", 3, FLAGS_LOGIC }, { "\x48\x83\x27\xf0", 4, FLAGS_LOGIC }, { "\x48\x83\x37\x70", 4, FLAGS_LOGIC },
		{ "\x48\x83\x27\x00", 4, FLAGS_LOGIC }, { "\x80\x27\x00", 3, FLAGS_LOGIC },
		{ "\x48\x0f\xba\x2f\x05", 5, FLAG_CARRY }, { "\x48\x0f\xba\x37\x45", 5, FLAG_CARRY }, { "\x48\x0f\xba\x3f\x3f", 5, FLAG_CARRY },
		{ "\x0f\xba\x2f\x21", 4, FLAG_CARRY }, { "\x0f\xba\x37\x1f", 4, FLAG_CARRY }, { "\x66\x0f\xba\x3f\x1f", 5, FLAG_CARRY },
		{ "\x40\x0f\xb0\x37", 4, FLAG_ZERO }, { "\x66\x0f\xb1\x37", 4, FLAG_ZERO }, { "\x0f\xb1\x37", 3, FLAG_ZERO },
		{ "\x48\x0f\xb1\x37", 4, FLAG_ZERO },
	};
	static const u64 values[] = { 0, 2, 0x8000000000000000, 0x123456789abcdef0, 0x80, 0xfffffffffffffffe, 0x7f00ff0080008000 };

	native = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(native != MAP_FAILED);
	for (size_t i = 0; i < ARRAY_SIZE(stores); i++)
		for (size_t v = 0; v < ARRAY_SIZE(values) * ARRAY_SIZE(values); v++) {
			const u64 was = values[v % ARRAY_SIZE(values)], with = values[v / ARRAY_SIZE(values)];
			struct cpu_user_regs r = { .rax = v % 3 ? was : was ^ 0x10, .rsi = with, .rflags = v % 2 ? FLAGS_LOGIC : 2 };
			u64 mem = was;

			regs = r;
			regs.rdi = SLOT_VA;
			table_of(t.l1)[SLOT] = was;
			execute(stores[i].bytes, stores[i].n, &mem, &r);
			if (mem & PTE_P)
				continue; /* that is another test's */
			if (!store(stores[i].bytes, stores[i].n, SLOT_VA))
				fail_msg("%zu: refused", i);
			if (table_of(t.l1)[SLOT] != mem || regs.rax != r.rax || regs.rsi != r.rsi ||
			    (regs.rflags ^ r.rflags) & stores[i].flags)
				fail_msg("%zu of %#lx with %#lx: %#lx, CPU %#lx; rax %#lx, %#lx; rsi %#lx, %#lx; flags %#lx, %#lx", i,
					 (unsigned long)was, (unsigned long)with, (unsigned long)table_of(t.l1)[SLOT], (unsigned long)mem,
					 (unsigned long)regs.rax, (unsigned long)r.rax, (unsigned long)regs.rsi, (unsigned long)r.rsi,
					 (unsigned long)regs.rflags, (unsigned long)r.rflags);
			assert_int_equal(regs.rip, (u64)(uintptr_t)code + stores[i].n);
		}
	table_of(t.l1)[SLOT] = 0;
	munmap(native, PAGE_SIZE);
}

/* A bit that a register names, within the entry: 0f ab, b3, bb. */
static void test_bits_by_register_are_of_this_entry(void **state)
{
	static const struct {
		const char *bytes;
		u64 was, becomes;
	} bits[] = { { "\x48\x0f\xab\x37", 0, 1ULL << 40 }, { "\x48\x0f\xb3\x37", 1ULL << 40 | 4, 4 }, { "\x48\x0f\xbb\x37", 4, 1ULL << 40 | 4 },
		     { "\x48\x0f\xbb\x37", 1ULL << 40 | 4, 4 } };

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		table_of(t.l1)[SLOT] = bits[i].was;
		regs.rsi = 64 + 40;
		regs.rflags = i % 2 ? 0 : 1;
		assert_true(store(bits[i].bytes, 4, SLOT_VA));
		assert_int_equal(table_of(t.l1)[SLOT], bits[i].becomes);
		assert_int_equal(regs.rflags & 1, bits[i].was >> 40 & 1);
	}
	table_of(t.l1)[SLOT] = 0;
}

/* A part of an entry from its byte on, and never of the next one. */
static void test_a_store_stays_within_its_entry(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		unsigned int size;
	} movs[] = { { "\x40\x88\x37", 3, 1 }, { "\x66\x89\x37", 3, 2 }, { "\x89\x37", 2, 4 }, { "\x48\x89\x37", 3, 8 } };

	for (size_t i = 0; i < ARRAY_SIZE(movs); i++)
		for (unsigned int byte = 0; byte < 8; byte++) {
			const u64 mask = movs[i].size == 8 ? ~0ULL : ((1ULL << movs[i].size * 8) - 1) << byte * 8;

			table_of(t.l1)[SLOT] = 0xeeeeeeeeeeeeeeee;
			regs.rsi = 0x2424242424242424;
			assert_int_equal(store(movs[i].bytes, movs[i].n, SLOT_VA + byte), byte + movs[i].size <= 8);
			assert_int_equal(table_of(t.l1)[SLOT], byte + movs[i].size <= 8 ?
				(0xeeeeeeeeeeeeeeee & ~mask) | (0x2424242424242424 & mask) : 0xeeeeeeeeeeeeeeee);
		}
	table_of(t.l1)[SLOT] = 0;
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, audited)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_plain_move_sets_a_checked_entry),
		CLAIM(test_a_move_of_a_forbidden_entry_is_the_guests_page_fault),
		CLAIM(test_exchange_gives_back_the_old_entry),
		CLAIM(test_compare_and_exchange_tells_whether_it_stored),
		CLAIM(test_taking_away_a_bit_keeps_the_rest),
		CLAIM(test_half_an_entry_can_be_stored),
		CLAIM(test_only_level_1_tables_of_the_domain_are_stored_to),
		CLAIM(test_each_store_does_what_the_cpu_does),
		CLAIM(test_bits_by_register_are_of_this_entry),
		CLAIM(test_a_store_stays_within_its_entry),
		CLAIM(test_a_store_finishes_deferred_work_before_it_looks),
		CLAIM(test_a_store_waits_for_deferred_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
