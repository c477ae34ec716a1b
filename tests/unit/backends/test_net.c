/* SPDX-License-Identifier: MIT */
/*
 * test_net.c - both directions of the network backend with an honest, broken or hostile guest.
 * A datagram socket pair stands for the tap: one write is one packet, as there.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#include "fake_xen.h"
#include "net_rx.h"
#include "net_tx.h"

#define TX_PAGE 1u
#define RX_PAGE 2u
#define DATA 10u

static struct net_tx tx;
static struct net_rx rx;
static struct net_pace pace;
static struct rsp_record tx_record, rx_record;
static int wire; /* dom0's side of the tap */
static uint32_t tx_prod, tx_cons, rx_prod, rx_cons;

static struct netif_tx_sring *tx_ring(void)
{
	return (struct netif_tx_sring *)fake.page[TX_PAGE];
}

static struct netif_rx_sring *rx_ring(void)
{
	return (struct netif_rx_sring *)fake.page[RX_PAGE];
}

static int set_up(void **state)
{
	int pair[2], size = 1 << 20;

	fake_reset();
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	wire = pair[1];
	memset(&tx, 0, sizeof(tx));
	memset(&rx, 0, sizeof(rx));
	memset(&pace, 0, sizeof(pace));
	tx.pace = &pace;
	tx.gnt = rx.gnt = xengnttab_open(NULL, 0);
	tx.domid = rx.domid = 1;
	tx.tap = rx.tap = pair[0];
	assert_int_equal(granted_make(&tx.arena, NET_TX_PAGES, NET_TX_PAGES), 0);
	assert_int_equal(granted_make(&rx.arena, NET_RX_PAGES, NET_RX_PAGES), 0);
	tx.copy.own = &tx.arena;
	rx.copy.own = &rx.arena;
	rx.can_sg = true;
	tx_prod = tx_cons = rx_prod = rx_cons = 0;
	tx_ring()->req_event = tx_ring()->rsp_event = 1;
	rx_ring()->req_event = rx_ring()->rsp_event = 1;
	bring_attach(&tx.ring, tx_ring(), &net_tx_geometry, &tx_record, false);
	bring_attach(&rx.ring, rx_ring(), &net_rx_geometry, &rx_record, false);
	return 0;
}

static int tear_down(void **state)
{
	granted_drop(&tx.arena);
	granted_drop(&rx.arena);
	close(tx.tap);
	close(wire);
	return 0;
}

/* --- guest's hand, transmit ---------------------------------------------------------------- */

static void put_tx(uint32_t gref, uint16_t offset, uint16_t size, uint16_t flags)
{
	struct netif_tx_request *r = &tx_ring()->ring[tx_prod & 255].req;

	*r = (struct netif_tx_request){ gref, offset, flags, (uint16_t)(tx_prod & 255), size };
	tx_prod++;
}

static void put_extra(uint8_t type, uint8_t flags, uint8_t gso_type, uint16_t gso_size)
{
	struct netif_extra_info e;

	memset(&e, 0, sizeof(e));
	e.type = type;
	e.flags = flags;
	e.u.gso.type = gso_type;
	e.u.gso.size = gso_size;
	memcpy(&tx_ring()->ring[tx_prod & 255], &e, sizeof(e));
	tx_prod++;
}

static int send_now(void)
{
	bool notify;

	tx_ring()->req_prod = tx_prod;
	return net_tx_work(&tx, &notify);
}

static int16_t tx_status(void)
{
	assert_int_not_equal(tx_ring()->rsp_prod, tx_cons);
	return tx_ring()->ring[tx_cons++ & 255].rsp.status;
}

/* A TCP/IPv4 frame of @len bytes in guest page @page at @offset. */
static void make_tcp(uint32_t page, uint16_t offset, uint16_t len)
{
	uint8_t *p = &fake.page[page][offset];

	memset(p, 0x42, len);
	p[12] = 8;
	p[13] = 0;
	p[14] = 0x45;
	p[20] = p[21] = 0;
	p[23] = 6;
	p[34 + 12] = 5 << 4;
}

static ssize_t take(uint8_t *buf, size_t len)
{
	return recv(wire, buf, len, MSG_DONTWAIT);
}

