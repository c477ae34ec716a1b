/* SPDX-License-Identifier: MIT */
/*
 * test_ucode.c - which update a CPU gets, and when: from the vendors' files as they are and as they
 * should not be, out of modules, on fake CPUs that take it or do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/bootmem.h"
#include "boot/ucode_module.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/ucode.h"

#define RAM (64 * 4096)
#define COPY (32 * 4096) /* where boot memory is */
#define SKYLAKE 0x50654u
#define ZEN3 0xa20f12u

unsigned char *fake_ram;
static char said[4096];
/* the CPU */
static const char *vendor = "GenuineIntel";
static u32 signature, revision, told;
static u64 platform;
static bool is_deaf, faults;
static unsigned int nr_writes;
static u64 written_at;
static u64 limit_of_copy = RAM - COPY; /* above: where it goes, too */
/* the file */
static u8 file[8192];
static size_t len;

void hv_log(enum log_level level, const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n - 1, fmt, ap);
	va_end(ap);
	strcat(said, "\n");
}

maddr_t bootmem_alloc(u64 size, u64 align)
{
	assert_true(size && size <= limit_of_copy && align % 16 == 0);
	return limit_of_copy == RAM - COPY ? COPY : limit_of_copy;
}

void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a = *b = *c = *d = 0;
	if (leaf == 0) {
		memcpy(b, vendor, 4);
		memcpy(d, vendor + 4, 4);
		memcpy(c, vendor + 8, 4);
	} else if (leaf == 1) {
		*a = signature;
		told = revision;
	}
}

int rdmsr_safe(u32 msr, u64 *val)
{
	if (faults)
		return -EFAULT;
	if (msr == 0x17)
		*val = platform << 50;
	else if (msr == 0x8b)
		*val = *vendor == 'A' ? revision : (u64)told << 32;
	else
		return -EFAULT;
	return 0;
}

/* Takes an update by its revision, as the real one would by its vendor's signature. */
int wrmsr_safe(u32 msr, u64 val)
{
	const u8 *update = (const u8 *)(uintptr_t)val;
	bool is_intel = *vendor != 'A';

	if (faults)
		return -EFAULT;
	if (msr == 0x8b && is_intel) {
		told = (u32)(val >> 32);
		return 0;
	}
	assert_int_equal(msr, is_intel ? 0x79 : 0xc0010020);
	nr_writes++;
	written_at = val;
	if (!is_deaf)
		memcpy(&revision, is_intel ? update - 48 + 4 : update + 4, 4);
	return 0;
}

static void put32(size_t at, u32 value)
{
	memcpy(file + at, &value, 4);
}

static void put16(size_t at, uint16_t value)
{
	memcpy(file + at, &value, 2);
}

/* An update of Intel's; the words of @other: signature, platforms, for which it is as well. */
static void intel(u32 rev, u32 sig, u32 platforms, u32 data, const u32 *other, u32 nr_others)
{
	size_t at = len;
	u32 total = 48 + (data ? data : 2000) + (nr_others ? 20 + nr_others * 12 : 0);
	u32 sum = 0, word;

	memset(file + at, 0, total);
	put32(at, 1);
	put32(at + 4, rev);
	put32(at + 12, sig);
	put32(at + 20, 1);
	put32(at + 24, platforms);
	put32(at + 28, data);
	put32(at + 32, data ? total : 0);
	memset(file + at + 48, 0x5a, data ? data : 2000);
	if (nr_others)
		put32(at + total - 20 - nr_others * 12, nr_others);
	for (u32 i = 0; i < nr_others; i++) {
		put32(at + total - (nr_others - i) * 12, other[i * 2]);
		put32(at + total - (nr_others - i) * 12 + 4, other[i * 2 + 1]);
	}
	for (u32 i = 0; i < total; i += 4) {
		memcpy(&word, file + at + i, 4);
		sum += word;
	}
	put32(at + 16, -sum);
	len += total;
}

