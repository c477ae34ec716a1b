/* SPDX-License-Identifier: MIT */
/* test_efi.c - what is taken from UEFI's tables; nonsense there is not followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"
#include "x86/efi.h"
#include "x86/pagetable.h"

#define NR 3

static const uint8_t acpi1[16] = { 0x30, 0x2d, 0x9d, 0xeb, 0x88, 0x2d, 0xd3, 0x11,
				   0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d };
static const uint8_t acpi2[16] = { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11,
				   0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 };

static uint8_t system_table[120] __attribute__((aligned(8)));
static uint8_t entries[NR][24] __attribute__((aligned(8)));
static uint16_t vendor[EFI_VENDOR_MAX + 8];
static maddr_t mapped_end, vendor_end; /* of the table of entries, and of the name */

void hv_log(enum log_level level, const char *fmt, ...)
{
}

/* Physical addresses of this machine are the test's own. */
void *ioremap(maddr_t ma, size_t len)
{
	if (ma == (maddr_t)(uintptr_t)entries)
		mapped_end = ma + len;
	if (ma == (maddr_t)(uintptr_t)vendor)
		vendor_end = ma + len;
	return (void *)(uintptr_t)ma;
}

static void set_entry(unsigned int i, const uint8_t *guid, uint64_t table)
{
	memcpy(entries[i], guid, 16);
	memcpy(entries[i] + 16, &table, 8);
}

static maddr_t find(const char *signature, uint64_t nr)
{
	uint64_t at = (uintptr_t)entries, name = (uintptr_t)vendor;
	uint32_t revision = 0x20046, fw_revision = 0x10000;

	memcpy(system_table, signature, 8);
	memcpy(system_table + 8, &revision, 4);
	memcpy(system_table + 24, &name, 8);
	memcpy(system_table + 32, &fw_revision, 4);
	memcpy(system_table + 104, &nr, 8);
	memcpy(system_table + 112, &at, 8);
	return efi_find_rsdp((uintptr_t)system_table);
}

static int setup(void **state)
{
	memset(entries, 0x5a, sizeof(entries));
	memset(vendor, 0, sizeof(vendor));
	memset(&efi_facts, 0, sizeof(efi_facts));
	mapped_end = vendor_end = 0;
	return 0;
}

static void test_the_newer_of_two_root_pointers_counts(void **state)
{
	set_entry(0, acpi1, 0x7000);
	set_entry(2, acpi2, 0x8000);

	assert_int_equal(find("IBI SYST", NR), 0x8000);
	assert_int_equal(mapped_end, (uintptr_t)entries + sizeof(entries));
	assert_int_equal(find("IBI SYST", 2), 0x7000);
}

static void test_firmware_without_acpi_has_no_root_pointer(void **state)
{
	assert_int_equal(find("IBI SYST", NR), 0);
}

static void test_what_is_no_system_table_is_not_followed(void **state)
{
	set_entry(0, acpi2, 0x8000);

	assert_int_equal(find("IBI SYSS", NR), 0);
	assert_int_equal(find("IBI SYST", 1ULL << 60), 0);
	assert_int_equal(mapped_end, 0);
	assert_int_equal(vendor_end, 0);
	assert_int_equal(efi_facts.tables, 0);
}

static void test_what_dom0_is_told_is_kept(void **state)
{
	for (unsigned int i = 0; i < 6; i++)
		vendor[i] = (uint16_t)"EDK II"[i];
	set_entry(1, acpi2, 0x8000);

	find("IBI SYST", NR);

	assert_int_equal(efi_facts.tables, (uintptr_t)entries);
	assert_int_equal(efi_facts.nr_tables, NR);
	assert_int_equal(efi_facts.revision, 0x20046);
	assert_int_equal(efi_facts.fw_revision, 0x10000);
	assert_memory_equal(efi_facts.vendor, vendor, sizeof(efi_facts.vendor));
}

static void test_a_name_without_end_is_cut(void **state)
{
	memset(vendor, 0x41, sizeof(vendor));

	find("IBI SYST", NR);

	assert_int_equal(efi_facts.vendor[EFI_VENDOR_MAX - 2], 0x4141);
	assert_int_equal(efi_facts.vendor[EFI_VENDOR_MAX - 1], 0);
	assert_true(vendor_end <= (uintptr_t)vendor + sizeof(efi_facts.vendor));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_newer_of_two_root_pointers_counts, setup),
		cmocka_unit_test_setup(test_firmware_without_acpi_has_no_root_pointer, setup),
		cmocka_unit_test_setup(test_what_is_no_system_table_is_not_followed, setup),
		cmocka_unit_test_setup(test_what_dom0_is_told_is_kept, setup),
		cmocka_unit_test_setup(test_a_name_without_end_is_cut, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
