/* SPDX-License-Identifier: MIT */
/*
 * test_save.c - a running domain becomes a file, and the file a running domain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/grant_table.h>

#include "make_elf.h"
#include "restore_priv.h"
#include "saved_head.h"
#include "world.h"

static char file[64];
static uint64_t free_kib;

static int start(void **state)
{
	struct world *w;
	int err = world_setup(state);

	w = *state;
	snprintf(file, sizeof(file), "%s/a.save", w->dir);
	free_kib = fake_hv_free_kib();
	world_record(w, "a");
	world_run(w, 1);
	assert_string_equal(state_of("a"), "running");
	fake_set("/local/domain/1/control/feature-suspend", "1");
	return err;
}

static int end(void **state)
{
	unlink(file);
	return world_teardown(state);
}

static const char *as_xl = "0";

static void ask(struct world *w, const char *checkpoint)
{
	fake_set("/request/r1", NULL);
	world_run(w, 0);
	fake_set("/request/r1/args/file", file);
	fake_set("/request/r1/args/checkpoint", checkpoint);
	fake_set("/request/r1/args/xl", as_xl);
	request(w, "save", "a");
}

/* Asks, and the guest does what it was asked for. */
static void save(struct world *w, const char *checkpoint)
{
	ask(w, checkpoint);
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "suspend");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	world_run(w, 30);
	if (fake_get("/request/r1/error"))
		fail_msg("%s", fake_get("/request/r1/error"));
	assert_string_equal(fake_get("/request/r1/state"), "done");
}

static void restore(struct world *w)
{
	fake_set("/config/domain/a/saved", file);
	fake_set("/config/domain/a/power", "on");
	world_run(w, 5);
}

static void refused(const char *part)
{
	const char *error = fake_get("/request/r1/error");

	assert_non_null(error);
	if (!strstr(error, part))
		fail_msg("no \"%s\" in \"%s\"", part, error);
}

static void test_saved_domain_is_gone_and_its_file_whole(void **state)
{
	struct saved_head h;
	struct stat st;

	save(*state, "0");
	assert_string_equal(state_of("a"), "shutdown");
	assert_int_equal(fake_hv_guest(), -1);
	assert_clean(free_kib);
	assert_string_equal(fake_get("/config/domain/a/power"), "off");
	assert_int_equal(stat(file, &st), 0);
	/* Its kernel and its tables; what is zero is not there. */
	assert_in_range(st.st_size, 20 * 4096, 200 * 4096);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(saved_head_read(file, &h, NULL), 0);
	assert_string_equal(h.name, "a");
	assert_string_equal(h.uuid, fake_get("/config/domain/a/uuid"));
	assert_int_equal(h.nr_pages, 16 * 256);
	saved_head_free(&h);
}

static void test_restored_domain_goes_on_in_other_frames(void **state)
{
	const struct make_elf *m = &make_elf_linux;
	const struct start_info *si;
	const struct shared_info *shared;
	uint64_t cr3 = fake_hv_guest_reg(1, "cr3");

	fake_hv_guest_memory(1, m->vbase + m->paddr)[5] = 0x5a; /* what it did while it ran */
	save(*state, "0");
	restore(*state);
	assert_string_equal(error_of("a"), "");
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest(), 2);
	assert_true(fake_hv_guest_reg(2, "cr3") != cr3);
	assert_true(fake_hv_guest_reg(2, "rip") == m->vbase + m->paddr + m->entry_offset);
	assert_true(fake_hv_pinned(2));
	assert_true(fake_hv_has_msrs(2));
	assert_int_equal(fake_hv_windows(), 0);
	assert_int_equal(fake_hv_guest_memory(2, m->vbase + m->paddr)[5], 0x5a);
	assert_int_equal(fake_hv_guest_memory(2, m->vbase + m->paddr)[6], 6 * 7 + 1);
	si = (void *)fake_hv_guest_memory(2, fake_hv_guest_reg(2, "rsi"));
	assert_int_equal(si->flags, SIF_VIRT_P2M_4TOOLS);
	assert_true(fake_hv_granted(2, GNTTAB_RESERVED_XENSTORE, si->store_mfn));
	assert_true(fake_hv_granted(2, GNTTAB_RESERVED_CONSOLE, si->console.domU.mfn));
	assert_int_equal(atoi(fake_get("/local/domain/2/store/port")), si->store_evtchn);
	shared = fake_hv_shared_info(2);
	assert_true(shared->evtchn_pending[0] == 0 && shared->evtchn_mask[0] == ~0ul);
	assert_string_equal(fake_get("/local/domain/2/control/feature-suspend"), "1");
}

