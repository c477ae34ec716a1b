/* SPDX-License-Identifier: MIT */
/*
 * test_blk.c - the block engine with a frontend that is honest, broken or hostile.
 * Every hostile case asserts that the request fails alone: the disk keeps its bytes, guest memory
 * outside the grants keeps its bytes, and the next honest request works.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>

#include "blk_guest.h"
#include "blk_ring.h"
#include "fake_io.h"
#include "fake_xen.h"

#define RING_PAGE 1u
#define DISK_SECTORS 2048u
#define DATA 10u /* first data page; its grant reference too */

static char image_path[64];
static struct blk_image image;
static struct blk_ring *blk;
static struct rsp_record record;
static struct bring_table table;
static const struct blk_guest *guest;
static uint32_t req_prod, rsp_cons;

static uint8_t pattern(uint64_t byte)
{
	return (uint8_t)(byte / 512 * 7 + byte % 251);
}

static void make_image(size_t size)
{
	int fd;
	uint8_t *all = malloc(size);

	strcpy(image_path, "/tmp/test-blk-XXXXXX");
	fd = mkstemp(image_path);
	for (size_t i = 0; i < size; i++)
		all[i] = pattern(i);
	assert_int_equal(write(fd, all, size), (ssize_t)size);
	close(fd);
	free(all);
}

static struct blkif_sring *ring(void)
{
	return (struct blkif_sring *)fake.page[RING_PAGE];
}

static void connect_with(const struct blk_wire *wire, const struct blk_guest *g, bool readonly)
{
	char why[256];

	fake_reset();
	make_image((size_t)DISK_SECTORS * 512);
	assert_int_equal(blk_image_open(&image,
					&(struct blk_image_want){ .path = image_path,
								  .readonly = readonly },
					why, sizeof(why)),
			 0);
	blk = blk_ring_create(&image, blk_io_open(image.fd, false), xengnttab_open(NULL, 0), 1, 1);
	assert_non_null(blk);
	guest = g;
	req_prod = rsp_cons = 0;
	ring()->req_event = ring()->rsp_event = 1;
	assert_int_equal(blk_ring_attach(blk, wire, ring(), &record, &table, false), 0);
}

static int set_up(void **state)
{
	connect_with(&blk_wire64, &blk_guest64, false);
	return 0;
}

static int set_up32(void **state)
{
	connect_with(&blk_wire32, &blk_guest32, false);
	return 0;
}

static int set_up_readonly(void **state)
{
	connect_with(&blk_wire64, &blk_guest64, true);
	return 0;
}

static int tear_down(void **state)
{
	blk_ring_destroy(blk);
	blk_image_close(&image);
	unlink(image_path);
	return 0;
}

static void push(void)
{
	ring()->req_prod = ++req_prod;
}

static struct guest_rsp answer(void)
{
	bool notify;

	assert_int_equal(blk_ring_work(blk, &notify), 0);
	assert_int_equal(ring()->rsp_prod, rsp_cons + 1);
	return guest->get(ring(), rsp_cons++);
}

static int16_t transfer(uint8_t op, uint64_t sector, uint8_t nr, const struct guest_seg *segs)
{
	struct guest_rsp rsp;

	guest->put(ring(), req_prod, op, 0x1122334455667788u + req_prod, sector, nr, segs);
	push();
	rsp = answer();
	assert_int_equal(rsp.id, 0x1122334455667788u + req_prod - 1);
	assert_int_equal(rsp.op, op);
	return rsp.status;
}

static uint8_t disk_byte(uint64_t at)
{
	uint8_t b;
	int fd = open(image_path, O_RDONLY);

	assert_int_equal(pread(fd, &b, 1, (off_t)at), 1);
	close(fd);
	return b;
}

static void check_disk_untouched(void)
{
	for (uint64_t at = 0; at < (uint64_t)DISK_SECTORS * 512; at += 511)
		assert_int_equal(disk_byte(at), pattern(at));
}

static void check_next_request_works(void)
{
	const struct guest_seg seg = { DATA + 5, 0, 0 };

	fake.copy_fails = false;
	fake.meanwhile = NULL;
	fake.grant[DATA + 5] = (struct fake_grant){ .valid = true, .page = DATA + 5 };
	assert_int_equal(transfer(BLKIF_OP_READ, 3, 1, &seg), BLKIF_RSP_OKAY);
	assert_int_equal(fake.page[DATA + 5][0], pattern(3 * 512));
}

/* --- honest ------------------------------------------------------------------------------- */

