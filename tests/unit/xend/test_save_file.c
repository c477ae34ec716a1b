/* SPDX-License-Identifier: MIT */
/*
 * test_save_file.c - the file of a save: whose it is, when it is there, and what a guest can put
 * into it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "make_elf.h"
#include "save_priv.h"
#include "save_pv.h"
#include "world.h"

static char file[64], partial[80];

/* --- what reaches the disk --- */

static unsigned int dirs_synced;
static struct save *withdrawn_in_file, *withdrawn_in_dir;
static bool dir_is_broken;

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	if (!S_ISDIR(st.st_mode)) {
		if (withdrawn_in_file)
			withdrawn_in_file->worker.stop = true;
		return 0;
	}
	/* The name of what is whole is there when it is made durable. */
	assert_int_equal(access(file, F_OK), 0);
	dirs_synced++;
	if (withdrawn_in_dir)
		withdrawn_in_dir->worker.stop = true;
	errno = EIO;
	return dir_is_broken ? -1 : 0;
}

/* --- a file system that does not answer --- */

enum hung { HUNG_NOWHERE, HUNG_OPEN, HUNG_WRITE };

static _Atomic enum hung hung_at;
static const char *hung_file;
static atomic_bool hangs;			/* somebody waits there */

static void answer_if_well(enum hung where, const char *path)
{
	while (hung_at == where && hung_file && !strcmp(path, hung_file)) {
		hangs = true;
		usleep(1000);
	}
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	answer_if_well(HUNG_OPEN, path);
	return __real_open64(path, flags, mode);
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	char link[32], path[128] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (hung_at == HUNG_WRITE && readlink(link, path, sizeof(path) - 1) > 0)
		answer_if_well(HUNG_WRITE, path);
	return __real_write(fd, data, len);
}

static int start(void **state)
{
	int err = world_setup(state);
	struct world *w = *state;

	snprintf(file, sizeof(file), "%s/a.save", w->dir);
	snprintf(partial, sizeof(partial), "%s.partial", file);
	dirs_synced = 0;
	withdrawn_in_file = withdrawn_in_dir = NULL;
	dir_is_broken = false;
	world_record(w, "a");
	world_run(w, 1);
	assert_string_equal(state_of("a"), "running");
	fake_set("/local/domain/1/control/feature-suspend", "1");
	return err;
}

static int end(void **state)
{
	unlink(file);
	unlink(partial);
	return world_teardown(state);
}

static struct save *opened(struct world *w, const char *name)
{
	char why[WORKER_WHY] = "";
	struct save *s = NULL;

	if (save_open(&w->x, domain_find(&w->x, name), file, false, &s, why) || save_result(s, why))
		fail_msg("%s", why);
	return s;
}

/* As xm asks. */
static void save(struct world *w)
{
	fake_set("/request/r1/args/file", file);
	request(w, "save", "a");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "suspend");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	world_run(w, 30);
}

static void write_old(void)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs("old", f);
	fclose(f);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

/* The machine may lose its power as soon as the domain has ended. */
static void test_name_is_on_the_disk_before_the_domain_ends(void **state)
{
	save(*state);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_int_equal(dirs_synced, 1);
	assert_int_equal(access(file, F_OK), 0);
	assert_string_equal(state_of("a"), "shutdown");
}

static void test_name_that_the_disk_does_not_take_is_gone_and_the_guest_goes_on(void **state)
{
	dir_is_broken = true;
	save(*state);
	assert_non_null(strstr(fake_get("/request/r1/error"), "the disk does not take its name"));
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_int_not_equal(access(file, F_OK), 0);
}

/* --- the record in it --- */

static int is_restart(void *arg, const char *key, const char *value)
{
	(void)arg;
	return !strcmp(key, "on_crash") && !strcmp(value, "restart");
}

