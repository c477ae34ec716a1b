/* SPDX-License-Identifier: MIT */
/*
 * test_blk_nbd.c - disks on other machines, served by nbdkit and qemu-nbd: every operation, many at
 * once; what is refused, in which words; and a server that is killed, and that forgets what it had
 * not flushed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <log.h>

#include "blk_io_kit.h"
#include "blk_log.h"
#include "blk_nbd.h"
#include "confine.h"
#include "nbd_lib.h"
#include "nbd_server.h"

#define BLOCKS 256u

static struct nbd_server server;
static char dir[64], file[96], saved[96], log_file[96];
static struct blk_image image;
static char why[600];
static jmp_buf lost_to;
static bool may_lose;
static char lost_why[256];

static const char *const by_nbdkit[] = { "nbdkit", "-f", "file", file, NULL };
static const char *const by_qemu[] = { "qemu-nbd", "-f", "raw", "--discard=unmap", "--persistent",
				       "--shared=4", "--cache=writeback", file, NULL };

static void on_lost(const char *text)
{
	snprintf(lost_why, sizeof(lost_why), "%s", text);
	if (!may_lose)
		fail_msg("the server is gone: %s", text);
	longjmp(lost_to, 1);
}

/* --- what each test has --------------------------------------------------------------------- */

static void make_file(uint64_t bytes)
{
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
}

static int set_up(void **state)
{
	strcpy(dir, "/tmp/test-blk-nbd-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/image", dir);
	snprintf(saved, sizeof(saved), "%s/saved", dir);
	snprintf(log_file, sizeof(log_file), "%s/log", dir);
	make_file((uint64_t)BLOCK * BLOCKS);
	io = NULL;
	image.fd = -1;
	may_lose = false;
	return 0;
}

static int set_up_unix(void **state)
{
	set_up(state);
	nbd_server_listen_unix(&server, dir);
	return 0;
}

static int set_up_nbdkit(void **state)
{
	set_up_unix(state);
	nbd_server_start(&server, by_nbdkit);
	return 0;
}

static int set_up_tcp(void **state)
{
	set_up(state);
	nbd_server_listen_tcp(&server);
	return 0;
}

static int set_up_qemu(void **state)
{
	set_up_tcp(state);
	nbd_server_start(&server, by_qemu);
	return 0;
}

static void close_disk(void)
{
	if (io)
		blk_io_close(io);
	io = NULL;
	blk_image_close(&image);
}

static int tear_down(void **state)
{
	char command[128];

	close_disk();
	nbd_server_end(&server);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static struct blk_nbd_want want(void)
{
	return (struct blk_nbd_want){ .name = server.name, .dir = dir, .log = log_file,
				      .lost = on_lost };
}

static void open_disk(const struct blk_nbd_want *w)
{
	if (blk_nbd_open(&image, &io, w, why, sizeof(why)))
		fail_msg("%s", why);
}

static int32_t one(struct blk_io_op op)
{
	int32_t res[BLK_IO_DEPTH] = { -1 };

	op.tag = 0;
	blk_io_add(io, &op);
	blk_io_start(io);
	collect(1, res);
	return res[0];
}

static int32_t sync_disk(void)
{
	return one((struct blk_io_op){ .kind = BLK_IO_SYNC });
}

/* --- operations ----------------------------------------------------------------------------- */

static void test_as_many_as_there_are_tags_over_and_over(void **state)
{
	static uint8_t buf[BLK_IO_DEPTH][BLOCK], back[BLK_IO_DEPTH][BLOCK];
	const struct blk_nbd_want w = want();
	int32_t res[BLK_IO_DEPTH];

	open_disk(&w);
	assert_int_equal(image.sectors, BLOCK / BLK_SECTOR * BLOCKS);
	assert_true(image.needs_flush);
	assert_true(image.can_discard);
	assert_false(blk_image_resized(&image));
	for (unsigned int round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < BLK_IO_DEPTH; i++) {
			memset(buf[i], (int)(round * 7 + i), BLOCK);
			add(BLK_IO_WRITE, i, buf[i], (i * 5 + round) % BLOCKS);
		}
		assert_int_equal(blk_io_start(io), 0);
		collect(BLK_IO_DEPTH, res);
		for (uint32_t i = 0; i < BLK_IO_DEPTH; i++) {
			assert_int_equal(res[i], BLOCK);
			add(BLK_IO_READ, i, back[i], (i * 5 + round) % BLOCKS);
		}
		assert_int_equal(blk_io_start(io), 0);
		collect(BLK_IO_DEPTH, res);
		assert_memory_equal(buf, back, sizeof(buf));
	}
	assert_int_equal(sync_disk(), 0);
}

