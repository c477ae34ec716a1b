/* SPDX-License-Identifier: MIT */
/*
 * test_ring.c - a guest's ring: messages in pieces, full rings, hostile indices, and what a
 * restarted daemon finds. The guest is the test itself, writing to the shared page.
 */
#include <errno.h>
#include <stdlib.h>

#include "again.h"
#include "conn_ring.h"
#include "harness.h"

static struct server *srv;
static struct conn *dom0;
static struct xenstore_domain_interface *page;
static char text[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	dom0 = t_client(srv, 0);
	fake_domain(srv->hv, 1, FAKE_EXISTS);
	page = fake_ring(srv->hv, 1);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "1", "5", "9", NULL), 0);
	t_mkdir(dom0, 0, "/local/domain/1");
	t_setp(dom0, 0, "/local/domain/1", "n1");
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static struct conn *ring(void)
{
	return domain_find(&srv->domains, 1)->conn;
}

/* Lets the daemon look at the ring, and again for whatever it put off. */
static void serve(void)
{
	if (ring())
		conn_ring_serve(ring());
	for (int i = 0; i < 100 && srv->wire.again_list; i++)
		conns_serve_again(srv);
	conns_flush(srv);
}

/* The guest puts bytes into its request ring. */
static void put(const void *data, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		page->req[MASK_XENSTORE_IDX(page->req_prod + i)] = ((const char *)data)[i];
	page->req_prod += len;
}

static void put_request(uint32_t type, const void *data, uint32_t len)
{
	struct xsd_sockmsg hdr = { type, 5, 0, len };
	uint32_t done = 0;

	put(&hdr, sizeof(hdr));
	while (done < len) {
		uint32_t room = XENSTORE_RING_SIZE - (page->req_prod - page->req_cons);
		uint32_t n = len - done < room ? len - done : room;

		put((const char *)data + done, n);
		done += n;
		serve();
	}
	serve();
}

/* The guest takes up to @len bytes from its response ring. */
static uint32_t take(void *data, uint32_t len)
{
	uint32_t n = page->rsp_prod - page->rsp_cons;

	if (n > len)
		n = len;
	for (uint32_t i = 0; i < n; i++)
		((char *)data)[i] = page->rsp[MASK_XENSTORE_IDX(page->rsp_cons + i)];
	page->rsp_cons += n;
	return n;
}

static bool take_msg(struct xsd_sockmsg *hdr, char *data)
{
	uint32_t done = 0;

	if (take(hdr, sizeof(*hdr)) != sizeof(*hdr))
		return false;
	while (done < hdr->len) {
		uint32_t n = take(data + done, hdr->len - done);

		done += n;
		serve();
		if (n == 0)
			return false;
	}
	data[done] = '\0';
	return true;
}

static void test_request_and_reply(void **state)
{
	struct xsd_sockmsg hdr;

	put_request(XS_WRITE, "data/x\0hello", 12);
	assert_true(take_msg(&hdr, text));
	assert_int_equal(hdr.type, XS_WRITE);
	assert_int_equal(hdr.req_id, 5);
	assert_string_equal(text, "OK");
	put_request(XS_READ, "data/x", 7);
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "hello");
	assert_true(fake_notified(srv->hv, 1) > 0);
}

static void test_messages_larger_than_the_ring_pass(void **state)
{
	static char value[4000], path[2000];
	struct xsd_sockmsg hdr;

	memset(value, 'v', sizeof(value));
	memcpy(value, "data/x", 7);
	t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "node-size", "0", NULL);
	put_request(XS_WRITE, value, sizeof(value));
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "OK");
	put_request(XS_READ, "data/x", 7);
	assert_true(take_msg(&hdr, text));
	assert_int_equal(hdr.len, sizeof(value) - 7);
	assert_memory_equal(text, value + 7, hdr.len);
	memset(path, 'p', sizeof(path));
	put_request(XS_READ, path, sizeof(path));
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "EINVAL");
}

static void test_requests_arrive_byte_by_byte(void **state)
{
	struct xsd_sockmsg hdr = { XS_READ, 5, 0, 5 };
	char bytes[21];

	t_write(dom0, 0, "/local/domain/1/name", "guest");
	t_setp(dom0, 0, "/local/domain/1/name", "n1");
	memcpy(bytes, &hdr, 16);
	memcpy(bytes + 16, "name", 5);
	for (int i = 0; i < 19; i++) {
		put(bytes + i, 1);
		serve();
		assert_int_equal(page->req_cons, page->req_prod);
	}
	assert_int_equal(page->rsp_prod, 0);
	put(bytes + 19, 2);
	serve();
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "guest");
}

static void test_guest_that_does_not_read_stops_its_own_requests_only(void **state)
{
	char request[16 + 7];
	struct xsd_sockmsg hdr = { XS_READ, 1, 0, 7 };
	unsigned int asked = 0, answered = 0;

	t_write(dom0, 0, "/local/domain/1/name", "guest");
	memcpy(request, &hdr, 16);
	memcpy(request + 16, "name\0\0", 7);
	for (int i = 0; i < 2000; i++) {
		if (XENSTORE_RING_SIZE - (page->req_prod - page->req_cons) >= sizeof(request)) {
			put(request, sizeof(request));
			asked++;
		}
		serve();
	}
	assert_true(asked < 1000);
	assert_int_equal(t_write(dom0, 0, "/other", "1"), 0);
	while (take_msg(&hdr, text)) {
		answered++;
		serve();
	}
	assert_int_equal(answered, asked);
}

