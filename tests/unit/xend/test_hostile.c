/* SPDX-License-Identifier: MIT */
/*
 * test_hostile.c - files made to harm the manager: what reads them is another process, with nothing
 * in its hands and bounded memory, and whatever becomes of it is one start that failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <lzma.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"
#include "make_elf.h"
#include "restore_link_priv.h"
#include "restore_priv.h"
#include "stream.h"
#include "unpack.h"
#include "unpack_child.h"
#include "world.h"

#define MIB (1ul << 20)

static bool crash;			/* the decoder, or the reader of saved files, in its process */
static int (*taken_over)(struct restore *r);	/* the reader is somebody else's */

int __real_unpack_kernel(const struct unpack_to *to, const void *file, size_t len);
int __wrap_unpack_kernel(const struct unpack_to *to, const void *file, size_t len);
int __wrap_unpack_kernel(const struct unpack_to *to, const void *file, size_t len)
{
	if (crash)
		abort();
	return __real_unpack_kernel(to, file, len);
}

/* What a reader may ask for, and less: each is refused, and nothing happens in xend. */
static int ask_nonsense(struct restore *r)
{
	static const struct restore_question questions[] = {
		{ 99, 1, 0 }, { UINT32_MAX, 1, 0 },
		{ RESTORE_POPULATE, 0, 0 }, { RESTORE_POPULATE, STREAM_BATCH + 1, 0 },
		{ RESTORE_WRITE, UINT32_MAX, 0 }, { RESTORE_READ, 2, 0 },
		{ RESTORE_PIN, 0, 0 }, { RESTORE_PIN, 5, 0 },
		{ RESTORE_VCPU, 1, 0 }, { RESTORE_VCPU, sizeof(struct vcpu_guest_context), 1000 },
		{ RESTORE_CALLBACKS, HV_CALLBACKS_SIZE + 1, 0 },
		{ RESTORE_CALLBACKS, HV_CALLBACKS_SIZE, UINT64_MAX },
		{ RESTORE_MSRS, 0, 0 }, { RESTORE_MSRS, HV_MSRS_MAX * HV_MSR_SIZE + 1, 0 },
		{ RESTORE_MSRS, HV_MSR_SIZE, 1000 },
		{ RESTORE_FPU, 0, 0 }, { RESTORE_FPU, sizeof(r->window->page) + 1, 0 },
	};
	struct restore_answer a;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (send(r->link, &questions[i], sizeof(questions[i]), 0) < 0 ||
		    recv(r->link, &a, sizeof(a), 0) != sizeof(a) || a.err != -EINVAL)
			return restore_fail(r, -EPROTO, "one was answered");
	}
	memset(r->worker.why, 'x', sizeof(r->worker.why));
	memcpy(r->worker.why, "\x1b[31mhello\n", 11);
	return -EINVAL;
}

/* Only a signal ends it. */
static int stay(struct restore *r)
{
	for (;;)
		syscall(SYS_futex, &r->link, FUTEX_WAIT, r->link, NULL, NULL, 0);
	return 0;
}

static int ask_half_and_stay(struct restore *r)
{
	send(r->link, "?", 1, 0);
	return stay(r);
}

static int ask_nothing_and_stay(struct restore *r)
{
	send(r->link, "", 0, 0);
	return stay(r);
}

static int read_for_ever(struct restore *r)
{
	const uint64_t pfn = 0;
	uint64_t mfn = 0;
	int err = restore_ask_populate(r, &pfn, 1, &mfn);

	while (!err)
		err = restore_ask_read(r, mfn);
	return err == -EPIPE ? stay(r) : err;
}

static int take_no_answer(struct restore *r)
{
	const struct restore_question q = { 99, 1, 0 };

	while (send(r->link, &q, sizeof(q), MSG_NOSIGNAL) == sizeof(q))
		;
	return stay(r);
}

static int return_in_progress(struct restore *r)
{
	return -EINPROGRESS;
}

int __real_restore_read_stream(struct restore *r);
int __wrap_restore_read_stream(struct restore *r);
int __wrap_restore_read_stream(struct restore *r)
{
	if (crash)
		abort();
	return taken_over ? taken_over(r) : __real_restore_read_stream(r);
}

/* --- what the process may do --- */