static void test_p2m_of_a_restored_domain_names_its_new_frames(void **state)
{
	const struct start_info *si;
	uint8_t *seen = calloc(1, 65 * 256 + 1);
	uint64_t store_seen = 0;

	save(*state, "0");
	restore(*state);
	si = (void *)fake_hv_guest_memory(2, fake_hv_guest_reg(2, "rsi"));
	for (uint64_t pfn = 0; pfn < si->nr_pages; pfn++) {
		uint64_t mfn = *(uint64_t *)fake_hv_guest_memory(2, si->mfn_list + pfn * 8);

		assert_true(mfn < 65 * 256);
		assert_int_equal(seen[mfn]++, 0);
		store_seen += mfn == si->store_mfn;
	}
	assert_int_equal(store_seen, 1);
	free(seen);
}

#define TARGET "/local/domain/0/memory/target"

/* Its record says 8 MiB by now, and 12 are free. */
static void test_dom0_gives_what_the_saved_memory_needs(void **state)
{
	struct world *w = *state;
	int dom0_kib = (512 + 52) << 10, target_kib;

	save(w, "0");
	fake_hv_dom0_gets(52 << 10);
	fake_set("/config/host/dom0_min_mem", "256");
	fake_set("/config/domain/a/maxmem", "16");
	fake_set("/config/domain/a/memory", "8");
	restore(w);
	assert_string_equal(error_of("a"), "");
	assert_string_equal(state_of("a"), "starting");
	target_kib = atoi(fake_get(TARGET));
	assert_int_equal(target_kib, dom0_kib - ((17 << 10) - (int)fake_hv_free_kib()));
	fake_hv_dom0_gets(target_kib - dom0_kib);
	world_run(w, 5);
	assert_string_equal(state_of("a"), "running");
}

static void test_dom0_gives_no_more_than_the_saved_memory_needs(void **state)
{
	struct world *w = *state;

	save(w, "0");
	fake_hv_dom0_gets(32 << 10);
	fake_set("/config/host/dom0_min_mem", "256");
	fake_set("/config/domain/a/memory", "48");
	restore(w);
	assert_string_equal(error_of("a"), "");
	assert_string_equal(state_of("a"), "running");
	assert_null(fake_get(TARGET));
}

/* The disks change from the first instruction on: the memory fits them once. */
static void test_file_is_used_up_before_the_domain_runs(void **state)
{
	struct world *w = *state;

	save(w, "0");
	fake_hv_fail("domain_unpause", -EIO);
	restore(w);
	assert_string_equal(state_of("a"), "failed");
	assert_null(fake_get("/config/domain/a/saved"));
}

static void test_checkpointed_domain_goes_on(void **state)
{
	struct saved_head h;

	save(*state, "1");
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest(), 1);
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_int_equal(saved_head_read(file, &h, NULL), 0);
	saved_head_free(&h);
}

static void test_kernel_that_cannot_or_does_not_is_told_of(void **state)
{
	struct world *w = *state;

	fake_set("/local/domain/1/control/feature-suspend", "");
	ask(w, "0");
	refused("does not offer to be suspended");
	fake_set("/local/domain/1/control/feature-suspend", "1");
	ask(w, "0");
	world_run(w, 61);
	refused("did not suspend itself");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "");
	assert_string_equal(state_of("a"), "running");
	assert_int_not_equal(access(file, F_OK), 0);
}

static void fails_to_save(struct world *w, const char *what, const char *words)
{
	char partial[80];

	fake_hv_fail(what, -EIO);
	ask(w, "0");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	world_run(w, 15);
	fake_hv_fail("", 0);
	refused(words);
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_int_equal(fake_hv_windows(), 0);
	snprintf(partial, sizeof(partial), "%s.partial", file);
	assert_int_not_equal(access(file, F_OK), 0);
	assert_int_not_equal(access(partial, F_OK), 0);
}

static void test_what_cannot_be_saved_goes_on_and_leaves_no_file(void **state)
{
	fails_to_save(*state, "page_types", "kinds of frames");
}

/* xm was interrupted: it takes its request back, before and after the guest has suspended. */
static void test_withdrawn_save_leaves_a_running_domain_and_no_file(void **state)
{
	struct world *w = *state;

	ask(w, "0");
	fake_set("/request/r1", NULL);
	world_run(w, 1);
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "");
	ask(w, "0");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	fake_set("/request/r1", NULL);
	world_run(w, 15);
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_int_not_equal(access(file, F_OK), 0);
	save(w, "0");
}