static void test_response_ring_is_used_to_its_last_byte(void **state)
{
	char value[1100];
	struct xsd_sockmsg hdr;

	memset(value, 'x', sizeof(value));
	value[1024] = '\0';
	t_write(dom0, 0, "/local/domain/1/long", value);
	put_request(XS_READ, "long", 5);
	assert_int_equal(page->rsp_prod - page->rsp_cons, XENSTORE_RING_SIZE);
	assert_true(take_msg(&hdr, text));
	assert_int_equal(hdr.len, 1024);
}

static void test_indices_wrap(void **state)
{
	struct xsd_sockmsg hdr;

	t_call(dom0, XS_RELEASE, NULL, "1", NULL);
	conns_reap(srv);
	page->req_cons = page->req_prod = 0xfffffff0u;
	page->rsp_cons = page->rsp_prod = 0xfffffff8u;
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "1", "5", "9", NULL), 0);
	t_mkdir(dom0, 0, "/local/domain/1");
	t_setp(dom0, 0, "/local/domain/1", "n1");
	for (int i = 0; i < 200; i++) {
		put_request(XS_WRITE, "data/x\0hello", 12);
		assert_true(take_msg(&hdr, text));
		assert_string_equal(text, "OK");
	}
}

static void hostile(uint32_t req_prod, uint32_t rsp_cons)
{
	page->req_prod = page->req_cons + req_prod;
	page->rsp_cons = page->rsp_prod - rsp_cons;
	serve();
	put_request(XS_READ, "x", 2);
}

static void test_impossible_request_index_ends_the_service(void **state)
{
	static const uint32_t bad[] = { 1025, 4096, 0x80000000u, 0xffffffffu };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hostile(bad[i], 0);
		assert_true(ring()->ignored);
		assert_int_equal(page->error, XENSTORE_ERROR_RINGIDX);
		assert_int_equal(page->rsp_prod, 0);
		teardown(state);
		setup(state);
	}
}

static void test_impossible_response_index_ends_the_service(void **state)
{
	put_request(XS_READ, "x", 2);
	page->rsp_cons = page->rsp_prod + 1;
	put_request(XS_READ, "x", 2);
	serve();

	assert_true(ring()->ignored);
	assert_int_equal(page->error, XENSTORE_ERROR_RINGIDX);
}

static void test_oversized_length_ends_the_service(void **state)
{
	static const uint32_t bad[] = { 4097, 0x10000, 0x80000000u, 0xffffffffu };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xsd_sockmsg hdr = { XS_READ, 5, 0, bad[i] };

		put(&hdr, sizeof(hdr));
		serve();
		assert_true(ring()->ignored);
		assert_int_equal(page->error, XENSTORE_ERROR_PROTO);
		teardown(state);
		setup(state);
	}
}

static void test_own_positions_are_not_taken_from_the_page(void **state)
{
	struct xsd_sockmsg hdr;
	uint32_t prod;

	put_request(XS_READ, "x", 2);
	take_msg(&hdr, text);
	prod = page->rsp_prod;
	page->req_cons = 0x1234;
	page->rsp_prod = prod + 500;
	put_request(XS_READ, "x", 2);

	assert_false(ring()->ignored);
	assert_int_equal(page->req_cons, page->req_prod);
	assert_true(take_msg(&hdr, text));
	assert_int_equal(page->rsp_prod, page->rsp_cons);
}

static void test_reconnect_starts_over(void **state)
{
	struct xsd_sockmsg hdr;

	put_request(XS_WATCH, "data\0tok", 9);
	assert_int_equal(ring()->nr_watches, 1);
	page->connection = XENSTORE_RECONNECT;
	serve();

	assert_int_equal(page->connection, XENSTORE_CONNECTED);
	assert_int_equal(page->req_prod, 0);
	assert_int_equal(page->rsp_prod, 0);
	assert_int_equal(ring()->nr_watches, 0);
	put_request(XS_WRITE, "data/x\0hello", 12);
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "OK");
}

/* The disk may keep an answer waiting for longer than the connection lasts that asked. */
static void test_an_answer_of_before_the_reconnect_is_nobodys(void **state)
{
	const struct conn_msg late = { .hdr = { XS_READ, 77, 0, 5 },
				       .data = "late",
				       .hold_seq = 2 };
	struct xsd_sockmsg hdr;

	srv->durable.rev = 1;
	assert_int_equal(conn_send(ring(), &late), 0);
	page->connection = XENSTORE_RECONNECT;
	serve();
	srv->durable.rev = UINT64_MAX;
	conns_release_held(srv, 2);
	serve();

	assert_int_equal(page->rsp_prod, 0);
	put_request(XS_WRITE, "data/x\0hello", 12);
	assert_true(take_msg(&hdr, text));
	assert_int_equal(hdr.req_id, 5);
	assert_string_equal(text, "OK");
}