static void crime_open(void) { open("/etc/passwd", O_RDONLY); }
static void crime_socket(void) { socket(AF_UNIX, SOCK_STREAM, 0); }
static void crime_write(void) { (void)!write(2, "x", 1); }
static void crime_fork(void) { fork(); }
static void crime_exec(void) { execl("/bin/true", "true", NULL); }
static void crime_kill(void) { kill(getppid(), 0); }
static void crime_ioctl(void) { ioctl(0, FIONREAD, NULL); }
static void crime_code(void) { mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void crime_user(void) { (void)!setuid(0); }
static void crime_memfd(void) { memfd_create("x", 0); }
static void crime_trap(void) { __builtin_trap(); }

static void (*const crimes[])(void) = {
	crime_open, crime_socket, crime_write, crime_fork, crime_exec, crime_kill, crime_ioctl,
	crime_code, crime_user, crime_memfd, crime_trap,
};

static int commit(void *arg)
{
	(*(void (*const *)(void))arg)();
	return 0;
}

static int run(int (*work)(void *arg), void *arg)
{
	const struct helper h = { .work = work, .arg = arg, .limits = { 64 * MIB, MIB, 10 } };
	atomic_bool stop = false;

	return helper_run(&h, &stop);
}

static int fail_with(void *arg)
{
	return *(int *)arg;
}

/* What xend, or a sanitizer, means by a word of its own is not the other's to say. */
static void test_no_error_of_its_is_taken_for_another(void **state)
{
	static const int said[][2] = {
		{ -EPERM, -EACCES }, { -EINPROGRESS, -EBADMSG }, { -EINTR, -EBADMSG },
		{ -ENOMEM, -ENOMEM }, { 0, 0 },
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		assert_int_equal(run(fail_with, (void *)&said[i][0]), said[i][1]);
}

static int nothing(void *arg)
{
	return -ENOTSUP;
}

static void test_each_forbidden_call_is_its_last(void **state)
{
	assert_int_equal(run(nothing, NULL), -ENOTSUP);
	for (size_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		if (run(commit, (void *)&crimes[i]) != -EBADMSG)
			fail_msg("crime %zu is allowed", i);
	}
}

/* A descriptor that it was not given is closed: reading it is an error, and no crime. */
static int read_zero(void *arg)
{
	char c;

	return read(*(int *)arg, &c, 1) == 1 ? 0 : -errno;
}

static void test_it_has_no_descriptor_but_what_it_is_given(void **state)
{
	int zero = open("/dev/zero", O_RDONLY), low = dup(zero);
	struct helper h = { .work = read_zero, .arg = &zero, .keep = { low, zero }, .nr_keep = 2,
			    .limits = { 64 * MIB, MIB, 10 } };
	atomic_bool stop = false;

	assert_int_equal(helper_run(&h, &stop), 0);
	h.keep[1] = low;
	assert_int_equal(helper_run(&h, &stop), -EBADF);
	h.nr_keep = 0;
	h.arg = &low;
	assert_int_equal(helper_run(&h, &stop), -EBADF);
	close(zero);
	close(low);
}

static int take_memory(void *arg)
{
	void *p = mmap(NULL, *(size_t *)arg, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	return p == MAP_FAILED ? -ENOMEM : 0;
}

static int run_for_ever(void *arg)
{
	for (volatile unsigned int i = 0;; i++)
		;
	return 0;
}

static void *stop_soon(void *arg)
{
	atomic_store((atomic_bool *)arg, true);
	return NULL;
}

static void test_memory_and_time_are_bounded(void **state)
{
	size_t little = 32 * MIB, much = 80 * MIB;
	struct helper h = { .work = run_for_ever, .limits = { 64 * MIB, MIB, 1 } };
	atomic_bool stop = false;
	pthread_t t;

	assert_int_equal(run(take_memory, &little), 0);
	assert_int_equal(run(take_memory, &much), -ENOMEM);
	assert_int_equal(helper_run(&h, &stop), -EAGAIN);
	h.limits.cpu_s = 1000;
	pthread_create(&t, NULL, stop_soon, &stop);
	assert_int_equal(helper_run(&h, &stop), -EINTR);
	pthread_join(t, NULL);
}

/* Nor does one without a descriptor to spare wait for ever. */
static void test_it_is_stopped_also_without_descriptors(void **state)
{
	const struct helper h = { .work = run_for_ever, .limits = { 64 * MIB, MIB, 1000 } };
	int next = dup(0);
	struct rlimit before, none;
	atomic_bool stop = true;

	close(next);
	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){ (rlim_t)next, before.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	assert_int_equal(helper_run(&h, &stop), -EINTR);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* --- kernels --- */

/* @mib of zeros, packed to a few KiB. */
static uint8_t *bomb(size_t mib, size_t *len)
{
	size_t room = MIB, n = 0;
	uint8_t *packed = malloc(room), *zeros = calloc(1, MIB), *file;
	lzma_stream s = LZMA_STREAM_INIT;

	assert_int_equal(lzma_easy_encoder(&s, 0, LZMA_CHECK_CRC32), LZMA_OK);
	s.next_out = packed;
	s.avail_out = room;
	for (size_t i = 0; i < mib; i++) {
		s.next_in = zeros;
		s.avail_in = MIB;
		assert_int_equal(lzma_code(&s, LZMA_RUN), LZMA_OK);
	}
	assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
	n = room - s.avail_out;
	lzma_end(&s);
	file = make_bzimage(packed, n, (uint32_t)(mib * MIB), false, len);
	free(packed);
	free(zeros);
	return file;
}

static int memory_file(const uint8_t *data, size_t len)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	assert_int_equal(write(fd, data, len), len);
	return fd;
}

/* KiB that this process has at most had at once. */
static unsigned long peak_kib(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "VmHWM: %lu", &kib) == 1)
			break;
	}
	fclose(f);
	return kib;
}