static void test_a_store_that_does_not_answer_once_withdraws_nothing(void **state)
{
	struct world *w = *state;

	ask(w, "0");
	fake_refuse_once("/request/r1/op", ENOMEM);
	world_run(w, 1);
	assert_true(fake_has_refused());
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "suspend");
}

static void suspends(struct world *w)
{
	ask(w, "0");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
}

static char *disk_key(const char *key)
{
	static char path[128];

	snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/1/51712/%s", key);
	return path;
}

/* A write that is under way would be done when the restored guest has written something newer. */
static void test_nothing_is_saved_before_its_disks_are_at_rest(void **state)
{
	struct world *w = *state;
	char partial[80];
	struct stat st;

	snprintf(partial, sizeof(partial), "%s.partial", file);
	w->disks_hang = true;
	suspends(w);
	world_run(w, 50);
	assert_null(fake_get("/request/r1/state"));
	assert_non_null(fake_get(disk_key("drain")));
	assert_true(stat(partial, &st) < 0 || st.st_size == 0);
	w->disks_hang = false;
	world_run(w, 5);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_int_equal(access(file, F_OK), 0);
	assert_clean(free_kib);
}

static void test_disk_that_does_not_come_to_rest_is_named_and_its_guest_goes_on(void **state)
{
	struct world *w = *state;
	char first[64];

	w->disks_hang = true;
	suspends(w);
	fake_set(disk_key("error"), "disk nbd:b 1: Connection refused");
	snprintf(first, sizeof(first), "%s", fake_get(disk_key("drain")));
	world_run(w, 59);
	assert_null(fake_get("/request/r1/state"));
	/* Of its suspension a fake machine's xend hears within ten seconds. */
	world_run(w, 12);
	refused("disk xvda: what the guest asked of it did not end within 60 s: disk nbd:b 1: "
		"Connection refused");
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_null(fake_get(disk_key("drain")));
	assert_int_not_equal(access(file, F_OK), 0);
	/* What is said late is said of that time. */
	fake_set(disk_key("drained"), first);
	suspends(w);
	world_run(w, 30);
	assert_null(fake_get("/request/r1/state"));
	w->disks_hang = false;
	world_run(w, 5);
	assert_string_equal(fake_get("/request/r1/state"), "done");
}

static void test_withdrawn_while_a_disk_hangs_it_goes_on_at_once(void **state)
{
	struct world *w = *state;

	w->disks_hang = true;
	suspends(w);
	world_run(w, 10);
	fake_set("/request/r1", NULL);
	world_run(w, 0);
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_null(fake_get(disk_key("drain")));
}

static void test_name_and_wishes_stay_while_it_is_saved(void **state)
{
	struct world *w = *state;

	ask(w, "0");
	fake_set("/request/r2/args/name", "b");
	fake_set("/request/r2/domain", "a");
	fake_set("/request/r2/op", "rename");
	fake_set("/request/r3/domain", "a");
	fake_set("/request/r3/op", "reboot");
	world_run(w, 1);
	assert_string_equal(fake_get("/request/r2/error"), "a is being saved");
	assert_string_equal(fake_get("/request/r3/error"), "a is being saved");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "suspend");
}

static void test_domain_that_nobody_saves_is_resumed(void **state)
{
	struct world *w = *state;

	fake_hv_suspend(1);
	world_run(w, 15);
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
}

static void test_xend_killed_in_the_middle_leaves_a_running_domain(void **state)
{
	struct world *w = *state;

	ask(w, "0");
	world_kill(w);
	fake_hv_suspend(1);
	world_start(w);
	world_run(w, 15);
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest(), 1);
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
}

/* @n pieces of xend's work, with a guest that does what it is asked for. */
static void steps_with_guest(struct world *w, unsigned int n)
{
	char path[64];

	while (n--) {
		world_steps(w, 1);
		snprintf(path, sizeof(path), "/local/domain/%d/control/shutdown", fake_hv_guest());
		if (fake_hv_guest() < 0 || !fake_get(path) || strcmp(fake_get(path), "suspend"))
			continue;
		fake_set(path, "");
		fake_hv_suspend(fake_hv_guest());
		w->x.check_domains = true;
	}
}