/* A container of AMD's whose table says that @sig is @id. */
static void amd_container(u32 sig, uint16_t id)
{
	put32(len, 0x00414d44);
	put32(len + 4, 0);
	put32(len + 8, 32);
	memset(file + len + 12, 0, 32);
	put32(len + 12, sig);
	put16(len + 24, id);
	len += 44;
}

static void amd(u32 rev, uint16_t id, u32 size)
{
	put32(len, 1);
	put32(len + 4, size);
	memset(file + len + 8, 0, size);
	put32(len + 12, rev);
	put16(len + 32, id);
	len += 8 + size;
}

/* The revision that is picked of the first @n bytes, at the end of their memory; 0: none. */
static u32 picked_of(size_t n, struct ucode_cpu cpu)
{
	u8 *copy = malloc(n ? n : 1);
	const u8 *at;
	u64 size = 0;
	u32 rev = 0;

	memcpy(copy, file, n);
	at = ucode_pick(copy, n, &cpu, &size, &rev);
	if (at)
		assert_true(at >= copy && size && at + size <= copy + n);
	free(copy);
	return at ? rev : 0;
}

static u32 picked(struct ucode_cpu cpu)
{
	return picked_of(len, cpu);
}

static const struct ucode_cpu skylake = { .signature = SKYLAKE,
					  .platform = 1 << 2,
					  .revision = 0x10 };
static const struct ucode_cpu zen3 = { .is_amd = true, .signature = ZEN3, .revision = 0xa201010 };

static void test_the_newest_for_this_very_intel_is_picked(void **state)
{
	len = 0;
	intel(0x11, SKYLAKE, 1 << 2, 64, NULL, 0);
	intel(0x13, SKYLAKE, 0xff, 0, NULL, 0); /* the old form: 2048 bytes */
	intel(0x12, SKYLAKE, 1 << 2, 64, NULL, 0);
	intel(0x20, SKYLAKE, 1 << 3, 64, NULL, 0); /* of another socket */
	intel(0x21, SKYLAKE + 1, 0xff, 64, NULL, 0);
	assert_int_equal(picked(skylake), 0x13);
	len = 0;
	intel(0x10, SKYLAKE, 1 << 2, 64, NULL, 0); /* what it has */
	intel(0x0f, SKYLAKE, 1 << 2, 64, NULL, 0);
	assert_int_equal(picked(skylake), 0);
	len = 0;
	intel(0x11, SKYLAKE, 0, 64, NULL, 0); /* for every socket */
	assert_int_equal(picked(skylake), 0x11);
}

static void test_an_update_may_be_for_several(void **state)
{
	const u32 others[] = { SKYLAKE + 2, 0xff, SKYLAKE, 1 << 2 };
	const u32 strangers[] = { SKYLAKE, 1 << 3 };

	len = 0;
	intel(0x30, SKYLAKE + 1, 0xff, 64, others, 2);
	assert_int_equal(picked(skylake), 0x30);
	put32(48 + 64, 1); /* only the first counts */
	put32(16, 0);
	for (size_t i = 0; i < len; i += 4) {
		u32 word, sum;

		memcpy(&word, file + i, 4);
		memcpy(&sum, file + 16, 4);
		if (i != 16)
			put32(16, sum - word);
	}
	assert_int_equal(picked(skylake), 0);
	len = 0;
	intel(0x30, SKYLAKE + 1, 0xff, 64, strangers, 1);
	assert_int_equal(picked(skylake), 0);
}

static void test_a_broken_intel_update_is_passed_by(void **state)
{
	len = 0;
	intel(0x11, SKYLAKE, 1 << 2, 64, NULL, 0);
	intel(0x12, SKYLAKE, 1 << 2, 64, NULL, 0);
	file[112 + 60] ^= 1; /* of the second's data: its sum is wrong */
	assert_int_equal(picked(skylake), 0x11);
	file[112 + 60] ^= 1;
	file[112 + 20] = 2; /* another loader; the sum is not looked at */
	assert_int_equal(picked(skylake), 0x11);
	file[112] = 2; /* another format: the end */
	assert_int_equal(picked(skylake), 0x11);
	put32(32, 111); /* not whole words */
	assert_int_equal(picked(skylake), 0);
	put32(32, 64); /* less than its data */
	assert_int_equal(picked(skylake), 0);
	put32(32, 0xfffffffc);
	assert_int_equal(picked(skylake), 0);
}