static void test_read_fills_each_segment(void **state)
{
	const struct guest_seg segs[] = { { DATA, 0, 7 }, { DATA + 1, 2, 3 }, { DATA + 2, 7, 7 } };

	assert_int_equal(transfer(BLKIF_OP_READ, 100, 3, segs), BLKIF_RSP_OKAY);
	assert_int_equal(fake.page[DATA][4095], pattern(100 * 512 + 4095));
	assert_int_equal(fake.page[DATA + 1][1023], 0);
	assert_int_equal(fake.page[DATA + 1][1024], pattern(108 * 512));
	assert_int_equal(fake.page[DATA + 1][2048], 0);
	assert_int_equal(fake.page[DATA + 2][3584], pattern(110 * 512));
}

static void test_write_reaches_the_disk(void **state)
{
	const struct guest_seg segs[] = { { DATA, 1, 1 }, { DATA + 1, 0, 0 } };

	memset(fake.page[DATA], 0x5a, 4096);
	memset(fake.page[DATA + 1], 0xa5, 4096);
	assert_int_equal(transfer(BLKIF_OP_WRITE, 2046, 2, segs), BLKIF_RSP_OKAY);
	assert_int_equal(disk_byte(2046 * 512), 0x5a);
	assert_int_equal(disk_byte(2047 * 512 + 511), 0xa5);
	assert_int_equal(disk_byte(2045 * 512 + 511), pattern(2045 * 512 + 511));
}

static void test_flush_without_data_succeeds(void **state)
{
	assert_int_equal(transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, NULL), BLKIF_RSP_OKAY);
}

static void test_flush_with_data_writes_it(void **state)
{
	const struct guest_seg seg = { DATA, 0, 0 };

	fake.page[DATA][0] = 0x77;
	assert_int_equal(transfer(BLKIF_OP_FLUSH_DISKCACHE, 5, 1, &seg), BLKIF_RSP_OKAY);
	assert_int_equal(disk_byte(5 * 512), 0x77);
}

static void test_discard_reads_back_as_zero(void **state)
{
	guest->put_discard(ring(), req_prod, 9, 8, 16, 0);
	push();
	assert_int_equal(answer().status, BLKIF_RSP_OKAY);
	assert_int_equal(disk_byte(8 * 512), 0);
	assert_int_equal(disk_byte(24 * 512), pattern(24 * 512));
}

static void put_indirect_pages(uint16_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		guest->put_seg(fake.page[2], i, (struct guest_seg){ DATA + i, 0, 7 });
}

static struct guest_rsp indirect(uint8_t op, uint64_t sector, uint16_t nr, uint32_t gref)
{
	const uint32_t grefs[8] = { gref, gref, gref, gref, gref, gref, gref, gref };

	guest->put_indirect(ring(), req_prod, op, 42, sector, nr, grefs);
	push();
	return answer();
}

static void test_indirect_read_of_one_megabyte(void **state)
{
	struct guest_rsp rsp;

	put_indirect_pages(256);
	rsp = indirect(BLKIF_OP_READ, 0, 256, 2);
	assert_int_equal(rsp.status, BLKIF_RSP_OKAY);
	/* Linux's frontend compares with what it asked for inside. */
	assert_int_equal(rsp.op, BLKIF_OP_READ);
	assert_int_equal(rsp.id, 42);
	for (uint64_t page = 0; page < 256; page += 17)
		assert_int_equal(fake.page[DATA + page][100], pattern(page * 4096 + 100));
}

static void test_ring_full_of_requests_is_answered_in_order(void **state)
{
	const struct guest_seg seg = { DATA, 0, 0 };
	bool notify;

	for (uint32_t i = 0; i < 32; i++)
		guest->put(ring(), i, BLKIF_OP_READ, 1000 + i, i, 1, &seg);
	ring()->req_prod = 32;
	assert_int_equal(blk_ring_work(blk, &notify), 0);
	assert_true(notify);
	assert_int_equal(ring()->rsp_prod, 32);
	for (uint32_t i = 0; i < 32; i++)
		assert_int_equal(guest->get(ring(), i).id, 1000 + i);
}

/* --- broken and hostile: each fails alone -------------------------------------------------- */

struct bad_transfer {
	const char *name;
	uint8_t op;
	uint64_t sector;
	uint8_t nr;
	struct guest_seg seg[11];
	int16_t status;
};