static void test_what_was_written_is_in_the_image(void **state)
{
	static uint8_t buf[BLOCK], back[BLOCK];
	const struct blk_nbd_want w = want();
	int fd = open(file, O_RDONLY);

	memset(buf, 0x77, BLOCK);
	open_disk(&w);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 3 * BLOCK }), BLOCK);
	assert_int_equal(sync_disk(), 0);
	assert_int_equal(pread(fd, back, BLOCK, 3 * BLOCK), BLOCK);
	assert_memory_equal(buf, back, BLOCK);
	/* A discard gives the blocks back. */
	assert_int_equal(one((struct blk_io_op){ BLK_IO_PUNCH, 0, NULL, BLOCK, 3 * BLOCK }), 0);
	assert_int_equal(pread(fd, back, BLOCK, 3 * BLOCK), BLOCK);
	memset(buf, 0, BLOCK);
	assert_memory_equal(buf, back, BLOCK);
	close(fd);
}

/* 1 MiB and the 3 GiB that one request of the ring can discard are several of the protocol. */
static void test_large_operations_are_done_whole(void **state)
{
	static const char *const big[] = { "nbdkit", "-f", "memory", "3G", NULL };
	static uint8_t buf[1 << 20], back[1 << 20];
	const uint64_t at[] = { 0, 1ull << 30, (1ull << 30) * 3 - sizeof(buf) };
	const struct blk_nbd_want w = want();

	nbd_server_start(&server, big);
	open_disk(&w);
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(i * 31 + i / 4096);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(
			one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, sizeof(buf), at[i] }),
			sizeof(buf));
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(
			one((struct blk_io_op){ BLK_IO_READ, 0, back, sizeof(buf), at[i] }),
			sizeof(buf));
		assert_memory_equal(buf, back, sizeof(buf));
	}
	assert_int_equal(one((struct blk_io_op){ BLK_IO_PUNCH, 0, NULL, 3ull << 30, 0 }), 0);
	memset(buf, 0, sizeof(buf));
	for (unsigned int i = 0; i < 3; i++) {
		one((struct blk_io_op){ BLK_IO_READ, 0, back, sizeof(buf), at[i] });
		assert_memory_equal(buf, back, sizeof(buf));
	}
}

static void test_errors_of_the_disk_are_told(void **state)
{
	static const char *const bad[] = { "nbdkit", "-f", "--filter=error", "memory", "1M",
					   "error-pwrite=ENOSPC", "error-pwrite-rate=100%", NULL };
	static uint8_t buf[BLOCK];
	const struct blk_nbd_want w = want();

	nbd_server_start(&server, bad);
	open_disk(&w);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 0 }), -ENOSPC);
	/* Beyond the end: the library's refusal, nothing that the connection dies of. */
	assert_int_equal(one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 1 << 20 }), -EIO);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 }), BLOCK);
}

static void test_its_descriptor_says_when_there_is_something(void **state)
{
	static uint8_t buf[BLOCK];
	const struct blk_nbd_want w = want();
	struct pollfd p = { .events = POLLIN };
	struct blk_io_done done;

	open_disk(&w);
	p.fd = blk_io_fd(io);
	assert_int_equal(poll(&p, 1, 0), 0);
	add(BLK_IO_READ, 5, buf, 1);
	blk_io_start(io);
	assert_int_equal(poll(&p, 1, -1), 1);
	while (!blk_io_reap(io, &done, 1))
		;
	assert_int_equal(done.tag, 5);
	assert_int_equal(poll(&p, 1, 0), 0);
}