static void test_the_newest_of_a_container_that_knows_the_amd_is_picked(void **state)
{
	len = 0;
	amd_container(0x800f82, 0x8082);
	amd(0xa20ffff, 0xa212, 64); /* this container's numbers are its own */
	amd_container(ZEN3, 0xa212);
	amd(0xa201011, 0xa212, 64);
	amd(0xa201013, 0xa212, 128);
	amd(0xa201012, 0xa212, 64);
	amd(0xa201020, 0xa213, 64);
	amd(0xa201021, 0xa212, 64);
	put32(len - 64 + 16, 1); /* with one board only */
	amd(0xa201022, 0xa212, 64);
	put32(len - 64 + 20, 1);
	amd(0xa201023, 0xa212, 60); /* shorter than a header */
	assert_int_equal(picked(zen3), 0xa201013);
	len = 0;
	amd_container(ZEN3, 0xa212);
	amd(0xa201010, 0xa212, 64);
	assert_int_equal(picked(zen3), 0);
	len = 0;
	amd_container(0, 0); /* the end of a table is no CPU */
	amd(0xa201011, 0, 64);
	assert_int_equal(picked(zen3), 0);
}

static void test_nothing_behind_a_file_is_read_whatever_it_says(void **state)
{
	const u32 others[] = { SKYLAKE, 1 << 2 };
	const struct ucode_cpu *cpus[] = { &skylake, &zen3 };

	for (unsigned int k = 0; k < 2; k++) {
		len = 0;
		if (k == 0) {
			intel(0x11, SKYLAKE + 1, 0xff, 64, others, 1);
			intel(0x12, SKYLAKE, 1 << 2, 64, NULL, 0);
		} else {
			amd_container(ZEN3, 0xa212);
			amd(0xa201011, 0xa212, 64);
			amd(0xa201012, 0xa212, 64);
		}
		for (size_t n = 0; n < len; n++)
			picked_of(n, *cpus[k]);
		for (size_t i = 0; i < len; i++) {
			u8 was = file[i];

			for (unsigned int c = 0; c < 256; c += 3) {
				file[i] = (u8)c;
				picked(*cpus[k]);
			}
			file[i] = was;
		}
	}
}

/* --- at boot --- */

static void machine(const char *who, u32 sig, u32 rev)
{
	vendor = who;
	signature = sig;
	revision = rev;
	platform = 2;
	is_deaf = faults = false;
	nr_writes = 0;
	said[0] = '\0';
	ucode_set(NULL, 0);
}

static struct boot_info with_modules(unsigned int nr)
{
	struct boot_info info = { .nr_modules = nr };

	for (unsigned int i = 0; i < nr; i++)
		info.module[i] = (struct boot_module){ .start = 4096 * 4 * (i + 1), .len = 16 };
	return info;
}

static void put_module(struct boot_info *info, unsigned int i)
{
	memcpy(fake_ram + info->module[i].start, file, len);
	info->module[i].len = len;
}

/* The file at the beginning of an initrd. */
static void put_initrd(struct boot_info *info, unsigned int i, const char *name)
{
	char *at = (char *)fake_ram + info->module[i].start;
	int n = sprintf(at, "070701%048d%08X%032d%08X%08d", 0, (unsigned int)len, 0,
			(unsigned int)strlen(name) + 1, 0);

	strcpy(at + n, name);
	n = (n + (int)strlen(name) + 1 + 3) & ~3;
	memcpy(at + n, file, len);
	info->module[i].len = (u64)n + len;
}

