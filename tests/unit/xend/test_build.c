/* SPDX-License-Identifier: MIT */
/*
 * test_build.c - what a guest finds in its memory at its first instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/grant_table.h>

#include "make_elf.h"
#include "world.h"

static const struct start_info *boot(struct world *w, int *domid)
{
	world_record(w, "a");
	world_run(w, 1);
	assert_string_equal(fake_get("/status/domain/a/state"), "running");
	*domid = fake_hv_guest();
	assert_int_not_equal(*domid, -1);
	return (void *)fake_hv_guest_memory(*domid, fake_hv_guest_reg(*domid, "rsi"));
}

static void use_kernel(struct world *w, const struct make_elf *m)
{
	size_t len;
	uint8_t *elf = make_elf(m, &len);
	FILE *f = fopen(w->kernel, "w");

	fwrite(elf, 1, len, f);
	fclose(f);
	free(elf);
}

static void test_the_kernel_is_where_its_notes_say(void **state)
{
	const struct make_elf *m = &make_elf_linux;
	int domid;

	boot(*state, &domid);

	assert_true(fake_hv_guest_reg(domid, "rip") == m->vbase + m->paddr + m->entry_offset);
	for (uint64_t i = 0; i < m->memsz; i++) {
		uint8_t *p = fake_hv_guest_memory(domid, m->vbase + m->paddr + i);

		assert_non_null(p);
		assert_int_equal(*p, i < m->filesz ? (uint8_t)(i * 7 + 1) : 0);
	}
}

static void test_start_info_tells_the_truth(void **state)
{
	struct world *w = *state;
	int domid;
	const struct start_info *si = boot(w, &domid);
	char text[32];

	assert_string_equal(si->magic, "xen-3.0-x86_64");
	assert_int_equal(si->nr_pages, 16 * 256);
	assert_string_equal((const char *)si->cmd_line, "console=hvc0");
	assert_int_equal(si->flags, SIF_MOD_START_PFN | SIF_VIRT_P2M_4TOOLS);
	assert_int_equal(si->mod_len, 27);
	assert_true(si->mfn_list == make_elf_linux.init_p2m);
	assert_true(fake_hv_granted(domid, GNTTAB_RESERVED_XENSTORE, si->store_mfn));
	assert_true(fake_hv_granted(domid, GNTTAB_RESERVED_CONSOLE, si->console.domU.mfn));
	snprintf(text, sizeof(text), "/local/domain/%d/store/port", domid);
	assert_int_equal(atoi(fake_get(text)), si->store_evtchn);
	snprintf(text, sizeof(text), "/local/domain/%d/console/port", domid);
	assert_int_equal(atoi(fake_get(text)), si->console.domU.evtchn);
	assert_int_not_equal(si->store_evtchn, si->console.domU.evtchn);
	assert_true(fake_hv_guest_reg(domid, "rsp") > si->pt_base);
}

static void test_the_p2m_lists_every_frame_once_and_leads_to_the_ramdisk(void **state)
{
	int domid;
	const struct start_info *si = boot(*state, &domid);
	uint8_t *seen = calloc(1, 65 * 256 + 1);
	uint64_t store_seen = 0;

	for (uint64_t pfn = 0; pfn < si->nr_pages; pfn++) {
		uint64_t *p = (void *)fake_hv_guest_memory(domid, si->mfn_list + pfn * 8);

		assert_non_null(p);
		assert_true(*p < 65 * 256);
		assert_int_equal(seen[*p]++, 0);
		store_seen += *p == si->store_mfn;
	}
	assert_int_equal(store_seen, 1);
	assert_true(si->first_p2m_pfn + si->nr_p2m_frames <= si->nr_pages);
	assert_true(si->nr_p2m_frames * 512 >= si->nr_pages);
	free(seen);
}

static void test_page_tables_are_pinned_and_read_only(void **state)
{
	int domid;
	const struct start_info *si = boot(*state, &domid);

	/* The fake refuses to pin tables that are mapped writable or leave the domain. */
	assert_true(fake_hv_pinned(domid));
	assert_int_equal(fake_hv_windows(), 0);
	for (uint64_t i = 0; i < si->nr_pt_frames; i++)
		assert_non_null(fake_hv_guest_memory(domid, si->pt_base + i * 4096));
}

static void test_a_grub_shaped_kernel_gets_a_mapped_ramdisk_and_hypercall_page(void **state)
{
	struct world *w = *state;
	int domid;
	const struct start_info *si;

	use_kernel(w, &make_elf_grub);
	si = boot(w, &domid);

	assert_true(fake_hv_guest_reg(domid, "rip") == 0);
	assert_int_equal(si->flags, SIF_VIRT_P2M_4TOOLS);
	assert_memory_equal(fake_hv_guest_memory(domid, si->mod_start), "this is the initial", 19);
	assert_non_null(fake_hv_guest_memory(domid, si->mfn_list));
	assert_int_equal(si->nr_p2m_frames, 0);
}

static void test_hostile_kernels_fail_cleanly(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();
	unsigned int seed = 99, failed = 0;
	size_t len;
	uint8_t *elf = make_elf(&make_elf_linux, &len);

	for (int round = 0; round < 300; round++) {
		FILE *f = fopen(w->kernel, "w");
		size_t at = rand_r(&seed) % 3 ? 64 + (size_t)rand_r(&seed) % 112 :
						1024 + (size_t)rand_r(&seed) % 200;
		uint8_t old = elf[at];

		elf[at] = (uint8_t)rand_r(&seed);
		fwrite(elf, 1, len, f);
		fclose(f);
		elf[at] = old;
		world_record(w, "a");
		world_run(w, 1);
		failed += !strcmp(fake_get("/status/domain/a/state"), "failed");
		fake_set("/config/domain/a", NULL);
		fake_set("/request/r/op", "destroy");
		fake_set("/request/r/domain", "a");
		world_run(w, 1);
		fake_set("/request/r", NULL);
		world_run(w, 1);
		assert_int_equal(fake_hv_domains(), 0);
		assert_true(fake_hv_free_kib() == before);
		assert_int_equal(fake_hv_windows(), 0);
	}
	assert_true(failed > 20);
	free(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
		T(test_the_kernel_is_where_its_notes_say),
		T(test_start_info_tells_the_truth),
		T(test_the_p2m_lists_every_frame_once_and_leads_to_the_ramdisk),
		T(test_page_tables_are_pinned_and_read_only),
		T(test_a_grub_shaped_kernel_gets_a_mapped_ramdisk_and_hypercall_page),
		T(test_hostile_kernels_fail_cleanly),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