/* A server that never flushed has nothing to be flushed; a guest may ask all the same. */
static void test_what_a_server_has_not_is_not_offered(void **state)
{
	static const char *const less[] = { "nbdkit", "-f", "eval", "get_size=echo 1M",
					    "pread=dd if=/dev/zero count=$3 iflag=count_bytes",
					    "pwrite=cat >/dev/null", NULL };
	static uint8_t buf[BLOCK];
	const struct blk_nbd_want w = want();

	nbd_server_start(&server, less);
	open_disk(&w);
	assert_false(image.needs_flush);
	assert_false(image.can_discard);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 0 }), BLOCK);
	assert_int_equal(sync_disk(), 0);
	assert_int_not_equal(access(log_file, F_OK), 0);
	close_disk();
	nbd_server_stop(&server);
}

static void serve_confined(const struct blk_nbd_want *w)
{
	static uint8_t buf[1 << 20];

	if (blk_nbd_open(&image, &io, w, why, sizeof(why)))
		_exit(1);
	if (confine("65534") < 0)
		_exit(2);
	for (unsigned int i = 0; i < 10; i++) {
		if (one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, sizeof(buf), 0 }) < 0 ||
		    one((struct blk_io_op){ BLK_IO_READ, 0, buf, sizeof(buf), 0 }) < 0)
			_exit(3);
	}
	if (sync_disk() || one((struct blk_io_op){ BLK_IO_PUNCH, 0, NULL, BLOCK, 0 }))
		_exit(4);
	close_disk();
	_exit(0);
}