/* Somebody removes it, and the file is all there is. */
static void test_record_is_saved_as_it_is_when_the_guest_stands_still(void **state)
{
	struct world *w = *state;
	struct saved_head h;

	fake_set("/request/r1/args/file", file);
	request(w, "save", "a");
	fake_set("/config/domain/a/on_crash", "restart");
	fake_set("/local/domain/1/control/shutdown", "");
	fake_hv_suspend(1);
	world_run(w, 30);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_int_equal(saved_head_read(file, &h, NULL), 0);
	assert_int_equal(saved_head_each(&h, is_restart, NULL), 1);
	saved_head_free(&h);
}

/* autostart=last would boot it anew, and its disks would fit its memory no more. */
static void test_what_is_saved_while_its_host_goes_down_does_not_boot_anew(void **state)
{
	struct world *w = *state;

	fake_set("/config/domain/a/autostart", "last");
	fake_set("/host/stopping", "1");
	save(w);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_string_equal(fake_get("/config/domain/a/power"), "off");
}

/* --- withdrawn --- */

/* The guest runs on, so what was read last may be torn. */
static void test_withdrawn_before_it_is_in_its_place_it_never_gets_there(void **state)
{
	struct world *w = *state;
	struct save *s;

	write_old();
	s = opened(w, "a");
	fake_hv_suspend(1);
	withdrawn_in_file = s;
	assert_int_equal(save_begin(s, &w->x), 0);
	save_release(s);
	assert_int_equal(size_of(file), 3);
	assert_int_equal(size_of(partial), -1);
}

static void test_withdrawn_when_it_is_in_its_place_it_goes(void **state)
{
	struct world *w = *state;
	struct save *s = opened(w, "a");

	fake_hv_suspend(1);
	withdrawn_in_dir = s;
	assert_int_equal(save_begin(s, &w->x), 0);
	save_release(s);
	assert_int_equal(size_of(file), -1);
	assert_int_equal(size_of(partial), -1);
}

static void test_late_withdrawn_save_leaves_the_next_one_alone(void **state)
{
	struct world *w = *state;
	struct save *s = opened(w, "a");

	fake_hv_suspend(1);
	assert_int_equal(save_begin(s, &w->x), 0);
	assert_int_equal(unlink(file), 0);
	write_old();
	save_release(s);
	assert_int_equal(size_of(file), 3);
}

/* --- a file system that does not answer --- */

static bool is_asked(void)
{
	return !strcmp(fake_get("/local/domain/1/control/shutdown"), "suspend");
}

/*
 * Workers are threads from here, and the file's system hangs @where; until somebody waits for it.
 */
static void save_hangs(struct world *w, enum hung where)
{
	w->x.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	hung_file = partial;
	hung_at = where;
	hangs = false;
	fake_set("/request/r1/args/file", file);
	request(w, "save", "a");
	while (where != HUNG_OPEN && !is_asked()) {
		usleep(1000);
		world_steps(w, 1);
	}
	if (where != HUNG_OPEN) {
		fake_set("/local/domain/1/control/shutdown", "");
		fake_hv_suspend(1);
		world_run(w, 10);
	}
	while (!hangs)
		usleep(1000);
}

/* It answers again, and nothing is left there. */
static void answers_again(struct world *w)
{
	hung_at = HUNG_NOWHERE;
	while (size_of(partial) >= 0)
		usleep(1000);
	assert_true(hung_file == file || size_of(file) == -1);
	close(w->x.wake_fd);
	w->x.wake_fd = -1;
}

static void test_guest_is_not_asked_before_its_file_is_there_and_nobody_else_waits(void **state)
{
	struct world *w = *state;

	world_record(w, "b");
	fake_set("/config/domain/b/disk/0/target", "file:/data/other.img");
	world_run(w, 2);
	save_hangs(w, HUNG_OPEN);
	assert_false(is_asked());
	fake_set("/request/r2/domain", "b");
	fake_set("/request/r2/op", "pause");
	world_run(w, 1);
	assert_string_equal(fake_get("/request/r2/state"), "done");
	assert_null(fake_get("/request/r1/state"));
	world_run(w, SAVE_FILE_STUCK_S);
	assert_string_equal(fake_get("/request/r1/state"), "failed");
	assert_non_null(strstr(fake_get("/request/r1/error"), "took nothing for 30 s"));
	assert_false(is_asked());
	assert_string_equal(state_of("a"), "running");
	answers_again(w);
}