static void test_a_bomb_is_another_process_s_and_no_larger_than_the_guest(void **state)
{
	size_t len;
	uint8_t *file = bomb(160, &len);
	int fd = memory_file(file, len), image;
	unsigned long before = peak_kib();
	atomic_bool stop = false;
	struct rusage small, large;

	assert_in_range(len, 1, 64 << 10);
	assert_int_equal(unpack_in_child(fd, len, 128 * MIB, &stop, &image), -EFBIG);
	getrusage(RUSAGE_CHILDREN, &small);
	assert_int_equal(unpack_in_child(fd, len, 256 * MIB, &stop, &image), 0);
	getrusage(RUSAGE_CHILDREN, &large);
	assert_int_equal(lseek(image, 0, SEEK_END), 160 * MIB);
	/* Said before any memory was taken; then the image and what a decoder may have. */
	assert_in_range(small.ru_maxrss, 0, (long)before + 16 * 1024);
	assert_in_range(large.ru_maxrss, 160 * 1024, (long)before + (160 + UNPACK_SCRATCH / MIB) * 1024);
	assert_in_range(peak_kib(), before, before + 8 * 1024);
	close(image);
	close(fd);
	free(file);
}

/* More than Linux's build ever asks a decoder for. */
static void test_a_dictionary_without_end_is_refused(void **state)
{
	uint8_t packed[4096], inner[4096] = "\x7f" "ELF", *file;
	lzma_stream s = LZMA_STREAM_INIT;
	size_t pos, len;
	lzma_options_lzma opt;
	atomic_bool stop = false;
	int fd, image;

	lzma_lzma_preset(&opt, 0);
	assert_int_equal(lzma_alone_encoder(&s, &opt), LZMA_OK);
	s.next_in = inner;
	s.avail_in = sizeof(inner);
	s.next_out = packed;
	s.avail_out = sizeof(packed);
	assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
	pos = s.total_out;
	lzma_end(&s);
	packed[4] = 0xc0;		/* its top byte: 3 GiB */
	file = make_bzimage(packed, pos, sizeof(inner), false, &len);
	fd = memory_file(file, len);
	assert_int_equal(unpack_in_child(fd, len, 64 * MIB, &stop, &image), -ENOMEM);
	close(fd);
	free(file);
}

static void test_a_file_that_is_cut_while_it_is_read_ends_only_its_reader(void **state)
{
	size_t len;
	uint8_t *file = bomb(1, &len);
	int fd = memory_file(file, len), image;
	atomic_bool stop = false;

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(unpack_in_child(fd, len, 64 * MIB, &stop, &image), -EBADMSG);
	close(fd);
	free(file);
}

static void write_kernel(struct world *w, const uint8_t *file, size_t len)
{
	FILE *f = fopen(w->kernel, "w");

	assert_int_equal(fwrite(file, 1, len, f), len);
	fclose(f);
}

/* --- saved files --- */

static char saved[64];

static void put_record(FILE *f, uint32_t type, const void *body, uint32_t len)
{
	const struct stream_record rec = { type, len };

	fwrite(&rec, sizeof(rec), 1, f);
	fwrite(body, 1, len, f);
	fwrite("\0\0\0\0\0\0\0", 1, -len & 7, f);
}