static void test_a_confined_process_serves_it(void **state)
{
	const struct blk_nbd_want w = want();
	int status;
	pid_t pid;

	if (geteuid()) {
		print_message("needs root\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		serve_confined(&w);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* --- what is refused ------------------------------------------------------------------------ */

static void refused(const struct blk_nbd_want *w, int rc, const char *text)
{
	assert_int_equal(blk_nbd_open(&image, &io, w, why, sizeof(why)), rc);
	assert_null(io);
	assert_int_equal(image.fd, -1);
	if (!strstr(why, text) || strchr(why, '\n'))
		fail_msg("'%s' does not say '%s'", why, text);
	assert_memory_equal(why, "disk nbd", 8);
}

static void test_a_disk_that_cannot_be_is_refused_in_one_line(void **state)
{
	struct {
		const char *argv[8], *text;
		bool writable;
	} cases[] = {
		{ { "nbdkit", "-f", "-r", "memory", "1M" }, "give it with mode r", true },
		{ { "nbdkit", "-f", "-r", "memory", "1M" }, NULL, false },
		{ { "nbdkit", "-f", "memory", "1000" }, "1000 bytes, is not a multiple of 512", true },
		{ { "nbdkit", "-f", "memory", "0" }, "it is empty", true },
		{ { "nbdkit", "-f", "--filter=blocksize-policy", "memory", "1M",
		    "blocksize-minimum=4096" }, "takes requests of 4096 bytes and more", true },
		{ { "qemu-nbd", "-f", "raw", "-x", "other", "--persistent", file }, "xport", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct blk_nbd_want w = want();

		w.readonly = !cases[i].writable;
		nbd_server_start(&server, cases[i].argv);
		if (cases[i].text) {
			refused(&w, strcmp(cases[i].text, "xport") ? -EINVAL : -EHOSTUNREACH,
				cases[i].text);
		} else {
			open_disk(&w);
			assert_true(image.readonly);
			assert_false(image.can_discard);
			close_disk();
		}
		nbd_server_kill(&server);
	}
}

static void test_a_server_that_is_not_there_is_named(void **state)
{
	struct blk_nbd_want w = want();

	nbd_server_end(&server);
	refused(&w, -EHOSTUNREACH, "Connection refused");
	w.name = "nbd://a..b/x";
	refused(&w, -EHOSTUNREACH, "a..b");
	w.name = "nbd+unix:///x?socket=/no/such";
	refused(&w, -EHOSTUNREACH, "No such file");
}

static void test_two_domains_do_not_write_one_disk(void **state)
{
	struct blk_nbd_want w = want();
	struct blk_image other;
	struct blk_io *io2;

	open_disk(&w);
	assert_int_equal(blk_nbd_open(&other, &io2, &w, why, sizeof(why)), -EAGAIN);
	assert_non_null(strstr(why, "already in use by another domain"));
	w.shared = true;
	assert_int_equal(blk_nbd_open(&other, &io2, &w, why, sizeof(why)), 0);
	blk_io_close(io2);
	blk_image_close(&other);
}

static void test_a_smaller_disk_is_not_the_same(void **state)
{
	struct blk_nbd_want w = want();

	w.least_sectors = BLOCK / BLK_SECTOR * BLOCKS + 1;
	refused(&w, -EINVAL, "sectors now");
	w.least_sectors--;
	open_disk(&w);
}

/* --- a server that dies --------------------------------------------------------------------- */

static uint8_t model[BLOCKS]; /* what each block was last filled with, and that was told */
static uint8_t asked[BLK_IO_DEPTH];
static uint32_t asked_block[BLK_IO_DEPTH];
static uint8_t data[BLK_IO_DEPTH][BLOCK];
static unsigned int seed;

static void copy_file(const char *from, const char *to)
{
	char command[256];

	snprintf(command, sizeof(command), "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static void ask_to_write(uint32_t tag)
{
	/* Of its own blocks: what is under way at one time is of different ones. */
	asked_block[tag] = (uint32_t)rand_r(&seed) % (BLOCKS / BLK_IO_DEPTH) * BLK_IO_DEPTH + tag;
	asked[tag] = (uint8_t)(model[asked_block[tag]] + 1 + rand_r(&seed) % 200);
	memset(data[tag], asked[tag], BLOCK);
	add(BLK_IO_WRITE, tag, data[tag], asked_block[tag]);
}

static void start_load(void)
{
	for (uint32_t i = 0; i < BLK_IO_DEPTH; i++)
		ask_to_write(i);
	blk_io_start(io);
}

/* Writes with all tags under way until @nr more were told; leaves them so. */
static void load_until(unsigned int nr)
{
	struct blk_io_done done[BLK_IO_DEPTH];

	while (nr) {
		unsigned int n = blk_io_reap(io, done, BLK_IO_DEPTH);

		for (unsigned int i = 0; i < n; i++) {
			assert_int_equal(done[i].res, BLOCK);
			model[asked_block[done[i].tag]] = asked[done[i].tag];
			ask_to_write(done[i].tag);
		}
		nr -= n < nr ? n : nr;
		blk_io_start(io);
		if (!n)
			blk_io_wait(io);
	}
}

/* As a process that ends leaves it. */
static void lost_disk(void)
{
	may_lose = false;
	assert_int_not_equal(lost_why[0], '\0');
	lost_why[0] = '\0';
	close_disk();
}

/* Kills the server; what it had told by then is told still. */
static void kill_under_load(void)
{
	may_lose = true;
	if (setjmp(lost_to) == 0) {
		nbd_server_kill(&server);
		load_until(UINT32_MAX);
	}
	lost_disk();
}

/* What was out may be there or not, as a successor does it again. */
static void check_against_model(void)
{
	uint8_t buf[BLOCK];

	for (uint32_t i = 0; i < BLOCKS; i++) {
		uint32_t tag = i % BLK_IO_DEPTH;
		bool out = asked_block[tag] == i;

		assert_int_equal(one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK,
							 (uint64_t)i * BLOCK }), BLOCK);
		if (buf[0] != model[i] && !(out && buf[0] == asked[tag]))
			fail_msg("block %u has %u, and %u was told", i, buf[0], model[i]);
		model[i] = buf[0];
	}
}

/*
 * The harshest server: what was not flushed is gone where it starts again. @flush: after how many
 * writes the last one was.
 */
static void lose_and_come_back(const char *const *argv, unsigned int unflushed)
{
	struct blk_nbd_want w = want();

	assert_int_equal(sync_disk(), 0);
	copy_file(file, saved);
	start_load();
	load_until(unflushed);
	kill_under_load();
	copy_file(saved, file);
	nbd_server_start(&server, argv);
	w.resume = true;
	open_disk(&w);
	check_against_model();
}

static void kill_again_and_again(const char *const *argv)
{
	const struct blk_nbd_want w = want();

	memset(model, 0, sizeof(model));
	open_disk(&w);
	for (seed = 1; seed <= 10; seed++)
		lose_and_come_back(argv, seed * 37 % 200);
	/* And twice with nothing done in between: what was done again is done once. */
	start_load();
	kill_under_load();
	for (unsigned int i = 0; i < 2; i++) {
		struct blk_nbd_want w2 = want();

		nbd_server_start(&server, argv);
		w2.resume = true;
		open_disk(&w2);
		check_against_model();
		close_disk();
		nbd_server_kill(&server);
	}
}

static void test_nothing_told_is_lost_when_nbdkit_dies(void **state)
{
	kill_again_and_again(by_nbdkit);
}

static void test_nothing_told_is_lost_when_qemu_nbd_dies(void **state)
{
	kill_again_and_again(by_qemu);
}

/* What the guest of another domain id or of an earlier life wrote is not written again. */
static void test_a_new_device_takes_nothing_over(void **state)
{
	static uint8_t buf[BLOCK];
	struct blk_nbd_want w = want();

	open_disk(&w);
	copy_file(file, saved);
	memset(buf, 0x55, BLOCK);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 0 }), BLOCK);
	may_lose = true;
	if (setjmp(lost_to) == 0) {
		nbd_server_kill(&server);
		one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 });
	}
	lost_disk();
	copy_file(saved, file);
	nbd_server_start(&server, by_nbdkit);
	open_disk(&w);
	one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 });
	assert_int_equal(buf[0], 0);
	close_disk();
	w.resume = true; /* also later: it was dropped */
	open_disk(&w);
	one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 });
	assert_int_equal(buf[0], 0);
}