static void test_guest_goes_on_when_its_file_takes_nothing(void **state)
{
	struct world *w = *state;

	save_hangs(w, HUNG_WRITE);
	world_run(w, SAVE_FILE_STUCK_S - 12);
	assert_null(fake_get("/request/r1/state"));
	world_run(w, 14);
	assert_string_equal(fake_get("/request/r1/state"), "failed");
	assert_non_null(strstr(fake_get("/request/r1/error"), "took nothing for 30 s"));
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	answers_again(w);
}

static void test_guest_goes_on_when_nobody_waits_for_what_its_file_does_not_take(void **state)
{
	struct world *w = *state;

	save_hangs(w, HUNG_WRITE);
	fake_set("/request/r1", NULL);
	world_run(w, 1);
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	answers_again(w);
}

static void test_destroyed_while_its_file_takes_nothing(void **state)
{
	struct world *w = *state;

	save_hangs(w, HUNG_WRITE);
	fake_set("/request/r2/domain", "a");
	fake_set("/request/r2/op", "destroy");
	world_run(w, 5);
	assert_string_equal(fake_get("/request/r2/state"), "done");
	assert_int_equal(fake_hv_domains(), 0);
	answers_again(w);
}

static void test_nobody_waits_for_the_file_of_a_restore(void **state)
{
	struct world *w = *state;

	save(w);
	world_record(w, "b");
	fake_set("/config/domain/b/disk/0/target", "file:/data/other.img");
	world_run(w, 2);
	w->x.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	hung_file = file;
	hung_at = HUNG_OPEN;
	hangs = false;
	fake_set("/config/domain/a/saved", file);
	fake_set("/config/domain/a/power", "on");
	world_run(w, 1);
	while (!hangs)
		usleep(1000);
	fake_set("/request/r2/domain", "b");
	fake_set("/request/r2/op", "pause");
	world_run(w, 1);
	assert_string_equal(fake_get("/request/r2/state"), "done");
	world_run(w, 290);
	assert_string_equal(state_of("a"), "starting");
	world_run(w, 20);
	assert_string_equal(state_of("a"), "failed");
	assert_non_null(strstr(error_of("a"), "does not answer"));
	answers_again(w);
}

/* --- somebody else's --- */

static void test_two_saves_do_not_write_one_file(void **state)
{
	struct world *w = *state;
	char why[WORKER_WHY] = "";
	struct save *s = opened(w, "a"), *other = NULL;
	struct stat st;

	assert_int_equal(save_open(&w->x, domain_find(&w->x, "a"), file, false, &other, why), 0);
	assert_int_equal(save_result(other, why), -EBUSY);
	assert_non_null(strstr(why, "another save writes it"));
	save_release(other);
	assert_int_equal(stat(partial, &st), 0);
	fake_hv_suspend(1);
	assert_int_equal(save_begin(s, &w->x), 0);
	assert_int_equal(save_result(s, why), 0);
	save_release(s);
	assert_true(size_of(file) > 4096);
}

static void test_what_a_killed_xend_left_is_in_nobodys_way(void **state)
{
	FILE *f = fopen(partial, "w");

	fputs("half", f);
	fclose(f);
	save(*state);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_true(size_of(file) > 4096);
}