static void check_next_packet_works(void)
{
	uint8_t buf[2000];

	make_tcp(DATA + 8, 0, 60);
	put_tx(DATA + 8, 0, 60, 0);
	assert_int_equal(send_now(), 0);
	assert_int_equal(tx_status(), NETIF_RSP_OKAY);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 60);
	assert_int_equal(take(buf, sizeof(buf)), -1);
}

/* --- transmit ------------------------------------------------------------------------------ */

static void test_packet_goes_out_as_it_was(void **state)
{
	uint8_t buf[2000];

	make_tcp(DATA, 100, 90);
	put_tx(DATA, 100, 90, 0);
	assert_int_equal(send_now(), 0);
	assert_int_equal(tx_status(), NETIF_RSP_OKAY);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 90);
	assert_memory_equal(buf + VNET_LEN, &fake.page[DATA][100], 90);
	assert_int_equal(buf[0], 0);
}

static void test_fragments_are_joined(void **state)
{
	uint8_t buf[10000];

	make_tcp(DATA, 0, 100);
	memset(fake.page[DATA + 1], 0x11, 4096);
	memset(fake.page[DATA + 2], 0x22, 4096);
	put_tx(DATA, 0, 100 + 4096 + 7, NETTXF_more_data);
	put_tx(DATA + 1, 0, 4096, NETTXF_more_data);
	put_tx(DATA + 2, 9, 7, 0);
	assert_int_equal(send_now(), 0);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 100 + 4096 + 7);
	assert_int_equal(buf[VNET_LEN + 100], 0x11);
	assert_int_equal(buf[VNET_LEN + 100 + 4096 + 6], 0x22);
	for (int i = 0; i < 3; i++)
		assert_int_equal(tx_status(), NETIF_RSP_OKAY);
}

static void test_blank_checksum_is_described(void **state)
{
	struct virtio_net_hdr hdr;
	uint8_t buf[2000];

	make_tcp(DATA, 0, 100);
	put_tx(DATA, 0, 100, NETTXF_csum_blank | NETTXF_data_validated);
	assert_int_equal(send_now(), 0);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 100);
	memcpy(&hdr, buf, sizeof(hdr));
	assert_int_equal(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(hdr.csum_start, 34);
	assert_int_equal(hdr.csum_offset, 16);
}

static void test_joined_segments_are_described(void **state)
{
	struct virtio_net_hdr hdr;
	uint8_t buf[8000];

	make_tcp(DATA, 0, 3000);
	put_tx(DATA, 0, 3000, NETTXF_csum_blank | NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, XEN_NETIF_GSO_TYPE_TCPV4, 1448);
	assert_int_equal(send_now(), 0);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 3000);
	memcpy(&hdr, buf, sizeof(hdr));
	assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(hdr.gso_size, 1448);
	assert_int_equal(hdr.hdr_len, 54);
	assert_int_equal(tx_status(), NETIF_RSP_OKAY);
	assert_int_equal(tx_status(), NETIF_RSP_NULL);
}

/* As Linux would have granted it. */
static void grant_own(struct granted *g)
{
	fake.own = (uint8_t *)g->mem;
	g->nr_granted = g->nr_pages;
	for (uint32_t i = 0; i < g->nr_pages; i++)
		g->ref[i] = FAKE_OWN + i;
}

static void test_what_is_sent_is_copied_by_reference(void **state)
{
	uint8_t buf[10000];

	grant_own(&tx.arena);
	make_tcp(DATA, 5, 66);
	memset(fake.page[DATA + 1], 0x11, 4096);
	put_tx(DATA, 5, 66 + 4096, NETTXF_more_data | NETTXF_csum_blank);
	put_tx(DATA + 1, 0, 4096, 0);
	assert_int_equal(send_now(), 0);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 66 + 4096);
	assert_memory_equal(buf + VNET_LEN, &fake.page[DATA][5], 66);
	assert_memory_equal(buf + VNET_LEN + 66, fake.page[DATA + 1], 4096);
	assert_int_equal(fake.own_copies, 2);
}