/* Whichever it is: the guest runs and is to, or its file is whole and it is not to. */
static void test_xend_killed_at_any_step_of_a_save_leaves_a_domain_or_a_file(void **state)
{
	struct world *w = *state;
	unsigned int nr_files = 0, nr_domains = 0;
	struct saved_head h;
	char path[64];

	for (unsigned int n = 0; n < 60; n++) {
		unlink(file);
		fake_set("/request/r1", NULL);
		world_run(w, 1);
		assert_string_equal(state_of("a"), "running");
		snprintf(path, sizeof(path), "/local/domain/%d/control/feature-suspend", fake_hv_guest());
		fake_set(path, "1");
		fake_set("/request/r1/args/file", file);
		fake_set("/request/r1/args/checkpoint", n % 2 ? "1" : "0");
		fake_set("/request/r1/domain", "a");
		fake_set("/request/r1/op", "save");
		steps_with_guest(w, n / 2);
		world_kill(w);
		world_start(w);
		steps_with_guest(w, 20);
		world_run(w, 40);
		if (strcmp(state_of("a"), "running") == 0) {
			nr_domains++;
			assert_int_equal(fake_hv_domains(), 1);
			assert_string_equal(fake_get("/config/domain/a/power"), "on");
		} else {
			nr_files++;
			assert_string_equal(state_of("a"), "shutdown");
			assert_clean(free_kib);
			assert_string_equal(fake_get("/config/domain/a/power"), "off");
			assert_int_equal(saved_head_read(file, &h, NULL), 0);
			saved_head_free(&h);
			fake_set("/config/domain/a/power", "on");
		}
		/* Who asked is told the one or the other. */
		assert_non_null(fake_get("/request/r1/state"));
	}
	assert_true(nr_files > 0 && nr_domains > 0);
}

/* The saved memory goes on exactly once, wherever the xend that began it was killed. */
static void test_xend_killed_at_any_step_of_a_restore_is_followed_by_one_that_restores(void **state)
{
	const struct make_elf *m = &make_elf_linux;
	struct world *w = *state;

	for (unsigned int n = 0; n < 40; n++) {
		char path[64];

		fake_hv_guest_memory(fake_hv_guest(), m->vbase + m->paddr)[5] = (uint8_t)(n + 1);
		snprintf(path, sizeof(path), "/local/domain/%d/control/feature-suspend", fake_hv_guest());
		fake_set(path, "1");
		ask(w, "0");
		steps_with_guest(w, 5);
		world_run(w, 30);
		assert_string_equal(fake_get("/request/r1/state"), "done");
		assert_clean(free_kib);
		fake_set("/config/domain/a/saved", file);
		fake_set("/config/domain/a/power", "on");
		world_steps(w, n);
		world_kill(w);
		world_start(w);
		world_run(w, 60);
		assert_string_equal(error_of("a"), "");
		assert_string_equal(state_of("a"), "running");
		assert_int_equal(fake_hv_domains(), 1);
		assert_false(fake_hv_paused(fake_hv_guest()));
		assert_null(fake_get("/config/domain/a/saved"));
		assert_int_equal(fake_hv_guest_memory(fake_hv_guest(), m->vbase + m->paddr)[5], n + 1);
	}
}

/* --- the reader alone, in this process: what it asks for is granted and forgotten --- */

static bool alone;
static uint64_t next_frame;

int __real_restore_ask_populate(struct restore *r, const uint64_t *pfn, size_t nr, uint64_t *mfn);
int __wrap_restore_ask_populate(struct restore *r, const uint64_t *pfn, size_t nr, uint64_t *mfn);
int __wrap_restore_ask_populate(struct restore *r, const uint64_t *pfn, size_t nr, uint64_t *mfn)
{
	if (!alone)
		return __real_restore_ask_populate(r, pfn, nr, mfn);
	for (size_t i = 0; i < nr; i++)
		mfn[i] = ++next_frame;
	return 0;
}

int __real_restore_ask_write(struct restore *r, size_t nr);
int __wrap_restore_ask_write(struct restore *r, size_t nr);
int __wrap_restore_ask_write(struct restore *r, size_t nr)
{
	return alone ? 0 : __real_restore_ask_write(r, nr);
}