/* A file up to its list of frames, which names @nr_pfns pages that there are not. */
static FILE *begin_saved(struct world *w, uint64_t nr_pfns)
{
	const struct stream_image image = { STREAM_MARKER, htonl(STREAM_ID), htonl(STREAM_VERSION) };
	const struct stream_domain dom = { STREAM_X86_PV, STREAM_PAGE_SHIFT, 0, 4, 17 };
	const struct stream_pv_info info = { 8, 4, { 0 } };
	struct saved_head head = { .version = SAVED_UNCHECKED, .name = "web", .nr_vcpus = 1, .nr_pages = 16 * 256 };
	size_t len = sizeof(struct stream_p2m) + (nr_pfns + 511) / 512 * 8;
	struct stream_p2m *p2m = calloc(1, len);
	FILE *f;

	snprintf(head.uuid, sizeof(head.uuid), "7315864e-5e4b-493c-9f14-c0fd4ad5f871");
	snprintf(saved, sizeof(saved), "%s/web.save", w->dir);
	f = fopen(saved, "w");
	assert_int_equal(saved_head_write(fileno(f), &head), 0);
	fwrite(&image, sizeof(image), 1, f);
	fwrite(&dom, sizeof(dom), 1, f);
	put_record(f, STREAM_PV_INFO, &info, sizeof(info));
	p2m->last_pfn = (uint32_t)(nr_pfns - 1);
	put_record(f, STREAM_P2M_FRAMES, p2m, (uint32_t)len);
	free(p2m);
	return f;
}

/* One page in each part of what xend remembers them by, all over the list. */
static void put_scattered(FILE *f, uint64_t nr_pfns, uint64_t kind)
{
	static struct {
		struct stream_pages head;
		uint64_t pfn[STREAM_BATCH];
	} rec;
	uint64_t pfn = 0;

	while (pfn < nr_pfns) {
		uint32_t n = 0;

		for (; n < STREAM_BATCH && pfn < nr_pfns; pfn += 512)
			rec.pfn[n++] = pfn | kind << STREAM_TYPE_SHIFT;
		rec.head.count = n;
		put_record(f, STREAM_PAGE_DATA, &rec, (uint32_t)sizeof(rec.head) + n * 8);
	}
}

static void fails_once(struct world *w, const char *says)
{
	uint64_t before = fake_hv_free_kib();
	unsigned int tries;

	world_record(w, "web");
	fake_set("/config/domain/web/uuid", "7315864e-5e4b-493c-9f14-c0fd4ad5f871");
	if (saved[0])
		fake_set("/config/domain/web/saved", saved);
	fake_set("/config/domain/web/on_crash", "restart");
	world_run(w, 15);
	assert_string_equal(state_of("web"), "failed");
	if (!strstr(error_of("web"), says))
		fail_msg("%s", error_of("web"));
	tries = fake_count("/history/domain/web");
	world_run(w, 600);
	assert_string_equal(state_of("web"), "failed");
	assert_int_equal(fake_count("/history/domain/web"), tries);
	assert_clean(before);
	fake_set("/config/domain/web", NULL);
	world_run(w, 1);
}

static void test_a_hostile_kernel_is_one_start_that_failed(void **state)
{
	struct world *w = *state;
	size_t len;
	uint8_t *file = bomb(17, &len);

	write_kernel(w, file, len);
	fails_once(w, "would unpack to more than 256 MiB, or than the domain has: raise memory=");
	write_kernel(w, file, len / 2);
	fails_once(w, "is truncated");
	free(file);
	file = bomb(8, &len);
	write_kernel(w, file, len);
	fails_once(w, "kernel");
	file[len - 400] ^= 0x55;
	write_kernel(w, file, len);
	fails_once(w, "is damaged or truncated: it does not unpack");
	free(file);
}

static void test_a_decoder_that_crashes_is_one_start_that_failed(void **state)
{
	crash = true;
	fails_once(*state, "is damaged or truncated: it does not unpack");
	crash = false;
}