static void test_only_what_is_granted_and_in_one_page_is_named_by_reference(void **state)
{
	static const struct {
		size_t at;
		uint32_t len;
		bool by_reference;
	} copies[] = {
		{ 4000, 96, true }, { 4000, 97, false }, { 4096, 4096, true }, { 4095, 1, true },
		{ 4095, 2, false }, { 3 * 4096 - 1, 1, true }, { 3 * 4096, 1, false },
	};
	struct gcopy *g = &tx.copy;

	grant_own(&tx.arena);
	tx.arena.nr_granted = 3;
	gcopy_start(g, tx.gnt, 1);
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		char *mem = tx.arena.mem + copies[i].at;

		assert_int_equal(gcopy_from(g, mem, DATA, 0, copies[i].len), (int)i);
		assert_int_equal(g->seg[i].flags,
				 GNTCOPY_source_gref | (copies[i].by_reference ? GNTCOPY_dest_gref : 0));
		if (!copies[i].by_reference)
			assert_ptr_equal(g->seg[i].dest.virt, mem);
	}
	assert_int_equal(gcopy_to(g, DATA, 0, fake.page[DATA], 10), 7); /* not its memory at all */
	assert_int_equal(g->seg[7].flags, GNTCOPY_dest_gref);
}

static void test_split_header_with_empty_fragments_is_legal(void **state)
{
	uint8_t buf[2000];

	make_tcp(DATA, 0, 60);
	put_tx(DATA, 0, 60, NETTXF_more_data);
	put_tx(DATA, 0, 0, NETTXF_more_data); /* nothing */
	put_tx(DATA, 0, 60, 0);		      /* all of it: the first request carries 0 bytes */
	assert_int_equal(send_now(), 0);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 60);
	assert_int_equal(tx_status(), NETIF_RSP_OKAY);
}

static void test_many_packets_keep_their_order(void **state)
{
	uint8_t buf[200];
	int rc = 1;

	for (uint32_t i = 0; i < 100; i++) {
		make_tcp(DATA + i, 0, 60);
		fake.page[DATA + i][59] = (uint8_t)i;
		put_tx(DATA + i, 0, 60, 0);
	}
	tx_ring()->req_prod = tx_prod;
	for (uint32_t i = 0; i < 100;) {
		if (take(buf, sizeof(buf)) > 0)
			assert_int_equal(buf[VNET_LEN + 59], i++);
		else
			rc = send_now();
	}
	assert_int_equal(rc, 0);
}

/* How many 1000 byte packets got through by @ms, of those on the ring. */
static unsigned int sent_by(uint64_t ms)
{
	uint8_t buf[2000];
	unsigned int n = 0;

	tx.now_ns = 1000000000 + ms * 1000000;
	while (send_now() > 0)
		;
	while (take(buf, sizeof(buf)) > 0)
		n++;
	return n;
}

static void test_a_rate_lets_through_so_many_bytes_and_no_more(void **state)
{
	uint64_t rest;

	/* 250 packets of 1000 bytes a second. */
	assert_int_equal(net_pace_init(&pace, "2500,10000"), 0);
	for (uint32_t i = 0; i < 200; i++) {
		make_tcp(DATA + i % 100, 0, 1000);
		put_tx(DATA + i % 100, 0, 1000, 0);
	}
	assert_int_equal(sent_by(0), 3);
	assert_int_equal(tx.wait_ns, 1010000000);
	assert_int_equal(sent_by(9), 0);
	/* The third had taken 500 bytes of this share. */
	assert_int_equal(sent_by(10), 2);
	assert_int_equal(sent_by(20), 3);
	for (uint64_t ms = 30; ms < 500; ms += 10)
		sent_by(ms);
	assert_in_range(tx.packets, 124, 126);
	assert_int_equal(tx.wait_ns, 1500000000);
	/* What was not used is lost: a share and a packet, after any pause. */
	assert_int_equal(sent_by(3600000), 3);
	pace.share = 0;
	rest = 200 - tx.packets;
	assert_int_equal(sent_by(3600000), rest);
	assert_int_equal(tx.wait_ns, 0);
}

static void test_rates_that_make_no_sense_are_refused(void **state)
{
	static const char *const bad[] = { "0,50000", "1", "1,0", "1,2,3", "x", "-1,-1", "1,-1", "1,10000001",
					   "99999999999999999999,1" };
	struct net_pace p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(net_pace_init(&p, bad[i]), -EINVAL);
	assert_int_equal(net_pace_init(&p, ""), 0);
	assert_int_equal(net_pace_wait(&p, 7), 0);
}

/* Bad packets: an error for that packet, nothing on the wire, the next one works. */
static void bad_packet(uint32_t slots)
{
	uint8_t buf[2000];

	assert_int_equal(send_now(), 0);
	assert_int_equal(take(buf, sizeof(buf)), -1);
	assert_int_equal(tx_ring()->rsp_prod, tx_cons + slots);
	assert_int_equal(tx_status(), NETIF_RSP_ERROR);
	tx_cons += slots - 1;
	check_next_packet_works();
}

