/* SPDX-License-Identifier: MIT */
/*
 * test_random.c - rings written by a guest that throws dice, also while the backend works.
 *
 * Claimed: whatever lies in the shared pages, the engines neither crash, hang nor touch memory
 * that is not theirs (the sanitizers watch), the disk keeps its size, and a response index never
 * runs past the requests. A failure prints the seed; SEED=n runs that one alone, ROUNDS=n more.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "blk_ring.h"
#include "cons_ring.h"
#include "fake_io.h"
#include "fake_xen.h"
#include "net_rx.h"
#include "net_tx.h"

#define DISK_BYTES (256u * 512)
#define STEPS 1500

static uint64_t state;

/* splitmix64: the whole run follows from the seed. */
static uint64_t dice(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(dice() % n);
}

/* Numbers that matter more often than chance would have it. */
static uint64_t edge(void)
{
	static const uint64_t edges[] = { 0,	1,	    7,		8,	    11,	       12,
					  14,	255,	    256,	257,	    4095,      4096,
					  65535, 1ull << 31, UINT32_MAX, 1ull << 55, UINT64_MAX };

	return below(3) ? below(32) : edges[below(sizeof(edges) / sizeof(edges[0]))];
}

static uint32_t *word(uint32_t page, uint32_t i)
{
	return (uint32_t *)fake.page[page] + i;
}

static void scribble(uint32_t page)
{
	uint32_t at = 16 + below(1024 - 16), n = 1 + below(28);

	for (uint32_t i = 0; i < n && at + i < 1024; i++)
		*word(page, at + i) = below(2) ? (uint32_t)edge() : (uint32_t)dice();
}

/* Plausible first bytes for the next slots, so that more than the first check is reached. */
static void plausible(uint32_t page, uint32_t stride, uint32_t idx, uint32_t ents)
{
	uint8_t *slot = fake.page[page] + 64 + (size_t)(idx & (ents - 1)) * stride;

	for (uint32_t i = 0; i < stride; i += 4) {
		uint32_t v = below(4) ? below(40) : (uint32_t)edge();

		memcpy(slot + i, &v, 4);
	}
	slot[0] = (uint8_t)below(8);
	slot[1] = (uint8_t)(1 + below(12));
}

static void plausible_tx(uint32_t idx)
{
	uint32_t *slot = word(1, 16 + (idx & 255) * 3);

	slot[0] = 3 + below(60);
	slot[1] = below(64) | (below(3) ? 0 : below(16)) << 16;
	slot[2] = below(256) | (14 + below(below(4) ? 1500 : 65522)) << 16;
}

static void plausible_rx(uint32_t idx)
{
	*word(2, 16 + (idx & 255) * 2 + 1) = 3 + below(60);
}

static void meanwhile(void)
{
	if (below(4) == 0)
		scribble(1 + below(2));
	if (below(16) == 0)
		*word(1 + below(2), below(4)) = (uint32_t)edge();
	if (below(8) == 0)
		fake.grant[1 + below(FAKE_PAGES - 1)].readonly = below(2);
}

static void shake_grants(void)
{
	struct fake_grant *g = &fake.grant[3 + below(FAKE_PAGES - 3)];

	g->valid = below(4) != 0;
	g->readonly = below(4) == 0;
}

/* Advances or breaks the request index; most steps are legal ones. */
static void move_prod(uint32_t page, uint32_t rsp_prod, uint32_t ents)
{
	*word(page, 0) = below(20) ? rsp_prod + below(below(2) ? 16 : ents + 1) : (uint32_t)edge();
}

static void run_blk(const struct blk_wire *wire)
{
	static struct bring_table table;
	struct rsp_record record;
	char path[] = "/dev/shm/test-random-XXXXXX", why[128];
	struct blk_image image;
	struct blk_ring *blk;
	struct stat st;
	int fd = mkstemp(path);

	assert_int_equal(ftruncate(fd, DISK_BYTES), 0);
	close(fd);
	assert_int_equal(blk_image_open(&image, &(struct blk_image_want){ .path = path }, why,
					sizeof(why)), 0);
	blk = blk_ring_create(&image, blk_io_open(image.fd, false), xengnttab_open(NULL, 0), 1, 1);
	fake_io.slow = true;
	assert_int_equal(blk_ring_attach(blk, wire, fake.page[1], &record, &table, false), 0);
	for (int i = 0; i < STEPS; i++) {
		bool notify;

		for (uint32_t n = below(6); n; n--)
			plausible(1, wire->geo.stride, blk->ring.req_cons + n - 1, 32);
		if (below(3) == 0)
			scribble(1 + below(2));
		shake_grants();
		move_prod(1, blk->ring.rsp_prod, 32);
		/* In any order, some of them badly. */
		while (fake_io.nr && below(3) == 0) {
			fake_io.cut = below(4) ? 0 : 512;
			fake_io.fail = below(9) ? 0 : -EIO;
			fake_io_end(below(fake_io.nr));
		}
		if (blk_ring_work(blk, &notify) < 0) {
			blk_ring_stop(blk, -1);
			*word(1, 0) = *word(1, 2) = blk->ring.rsp_prod;
			assert_int_equal(blk_ring_attach(blk, wire, fake.page[1], &record, &table,
							 below(2)), 0);
		}
	}
	blk_ring_stop(blk, -1);
	print_message("blk: %u operations out at once\n", fake_io.most);
	assert_true(fake_io.most > 1);
	assert_int_equal(fstat(image.fd, &st), 0);
	assert_int_equal(st.st_size, DISK_BYTES);
	print_message("blk: %llu requests, %llu failed\n", (unsigned long long)blk->nr_requests,
		      (unsigned long long)blk->nr_errors);
	/* The dice reached both the doing and the refusing. */
	assert_true(blk->nr_errors > 100 && blk->nr_requests - blk->nr_errors > 100);
	blk_ring_destroy(blk);
	blk_image_close(&image);
	unlink(path);
}