static void test_it_is_found_in_an_initrd_and_each_cpu_takes_it_once(void **state)
{
	struct boot_options o = { .ucode_scan = true };
	struct boot_info info = with_modules(3);

	machine("GenuineIntel", SKYLAKE, 0x10);
	len = 0;
	intel(0x12, SKYLAKE, 1 << 2, 64, NULL, 0);
	put_initrd(&info, 2, "kernel/x86/microcode/GenuineIntel.bin");
	ucode_find(&info, &o);
	ucode_load();
	assert_int_equal(revision, 0x12);
	/* a copy, on a boundary */
	assert_ptr_equal((void *)(uintptr_t)written_at, fake_ram + COPY + 48);
	assert_non_null(strstr(said, "microcode: revision 12, was 10"));
	ucode_load(); /* its sibling */
	assert_int_equal(nr_writes, 1);
	revision = 0x10; /* another core */
	assert_true(ucode_load());
	assert_int_equal(nr_writes, 2);
	revision = 0x13; /* one that the firmware has given more */
	assert_true(ucode_load());
	assert_int_equal(nr_writes, 2);
	assert_int_equal(ucode_module(&info, &o), 0);
}

static void test_a_module_may_be_the_file_itself(void **state)
{
	struct boot_options o = { .ucode_module = -1 };
	struct boot_info info = with_modules(3);

	machine("AuthenticAMD", ZEN3, 0xa201010);
	len = 0;
	amd_container(ZEN3, 0xa212);
	amd(0xa201011, 0xa212, 64);
	put_module(&info, 2);
	ucode_find(&info, &o);
	ucode_load();
	assert_int_equal(revision, 0xa201011);
	assert_ptr_equal((void *)(uintptr_t)written_at, fake_ram + COPY);
	assert_int_equal(ucode_module(&info, &o), 2);
	o.ucode_module = 1;
	assert_int_equal(ucode_module(&info, &o), 1);
	o.ucode_module = 3;
	assert_int_equal(ucode_module(&info, &o), 0);
	o.ucode_module = -3; /* the kernel */
	assert_int_equal(ucode_module(&info, &o), 0);
	o.ucode_module = -4;
	assert_int_equal(ucode_module(&info, &o), 0);
}

/* What an update changes of a thread alone, an AMD changes for who is told. */
static void test_each_thread_of_an_amd_is_told(void **state)
{
	struct boot_options o = { .ucode_module = 1 };
	struct boot_info info = with_modules(2);

	machine("AuthenticAMD", ZEN3, 0xa201010);
	len = 0;
	amd_container(ZEN3, 0xa212);
	amd(0xa201011, 0xa212, 64);
	put_module(&info, 1);
	ucode_find(&info, &o);
	assert_true(ucode_load());
	assert_true(ucode_load());
	assert_int_equal(nr_writes, 2);
}

static void test_amds_that_would_hang_are_left_alone(void **state)
{
	const u32 final[] = { 0x01000098, 0x0100009f, 0x010000af };
	struct ucode_cpu cpu = { .is_amd = true, .signature = ZEN3 };

	len = 0;
	amd_container(ZEN3, 0xa212);
	amd(0xa201011, 0xa212, 64);
	for (unsigned int i = 0; i < 3; i++) {
		cpu.revision = final[i];
		assert_int_equal(picked(cpu), 0);
		cpu.revision = final[i] - 1;
		assert_int_equal(picked(cpu), 0xa201011);
	}
}

/* It lacks what the boot CPU has now, which the way into the hypervisor uses on each. */
static void test_a_cpu_that_does_not_take_it_is_told_from_others(void **state)
{
	struct boot_options o = { .ucode_scan = true };
	struct boot_info info = with_modules(2);

	machine("GenuineIntel", SKYLAKE, 0x10);
	len = 0;
	intel(0x12, SKYLAKE, 1 << 2, 64, NULL, 0);
	put_initrd(&info, 1, "kernel/x86/microcode/GenuineIntel.bin");
	ucode_find(&info, &o);
	assert_true(ucode_load());
	signature = SKYLAKE + 1; /* another socket: the update is not for it, and not shown to it */
	revision = 0x10;
	nr_writes = 0;
	assert_false(ucode_load());
	assert_int_equal(nr_writes, 0);
	signature = SKYLAKE;
	is_deaf = true;
	assert_false(ucode_load());
	ucode_set(NULL, 0);
	assert_true(ucode_load());
}