static void test_runt_is_refused(void **state)
{
	put_tx(DATA, 0, 13, 0);
	bad_packet(1);
	put_tx(DATA, 0, 0, 0);
	bad_packet(1);
}

static void test_packet_leaving_its_page_is_refused(void **state)
{
	put_tx(DATA, 4000, 97, 0);
	bad_packet(1);
	put_tx(DATA, 65535, 65535, 0);
	bad_packet(1);
	put_tx(DATA, 4097, 20, 0);
	bad_packet(1);
}

static void test_bad_grants_are_refused(void **state)
{
	put_tx(0, 0, 60, 0);
	bad_packet(1);
	put_tx(UINT32_MAX, 0, 60, 0);
	bad_packet(1);
	put_tx(DATA, 0, 160, NETTXF_more_data);
	put_tx(99999, 0, 100, 0);
	bad_packet(2);
}

static void test_fragments_larger_than_the_packet_are_refused(void **state)
{
	put_tx(DATA, 0, 100, NETTXF_more_data);
	put_tx(DATA, 0, 101, 0);
	bad_packet(2);
	put_tx(DATA, 0, 65535, NETTXF_more_data);
	put_tx(DATA, 0, 65535, NETTXF_more_data);
	put_tx(DATA, 0, 65535, 0);
	bad_packet(3);
}

static void test_fragments_that_wrap_the_first_size_are_refused(void **state)
{
	/* 16 pages and 50 bytes behind a packet of 100: 100 - 65586 is 50 again in 16 bits. */
	put_tx(DATA, 0, 100, NETTXF_more_data);
	for (int i = 0; i < 16; i++)
		put_tx(DATA, 0, 4096, NETTXF_more_data);
	put_tx(DATA, 0, 50, 0);
	bad_packet(18);
}

static void test_gso_of_size_zero_is_refused(void **state)
{
	make_tcp(DATA, 0, 3000);
	put_tx(DATA, 0, 3000, NETTXF_csum_blank | NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, XEN_NETIF_GSO_TYPE_TCPV4, 0);
	bad_packet(2);
}

/* A packet of 64 KiB would become 64 Ki of them in dom0's kernel. */
static void test_segments_smaller_than_any_tcp_sends_are_refused(void **state)
{
	uint8_t buf[3100];

	for (uint16_t size = 1; size < 8; size++) {
		make_tcp(DATA, 0, 3000);
		put_tx(DATA, 0, 3000, NETTXF_csum_blank | NETTXF_extra_info);
		put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, XEN_NETIF_GSO_TYPE_TCPV4, size);
		bad_packet(2);
	}
	make_tcp(DATA, 0, 3000);
	put_tx(DATA, 0, 3000, NETTXF_csum_blank | NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, XEN_NETIF_GSO_TYPE_TCPV4, 8);
	assert_int_equal(send_now(), 0);
	assert_int_equal(tx_status(), NETIF_RSP_OKAY);
	assert_int_equal(tx_status(), NETIF_RSP_NULL);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 3000);
}

static void test_gso_of_unknown_or_wrong_kind_is_refused(void **state)
{
	static const uint8_t kinds[] = { XEN_NETIF_GSO_TYPE_NONE, XEN_NETIF_GSO_TYPE_TCPV6, 3, 255 };

	for (size_t i = 0; i < sizeof(kinds); i++) {
		make_tcp(DATA, 0, 3000);
		put_tx(DATA, 0, 3000, NETTXF_csum_blank | NETTXF_extra_info);
		put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, kinds[i], 1448);
		bad_packet(2);
	}
}

static void test_gso_without_blank_checksum_is_refused(void **state)
{
	make_tcp(DATA, 0, 3000);
	put_tx(DATA, 0, 3000, NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0, XEN_NETIF_GSO_TYPE_TCPV4, 1448);
	bad_packet(2);
}