static struct net_tx tx;
static struct net_pace no_limit;
static struct net_rx rx;

static void drain(int fd)
{
	static char buf[70000];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		;
}

static void run_net(void)
{
	struct rsp_record records[2];
	int pair[2];
	static char packet[9000];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	memset(&tx, 0, sizeof(tx));
	memset(&rx, 0, sizeof(rx));
	tx.pace = &no_limit;
	tx.gnt = rx.gnt = xengnttab_open(NULL, 0);
	tx.tap = rx.tap = pair[0];
	assert_int_equal(granted_make(&tx.arena, NET_TX_PAGES, NET_TX_PAGES), 0);
	assert_int_equal(granted_make(&rx.arena, NET_RX_PAGES, NET_RX_PAGES), 0);
	bring_attach(&tx.ring, fake.page[1], &net_tx_geometry, &records[0], false);
	bring_attach(&rx.ring, fake.page[2], &net_rx_geometry, &records[1], false);
	for (int i = 0; i < STEPS; i++) {
		bool notify;

		for (uint32_t n = below(24); n; n--) {
			if (below(8))
				plausible_tx(tx.ring.req_cons + n - 1);
			else
				plausible(1, 12, tx.ring.req_cons + n - 1, 256);
			plausible_rx(rx.ring.req_cons + n - 1);
		}
		rx.can_sg = below(2);
		if (below(2))
			send(pair[1], packet, VNET_LEN + below(sizeof(packet) - VNET_LEN), 0);
		shake_grants();
		move_prod(1, tx.ring.rsp_prod, 256);
		move_prod(2, rx.ring.rsp_prod, 256);
		if (net_tx_work(&tx, &notify) < 0) {
			*word(1, 0) = *word(1, 2) = tx.ring.rsp_prod;
			bring_attach(&tx.ring, fake.page[1], &net_tx_geometry, &records[0], false);
		}
		if (net_rx_work(&rx, &notify) < 0) {
			*word(2, 0) = *word(2, 2) = rx.ring.rsp_prod;
			bring_attach(&rx.ring, fake.page[2], &net_rx_geometry, &records[1], false);
		}
		drain(pair[1]);
	}
	granted_drop(&tx.arena);
	granted_drop(&rx.arena);
	print_message("net: sent %llu, bad %llu; received %llu, bad %llu\n",
		      (unsigned long long)tx.packets, (unsigned long long)tx.errors,
		      (unsigned long long)rx.packets, (unsigned long long)rx.errors);
	assert_true(tx.packets > 100 && tx.errors > 100 && rx.packets > 100 && rx.errors > 10);
	close(pair[0]);
	close(pair[1]);
}

static void run_console(void)
{
	char buf[CONS_RING_OUT];

	for (int i = 0; i < STEPS; i++) {
		int n;

		/* in_cons, in_prod, out_cons, out_prod follow 3072 bytes of data. */
		for (uint32_t k = 0; k < 4; k++)
			*word(1, 768 + k) = below(3) ? below(2048) : (uint32_t)edge();
		n = cons_ring_peek(fake.page[1], buf, below(sizeof(buf) + 1));
		assert_true(n == -EPROTO || (n >= 0 && n <= CONS_RING_OUT));
		if (n > 0)
			cons_ring_consume(fake.page[1], (size_t)n);
		n = cons_ring_room(fake.page[1]);
		assert_true(n == -EPROTO || (n >= 0 && n <= 1024));
		if (n > 0)
			cons_ring_write(fake.page[1], buf, (size_t)n);
	}
}

static void run_vnet(void)
{
	uint8_t packet[128];
	struct virtio_net_hdr hdr;

	for (int i = 0; i < STEPS; i++) {
		size_t len = below(sizeof(packet));
		struct vnet_facts facts = { .csum_blank = true,
					    .gso_type = (uint8_t)below(4),
					    .gso_size = (uint16_t)edge() };
		uint8_t *heap = malloc(len + !len); /* so that the sanitizer sees its end */

		for (size_t k = 0; k < len; k++)
			heap[k] = (uint8_t)dice();
		if (len > 14) {
			heap[12] = below(2) ? 0x08 : below(2) ? 0x86 : 0x81;
			heap[13] = heap[12] == 0x86 ? 0xdd : 0;
			heap[14] = heap[12] == 0x08 ? 0x40 | (uint8_t)below(16) : 0x60;
		}
		if (len > 23)
			heap[heap[12] == 0x86 ? 20 : 23] = (uint8_t)(below(2) ? 6 : edge());
		if (vnet_from_guest(heap, len, &facts, &hdr) == 0)
			assert_true((size_t)hdr.csum_start + hdr.csum_offset + 2 <= len);
		free(heap);
	}
}

static void run_seed(uint64_t seed)
{
	state = seed;
	fake_reset();
	for (uint32_t i = 3; i < 40; i++)
		fake.grant[i].page = i;
	fake.meanwhile = meanwhile;
	run_blk(&blk_wire64);
	run_blk(&blk_wire32);
	run_net();
	run_console();
	run_vnet();
}

static void test_no_content_of_the_rings_does_harm(void **unused)
{
	const char *one = getenv("SEED"), *rounds = getenv("ROUNDS");
	uint64_t first = one ? strtoull(one, NULL, 10) : 1;
	uint64_t last = one ? first : rounds ? strtoull(rounds, NULL, 10) : 8;

	for (uint64_t seed = first; seed <= last; seed++) {
		/* Said before, so that it is known even after a crash. */
		print_message("seed %llu\n", (unsigned long long)seed);
		run_seed(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_content_of_the_rings_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