static const struct bad_transfer bad_transfers[] = {
	{ "read past the end", BLKIF_OP_READ, 2048, 1, { { DATA, 0, 0 } }, BLKIF_RSP_ERROR },
	{ "read across the end", BLKIF_OP_READ, 2047, 1, { { DATA, 0, 1 } }, BLKIF_RSP_ERROR },
	{ "write across the end", BLKIF_OP_WRITE, 2047, 1, { { DATA, 0, 1 } }, BLKIF_RSP_ERROR },
	{ "write far past the end", BLKIF_OP_WRITE, 1u << 20, 1, { { DATA, 0, 0 } }, BLKIF_RSP_ERROR },
	{ "sector + length wraps 2^64",
	  BLKIF_OP_WRITE,
	  UINT64_MAX,
	  1,
	  { { DATA, 0, 7 } },
	  BLKIF_RSP_ERROR },
	{ "sector * 512 wraps 2^64", BLKIF_OP_WRITE, 1ull << 55, 1, { { DATA, 0, 0 } }, BLKIF_RSP_ERROR },
	{ "sector * 512 is negative",
	  BLKIF_OP_WRITE,
	  1ull << 54,
	  1,
	  { { DATA, 0, 0 } },
	  BLKIF_RSP_ERROR },
	{ "no segments to read", BLKIF_OP_READ, 0, 0, { { 0 } }, BLKIF_RSP_ERROR },
	{ "no segments to write", BLKIF_OP_WRITE, 0, 0, { { 0 } }, BLKIF_RSP_ERROR },
	{ "12 segments", BLKIF_OP_WRITE, 0, 12, { { DATA, 0, 0 } }, BLKIF_RSP_ERROR },
	{ "255 segments", BLKIF_OP_WRITE, 0, 255, { { DATA, 0, 0 } }, BLKIF_RSP_ERROR },
	{ "first behind last", BLKIF_OP_WRITE, 0, 1, { { DATA, 3, 2 } }, BLKIF_RSP_ERROR },
	{ "last outside the page", BLKIF_OP_WRITE, 0, 1, { { DATA, 0, 8 } }, BLKIF_RSP_ERROR },
	{ "last = 255", BLKIF_OP_READ, 0, 1, { { DATA, 0, 255 } }, BLKIF_RSP_ERROR },
	{ "first and last = 255", BLKIF_OP_READ, 0, 1, { { DATA, 255, 255 } }, BLKIF_RSP_ERROR },
	{ "grant 0", BLKIF_OP_WRITE, 0, 1, { { 0, 0, 7 } }, BLKIF_RSP_ERROR },
	{ "grant beyond the table", BLKIF_OP_WRITE, 0, 1, { { UINT32_MAX, 0, 7 } }, BLKIF_RSP_ERROR },
	{ "second grant bad", BLKIF_OP_WRITE, 0, 2, { { DATA, 0, 7 }, { 599999, 0, 7 } }, BLKIF_RSP_ERROR },
	{ "barrier not offered, past the end",
	  BLKIF_OP_WRITE_BARRIER,
	  9999,
	  1,
	  { { DATA, 0, 0 } },
	  BLKIF_RSP_ERROR },
	{ "flush with data past the end",
	  BLKIF_OP_FLUSH_DISKCACHE,
	  9999,
	  1,
	  { { DATA, 0, 0 } },
	  BLKIF_RSP_ERROR },
	{ "reserved operation", BLKIF_OP_RESERVED_1, 0, 1, { { DATA, 0, 0 } }, BLKIF_RSP_EOPNOTSUPP },
	{ "operation 7", 7, 0, 1, { { DATA, 0, 0 } }, BLKIF_RSP_EOPNOTSUPP },
	{ "operation 255", 255, 0, 1, { { DATA, 0, 0 } }, BLKIF_RSP_EOPNOTSUPP },
};

static void test_bad_transfers_fail_alone(void **state)
{
	for (size_t i = 0; i < sizeof(bad_transfers) / sizeof(bad_transfers[0]); i++) {
		const struct bad_transfer *c = &bad_transfers[i];
		int16_t status = transfer(c->op, c->sector, c->nr, c->seg);

		if (status != c->status)
			print_error("case '%s': status %d\n", c->name, status);
		assert_int_equal(status, c->status);
		check_disk_untouched();
		check_next_request_works();
	}
}

static void test_read_into_readonly_grant_fails(void **state)
{
	const struct guest_seg seg = { DATA, 0, 7 };

	fake.grant[DATA].readonly = true;
	assert_int_equal(transfer(BLKIF_OP_READ, 0, 1, &seg), BLKIF_RSP_ERROR);
	assert_int_equal(fake.page[DATA][0], 0);
	check_next_request_works();
}

static void test_revoked_grant_fails(void **state)
{
	const struct guest_seg seg = { DATA, 0, 7 };

	fake.grant[DATA].valid = false;
	assert_int_equal(transfer(BLKIF_OP_WRITE, 0, 1, &seg), BLKIF_RSP_ERROR);
	check_disk_untouched();
	check_next_request_works();
}

static void test_failing_copy_call_writes_nothing(void **state)
{
	const struct guest_seg seg = { DATA, 0, 7 };

	fake.copy_fails = true;
	assert_int_equal(transfer(BLKIF_OP_WRITE, 0, 1, &seg), BLKIF_RSP_ERROR);
	check_disk_untouched();
	check_next_request_works();
}