static void test_blank_checksum_on_what_has_none_is_refused(void **state)
{
	make_tcp(DATA, 0, 60);
	fake.page[DATA][23] = 1; /* ICMP */
	put_tx(DATA, 0, 60, NETTXF_csum_blank);
	bad_packet(1);
	make_tcp(DATA, 0, 60);
	fake.page[DATA][12] = 0x12; /* not IP */
	put_tx(DATA, 0, 60, NETTXF_csum_blank);
	bad_packet(1);
	make_tcp(DATA, 0, 60);
	fake.page[DATA][14] = 0x4f; /* IP header of 60 bytes: TCP would start behind the end */
	put_tx(DATA, 0, 60, NETTXF_csum_blank);
	bad_packet(1);
	make_tcp(DATA, 0, 60);
	fake.page[DATA][34 + 12] = 0xf0; /* TCP header of 60 bytes */
	put_tx(DATA, 0, 60, NETTXF_csum_blank);
	bad_packet(1);
}

static void test_extra_of_a_feature_not_offered_is_refused(void **state)
{
	make_tcp(DATA, 0, 60);
	put_tx(DATA, 0, 60, NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0, 0, 0);
	bad_packet(2);
	put_tx(DATA, 0, 60, NETTXF_extra_info);
	put_extra(255, 0, 0, 0);
	bad_packet(2);
	put_tx(DATA, 0, 60, NETTXF_extra_info);
	put_extra(XEN_NETIF_EXTRA_TYPE_NONE, 0, 0, 0);
	bad_packet(2);
}

static void test_failing_copy_call_sends_nothing(void **state)
{
	make_tcp(DATA, 0, 60);
	put_tx(DATA, 0, 60, 0);
	fake.copy_fails = true;
	assert_int_equal(send_now(), 0);
	assert_int_equal(tx_status(), NETIF_RSP_ERROR);
	fake.copy_fails = false;
	check_next_packet_works();
}

/* Broken rings: the connection is over. */
static void broken_ring(void)
{
	uint8_t buf[200];

	assert_int_equal(send_now(), -EPROTO);
	assert_int_equal(take(buf, sizeof(buf)), -1);
	assert_int_equal(tx_ring()->rsp_prod, 0);
}

static void test_overrun_ring_ends_the_connection(void **state)
{
	tx_prod = 257;
	broken_ring();
}

static void test_ring_behind_answers_ends_the_connection(void **state)
{
	tx_prod = UINT32_MAX;
	broken_ring();
}

static void test_chain_without_end_ends_the_connection(void **state)
{
	for (int i = 0; i < 256; i++)
		put_tx(DATA, 0, 100, NETTXF_more_data);
	broken_ring();
}

static void test_chain_of_21_fragments_ends_the_connection(void **state)
{
	for (int i = 0; i < 20; i++)
		put_tx(DATA, 0, 100, NETTXF_more_data);
	put_tx(DATA, 0, 100, 0);
	broken_ring();
}

static void test_packet_published_in_part_ends_the_connection(void **state)
{
	put_tx(DATA, 0, 100, NETTXF_more_data);
	broken_ring();
}

static void test_extra_chain_without_end_ends_the_connection(void **state)
{
	put_tx(DATA, 0, 100, NETTXF_extra_info);
	for (int i = 0; i < 100; i++)
		put_extra(XEN_NETIF_EXTRA_TYPE_HASH, XEN_NETIF_EXTRA_FLAG_MORE, 0, 0);
	broken_ring();
}

static void test_missing_extra_ends_the_connection(void **state)
{
	put_tx(DATA, 0, 100, NETTXF_extra_info);
	broken_ring();
}

static void test_good_packets_before_a_broken_one_still_go(void **state)
{
	uint8_t buf[200];
	bool notify;

	make_tcp(DATA, 0, 60);
	put_tx(DATA, 0, 60, 0);
	put_tx(DATA, 0, 100, NETTXF_more_data);
	tx_ring()->req_prod = tx_prod;
	assert_int_equal(net_tx_work(&tx, &notify), 1);
	assert_int_equal(take(buf, sizeof(buf)), VNET_LEN + 60);
	assert_int_equal(net_tx_work(&tx, &notify), -EPROTO);
}

/* --- receive ------------------------------------------------------------------------------- */

static void post(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, rx_prod++) {
		struct netif_rx_request *r = &rx_ring()->ring[rx_prod & 255].req;

		*r = (struct netif_rx_request){ (uint16_t)(rx_prod & 255), 0,
						DATA + (rx_prod & 255) };
	}
	rx_ring()->req_prod = rx_prod;
}

