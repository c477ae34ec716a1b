/* SPDX-License-Identifier: MIT */
/*
 * test_hostile.c - the block and network frontends against a backend that lies: whatever it writes
 * to the rings and whenever, nothing is read or written outside the frontend's own pages, no page
 * is used again while the backend has it, and a broken ring stays broken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "blkfront.h"
#include "guest/events.h"
#include "guest/grants.h"
#include "guest/hypercall.h"
#include "guest/mm.h"
#include "netfront.h"

#define ROUNDS 20000
#define PAGES 64
#define GRANTS 256

static struct netfront net;
static struct blkfront blk;
static void (*backend)(void); /* what it does whenever the frontend waits or looks at the clock */
static void (*meanwhile)(void); /* what it does whenever a page is offered */
static unsigned int keeps_1_in; /* grants the backend does not let go of; 0: none */
static u64 now;

static u32 rng;

static u32 rnd(u32 n)
{
	rng = rng * 1664525u + 1013904223u;
	return (rng >> 8) % n;
}

/* --- the kit, as far as frontends stand on it --- */

static struct {
	void *at;
	bool is_free;
} page[PAGES];
static unsigned int nr_pages;
static void *granted[GRANTS]; /* NULL: not offered */
static grant_ref_t next_ref;

void *page_alloc(void)
{
	for (unsigned int i = 0; i < nr_pages; i++)
		if (page[i].is_free) {
			page[i].is_free = false;
			return memset(page[i].at, 0, PAGE_SIZE);
		}
	assert_true(nr_pages < PAGES);
	page[nr_pages].at = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	page[nr_pages].is_free = false;
	return memset(page[nr_pages++].at, 0, PAGE_SIZE);
}

void page_free(void *p)
{
	for (unsigned int i = 0; i < GRANTS; i++)
		assert_ptr_not_equal(granted[i], p); /* the backend could still write it */
	for (unsigned int i = 0; i < nr_pages; i++)
		if (page[i].at == p)
			page[i].is_free = true;
}

u64 virt_to_mfn(const void *va)
{
	return (u64)va >> PAGE_SHIFT;
}

grant_ref_t grant_offer(domid_t domid, u64 mfn, u16 flags)
{
	if (meanwhile)
		meanwhile();
	do {
		next_ref = next_ref % (GRANTS - 1) + 1;
	} while (granted[next_ref]);
	granted[next_ref] = (void *)(mfn << PAGE_SHIFT);
	return next_ref;
}

bool grant_end(grant_ref_t ref)
{
	assert_true(ref < GRANTS && granted[ref]);
	if (keeps_1_in && rnd(keeps_1_in) == 0)
		return false;
	granted[ref] = NULL;
	return true;
}

u64 clock_ns(void)
{
	if (backend)
		backend();
	return now += NS_PER_S / 10;
}

bool port_wait(evtchn_port_t port, u64 timeout_ns)
{
	clock_ns();
	return true;
}

long port_send(evtchn_port_t port)
{
	return 0;
}

long port_close(evtchn_port_t port)
{
	return 0;
}

long hc_sched(unsigned int op, void *arg)
{
	clock_ns();
	return 0;
}

int device_open(struct xenbus_device *d, const char *kind, unsigned int id)
{
	return 0;
}

int device_read_backend(const struct xenbus_device *d, const char *key, u64 *out)
{
	*out = rnd(2) ? rnd(1000) : ~0ULL;
	return 0;
}

int device_set_state(const struct xenbus_device *d, enum xenbus_state state)
{
	return 0;
}

int device_wait(const struct xenbus_device *d, enum xenbus_state state, u64 timeout_ns)
{
	return 0;
}

int device_publish(const struct xenbus_device *d, const struct device_key *keys, size_t nr)
{
	return 0;
}

int device_port(const struct xenbus_device *d, evtchn_port_t *port)
{
	*port = 5;
	return 0;
}

int xenbus_read(u32 txn, const char *path, char *value, size_t size)
{
	return snprintf(value, size, "00:16:3e:%02x:02:03", rnd(256));
}

/* --- a backend that lies --- */

static u32 any_index(u32 good)
{
	switch (rnd(6)) {
	case 0:
		return good - 1;
	case 1:
		return good + rnd(600);
	case 2:
		return rnd(1u << 24) << 8;
	default:
		return good + rnd(2);
	}
}