/* In a directory that is everybody's. */
static void test_memory_is_written_to_no_file_that_was_there(void **state)
{
	struct world *w = *state;
	char victim[64];
	struct stat st;
	FILE *f;

	snprintf(victim, sizeof(victim), "%s/victim", w->dir);
	f = fopen(victim, "w");
	fputs("precious", f);
	fclose(f);
	assert_int_equal(symlink(victim, partial), 0);
	save_release(opened(w, "a"));
	assert_int_equal(size_of(victim), 8);
	/* Who can read it already would see the guest's memory. */
	assert_int_equal(link(victim, partial), 0);
	save_release(opened(w, "a"));
	assert_int_equal(size_of(victim), 8);
	unlink(victim);
	/* xend itself would wait for a reader. */
	assert_int_equal(mkfifo(partial, 0666), 0);
	alarm(10);
	save_release(opened(w, "a"));
	alarm(0);
	assert_int_equal(stat(partial, &st), -1);
}

/* --- a guest that lies --- */

/* All its pages are one page of it that has contents. */
static void name_one_frame_for_all(void)
{
	const struct start_info *si = (void *)fake_hv_guest_memory(1, fake_hv_guest_reg(1, "rsi"));
	uint64_t list = si->mfn_list, nr = si->nr_pages, first = 0;

	for (uint64_t pfn = 0; pfn < nr; pfn++) {
		uint64_t *mfn = (uint64_t *)fake_hv_guest_memory(1, list + pfn * 8);

		if (!pfn)
			first = *mfn;
		else if (pfn >= nr / 2)
			*mfn = first;
	}
	fake_hv_guest_memory(1, make_elf_linux.vbase)[0] = 1;
}

static off_t size_when_saved(struct world *w)
{
	struct save *s = opened(w, "a");
	off_t size;

	fake_hv_suspend(1);
	assert_int_equal(save_begin(s, &w->x), 0);
	if (save_result(s, s->worker.why))
		fail_msg("%s", s->worker.why);
	save_release(s);
	size = size_of(file);
	unlink(file);
	assert_int_equal(hv_domain_resume(w->hv, 1), 0);
	return size;
}

/* Of a list as long as it likes: dom0's disk would be full. */
static void test_guest_cannot_make_its_file_longer_than_its_memory(void **state)
{
	off_t honest = size_when_saved(*state);

	name_one_frame_for_all();
	assert_in_range(size_when_saved(*state), 4096, honest + 4096);
}

/* Fills frame @mfn with @entry. */
static void fill(struct world *w, uint64_t mfn, uint64_t entry, bool only_first)
{
	uint64_t *page = hv_map(w->hv, 1, &mfn, 1);

	for (int i = 0; i < 512; i++)
		page[i] = only_first && i ? ~0ull : entry;
	hv_unmap(w->hv, page, 1);
}

/*
 * Four tables, each of one entry 512 times, show a list as long as one likes with one frame in it:
 * of 2^24 here, of more in life. In KiB: what xend had to take for it.
 */
static long taken_for_a_long_list(struct world *w)
{
	struct shared_info *shared = (struct shared_info *)fake_hv_shared_info(1);
	const struct start_info *si = (void *)fake_hv_guest_memory(1, fake_hv_guest_reg(1, "rsi"));
	/* In one page of the list, which need not lie in frames that follow each other. */
	const void *some = fake_hv_guest_memory(1, si->mfn_list + si->nr_pages / 2 * 8);
	uint64_t page[5];
	struct rusage before, after;
	struct save *s = opened(w, "a");

	memcpy(page, some, sizeof(page));
	fake_hv_suspend(1);
	for (int i = 0; i < 4; i++)
		fill(w, page[i], page[i + 1] << 12 | 1, false);
	fill(w, page[4], page[4], true);
	shared->arch.max_pfn = 1ul << 24;
	shared->arch.p2m_vaddr = 0;
	shared->arch.p2m_cr3 = page[0] << 12;
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(save_find_domain(s), 0);
	assert_int_equal(save_write_memory(s), -EFAULT);
	getrusage(RUSAGE_SELF, &after);
	save_release(s);
	return after.ru_maxrss - before.ru_maxrss;
}

/* The list itself would be 128 MiB. */
static void test_guest_that_claims_a_long_list_takes_no_memory_of_dom0(void **state)
{
	assert_in_range(taken_for_a_long_list(*state), 0, 64 << 10);
}