static void arrive(size_t len, uint8_t flags, uint8_t gso_type, uint16_t gso_size)
{
	static uint8_t buf[70000];
	struct virtio_net_hdr hdr = { .flags = flags, .gso_type = gso_type, .gso_size = gso_size };

	memset(buf, 0x33, sizeof(buf));
	memcpy(buf, &hdr, sizeof(hdr));
	buf[VNET_LEN + len - 1] = 0x99;
	assert_int_equal(send(wire, buf, VNET_LEN + len, 0), VNET_LEN + len);
}

static struct netif_rx_response rx_answer(void)
{
	assert_int_not_equal(rx_ring()->rsp_prod, rx_cons);
	return rx_ring()->ring[rx_cons++ & 255].rsp;
}

static int receive(void)
{
	bool notify;
	int rc;

	do
		rc = net_rx_work(&rx, &notify);
	while (rc == 1);
	return rc;
}

static void test_packet_lands_in_the_posted_page(void **state)
{
	struct netif_rx_response rsp;

	post(4);
	arrive(700, 0, 0, 0);
	assert_int_equal(receive(), 0);
	rsp = rx_answer();
	assert_int_equal(rsp.status, 700);
	assert_int_equal(rsp.id, 0);
	assert_int_equal(rsp.flags, 0);
	assert_int_equal(rsp.offset, 0);
	assert_int_equal(fake.page[DATA][699], 0x99);
	assert_int_equal(rx_ring()->rsp_prod, rx_cons);
}

static void test_what_is_received_is_copied_by_reference(void **state)
{
	grant_own(&rx.arena);
	post(4);
	arrive(9000, 0, 0, 0);
	assert_int_equal(receive(), 0);
	assert_int_equal(fake.own_copies, 3);
	assert_int_equal(fake.page[DATA][0], 0x33);
	assert_int_equal(fake.page[DATA + 1][4095], 0x33);
	assert_int_equal(fake.page[DATA + 2][9000 - 8192 - 1], 0x99);
}

static void test_large_packet_spans_pages_with_its_description(void **state)
{
	struct netif_rx_response rsp;
	struct netif_extra_info extra;

	post(8);
	arrive(9000, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, 1448);
	assert_int_equal(receive(), 0);
	rsp = rx_answer();
	assert_int_equal(rsp.status, 4096);
	assert_int_equal(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated | NETRXF_extra_info |
					    NETRXF_more_data);
	memcpy(&extra, &rx_ring()->ring[rx_cons++].rsp, sizeof(extra));
	assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
	assert_int_equal(extra.flags, 0);
	assert_int_equal(extra.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV4);
	assert_int_equal(extra.u.gso.size, 1448);
	rsp = rx_answer();
	assert_int_equal(rsp.id, 2);
	assert_int_equal(rsp.status, 4096);
	assert_int_equal(rsp.flags, NETRXF_more_data);
	rsp = rx_answer();
	assert_int_equal(rsp.status, 9000 - 8192);
	assert_int_equal(rsp.flags, 0);
	assert_int_equal(fake.page[DATA + 3][9000 - 8192 - 1], 0x99);
}

static void test_largest_packet_fits(void **state)
{
	post(NET_RX_MAX_SLOTS);
	arrive(VNET_MAX_PACKET, VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV6, 1440);
	assert_int_equal(receive(), 0);
	assert_int_equal(rx_ring()->rsp_prod, NET_RX_MAX_SLOTS);
}

static void test_guest_without_pages_stalls_and_goes_on(void **state)
{
	post(1);
	for (int i = 0; i < 40; i++)
		arrive(60, 0, 0, 0);
	assert_int_equal(receive(), 0);
	assert_true(rx.stalled);
	assert_int_equal(rx_ring()->rsp_prod, 1);
	assert_int_equal(rx_ring()->req_event, 2);
	post(100);
	assert_int_equal(receive(), 0);
	assert_false(rx.stalled);
	assert_int_equal(rx_ring()->rsp_prod, 40);
}

static void test_packet_waits_until_all_its_pages_are_there(void **state)
{
	post(2);
	arrive(9000, 0, 0, 0);
	assert_int_equal(receive(), 0);
	assert_true(rx.stalled);
	assert_int_equal(rx_ring()->req_event, 3);
	assert_int_equal(rx_ring()->rsp_prod, 0);
	post(1);
	assert_int_equal(receive(), 0);
	assert_int_equal(rx_ring()->rsp_prod, 3);
}