/* Three times what the log holds, and no flush by the guest. */
static void test_a_guest_that_never_flushes_is_flushed_for(void **state)
{
	static uint8_t buf[8][1 << 20];
	const struct blk_nbd_want w = want();
	const unsigned int rounds = 3 * (BLK_LOG_BYTES >> 20) / 8;
	int32_t res[BLK_IO_DEPTH];
	struct blk_log log;

	make_file(8 << 20);
	nbd_server_start(&server, by_nbdkit);
	open_disk(&w);
	for (unsigned int round = 0; round < rounds; round++) {
		for (uint32_t i = 0; i < 8; i++) {
			const struct blk_io_op op = { BLK_IO_WRITE, i, buf[i], 1 << 20,
						      (uint64_t)i << 20 };

			memset(buf[i], (int)(round * 8 + i + 1), 1 << 20);
			blk_io_add(io, &op);
		}
		blk_io_start(io);
		collect(8, res);
		for (unsigned int i = 0; i < 8; i++)
			assert_int_equal(res[i], 1 << 20);
	}
	assert_int_equal(sync_disk(), 0);
	assert_int_equal(blk_log_open(&log, log_file, server.name), 0);
	assert_int_equal(blk_log_used(&log), 0);
	blk_log_close(&log);
}

static void test_a_server_that_goes_while_nothing_is_asked_is_noticed(void **state)
{
	const struct blk_nbd_want w = want();
	struct blk_io_done none;

	open_disk(&w);
	may_lose = true;
	if (setjmp(lost_to) == 0) {
		nbd_server_kill(&server);
		blk_io_wait(io);
		blk_io_reap(io, &none, 0);
		fail_msg("nobody was told");
	}
	lost_disk();
}

/* What it did not flush is lost then, and said; the disk is free for who comes next. */
static void test_a_silent_server_does_not_hold_up_the_end(void **state)
{
	static uint8_t buf[BLOCK];
	const struct blk_nbd_want w = want();

	open_disk(&w);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 0 }), BLOCK);
	nbd_server_freeze(&server);
	close_disk();
}