/* --- a disk that will not come to rest --- */

static char *disk_key(const char *key)
{
	static char path[128];

	snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/1/51712/%s", key);
	return path;
}

/* Its guest stands still, and is asked for what it says at once. */
static void drains(struct world *w)
{
	w->disks_hang = true;
	save(w);
	/* Of its suspension a fake machine's xend hears within ten seconds. */
	assert_non_null(fake_get(disk_key("drain")));
	assert_null(fake_get("/request/r1/state"));
}

static void goes_on(const char *words)
{
	assert_non_null(fake_get("/request/r1/error"));
	assert_non_null(strstr(fake_get("/request/r1/error"), words));
	assert_string_equal(state_of("a"), "running");
	assert_int_equal(fake_hv_guest_reg(1, "rax"), 1);
	assert_int_not_equal(access(file, F_OK), 0);
}

static void test_disk_that_refuses_a_flush_is_not_waited_for(void **state)
{
	struct world *w = *state;
	char answer[64];

	drains(w);
	fake_set(disk_key("drained"), "failed of another time");
	world_run(w, 0);
	assert_null(fake_get("/request/r1/state"));
	snprintf(answer, sizeof(answer), "failed %s", fake_get(disk_key("drain")));
	fake_set(disk_key("error"), "what was written cannot be flushed: Input/output error");
	fake_set(disk_key("drained"), answer);
	world_run(w, 1);
	goes_on("disk xvda: what was written cannot be flushed: Input/output error");
}

static void test_disk_that_nobody_serves_any_more_is_not_waited_for(void **state)
{
	struct world *w = *state;

	drains(w);
	fake_set(disk_key("hotplug-error"), "/data/a.img: No such file or directory");
	fake_set(disk_key("hotplug-status"), "error");
	world_run(w, 1);
	goes_on("/data/a.img: No such file or directory");
}

static void test_disk_that_has_closed_for_good_is_at_rest(void **state)
{
	struct world *w = *state;

	drains(w);
	/* The guest alone has let go: its process lives, and answers. */
	fake_set(disk_key("state"), "6");
	world_run(w, 1);
	assert_null(fake_get("/request/r1/state"));
	fake_set(disk_key("online"), "0");
	world_run(w, 5);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_int_equal(access(file, F_OK), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_name_is_on_the_disk_before_the_domain_ends),
		T(test_name_that_the_disk_does_not_take_is_gone_and_the_guest_goes_on),
		T(test_record_is_saved_as_it_is_when_the_guest_stands_still),
		T(test_what_is_saved_while_its_host_goes_down_does_not_boot_anew),
		T(test_withdrawn_before_it_is_in_its_place_it_never_gets_there),
		T(test_withdrawn_when_it_is_in_its_place_it_goes),
		T(test_late_withdrawn_save_leaves_the_next_one_alone),
		T(test_two_saves_do_not_write_one_file),
		T(test_what_a_killed_xend_left_is_in_nobodys_way),
		T(test_memory_is_written_to_no_file_that_was_there),
		T(test_guest_that_claims_a_long_list_takes_no_memory_of_dom0),
		T(test_disk_that_refuses_a_flush_is_not_waited_for),
		T(test_disk_that_nobody_serves_any_more_is_not_waited_for),
		T(test_disk_that_has_closed_for_good_is_at_rest),
		T(test_guest_cannot_make_its_file_longer_than_its_memory),
		/* With threads, whose memory a sanitizer keeps: behind the one that measures it. */
		T(test_guest_is_not_asked_before_its_file_is_there_and_nobody_else_waits),
		T(test_guest_goes_on_when_its_file_takes_nothing),
		T(test_guest_goes_on_when_nobody_waits_for_what_its_file_does_not_take),
		T(test_destroyed_while_its_file_takes_nothing),
		T(test_nobody_waits_for_the_file_of_a_restore),
	};

	/* meson's wish, which has calloc() write what is zero already */
	mallopt(M_PERTURB, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