static void scribble(void *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((u8 *)at)[i] = (u8)rnd(256);
}

static void net_lies(void)
{
	struct netif_rx_response *rx = RING_GET_RESPONSE(&net.rx, net.rx.rsp_cons + rnd(3));
	struct netif_tx_response *tx = RING_GET_RESPONSE(&net.tx, net.tx.rsp_cons + rnd(2));

	scribble(rx, sizeof(*rx));
	if (rnd(8)) {
		rx->id = (u16)rnd(NET_RX_BUFFERS + 1);
		rx->offset = (u16)(rnd(2) ? 0 : rnd(PAGE_SIZE));
		rx->status = (s16)(rnd(1600) - 20);
	}
	scribble(tx, sizeof(*tx));
	if (rnd(4))
		tx->id = net.next_id;
	net.rx.sring->rsp_prod = any_index(net.rx.rsp_cons);
	net.tx.sring->rsp_prod = any_index(net.tx.rsp_cons);
}

static void blk_lies(void)
{
	struct blkif_response *rsp = RING_GET_RESPONSE(&blk.ring, blk.ring.rsp_cons + rnd(2));

	scribble(rsp, sizeof(*rsp));
	if (rnd(4)) {
		rsp->id = blk.next_id;
		rsp->status = (s16)-rnd(3);
	}
	blk.ring.sring->rsp_prod = any_index(blk.ring.rsp_cons);
}

static void blk_answers(void)
{
	*RING_GET_RESPONSE(&blk.ring, blk.ring.rsp_cons) =
		(struct blkif_response){ .id = blk.next_id };
	blk.ring.sring->rsp_prod = blk.ring.rsp_cons + 1;
}

static int fresh(void **state)
{
	for (unsigned int i = 0; i < nr_pages; i++)
		free(page[i].at);
	nr_pages = 0;
	memset(granted, 0, sizeof(granted));
	backend = meanwhile = NULL;
	keeps_1_in = 0;
	assert_int_equal(netfront_open(&net, 0), 0);
	assert_int_equal(blkfront_open(&blk, 51712), 0);
	return 0;
}

/* --- the network --- */

/* The buffers a backend may write are those that are offered, each once. */
static void check_buffers(void)
{
	for (unsigned int i = 0; i < NET_RX_BUFFERS; i++)
		assert_ptr_equal(granted[net.buffer[i].ref], net.buffer[i].page);
}

static void test_no_lie_about_frames_reaches_beyond_a_buffer(void **state)
{
	unsigned int nr_received = 0, nr_broken = 0;
	u8 *frame = malloc(NET_FRAME_MAX);

	rng = 1;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		int len;

		backend = net_lies;
		keeps_1_in = 50;
		len = netfront_receive(&net, frame, NS_PER_S);
		assert_true(len <= NET_FRAME_MAX && (len > 0 || len == -EIO || len == -ETIMEDOUT));
		nr_received += len > 0;
		if (!net.is_broken) {
			check_buffers();
			continue;
		}
		nr_broken++;
		assert_int_equal(netfront_receive(&net, frame, NS_PER_S), -EIO);
		assert_int_equal(netfront_send(&net, frame, 60), -EIO);
		fresh(state);
	}
	assert_true(nr_received > 100 && nr_broken > 100);
	free(frame);
}

static void test_no_lie_about_sending_frees_a_page_that_is_in_use(void **state)
{
	unsigned int nr_sent = 0;
	u8 frame[60] = { 0 };

	rng = 2;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		backend = net_lies;
		keeps_1_in = 50;
		nr_sent += netfront_send(&net, frame, sizeof(frame)) == 0;
		if (net.is_broken)
			fresh(state);
	}
	assert_true(nr_sent > 100);
}

static void test_a_number_no_buffer_has_breaks_the_ring(void **state)
{
	u8 frame[NET_FRAME_MAX];

	*RING_GET_RESPONSE(&net.rx, 0) =
		(struct netif_rx_response){ .id = NET_RX_BUFFERS, .status = 60 };
	net.rx.sring->rsp_prod = 1;
	assert_int_equal(netfront_receive(&net, frame, NS_PER_S), -EIO);
	assert_true(net.is_broken);
}