static void rewrite_request(void)
{
	const struct guest_seg evil[11] = { { DATA, 0, 7 } };

	guest->put(ring(), req_prod - 1, BLKIF_OP_WRITE, 666, 0, 11, evil);
}

static void test_request_rewritten_during_the_work_is_not_seen(void **state)
{
	const struct guest_seg seg = { DATA, 0, 0 };
	struct guest_rsp rsp;

	fake.meanwhile = rewrite_request;
	guest->put(ring(), req_prod, BLKIF_OP_READ, 5, 9, 1, &seg);
	push();
	rsp = answer();
	assert_int_equal(rsp.status, BLKIF_RSP_OKAY);
	assert_int_equal(rsp.id, 5);
	assert_int_equal(rsp.op, BLKIF_OP_READ);
	check_disk_untouched();
}

static void grow_segments(void)
{
	/* What the backend planned with has been copied; these come too late. */
	for (uint32_t i = 0; i < 16; i++)
		guest->put_seg(fake.page[2], i, (struct guest_seg){ DATA, 0, 255 });
}

static void test_indirect_segments_rewritten_after_the_copy_are_not_seen(void **state)
{
	put_indirect_pages(16);
	assert_int_equal(indirect(BLKIF_OP_READ, 0, 16, 2).status, BLKIF_RSP_OKAY);
	put_indirect_pages(16);
	fake.meanwhile = grow_segments; /* before the first copy: then they are seen, and refused */
	assert_int_equal(indirect(BLKIF_OP_READ, 0, 16, 2).status, BLKIF_RSP_ERROR);
	check_next_request_works();
}

static void bad_indirect(uint8_t op, uint64_t sector, uint16_t nr, uint32_t gref)
{
	put_indirect_pages(256);
	assert_int_equal(indirect(op, sector, nr, gref).status, BLKIF_RSP_ERROR);
	check_disk_untouched();
	check_next_request_works();
}

static void test_indirect_of_no_segments_fails(void **state)
{
	bad_indirect(BLKIF_OP_WRITE, 0, 0, 2);
}

static void test_indirect_of_too_many_segments_fails(void **state)
{
	bad_indirect(BLKIF_OP_WRITE, 0, 257, 2);
	bad_indirect(BLKIF_OP_WRITE, 0, 65535, 2);
}

static void test_indirect_page_with_bad_grant_fails(void **state)
{
	bad_indirect(BLKIF_OP_WRITE, 0, 8, 0);
	bad_indirect(BLKIF_OP_WRITE, 0, 8, 100000);
}

static void test_indirect_inside_indirect_is_not_supported(void **state)
{
	put_indirect_pages(8);
	assert_int_equal(indirect(BLKIF_OP_INDIRECT, 0, 8, 2).status, BLKIF_RSP_EOPNOTSUPP);
	check_next_request_works();
}

static void test_indirect_flush_fails(void **state)
{
	bad_indirect(BLKIF_OP_FLUSH_DISKCACHE, 0, 8, 2);
}

static void test_indirect_past_the_end_fails(void **state)
{
	bad_indirect(BLKIF_OP_WRITE, 2040, 8, 2);
}

static int16_t discard(uint64_t sector, uint64_t count, uint8_t flag)
{
	guest->put_discard(ring(), req_prod, 9, sector, count, flag);
	push();
	return answer().status;
}

static void test_bad_discards_fail(void **state)
{
	assert_int_equal(discard(2048, 1, 0), BLKIF_RSP_ERROR);
	assert_int_equal(discard(0, 2049, 0), BLKIF_RSP_ERROR);
	assert_int_equal(discard(1, UINT64_MAX, 0), BLKIF_RSP_ERROR);
	assert_int_equal(discard(UINT64_MAX, 2, 0), BLKIF_RSP_ERROR);
	assert_int_equal(discard(0, 8, BLKIF_DISCARD_SECURE), BLKIF_RSP_EOPNOTSUPP);
	check_disk_untouched();
}

static void test_readonly_disk_refuses_every_change(void **state)
{
	const struct guest_seg seg = { DATA, 0, 7 };

	assert_int_equal(transfer(BLKIF_OP_WRITE, 0, 1, &seg), BLKIF_RSP_ERROR);
	assert_int_equal(transfer(BLKIF_OP_WRITE_BARRIER, 0, 1, &seg), BLKIF_RSP_ERROR);
	assert_int_equal(transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, 1, &seg), BLKIF_RSP_ERROR);
	assert_int_equal(discard(0, 8, 0), BLKIF_RSP_ERROR);
	assert_int_equal(transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, NULL), BLKIF_RSP_OKAY);
	check_disk_untouched();
	check_next_request_works();
}

