/* SPDX-License-Identifier: MIT */
/*
 * efi.c - what is taken from UEFI firmware: the address of ACPI's root pointer, which on such
 * machines no search of low memory finds, and what dom0 is told of it. Its services are never
 * called. The tables come from the firmware; they are read once, bounded. Source: UEFI 2.10,
 * chapters 4.3 and 4.6.
 */
#include "lib/log.h"
#include "lib/string.h"
#include "x86/efi.h"
#include "x86/pagetable.h"

#define SYSTEM_TABLE_SIGNATURE 0x5453595320494249ULL /* "IBI SYST" */
#define MAX_ENTRIES 256

struct efi_facts efi_facts;

struct guid {
	u32 a;
	u16 b, c;
	u8 d[8];
};

struct system_table {
	u64 signature;
	u32 revision, header_size, crc, reserved;
	u64 vendor;
	u32 fw_revision, pad;
	u64 others[8]; /* console, services */
	u64 nr_entries, entries;
};
_Static_assert(sizeof(struct system_table) == 120, "UEFI 4.3.1");

struct entry {
	struct guid guid;
	u64 table;
};
_Static_assert(sizeof(struct entry) == 24, "UEFI 4.6.1");

/* The newer one first. */
static const struct guid acpi_guids[] = {
	{ 0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } },
	{ 0xeb9d2d30, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } },
};

static maddr_t find_entry(const struct entry *e, u64 nr, const struct guid *guid)
{
	for (u64 i = 0; i < nr; i++)
		if (!memcmp(&e[i].guid, guid, sizeof(*guid)))
			return e[i].table;
	return 0;
}

/* What is cut short ends with a zero, too. */
static void copy_vendor(const u16 *name)
{
	for (size_t i = 0; name && i < EFI_VENDOR_MAX - 1 && name[i]; i++)
		efi_facts.vendor[i] = name[i];
}

maddr_t efi_find_rsdp(maddr_t system_table)
{
	const struct system_table *st = ioremap(system_table, sizeof(*st));
	const struct entry *e;
	maddr_t found = 0;

	if (!st || st->signature != SYSTEM_TABLE_SIGNATURE || st->nr_entries > MAX_ENTRIES) {
		log_warn("efi: no system table at %lx, where the boot loader says", system_table);
		return 0;
	}
	e = ioremap(st->entries, st->nr_entries * sizeof(*e));
	if (!e)
		return 0;
	efi_facts.tables = st->entries;
	efi_facts.nr_tables = (u32)st->nr_entries;
	efi_facts.revision = st->revision;
	efi_facts.fw_revision = st->fw_revision;
	copy_vendor(ioremap(st->vendor, sizeof(efi_facts.vendor)));
	for (size_t i = 0; i < ARRAY_SIZE(acpi_guids) && !found; i++)
		found = find_entry(e, st->nr_entries, &acpi_guids[i]);
	return found;
}