/* 0: it would go on to be resumed. */
static int read_alone(const char *path, char *why)
{
	static struct restore_window window;
	struct restore *r = calloc(1, sizeof(*r));
	int err = saved_head_read(path, &r->head, &r->fd);

	/* of the record */
	if (r->head.is_xl)
		r->head.nr_vcpus = 1;
	r->window = &window;
	r->max_pages = 64 * 256;
	next_frame = 0;
	alone = true;
	snprintf(why, WORKER_WHY, "the head");
	if (!err) {
		err = restore_read_stream(r);
		snprintf(why, WORKER_WHY, "%s", r->worker.why);
		close(r->fd);
		saved_head_free(&r->head);
	}
	alone = false;
	free(r->p2m_frame);
	free(r->body);
	free(r->unpacked);
	restore_frames_fini(&r->frames);
	for (int i = 0; i < RECORD_VCPUS_MAX; i++)
		free(r->vcpu[i].fpu);
	free(r);
	return err;
}

/* The file as it was written before there were checksums. */
static void make_unchecked(const char *path)
{
	size_t head = 152, at, to;
	struct saved_head h;
	struct stream_record rec;
	unsigned char *all;
	struct stat st;
	FILE *f;

	assert_int_equal(saved_head_read(path, &h, NULL), 0);
	h.version = SAVED_UNCHECKED;
	stat(path, &st);
	all = malloc((size_t)st.st_size);
	f = fopen(path, "r");
	assert_int_equal(fread(all, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	at = head + ((h.record_len + 7) & ~7ul) + sizeof(struct stream_image) +
	     sizeof(struct stream_domain);
	for (to = at; at < (size_t)st.st_size; at += sizeof(rec) + ((rec.length + 7u) & ~7u)) {
		size_t len;

		memcpy(&rec, all + at, sizeof(rec));
		len = sizeof(rec) + ((rec.length + 7u) & ~7u);
		if (rec.type == STREAM_CHECK || rec.type == STREAM_DIGEST)
			continue;
		memmove(all + to, all + at, len);
		to += len;
	}
	f = fopen(path, "w");
	assert_int_equal(saved_head_write(fileno(f), &h), 0);
	head += (h.record_len + 7) & ~7ul;
	fseek(f, (long)head, SEEK_SET);
	assert_int_equal(fwrite(all + head, 1, to - head, f), to - head);
	fclose(f);
	saved_head_free(&h);
	free(all);
}

static void test_file_without_checksums_is_restored_still(void **state)
{
	char why[WORKER_WHY];

	save(*state, "0");
	make_unchecked(file);
	assert_int_equal(read_alone(file, why), 0);
	restore(*state);
	assert_string_equal(error_of("a"), "");
	assert_string_equal(state_of("a"), "running");
}

/* For xl restore: its heads before the same memory, libxl's end behind. It comes back to us as well. */
static void test_file_for_xl_is_restored_too(void **state)
{
	static const unsigned char end[16];	/* Xen's, and libxl's */
	unsigned char head[72], last[sizeof(end)];
	char why[WORKER_WHY];
	FILE *f;

	as_xl = "1";
	save(*state, "0");
	as_xl = "0";
	f = fopen(file, "r+");
	assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
	assert_memory_equal(head, "Xen saved domain, xl format\n \0 \r\4\3\2\1\2\0\0\0\0\0\x56\x53\0\0\0\0", 48);
	assert_memory_equal(head + 48, "LibxlFmt\0\0\0\2\0\0\0\0\1\0\0\0\0\0\0\0", 24);
	fseek(f, -(long)sizeof(last), SEEK_END);
	assert_int_equal(fread(last, 1, sizeof(last), f), sizeof(last));
	assert_memory_equal(last, end, sizeof(end));
	assert_int_equal(read_alone(file, why), 0);
	for (long at = 0; at < 200; at++) {
		unsigned char was, as;

		assert_int_equal(pread(fileno(f), &was, 1, at), 1);
		as = was ^ (unsigned char)(1 << at % 8);
		pwrite(fileno(f), &as, 1, at);
		if (!read_alone(file, why))
			fail_msg("byte %ld", at);
		pwrite(fileno(f), &was, 1, at);
	}
	fclose(f);
	restore(*state);
	assert_string_equal(error_of("a"), "");
	assert_string_equal(state_of("a"), "running");
}

static void test_no_file_with_a_byte_changed_is_read(void **state)
{
	char why[WORKER_WHY];
	unsigned char *all;
	struct stat st;
	FILE *f;

	save(*state, "0");
	stat(file, &st);
	all = malloc((size_t)st.st_size);
	f = fopen(file, "r+");
	assert_int_equal(fread(all, 1, (size_t)st.st_size, f), st.st_size);
	assert_int_equal(read_alone(file, why), 0);
	/* Of the pages every seventh: each place in a word comes to its turn. */
	for (long at = 0; at < st.st_size; at += at < 4096 || at + 8192 > st.st_size ? 1 : 7) {
		/* A bit; where the version is, what makes it the one without checks. */
		unsigned char as = at == 16 ? 1 : all[at] ^ (unsigned char)(1 << at % 8);

		pwrite(fileno(f), &as, 1, at);
		if (!read_alone(file, why))
			fail_msg("byte %ld of %ld", at, (long)st.st_size);
		assert_true(why[0]);
		pwrite(fileno(f), &all[at], 1, at);
	}
	assert_int_equal(read_alone(file, why), 0);
	fclose(f);
	free(all);
}

/* Every byte of the first pages, of the heads and lists, one at a time; and every cut. */
static void test_damaged_file_is_refused_and_all_comes_back(void **state)
{
	struct world *w = *state;
	FILE *f;
	long len;

	save(w, "0");
	f = fopen(file, "r+");
	fseek(f, 0, SEEK_END);
	len = ftell(f);
	for (long at = 0; at < 2600; at += 13) {
		int c;

		fseek(f, at, SEEK_SET);
		c = fgetc(f);
		fseek(f, at, SEEK_SET);
		fputc(c ^ 0x81, f);
		fflush(f);
		restore(w);
		assert_string_equal(state_of("a"), "failed");
		assert_non_null(strstr(error_of("a"), "damaged"));
		assert_clean(free_kib);
		fake_set("/config/domain/a/power", "off");
		world_run(w, 1);
		fseek(f, at, SEEK_SET);
		fputc(c, f);
		fflush(f);
	}
	for (long cut = 1; cut < len; cut += len / 40) {
		assert_int_equal(ftruncate(fileno(f), len - cut), 0);
		restore(w);
		assert_string_equal(state_of("a"), "failed");
		assert_clean(free_kib);
		fake_set("/config/domain/a/power", "off");
		world_run(w, 1);
	}
	fclose(f);
}

static void test_more_memory_than_the_record_allows_is_refused(void **state)
{
	save(*state, "0");
	fake_set("/config/domain/a/memory", "8");
	fake_set("/config/domain/a/maxmem", "15");
	restore(*state);
	assert_string_equal(state_of("a"), "failed");
	assert_non_null(strstr(error_of("a"), "has 16 MiB of memory: maxmem=15 is too little"));
	assert_clean(free_kib);
}

static void test_memory_of_another_domain_is_refused(void **state)
{
	struct world *w = *state;

	save(w, "0");
	world_record(w, "b");
	fake_set("/config/domain/b/saved", file);
	world_run(w, 2);
	assert_string_equal(state_of("b"), "failed");
	assert_non_null(strstr(error_of("b"), "is the memory of another domain (a, uuid"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_saved_domain_is_gone_and_its_file_whole),
		T(test_restored_domain_goes_on_in_other_frames),
		T(test_p2m_of_a_restored_domain_names_its_new_frames),
		T(test_dom0_gives_what_the_saved_memory_needs),
		T(test_dom0_gives_no_more_than_the_saved_memory_needs),
		T(test_file_is_used_up_before_the_domain_runs),
		T(test_checkpointed_domain_goes_on),
		T(test_kernel_that_cannot_or_does_not_is_told_of),
		T(test_what_cannot_be_saved_goes_on_and_leaves_no_file),
		T(test_withdrawn_save_leaves_a_running_domain_and_no_file),
		T(test_a_store_that_does_not_answer_once_withdraws_nothing),
		T(test_nothing_is_saved_before_its_disks_are_at_rest),
		T(test_disk_that_does_not_come_to_rest_is_named_and_its_guest_goes_on),
		T(test_withdrawn_while_a_disk_hangs_it_goes_on_at_once),
		T(test_name_and_wishes_stay_while_it_is_saved),
		T(test_domain_that_nobody_saves_is_resumed),
		T(test_xend_killed_in_the_middle_leaves_a_running_domain),
		T(test_xend_killed_at_any_step_of_a_save_leaves_a_domain_or_a_file),
		T(test_xend_killed_at_any_step_of_a_restore_is_followed_by_one_that_restores),
		T(test_file_without_checksums_is_restored_still),
		T(test_file_for_xl_is_restored_too),
		T(test_no_file_with_a_byte_changed_is_read),
		T(test_damaged_file_is_refused_and_all_comes_back),
		T(test_more_memory_than_the_record_allows_is_refused),
		T(test_memory_of_another_domain_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