static void test_overrun_ring_does_no_request(void **state)
{
	const struct guest_seg seg = { DATA, 0, 7 };
	bool notify;

	for (uint32_t i = 0; i < 32; i++)
		guest->put(ring(), i, BLKIF_OP_WRITE, i, 0, 1, &seg);
	ring()->req_prod = 33;
	assert_int_equal(blk_ring_work(blk, &notify), -EPROTO);
	assert_int_equal(ring()->rsp_prod, 0);
	check_disk_untouched();
}

static void test_response_leaks_no_byte_of_ours(void **state)
{
	const struct guest_seg seg = { DATA, 0, 0 };
	const uint8_t *raw = (const uint8_t *)&ring()->ring[0];

	guest->put(ring(), 0, BLKIF_OP_READ, 1, 0, 1, &seg);
	push();
	answer();
	/* Behind id 8, operation 1, hole 1, status 2 there are 4 bytes of padding. */
	assert_int_equal(raw[9], 0);
	for (int i = 12; i < 16; i++)
		assert_int_equal(raw[i], 0);
}

static void test_image_cut_short_reads_as_error(void **state)
{
	const struct guest_seg seg = { DATA, 0, 7 };

	assert_int_equal(truncate(image_path, 4096), 0);
	assert_int_equal(transfer(BLKIF_OP_READ, 100, 1, &seg), BLKIF_RSP_ERROR);
	check_next_request_works();
}

/* --- many at once --------------------------------------------------------------------------- */

static void put(uint8_t op, uint64_t sector, uint8_t nr, uint32_t gref)
{
	const struct guest_seg seg = { gref, 0, 7 };

	guest->put(ring(), req_prod, op, req_prod, sector, nr, &seg);
	push();
}

static int work(void)
{
	bool notify;

	return blk_ring_work(blk, &notify);
}

/* The id that the next answer is to, which must be a good one; -1: there is none. */
static int64_t next_answer(void)
{
	struct guest_rsp rsp;

	if (ring()->rsp_prod == rsp_cons)
		return -1;
	rsp = guest->get(ring(), rsp_cons++);
	assert_int_equal(rsp.status, BLKIF_RSP_OKAY);
	return (int64_t)rsp.id;
}

/* Ends operation @i that is out, and has the engine see it. */
static void end(unsigned int i)
{
	fake_io_end(i);
	assert_int_equal(work(), 0);
}

static void test_a_slow_device_gets_a_ring_full_at_once(void **state)
{
	fake_io.slow = true;
	for (uint32_t i = 0; i < 32; i++)
		put(i % 2 ? BLKIF_OP_READ : BLKIF_OP_WRITE, i * 8, 1, DATA + i);
	work();
	assert_int_equal(fake_io.nr, 32);
	assert_int_equal(next_answer(), -1);
	/* The last first: answers come in the order of the ends. */
	end(31);
	assert_int_equal(next_answer(), 31);
	end(0);
	assert_int_equal(next_answer(), 0);
	/* Each end makes room for a new one. */
	put(BLKIF_OP_READ, 0, 1, DATA + 40);
	put(BLKIF_OP_READ, 8, 1, DATA + 41);
	work();
	assert_int_equal(fake_io.nr, 32);
	while (fake_io.nr)
		end(fake_io.nr / 2);
	for (int i = 0; i < 32; i++)
		assert_int_not_equal(next_answer(), -1);
	assert_int_equal(next_answer(), -1);
	assert_int_equal(fake.page[DATA + 41][0], pattern(8 * 512));
}