/* The connection's end falls into a call that asks for something, of the library's own. */
static struct nbd_lib *lib_with;
static struct nbd_lib lib_was;
static unsigned int trims;

static int64_t end_and_flush(struct nbd_handle *h, nbd_completion_callback cb, uint32_t flags)
{
	shutdown(lib_was.nbd_aio_get_fd(h), SHUT_RDWR);
	return lib_was.nbd_aio_flush(h, cb, flags);
}

static unsigned int flushes;

static int64_t count_and_flush(struct nbd_handle *h, nbd_completion_callback cb, uint32_t flags)
{
	flushes++;
	return lib_was.nbd_aio_flush(h, cb, flags);
}

static int64_t end_and_trim(struct nbd_handle *h, uint64_t count, uint64_t offset,
			    nbd_completion_callback cb, uint32_t flags)
{
	if (trims++)
		shutdown(lib_was.nbd_aio_get_fd(h), SHUT_RDWR);
	return lib_was.nbd_aio_trim(h, count, offset, cb, flags);
}

static int with_library(void **state)
{
	set_up_unix(state);
	lib_with = (struct nbd_lib *)(uintptr_t)nbd_lib_load();
	lib_was = *lib_with;
	return 0;
}

static int without_library(void **state)
{
	*lib_with = lib_was;
	return tear_down(state);
}

/* Nothing else would wake the process: the descriptor is closed. */
static void test_an_end_in_our_own_flush_is_noticed_at_once(void **state)
{
	static uint8_t buf[1 << 20];
	const struct blk_nbd_want w = want();

	nbd_server_start(&server, by_nbdkit);
	open_disk(&w);
	lib_with->nbd_aio_flush = end_and_flush;
	may_lose = true;
	if (setjmp(lost_to) == 0) {
		for (unsigned int i = 0; i < BLK_LOG_BYTES / 2 / sizeof(buf); i++)
			one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, sizeof(buf), 0 });
		fail_msg("nobody was told");
	}
	lost_disk();
}

/* As often as something is written: without that, nothing of it would have changed. */
static void test_a_flush_that_is_refused_is_not_tried_over_and_over(void **state)
{
	static const char *const broken[] = { "nbdkit", "-f", "eval", "get_size=echo 1M",
					      "pread=head -c $3 /dev/zero", "pwrite=cat >/dev/null",
					      "can_flush=exit 0", "flush=echo EIO >&2; exit 1", NULL };
	static uint8_t buf[1 << 20];
	const struct blk_nbd_want w = want();

	nbd_server_start(&server, broken);
	open_disk(&w);
	flushes = 0;
	lib_with->nbd_aio_flush = count_and_flush;
	for (unsigned int i = 0; i < BLK_LOG_BYTES / 2 / sizeof(buf); i++)
		assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, sizeof(buf), 0 }),
				 sizeof(buf));
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 }), BLOCK);
	assert_int_equal(flushes, 1);
	one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 0 });
	assert_int_equal(flushes, 2);
}

static void test_an_end_in_the_middle_of_a_discard_is_no_error_of_it(void **state)
{
	static const char *const big[] = { "nbdkit", "-f", "memory", "3G", NULL };
	const struct blk_nbd_want w = want();
	int32_t res;

	nbd_server_start(&server, big);
	open_disk(&w);
	trims = 0;
	lib_with->nbd_aio_trim = end_and_trim;
	may_lose = true;
	if (setjmp(lost_to) == 0) {
		res = one((struct blk_io_op){ BLK_IO_PUNCH, 0, NULL, 3ull << 30, 0 });
		fail_msg("told: %d", res);
	}
	lost_disk();
}

