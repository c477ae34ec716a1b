/* SPDX-License-Identifier: MIT */
/* ucode_module.h - which of the boot loader's modules has microcode. Boot only. */
#ifndef HV_BOOT_UCODE_MODULE_H
#define HV_BOOT_UCODE_MODULE_H

#include "boot/multiboot2.h"
#include "lib/boot_options.h"

/* The one that is a vendor's file and nothing else, as `ucode=` numbers it; 0: none is. */
unsigned int ucode_module(const struct boot_info *info, const struct boot_options *o);
/*
 * Looks for what is newer than the boot CPU's, where `ucode=` says, and has every CPU take a copy
 * of it (x86/ucode.h). Boot memory is there, the modules are mapped, faults are handled.
 */
void ucode_find(const struct boot_info *info, const struct boot_options *o);

#endif
