/* SPDX-License-Identifier: MIT */
/*
 * make_elf.h - kernels of a few pages for the tests.
 */
#ifndef TEST_MAKE_ELF_H
#define TEST_MAKE_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct make_elf {
	uint64_t paddr, vbase;		/* segment's physical address, VIRT_BASE */
	uint64_t filesz, memsz;
	uint64_t entry_offset;		/* from the segment's start */
	uint64_t init_p2m;		/* 0: no note */
	uint64_t hypercall_page;	/* 0: no note */
	bool mod_start_pfn, no_notes, notes_in_section;
};

/* Linux's shape, small: 16 MiB up, notes as Debian's kernel has them. */
extern const struct make_elf make_elf_linux;
/* GRUB's shape: VIRT_BASE 0, no INIT_P2M, initrd mapped, a hypercall page. */
extern const struct make_elf make_elf_grub;

/* The image; segment byte i is (uint8_t)(i * 7 + 1). The caller frees it. */
uint8_t *make_elf(const struct make_elf *m, size_t *len);

/*
 * A bzImage around the @n bytes @packed; @size is what its tail claims, and @own_size: the packed
 * bytes end with their size already. The caller frees it.
 */
uint8_t *make_bzimage(const uint8_t *packed, size_t n, uint32_t size, bool own_size, size_t *len);

#endif