/* What it makes again is what another had taken; what it takes itself is safe, and is no entry. */
static void test_a_server_without_a_flush_follows_one_with(void **state)
{
	char in[160], out[160];
	const char *const no_flush[] = { "nbdkit", "-f", "eval", "get_size=echo 1M", in, out, NULL };
	static uint8_t buf[BLOCK];
	struct blk_nbd_want w = want();

	snprintf(in, sizeof(in), "pread=dd if=%s skip=$4 count=$3 iflag=skip_bytes,count_bytes",
		 file);
	snprintf(out, sizeof(out), "pwrite=dd of=%s seek=$4 oflag=seek_bytes conv=notrunc", file);
	copy_file(file, saved);
	nbd_server_start(&server, by_nbdkit);
	open_disk(&w);
	memset(buf, 1, BLOCK);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 0 }), BLOCK);
	may_lose = true;
	if (setjmp(lost_to) == 0) {
		nbd_server_kill(&server);
		one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 });
	}
	lost_disk();
	copy_file(saved, file);

	w.resume = true;
	nbd_server_start(&server, no_flush);
	open_disk(&w);
	assert_false(image.needs_flush);
	memset(buf, 9, BLOCK);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 }), BLOCK);
	assert_int_equal(buf[0], 1);
	memset(buf, 2, BLOCK);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_WRITE, 0, buf, BLOCK, 0 }), BLOCK);
	close_disk();
	nbd_server_end(&server);

	nbd_server_listen_unix(&server, dir);
	nbd_server_start(&server, by_nbdkit);
	open_disk(&w);
	assert_int_equal(one((struct blk_io_op){ BLK_IO_READ, 0, buf, BLOCK, 0 }), BLOCK);
	assert_int_equal(buf[0], 2);
}

/* --- the log alone -------------------------------------------------------------------------- */

struct seen {
	uint64_t next, end;
};

/* Write number N is of 1 + N * 7919 % 100000 bytes of N at N. */
static int see(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	struct seen *s = arg;
	const uint8_t *byte = buf;

	assert_int_equal(offset, s->next);
	assert_int_equal(len, 1 + s->next * 7919 % 100000);
	for (uint64_t i = 0; i < len; i += 97)
		assert_int_equal(byte[i], (uint8_t)s->next);
	assert_int_equal(byte[len - 1], (uint8_t)s->next);
	s->next++;
	return 0;
}

static void test_the_log_is_what_was_written_since_the_flush(void **state)
{
	static uint8_t buf[100000];
	void *back = malloc(BLK_LOG_BYTES);
	uint64_t nr = 0, marked = 0, mark = 0;
	struct seen s = { 0 };
	struct blk_log log;

	assert_int_equal(blk_log_open(&log, log_file, "nbd://a"), 0);
	/* Often around. */
	for (; nr < 2000; nr++) {
		uint64_t len = 1 + nr * 7919 % 100000;

		if (nr % 50 == 20) {
			mark = blk_log_mark(&log);
			marked = nr;
		}
		if (nr % 50 == 40) {
			blk_log_flushed(&log, mark);
			blk_log_flushed(&log, mark - 1); /* an older one ends later */
			s.next = marked;
			assert_int_equal(blk_log_each(&log, back, see, &s), 0);
			assert_int_equal(s.next, nr);
		}
		assert_true(blk_log_has_room(&log, len));
		memset(buf, (int)nr, len);
		blk_log_add(&log, nr, buf, len);
	}
	/* It outlives who wrote it; another disk's is none. */
	blk_log_close(&log);
	assert_int_equal(blk_log_open(&log, log_file, "nbd://a"), 0);
	s.next = marked;
	assert_int_equal(blk_log_each(&log, back, see, &s), 0);
	assert_int_equal(s.next, nr);
	while (blk_log_has_room(&log, sizeof(buf)))
		blk_log_add(&log, 0, buf, sizeof(buf));
	assert_true(blk_log_used(&log) + sizeof(buf) + 64 > BLK_LOG_BYTES);
	assert_true(blk_log_used(&log) <= BLK_LOG_BYTES);
	blk_log_close(&log);
	assert_int_equal(blk_log_open(&log, log_file, "nbd://b"), 0);
	assert_int_equal(blk_log_used(&log), 0);
	blk_log_close(&log);
	free(back);
}