static void test_a_flush_waits_for_earlier_writes_and_holds_up_nobody(void **state)
{
	fake_io.slow = true;
	put(BLKIF_OP_WRITE, 0, 1, DATA);
	put(BLKIF_OP_READ, 8, 1, DATA + 1);
	put(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
	put(BLKIF_OP_WRITE, 16, 1, DATA + 2);
	put(BLKIF_OP_READ, 24, 1, DATA + 3);
	work();
	/* Both writes, both reads: the flush is not begun. */
	assert_int_equal(fake_io.nr, 4);
	end(3);
	assert_int_equal(next_answer(), 4);
	end(0);
	assert_int_equal(next_answer(), 0);
	/* The earlier read does not matter to it, nor does the later write. */
	assert_int_equal(fake_io.nr, 3);
	assert_int_equal(fake_io.out[2].kind, BLK_IO_SYNC);
	/* While it takes its time, others come and go. */
	for (int i = 0; i < 5; i++) {
		put(BLKIF_OP_READ, 32, 1, DATA + 4);
		work();
		end(fake_io.nr - 1);
		assert_int_equal(next_answer(), 5 + i);
	}
	assert_int_equal(fake_io.out[2].kind, BLK_IO_SYNC);
	end(2);
	assert_int_equal(next_answer(), 2);
	end(0);
	end(0);
}

static void test_a_flush_with_data_is_written_then_synced(void **state)
{
	fake_io.slow = true;
	put(BLKIF_OP_WRITE, 0, 1, DATA);
	put(BLKIF_OP_FLUSH_DISKCACHE, 8, 1, DATA + 1);
	work();
	assert_int_equal(fake_io.nr, 2);
	end(1);
	/* Its data is there, the earlier write is not. */
	assert_int_equal(fake_io.nr, 1);
	assert_int_equal(fake_io.out[0].kind, BLK_IO_WRITE);
	end(0);
	assert_int_equal(next_answer(), 0);
	assert_int_equal(fake_io.out[0].kind, BLK_IO_SYNC);
	assert_int_equal(next_answer(), -1);
	end(0);
	assert_int_equal(next_answer(), 1);
}

static void test_a_barrier_parts_what_is_before_from_what_is_after(void **state)
{
	static const enum blk_io_kind steps[] = { BLK_IO_SYNC, BLK_IO_WRITE, BLK_IO_SYNC };

	fake_io.slow = true;
	put(BLKIF_OP_WRITE, 0, 1, DATA);
	put(BLKIF_OP_READ, 8, 1, DATA + 1);
	put(BLKIF_OP_WRITE_BARRIER, 16, 1, DATA + 2);
	put(BLKIF_OP_READ, 24, 1, DATA + 3);
	work();
	assert_int_equal(fake_io.nr, 2);
	end(0);
	assert_int_equal(fake_io.nr, 1);
	end(0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(fake_io.nr, 1);
		assert_int_equal(fake_io.out[0].kind, steps[i]);
		end(0);
	}
	assert_int_equal(fake_io.nr, 1);
	assert_int_equal(fake_io.out[0].kind, BLK_IO_READ);
	end(0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(next_answer(), i);
}

static void test_short_transfers_go_on_where_they_stopped(void **state)
{
	fake.page[DATA][0] = 0x31;
	fake.page[DATA][4095] = 0x32;
	fake_io.cut = 1536;
	assert_int_equal(transfer(BLKIF_OP_WRITE, 8, 1, &(struct guest_seg){ DATA, 0, 7 }),
			 BLKIF_RSP_OKAY);
	assert_int_equal(disk_byte(8 * 512), 0x31);
	assert_int_equal(disk_byte(16 * 512 - 1), 0x32);
	fake_io.cut = 512;
	check_next_request_works();
}

static void test_a_failed_operation_fails_its_request_alone(void **state)
{
	const struct guest_seg seg = { DATA, 0, 7 };

	fake_io.fail = -EIO;
	assert_int_equal(transfer(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, NULL), BLKIF_RSP_ERROR);
	fake_io.fail = -ENOSPC;
	assert_int_equal(transfer(BLKIF_OP_WRITE, 0, 1, &seg), BLKIF_RSP_ERROR);
	check_next_request_works();
}

/* Six times the largest request is more than there is memory for. */
static void test_without_memory_requests_wait_their_turn(void **state)
{
	const uint32_t list_pages[BLK_INDIRECT_PAGES] = { 2 };

	fake_io.slow = true;
	put_indirect_pages(256);
	for (uint32_t i = 0; i < 6; i++) {
		guest->put_indirect(ring(), req_prod, BLKIF_OP_READ, i, 0, 256,
				    list_pages);
		push();
	}
	work();
	assert_int_equal(fake_io.nr, 4);
	for (int i = 0; i < 6; i++) {
		end(0);
		assert_int_equal(next_answer(), i);
	}
	assert_int_equal(fake_io.nr, 0);
}

/* What is held up by requests that end before any I/O is not forgotten. */
static void test_failed_copies_hold_up_nobody(void **state)
{
	const uint32_t list_pages[BLK_INDIRECT_PAGES] = { 2 };

	fake_io.slow = true;
	put_indirect_pages(256);
	fake.grant[DATA + 3].valid = false;
	for (uint32_t i = 0; i < 6; i++) {
		guest->put_indirect(ring(), req_prod, BLKIF_OP_WRITE, i, 0, 256, list_pages);
		push();
	}
	put(BLKIF_OP_WRITE_BARRIER, 0, 1, DATA + 3);
	put(BLKIF_OP_READ, 8, 1, DATA + 50);
	work();
	assert_int_equal(fake_io.nr, 1);
	assert_int_equal(fake_io.out[0].kind, BLK_IO_READ);
	assert_int_equal(ring()->rsp_prod, 7);
	rsp_cons = 7;
	end(0);
	assert_int_equal(next_answer(), 7);
	check_disk_untouched();
}

static void test_many_requests_are_copied_in_one_call(void **state)
{
	unsigned int before;

	fake_io.slow = true;
	for (uint32_t i = 0; i < 16; i++) {
		put(BLKIF_OP_WRITE, i * 8, 1, DATA + i);
		put(BLKIF_OP_READ, 512 + i * 8, 1, DATA + 50 + i);
	}
	before = fake.copy_calls;
	work();
	assert_int_equal(fake.copy_calls, before + 1);
	while (fake_io.nr)
		fake_io_end(0);
	work();
	assert_int_equal(fake.copy_calls, before + 2);
	assert_int_equal(ring()->rsp_prod, 32);
}

static void test_a_kernel_without_room_is_asked_again(void **state)
{
	put(BLKIF_OP_READ, 8, 1, DATA);
	fake_io.refuse_start = true;
	assert_int_equal(work(), 1);
	assert_int_equal(next_answer(), -1);
	fake_io.refuse_start = false;
	assert_int_equal(work(), 0);
	assert_int_equal(next_answer(), 0);
}

/* The process dies with five requests out and two answered, not in order; another goes on. */
static void test_a_successor_does_again_what_has_no_answer(void **state)
{
	const struct blk_wire *wire = blk->place.wire;
	bool seen[9] = { false };
	int64_t id;

	fake_io.slow = true;
	for (uint32_t i = 0; i < 7; i++) {
		fake.page[DATA + i][0] = (uint8_t)(0xa0 + i);
		put(BLKIF_OP_WRITE, i * 8, 1, DATA + i);
	}
	work();
	end(5);
	end(1);
	assert_int_equal(next_answer(), 5);
	assert_int_equal(next_answer(), 1);
	/* Slots of requests that are still out have answers in them now. */
	blk_ring_destroy(blk);
	blk = blk_ring_create(&image, blk_io_open(image.fd, false), xengnttab_open(NULL, 0), 1, 1);
	assert_int_equal(blk_ring_attach(blk, wire, ring(), &record, &table, true), 0);
	put(BLKIF_OP_READ, 0, 1, DATA + 20);
	put(BLKIF_OP_READ, 6 * 8, 1, DATA + 21);
	work();
	while ((id = next_answer()) >= 0) {
		assert_false(seen[id]);
		seen[id] = true;
	}
	for (int i = 0; i < 9; i++)
		assert_int_equal(seen[i], i != 1 && i != 5);
	for (uint64_t i = 0; i < 7; i++)
		assert_int_equal(disk_byte(i * 8 * 512), 0xa0 + i);
	assert_int_equal(fake.page[DATA + 20][0], 0xa0);
}

static void test_a_table_of_nonsense_does_no_harm(void **state)
{
	const struct blk_wire *wire = blk->place.wire;

	for (unsigned int i = 0; i < BRING_TAKEN; i++) {
		table.e[i].used = 1;
		memset(table.e[i].raw, 0xee, sizeof(table.e[i].raw));
	}
	/* More taken than asked. */
	assert_int_equal(blk_ring_attach(blk, wire, ring(), &record, &table, true), -EPROTO);
	for (uint32_t i = 0; i < 32; i++)
		put(BLKIF_OP_READ, 0, 1, DATA);
	assert_int_equal(blk_ring_attach(blk, wire, ring(), &record, &table, true), 0);
	work();
	assert_int_equal(ring()->rsp_prod, 32);
	rsp_cons = 32;
	check_disk_untouched();
	check_next_request_works();
}

static void test_stopping_waits_for_what_is_out(void **state)
{
	fake_io.slow = true;
	for (uint32_t i = 0; i < 3; i++)
		put(BLKIF_OP_WRITE, i * 8, 1, DATA + i);
	put(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
	work();
	assert_int_equal(fake_io.nr, 3);
	assert_true(blk_ring_stop(blk, -1));
	assert_int_equal(fake_io.nr, 0);
	for (int i = 0; i < 4; i++)
		assert_int_not_equal(next_answer(), -1);
}

/* Whoever has done without them is left alone by them. */
static void test_a_silent_disk_is_given_up(void **state)
{
	fake_io.slow = fake_io.silent = true;
	put(BLKIF_OP_WRITE, 0, 1, DATA);
	put(BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0);
	work();
	assert_false(blk_ring_stop(blk, 1));
	assert_int_equal(ring()->rsp_prod, 0);
	blk_ring_abandon(blk);
	assert_true(blk_ring_stop(blk, -1));
	assert_int_equal(ring()->rsp_prod, 0);
}

/* A guest is drained: after all that it asked for, and before what it asks for then. */
static void test_a_drain_comes_between_requests(void **state)
{
	fake_io.slow = true;
	put(BLKIF_OP_WRITE, 0, 1, DATA);
	assert_false(blk_ring_sync(blk, true)); /* in the ring */
	work();
	assert_false(blk_ring_sync(blk, true)); /* under way */
	fake_io_end(0);
	work();
	assert_int_equal(ring()->rsp_prod, 1);
	assert_true(blk_ring_sync(blk, true));
	assert_false(blk_ring_sync(blk, true));
	assert_int_equal(fake_io.nr, 1);
	assert_int_equal(fake_io.out[0].kind, BLK_IO_SYNC);
	assert_int_equal(blk_ring_sync_result(blk), -EINPROGRESS);
	put(BLKIF_OP_WRITE, 8, 1, DATA);
	work();
	assert_int_equal(fake_io.nr, 1);
	fake_io.fail = -EIO;
	fake_io_end(0);
	work();
	assert_int_equal(fake_io.nr, 1);
	assert_int_equal(fake_io.out[0].kind, BLK_IO_WRITE);
	assert_int_equal(blk_ring_sync_result(blk), -EIO);
	assert_int_equal(blk_ring_sync_result(blk), -EINPROGRESS);
	fake_io_end(0);
	work();
	assert_int_equal(ring()->rsp_prod, 2);
}

static void test_an_image_made_longer_is_noticed(void **state)
{
	assert_false(blk_image_resized(&image));
	assert_int_equal(truncate(image_path, (DISK_SECTORS + 8) * 512), 0);
	assert_true(blk_image_resized(&image));
	assert_false(blk_image_resized(&image));
	assert_int_equal(transfer(BLKIF_OP_WRITE, DISK_SECTORS, 1, &(struct guest_seg){ DATA, 0, 7 }),
			 BLKIF_RSP_OKAY);
}

/* --- 32-bit layout ------------------------------------------------------------------------- */

static void test_32bit_guest_reads_writes_and_discards(void **state)
{
	const struct guest_seg segs[] = { { DATA, 0, 7 }, { DATA + 1, 1, 1 } };

	assert_int_equal(transfer(BLKIF_OP_READ, 8, 2, segs), BLKIF_RSP_OKAY);
	assert_int_equal(fake.page[DATA + 1][512], pattern(16 * 512));
	fake.page[DATA][0] = 0x99;
	assert_int_equal(transfer(BLKIF_OP_WRITE, 8, 2, segs), BLKIF_RSP_OKAY);
	assert_int_equal(disk_byte(8 * 512), 0x99);
	assert_int_equal(discard(8, 8, 0), BLKIF_RSP_OKAY);
	put_indirect_pages(20);
	assert_int_equal(indirect(BLKIF_OP_READ, 16, 20, 2).status, BLKIF_RSP_OKAY);
	assert_int_equal(fake.page[DATA + 19][7], pattern(16 * 512 + 19 * 4096 + 7));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_read_fills_each_segment),
		T(test_write_reaches_the_disk),
		T(test_flush_without_data_succeeds),
		T(test_flush_with_data_writes_it),
		T(test_discard_reads_back_as_zero),
		T(test_indirect_read_of_one_megabyte),
		T(test_ring_full_of_requests_is_answered_in_order),
		T(test_bad_transfers_fail_alone),
		T(test_read_into_readonly_grant_fails),
		T(test_revoked_grant_fails),
		T(test_failing_copy_call_writes_nothing),
		T(test_request_rewritten_during_the_work_is_not_seen),
		T(test_indirect_segments_rewritten_after_the_copy_are_not_seen),
		T(test_indirect_of_no_segments_fails),
		T(test_indirect_of_too_many_segments_fails),
		T(test_indirect_page_with_bad_grant_fails),
		T(test_indirect_inside_indirect_is_not_supported),
		T(test_indirect_flush_fails),
		T(test_indirect_past_the_end_fails),
		T(test_bad_discards_fail),
		cmocka_unit_test_setup_teardown(test_readonly_disk_refuses_every_change,
						set_up_readonly, tear_down),
		T(test_overrun_ring_does_no_request),
		T(test_response_leaks_no_byte_of_ours),
		T(test_image_cut_short_reads_as_error),
		T(test_a_slow_device_gets_a_ring_full_at_once),
		T(test_a_flush_waits_for_earlier_writes_and_holds_up_nobody),
		T(test_a_flush_with_data_is_written_then_synced),
		T(test_a_barrier_parts_what_is_before_from_what_is_after),
		T(test_short_transfers_go_on_where_they_stopped),
		T(test_a_failed_operation_fails_its_request_alone),
		T(test_without_memory_requests_wait_their_turn),
		T(test_failed_copies_hold_up_nobody),
		T(test_many_requests_are_copied_in_one_call),
		T(test_a_kernel_without_room_is_asked_again),
		T(test_a_successor_does_again_what_has_no_answer),
		T(test_a_table_of_nonsense_does_no_harm),
		T(test_stopping_waits_for_what_is_out),
		T(test_a_silent_disk_is_given_up),
		T(test_a_drain_comes_between_requests),
		T(test_an_image_made_longer_is_noticed),
		cmocka_unit_test_setup_teardown(test_32bit_guest_reads_writes_and_discards,
						set_up32, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
