/* SPDX-License-Identifier: MIT */
/* efi.h - what is kept of UEFI's tables (efi.c). */
#ifndef HV_X86_EFI_H
#define HV_X86_EFI_H

#include "lib/types.h"

#define EFI_VENDOR_MAX 32 /* characters, with the zero at the end */

/* As the firmware names them; fixed after boot. */
struct efi_facts {
	maddr_t tables; /* 0: no UEFI */
	u32 nr_tables;
	u32 revision, fw_revision;
	u16 vendor[EFI_VENDOR_MAX];
};
extern struct efi_facts efi_facts;

/* Reads the system table at @system_table. ACPI's root pointer; 0: it names none. Boot only. */
maddr_t efi_find_rsdp(maddr_t system_table);

#endif