static void test_a_frame_across_the_pages_end_is_dropped(void **state)
{
	u8 frame[NET_FRAME_MAX];

	*RING_GET_RESPONSE(&net.rx, 0) =
		(struct netif_rx_response){ .id = 3, .offset = PAGE_SIZE - 60, .status = 61 };
	net.rx.sring->rsp_prod = 1;
	assert_int_equal(netfront_receive(&net, frame, NS_PER_S), -ETIMEDOUT);
	assert_false(net.is_broken);
	check_buffers();
}

static unsigned int nr_useless;

static void net_sends_useless(void)
{
	u32 prod = net.rx.sring->rsp_prod;

	if (++nr_useless > ROUNDS)
		fail_msg("it never ends");
	*RING_GET_RESPONSE(&net.rx, prod) = (struct netif_rx_response){
		.id = (u16)(nr_useless % NET_RX_BUFFERS), .status = NETIF_RSP_ERROR };
	net.rx.sring->rsp_prod = prod + 1;
}

static void test_useless_answers_without_end_keep_nobody(void **state)
{
	u8 frame[NET_FRAME_MAX];

	nr_useless = 0;
	net_sends_useless();
	meanwhile = net_sends_useless;
	assert_int_equal(netfront_receive(&net, frame, NS_PER_S), -ETIMEDOUT);
	assert_false(net.is_broken);
}

/* --- the disk --- */

static void test_no_lie_about_a_request_is_more_than_its_failure(void **state)
{
	static const int allowed[] = { 0, -EIO, -EOPNOTSUPP, -ETIMEDOUT, -EBUSY };
	unsigned int nr_done = 0;
	void *data = page_alloc();

	rng = 3;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		bool is_known = false;
		int rc;

		backend = blk_lies;
		keeps_1_in = 50;
		rc = rnd(2) ? blkfront_read(&blk, rnd(100), data) : blkfront_flush(&blk);
		for (unsigned int k = 0; k < ARRAY_SIZE(allowed); k++)
			is_known |= rc == allowed[k];
		assert_true(is_known);
		nr_done += rc == 0;
		if (blk.is_broken) {
			assert_int_equal(blkfront_read(&blk, 0, data), -EIO);
			fresh(state);
			data = page_alloc();
		}
	}
	assert_true(nr_done > 100);
}

static void test_a_late_answer_is_nobodys(void **state)
{
	void *data = page_alloc();

	assert_int_equal(blkfront_read(&blk, 0, data), -ETIMEDOUT);
	blk_answers();
	assert_int_equal(blkfront_read(&blk, 8, data), -EIO);
}

static void blk_answers_another(void)
{
	blk_answers();
	RING_GET_RESPONSE(&blk.ring, blk.ring.rsp_cons)->id++;
}

static void blk_answers_twice(void)
{
	blk_answers();
	blk.ring.sring->rsp_prod++;
}

static void test_an_answer_to_nothing_asked_breaks_the_ring(void **state)
{
	void *data = page_alloc();

	backend = blk_answers_another;
	assert_int_equal(blkfront_read(&blk, 0, data), -EIO);
	assert_true(blk.is_broken);
	fresh(state);
	backend = blk_answers_twice;
	assert_int_equal(blkfront_flush(&blk), -EIO);
	assert_true(blk.is_broken);
}

static void test_a_page_the_backend_keeps_ends_the_ring(void **state)
{
	void *data = page_alloc();

	backend = blk_answers;
	assert_int_equal(blkfront_read(&blk, 0, data), 0);
	keeps_1_in = 1;
	assert_int_equal(blkfront_read(&blk, 0, data), -EBUSY);
	assert_true(blk.is_broken);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		CLAIM(test_no_lie_about_frames_reaches_beyond_a_buffer),
		CLAIM(test_no_lie_about_sending_frees_a_page_that_is_in_use),
		CLAIM(test_a_number_no_buffer_has_breaks_the_ring),
		CLAIM(test_a_frame_across_the_pages_end_is_dropped),
		CLAIM(test_useless_answers_without_end_keep_nobody),
		CLAIM(test_no_lie_about_a_request_is_more_than_its_failure),
		CLAIM(test_a_late_answer_is_nobodys),
		CLAIM(test_an_answer_to_nothing_asked_breaks_the_ring),
		CLAIM(test_a_page_the_backend_keeps_ends_the_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