/* As the process that has to do with the guest may leave it: who reads it has all rights. */
static void test_a_log_that_is_none_is_refused(void **state)
{
	const struct {
		uint64_t first, end, len;
	} bad[] = {
		{ 0, 4096, 4096 },	    /* its data go beyond its end */
		{ 0, 4096, UINT64_MAX - 15 }, /* and around */
		{ 0, 8, 0 },		    /* half a head */
		{ 0, 2ull * BLK_LOG_BYTES, BLK_LOG_BYTES + 100 },
		{ 4096, 0, 16 },
		{ UINT64_MAX - 7, 7, 0 },
	};
	struct blk_nbd_want w = want();

	w.resume = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const uint64_t entry[2] = { 0, bad[i].len }, ends[2] = { bad[i].first, bad[i].end };
		struct blk_log log;
		int fd;

		assert_int_equal(blk_log_open(&log, log_file, w.name), 0);
		blk_log_close(&log);
		fd = open(log_file, O_RDWR);
		/* Behind the magic and 1024 bytes of name, padded; the ring from the next page. */
		assert_int_equal(pwrite(fd, ends, 16, 1032), 16);
		assert_int_equal(pwrite(fd, entry, 16, 4096 + (off_t)(ends[0] % BLK_LOG_BYTES)), 16);
		close(fd);
		refused(&w, -EBADMSG, "is damaged");
	}
	w.resume = false;
	w.log = "/no/such/log";
	refused(&w, -ENOENT, "a log of its writes, /no/such/log: No such file");
	w.log = log_file;
	open_disk(&w);
	assert_int_equal(sync_disk(), 0);
	close_disk();
	w.resume = true;
	open_disk(&w);
}

/* A page without room is the process's death by a signal, at some write. */
static void test_all_room_of_a_log_is_there_at_once(void **state)
{
	struct blk_log log;
	struct stat st;

	assert_int_equal(blk_log_open(&log, log_file, "nbd://a"), 0);
	blk_log_close(&log);
	assert_int_equal(stat(log_file, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 >= BLK_LOG_BYTES);
}

#define T(name, how) cmocka_unit_test_setup_teardown(name, set_up_##how, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_as_many_as_there_are_tags_over_and_over, nbdkit),
		T(test_as_many_as_there_are_tags_over_and_over, qemu),
		T(test_what_was_written_is_in_the_image, nbdkit),
		T(test_what_was_written_is_in_the_image, qemu),
		T(test_large_operations_are_done_whole, unix),
		T(test_errors_of_the_disk_are_told, unix),
		T(test_its_descriptor_says_when_there_is_something, nbdkit),
		T(test_what_a_server_has_not_is_not_offered, unix),
		T(test_a_confined_process_serves_it, qemu),
		T(test_a_disk_that_cannot_be_is_refused_in_one_line, unix),
		T(test_a_server_that_is_not_there_is_named, tcp),
		T(test_two_domains_do_not_write_one_disk, nbdkit),
		T(test_a_smaller_disk_is_not_the_same, nbdkit),
		T(test_nothing_told_is_lost_when_nbdkit_dies, nbdkit),
		T(test_nothing_told_is_lost_when_qemu_nbd_dies, qemu),
		T(test_a_new_device_takes_nothing_over, nbdkit),
		T(test_a_guest_that_never_flushes_is_flushed_for, unix),
		T(test_a_server_that_goes_while_nothing_is_asked_is_noticed, nbdkit),
		T(test_a_silent_server_does_not_hold_up_the_end, nbdkit),
		cmocka_unit_test_setup_teardown(test_an_end_in_our_own_flush_is_noticed_at_once,
						with_library, without_library),
		cmocka_unit_test_setup_teardown(
			test_an_end_in_the_middle_of_a_discard_is_no_error_of_it, with_library,
			without_library),
		cmocka_unit_test_setup_teardown(
			test_a_flush_that_is_refused_is_not_tried_over_and_over, with_library,
			without_library),
		T(test_a_server_without_a_flush_follows_one_with, unix),
		T(test_the_log_is_what_was_written_since_the_flush, unix),
		T(test_a_log_that_is_none_is_refused, nbdkit),
		T(test_all_room_of_a_log_is_there_at_once, unix),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