/* The same for a request that waits: it was of the connection that is no more. */
static void test_a_request_of_before_the_reconnect_is_not_done(void **state)
{
	put_request(XS_READ, "data/none", 4);
	ring()->parked = true;
	page->connection = XENSTORE_RECONNECT;
	serve();

	assert_false(ring()->parked);
	assert_int_equal(page->rsp_prod, 0);
}

static void test_features_are_announced(void **state)
{
	assert_int_equal(page->server_features,
			 XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
}

static void test_introduction_with_a_bad_channel_fails_and_leaves_nothing(void **state)
{
	fake_domain(srv->hv, 2, FAKE_EXISTS);

	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "2", "5", "666", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_IS_DOMAIN_INTRODUCED, text, "2", NULL), 0);
	assert_string_equal(text, "F");
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "2", "5", "7", NULL), 0);
}

/* Its local port is the next domain's then: what ends the first must not end that. */
static void test_a_ring_whose_channel_is_refused_has_none(void **state)
{
	struct xsd_sockmsg hdr;

	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "1", "5", "666", NULL), EINVAL);
	assert_null(srv->wire.by_port[FAKE_PORT(1)]);
	/* What is to be told meanwhile finds no channel. */
	put_request(XS_WRITE, "data/x\0hello", 12);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "1", "5", "9", NULL), 0);
	assert_ptr_equal(srv->wire.by_port[FAKE_PORT(1)], ring());
	serve();
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "OK");
}

/* A kernel takes one reply a request. */
static void test_a_stream_is_nothing_for_a_ring(void **state)
{
	static const char *const asked[] = { "dump\0/", "feed\0/", "log\0/config", "at\0" "1\0/config",
					     "tree\0" "1\0/config", "diff\0" "1\0/config",
					     "snapshots", "generations" };
	static const uint32_t len[] = { 7, 7, 12, 13, 15, 15, 10, 12 };

	ring()->privileged = true;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct xsd_sockmsg hdr;

		put_request(XS_CONTROL, asked[i], len[i]);
		assert_true(take_msg(&hdr, text));
		assert_string_equal(text, "EINVAL");
	}
	ring()->privileged = false;
}

static void test_domid_used_again_at_once_gets_its_own_ring(void **state)
{
	struct xsd_sockmsg hdr;

	fake_domain(srv->hv, 1, 0);
	fake_domain(srv->hv, 1, FAKE_EXISTS);
	memset(page, 0, sizeof(*page));
	domains_check(srv);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "1", "5", "9", NULL), 0);
	conns_reap(srv);
	assert_ptr_equal(srv->wire.by_port[FAKE_PORT(1)], ring());
	t_mkdir(dom0, 0, "/local/domain/1");
	t_setp(dom0, 0, "/local/domain/1", "n1");
	put_request(XS_WRITE, "data/x\0hello", 12);
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "OK");
}

static void test_events_reach_the_ring(void **state)
{
	struct xsd_sockmsg hdr;

	put_request(XS_WATCH, "data\0tok", 9);
	assert_true(take_msg(&hdr, text));
	assert_true(take_msg(&hdr, text));
	assert_int_equal(hdr.type, XS_WATCH_EVENT);
	assert_string_equal(text, "data");
	t_write(dom0, 0, "/local/domain/1/data/y", "1");
	serve();
	assert_true(take_msg(&hdr, text));
	assert_string_equal(text, "data/y");
	assert_string_equal(text + 7, "tok");
}

static void test_many_events_arrive_as_room_allows(void **state)
{
	struct xsd_sockmsg hdr;
	unsigned int seen = 0;
	char path[64];

	put_request(XS_WATCH, "data\0tok", 9);
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "/local/domain/1/data/%d", i);
		t_write(dom0, 0, path, "1");
	}
	serve();
	while (take_msg(&hdr, text)) {
		seen += hdr.type == XS_WATCH_EVENT;
		serve();
	}
	assert_int_equal(seen, 501);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_request_and_reply),
		T(test_messages_larger_than_the_ring_pass),
		T(test_requests_arrive_byte_by_byte),
		T(test_guest_that_does_not_read_stops_its_own_requests_only),
		T(test_response_ring_is_used_to_its_last_byte),
		T(test_indices_wrap),
		T(test_impossible_request_index_ends_the_service),
		T(test_impossible_response_index_ends_the_service),
		T(test_oversized_length_ends_the_service),
		T(test_own_positions_are_not_taken_from_the_page),
		T(test_reconnect_starts_over),
		T(test_an_answer_of_before_the_reconnect_is_nobodys),
		T(test_a_request_of_before_the_reconnect_is_not_done),
		T(test_features_are_announced),
		T(test_introduction_with_a_bad_channel_fails_and_leaves_nothing),
		T(test_a_ring_whose_channel_is_refused_has_none),
		T(test_a_stream_is_nothing_for_a_ring),
		T(test_domid_used_again_at_once_gets_its_own_ring),
		T(test_events_reach_the_ring),
		T(test_many_events_arrive_as_room_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