static void test_bad_page_costs_only_its_packet(void **state)
{
	post(3);
	fake.grant[DATA + 1].readonly = true;
	for (int i = 0; i < 3; i++)
		arrive(60, 0, 0, 0);
	assert_int_equal(receive(), 0);
	assert_int_equal(rx_answer().status, 60);
	assert_int_equal(rx_answer().status, NETIF_RSP_ERROR);
	assert_int_equal(rx_answer().status, 60);
}

static void test_one_bad_page_fails_the_whole_packet(void **state)
{
	struct netif_rx_response rsp;

	post(3);
	fake.grant[DATA + 1].valid = false;
	arrive(9000, 0, 0, 0);
	assert_int_equal(receive(), 0);
	for (int i = 0; i < 3; i++) {
		rsp = rx_answer();
		assert_int_equal(rsp.status, NETIF_RSP_ERROR);
		/* The chain still tells which slots belong to it. */
		assert_int_equal(rsp.flags, i < 2 ? NETRXF_more_data : 0);
	}
}

static void test_guest_without_sg_gets_no_large_packet(void **state)
{
	rx.can_sg = false;
	post(8);
	arrive(5000, 0, 0, 0);
	arrive(60, 0, 0, 0);
	assert_int_equal(receive(), 0);
	assert_int_equal(rx_answer().status, 60);
	assert_int_equal(rx_ring()->rsp_prod, 1);
	assert_int_equal(rx.dropped, 1);
}

static void test_overrun_receive_ring_ends_the_connection(void **state)
{
	bool notify;

	arrive(60, 0, 0, 0);
	rx_ring()->req_prod = 257;
	assert_int_equal(net_rx_work(&rx, &notify), -EPROTO);
	assert_int_equal(rx_ring()->rsp_prod, 0);
}

static void test_request_changed_while_copying_is_not_seen(void **state)
{
	post(1);
	arrive(60, 0, 0, 0);
	rx_ring()->ring[0].req.pad = 0xffff; /* padding has no meaning */
	assert_int_equal(receive(), 0);
	assert_int_equal(rx_answer().status, 60);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_packet_goes_out_as_it_was),
		T(test_fragments_are_joined),
		T(test_blank_checksum_is_described),
		T(test_joined_segments_are_described),
		T(test_what_is_sent_is_copied_by_reference),
		T(test_only_what_is_granted_and_in_one_page_is_named_by_reference),
		T(test_what_is_received_is_copied_by_reference),
		T(test_split_header_with_empty_fragments_is_legal),
		T(test_many_packets_keep_their_order),
		T(test_a_rate_lets_through_so_many_bytes_and_no_more),
		T(test_rates_that_make_no_sense_are_refused),
		T(test_runt_is_refused),
		T(test_packet_leaving_its_page_is_refused),
		T(test_bad_grants_are_refused),
		T(test_fragments_larger_than_the_packet_are_refused),
		T(test_fragments_that_wrap_the_first_size_are_refused),
		T(test_gso_of_size_zero_is_refused),
		T(test_segments_smaller_than_any_tcp_sends_are_refused),
		T(test_gso_of_unknown_or_wrong_kind_is_refused),
		T(test_gso_without_blank_checksum_is_refused),
		T(test_blank_checksum_on_what_has_none_is_refused),
		T(test_extra_of_a_feature_not_offered_is_refused),
		T(test_failing_copy_call_sends_nothing),
		T(test_overrun_ring_ends_the_connection),
		T(test_ring_behind_answers_ends_the_connection),
		T(test_chain_without_end_ends_the_connection),
		T(test_chain_of_21_fragments_ends_the_connection),
		T(test_packet_published_in_part_ends_the_connection),
		T(test_extra_chain_without_end_ends_the_connection),
		T(test_missing_extra_ends_the_connection),
		T(test_good_packets_before_a_broken_one_still_go),
		T(test_packet_lands_in_the_posted_page),
		T(test_large_packet_spans_pages_with_its_description),
		T(test_largest_packet_fits),
		T(test_guest_without_pages_stalls_and_goes_on),
		T(test_packet_waits_until_all_its_pages_are_there),
		T(test_bad_page_costs_only_its_packet),
		T(test_one_bad_page_fails_the_whole_packet),
		T(test_guest_without_sg_gets_no_large_packet),
		T(test_overrun_receive_ring_ends_the_connection),
		T(test_request_changed_while_copying_is_not_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