/* More than any is, which would take the memory of a small machine. */
static void test_what_is_too_large_is_no_update(void **state)
{
	struct boot_options o = { .ucode_module = 1 };
	struct boot_info info = with_modules(2);
	u32 size = 16 << 20;

	for (unsigned int more = 0; more < 2; more++) {
		u8 *ram = fake_ram;

		machine("AuthenticAMD", ZEN3, 0xa201010);
		len = 0;
		amd_container(ZEN3, 0xa212);
		amd(0xa201011, 0xa212, 64);
		put32(len - 64 - 4, size + more);
		fake_ram = calloc(1, 64u << 20);
		info.module[1].start = 4096;
		put_module(&info, 1);
		info.module[1].len = len + size + more;
		limit_of_copy = 32u << 20;
		ucode_find(&info, &o);
		limit_of_copy = RAM - COPY;
		assert_int_equal(!ucode_load(), 0);
		assert_int_equal(nr_writes, !more);
		free(fake_ram);
		fake_ram = ram;
	}
}

static void test_what_is_not_done_is_said(void **state)
{
	struct boot_options o = { 0 };
	struct boot_info info = with_modules(2);

	machine("GenuineIntel", SKYLAKE, 0x10);
	ucode_find(&info, &o); /* nobody asked */
	assert_string_equal(said, "");
	o.ucode_scan = true;
	ucode_find(&info, &o);
	assert_non_null(strstr(said, "revision 10 stays: no module has any"));
	len = 0;
	intel(0x10, SKYLAKE, 1 << 2, 64, NULL, 0);
	put_initrd(&info, 1, "kernel/x86/microcode/GenuineIntel.bin");
	ucode_find(&info, &o);
	assert_non_null(strstr(said, "stays: there is none newer for this CPU"));
	machine("CentaurHauls", 0x6fe, 0x10);
	ucode_find(&info, &o);
	assert_non_null(strstr(said, "stays: nobody makes any"));
	ucode_load();
	assert_int_equal(nr_writes, 0);
	machine("GenuineIntel", SKYLAKE, 0x10);
	len = 0;
	intel(0x12, SKYLAKE, 1 << 2, 64, NULL, 0);
	put_initrd(&info, 1, "kernel/x86/microcode/GenuineIntel.bin");
	ucode_find(&info, &o);
	is_deaf = true;
	ucode_load();
	assert_non_null(strstr(said, "revision 12 is not taken, it stays 10"));
	machine("GenuineIntel", SKYLAKE, 0x10);
	ucode_find(&info, &o);
	faults = true; /* a machine without such registers */
	ucode_load();
	assert_non_null(strstr(said, "revision 12 is not taken"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_for_this_very_intel_is_picked),
		cmocka_unit_test(test_an_update_may_be_for_several),
		cmocka_unit_test(test_a_broken_intel_update_is_passed_by),
		cmocka_unit_test(test_the_newest_of_a_container_that_knows_the_amd_is_picked),
		cmocka_unit_test(test_nothing_behind_a_file_is_read_whatever_it_says),
		cmocka_unit_test(test_it_is_found_in_an_initrd_and_each_cpu_takes_it_once),
		cmocka_unit_test(test_a_module_may_be_the_file_itself),
		cmocka_unit_test(test_each_thread_of_an_amd_is_told),
		cmocka_unit_test(test_amds_that_would_hang_are_left_alone),
		cmocka_unit_test(test_a_cpu_that_does_not_take_it_is_told_from_others),
		cmocka_unit_test(test_what_is_too_large_is_no_update),
		cmocka_unit_test(test_what_is_not_done_is_said),
	};

	fake_ram = calloc(1, RAM);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
