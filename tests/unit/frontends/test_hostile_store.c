/* SPDX-License-Identifier: MIT */
/*
 * test_hostile_store.c - the guest's client of the store against a daemon that has nothing to say
 * but events, and against one that breaks its ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "guest/events.h"
#include "guest/mm.h"
#include "xenbus/xenbus.h"
#include "xs_wire.h"

#define ROUNDS 20000

static struct xenstore_domain_interface ring;
static struct start_info info;
struct start_info *start_info = &info;
static void (*daemon_does)(void);
static unsigned int rounds;
static u64 now;

/* --- the kit, as far as the client stands on it --- */

void *mfn_to_virt(u64 mfn)
{
	return &ring;
}

u64 clock_ns(void)
{
	return now += 10 * NS_PER_MS;
}

long port_send(evtchn_port_t port)
{
	if (++rounds > ROUNDS)
		fail_msg("it never ends");
	ring.req_cons = ring.req_prod;
	daemon_does();
	return 0;
}

bool port_wait(evtchn_port_t port, u64 timeout_ns)
{
	now += timeout_ns;
	return false;
}

/* --- a daemon that lies --- */

static void put(const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] = ((const char *)data)[i];
}

static void sends_events(void)
{
	static const char event[] = "device/vbd/51712/state\0token";
	u8 hdr[XS_WIRE_HDR_LEN];

	xs_wire_put_hdr(hdr, XS_WATCH_EVENT, 0, 0, sizeof(event));
	while (sizeof(ring.rsp) - (ring.rsp_prod - ring.rsp_cons) >= sizeof(hdr) + sizeof(event)) {
		put(hdr, sizeof(hdr));
		put(event, sizeof(event));
	}
}

static void runs_ahead(void)
{
	ring.rsp_prod = ring.rsp_cons + sizeof(ring.rsp) + 1;
}

static void sends_too_much(void)
{
	u8 hdr[XS_WIRE_HDR_LEN];

	xs_wire_put_hdr(hdr, XS_READ, 0, 0, XENSTORE_PAYLOAD_MAX);
	hdr[12] = hdr[13] = hdr[14] = hdr[15] = 0xff;
	put(hdr, sizeof(hdr));
}

static int fresh(void **state)
{
	memset(&ring, 0, sizeof(ring));
	rounds = 0;
	return 0;
}

static void test_events_without_end_keep_nobody(void **state)
{
	char value[16];

	daemon_does = sends_events;
	assert_int_equal(xenbus_read(0, "name", value, sizeof(value)), -ETIMEDOUT);
}

static void test_a_ring_that_is_ahead_of_itself_is_broken(void **state)
{
	char value[16];

	daemon_does = runs_ahead;
	assert_int_equal(xenbus_read(0, "name", value, sizeof(value)), -EIO);
}

static void test_a_message_longer_than_any_is_not_read(void **state)
{
	char value[16];

	daemon_does = sends_too_much;
	assert_int_equal(xenbus_read(0, "name", value, sizeof(value)), -EIO);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		CLAIM(test_events_without_end_keep_nobody),
		CLAIM(test_a_ring_that_is_ahead_of_itself_is_broken),
		CLAIM(test_a_message_longer_than_any_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