static void test_a_saved_file_takes_no_memory_for_pages_that_there_are_not(void **state)
{
	static const uint64_t nr_pfns = 512ul << 19;	/* 4 MiB of list: 2.3 GiB when all is kept */
	struct world *w = *state;
	unsigned long before = peak_kib();
	struct rusage used;
	FILE *f;

	f = begin_saved(w, nr_pfns);
	put_scattered(f, nr_pfns, PAGE_NONE);
	put_scattered(f, nr_pfns, PAGE_BROKEN);
	fclose(f);
	fails_once(w, "the saved memory is damaged: it ends too early");
	f = begin_saved(w, nr_pfns);
	put_scattered(f, nr_pfns, PAGE_ALLOC);
	fclose(f);
	fails_once(w, "the hypervisor gives no more memory");
	getrusage(RUSAGE_CHILDREN, &used);
	assert_in_range(used.ru_maxrss, 0, (long)before + 80 * 1024);
	/* Of which the guest has 16 MiB, and the file's writer 4: all is in this process. */
	assert_in_range(peak_kib(), before, before + 64 * 1024);
	unlink(saved);
	saved[0] = '\0';
}

static void test_a_reader_that_crashes_is_one_start_that_failed(void **state)
{
	fclose(begin_saved(*state, 512));
	crash = true;
	fails_once(*state, "the saved memory is damaged: what reads it crashed");
	crash = false;
	unlink(saved);
	saved[0] = '\0';
}

static void test_a_reader_that_is_taken_over_gets_nothing(void **state)
{
	fclose(begin_saved(*state, 512));
	taken_over = ask_nonsense;
	fails_once(*state, "web.save: ?[31mhello?xxxx");
	taken_over = NULL;
	unlink(saved);
	saved[0] = '\0';
}

static void test_a_reader_that_is_taken_over_is_ended(void **state)
{
	static const struct {
		int (*by)(struct restore *r);
		const char *says;
	} readers[] = {
		{ ask_half_and_stay, "did what it may not" },
		{ ask_nothing_and_stay, "the process that read it was killed" },
		{ read_for_ever, "did what it may not" },
		{ take_no_answer, "did what it may not" },
		{ return_in_progress, "did what it may not" },
	};

	fclose(begin_saved(*state, 512));
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		taken_over = readers[i].by;
		fails_once(*state, readers[i].says);
	}
	taken_over = NULL;
	unlink(saved);
	saved[0] = '\0';
}

/* Whoever fills a domain has ended before it is destroyed: its number may be another's then. */
static void test_a_domain_outlives_its_reader(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	w->x.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fclose(begin_saved(w, 512));
	taken_over = stay;
	world_record(w, "web");
	fake_set("/config/domain/web/uuid", "7315864e-5e4b-493c-9f14-c0fd4ad5f871");
	fake_set("/config/domain/web/saved", saved);
	world_run(w, 1);
	assert_string_equal(state_of("web"), "starting");
	/* Its file's head is read by a worker; then there is a reader. */
	while (fake_hv_guest() != 1 || waitpid(-1, NULL, WNOHANG)) {
		world_steps(w, 1);
		usleep(1000);
	}
	fake_set("/request/r1/domain", "web");
	fake_set("/request/r1/op", "destroy");
	while (fake_hv_guest() == 1) {
		world_steps(w, 1);
		usleep(1000);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	world_run(w, 15);
	assert_string_equal(state_of("web"), "shutdown");
	assert_clean(before);
	taken_over = NULL;
	close(w->x.wake_fd);
	unlink(saved);
	saved[0] = '\0';
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
		cmocka_unit_test(test_each_forbidden_call_is_its_last),
		cmocka_unit_test(test_it_has_no_descriptor_but_what_it_is_given),
		cmocka_unit_test(test_no_error_of_its_is_taken_for_another),
		cmocka_unit_test(test_memory_and_time_are_bounded),
		cmocka_unit_test(test_it_is_stopped_also_without_descriptors),
		/* By their use of memory: the most that any process had had before is kept. */
		T(test_a_saved_file_takes_no_memory_for_pages_that_there_are_not),
		cmocka_unit_test(test_a_bomb_is_another_process_s_and_no_larger_than_the_guest),
		cmocka_unit_test(test_a_dictionary_without_end_is_refused),
		cmocka_unit_test(test_a_file_that_is_cut_while_it_is_read_ends_only_its_reader),
		T(test_a_hostile_kernel_is_one_start_that_failed),
		T(test_a_decoder_that_crashes_is_one_start_that_failed),
		T(test_a_reader_that_crashes_is_one_start_that_failed),
		T(test_a_reader_that_is_taken_over_gets_nothing),
		T(test_a_reader_that_is_taken_over_is_ended),
		T(test_a_domain_outlives_its_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
