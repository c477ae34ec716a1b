/* SPDX-License-Identifier: MIT */
/*
 * test_net_queues.c - a card with several pairs of rings: each has its queue of the tap, all have
 * one rate, and turns. Pairs of datagram sockets stand for the tap's queues.
 */
#define main netback_main
int netback_main(int argc, char **argv);
#include "netback.c"
#undef main

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fake_xen.h"

#define BACK "/local/domain/0/backend/vif/7/0"
#define FRONT "/local/domain/7/device/vif/0"
#define TX 20u /* the first transmit ring's page and grant; the receive rings' follow those */
#define RX 30u
#define DATA 40u
#define PORT 50u
#define LEN 100

static struct backend be;
static struct event_base *base;
static char dir[64];
static uint64_t now;
static int wire[TAP_QUEUES];
static unsigned int kicks, stops;

void backend_kick(struct backend *b, unsigned int due)
{
	kicks++;
	b->due |= due;
}

void backend_stop(struct backend *b, enum backend_exit code)
{
	stops++;
}

int backend_main(int argc, char **argv, const struct backend_ops *ops)
{
	return 0;
}

/*
 * --- instead of the tap and the script -----------------------------------------------------------
 */

int tap_open(struct tap *tap, const char *name, unsigned int nr)
{
	for (tap->nr = 0; tap->nr < nr; tap->nr++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
		tap->fd[tap->nr] = pair[0];
		wire[tap->nr] = pair[1];
	}
	tap->used = nr;
	return 0;
}

void tap_close(struct tap *tap)
{
	while (tap->nr) {
		close(tap->fd[--tap->nr]);
		close(wire[tap->nr]);
	}
}

int tap_use(struct tap *tap, unsigned int used)
{
	assert_in_range(used, 1, tap->nr);
	tap->used = used;
	return 0;
}

int tap_set_offload(struct tap *tap, bool csum, bool tso4, bool tso6)
{
	return 0;
}

void tap_drain(struct tap *tap)
{
}

int vif_script_read(struct vif_script *s, struct xs_handle *xs, const char *path)
{
	strcpy(s->vif, "vif7.0");
	return 0;
}

int vif_script_run(const struct vif_script *s, const char *op, char said[VIF_SCRIPT_SAID])
{
	return 0;
}

/*
 * --- the guest
 * ------------------------------------------------------------------------------------
 */

static struct netif_tx_sring *tx_ring(unsigned int q)
{
	return (struct netif_tx_sring *)fake.page[TX + q];
}

static struct netif_rx_sring *rx_ring(unsigned int q)
{
	return (struct netif_rx_sring *)fake.page[RX + q];
}

static void say(const char *dirname, const char *key, uint32_t value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), FRONT "%s/%s", dirname, key);
	snprintf(text, sizeof(text), "%u", value);
	fake_store_set(path, text);
}

static void say_queues(unsigned int nr)
{
	fake_store_rm(FRONT);
	fake_store_set(FRONT "/request-rx-copy", "1");
	fake_store_set(FRONT "/feature-sg", "1");
	say("", "multi-queue-num-queues", nr);
	for (unsigned int q = 0; q < nr; q++) {
		char where[16] = "";

		if (nr > 1)
			snprintf(where, sizeof(where), "/queue-%u", q);
		say(where, "tx-ring-ref", TX + q);
		say(where, "rx-ring-ref", RX + q);
		say(where, "event-channel", PORT + q);
		memset(fake.page[TX + q], 0, FAKE_PAGE);
		memset(fake.page[RX + q], 0, FAKE_PAGE);
		tx_ring(q)->req_event = tx_ring(q)->rsp_event = 1;
		rx_ring(q)->req_event = rx_ring(q)->rsp_event = 1;
	}
}

static void state(const char *value)
{
	uint64_t again;

	fake_store_set(FRONT "/state", value);
	assert_int_equal(backend_poll(&be, now += 1000000000, &again), 0);
}

static void connect_with(unsigned int nr)
{
	say_queues(nr);
	state("3");
	assert_true(be.connected);
	assert_int_equal(netback.tap.used, nr);
}

static void begin_again(void)
{
	state("6");
	state("1");
}

/* A packet of LEN bytes, the first of which says its queue. */
static void send_one(unsigned int q)
{
	struct netif_tx_sring *s = tx_ring(q);

	fake.page[DATA + q][0] = (uint8_t)(q + 1);
	s->ring[s->req_prod & 255].req = (struct netif_tx_request){ DATA + q, 0, 0, (uint16_t)s->req_prod, LEN };
	s->req_prod++;
}

static void post_one(unsigned int q)
{
	struct netif_rx_sring *s = rx_ring(q);

	s->ring[s->req_prod & 255].req = (struct netif_rx_request){ .id = (uint16_t)s->req_prod,
								    .gref = DATA + 10 + q };
	s->req_prod++;
}

/* How many packets came out at queue @q of the tap; each is that queue's. */
static unsigned int came_out(unsigned int q)
{
	uint8_t buf[VNET_LEN + LEN + 1];
	unsigned int nr = 0;

	while (recv(wire[q], buf, sizeof(buf), MSG_DONTWAIT) == (ssize_t)(VNET_LEN + LEN)) {
		assert_int_equal(buf[VNET_LEN], q + 1);
		nr++;
	}
	return nr;
}

/*
 * --- the process
 * ----------------------------------------------------------------------------------
 */

static int new_process(const char *vcpus, const char *rate)
{
	memset(&be, 0, sizeof(be));
	memset(&netback, 0, sizeof(netback));
	be.xs = xs_open(0);
	be.gnt = xengnttab_open(NULL, 0);
	be.evt = xenevtchn_open(NULL, 0);
	fake_store_set(BACK "/vcpus", vcpus);
	fake_store_set(BACK "/rate", rate);
	if (!*rate)
		fake_store_rm(BACK "/rate");
	assert_int_equal(backend_init(&be, &net_ops, BACK), 0);
	assert_int_equal(backend_start(&be), 0);
	base = event_base_new();
	return net_start(&be, base);
}

static void let_go(void)
{
	for (unsigned int i = 0; i < netback.tap.nr; i++) {
		granted_drop(&netback.queue[i].tx.arena);
		granted_drop(&netback.queue[i].rx.arena);
		event_free(netback.queue[i].readable);
	}
	event_free(netback.share);
	tap_close(&netback.tap);
	journal_close(&be.journal);
	event_base_free(base);
}

static int set_up(void **st)
{
	strcpy(dir, "/tmp/test-net-queues-XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	fake_reset();
	fake_store_set(BACK "/frontend", FRONT);
	fake_store_set(BACK "/frontend-id", "7");
	fake_store_set(BACK "/online", "1");
	fake_store_set(BACK "/state", "1");
	fake_store_set(FRONT "/state", "1");
	stops = 0;
	return new_process("4", "");
}

static int tear_down(void **st)
{
	char command[128];

	state("6");
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	let_go();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void work(unsigned int rounds)
{
	while (rounds--)
		backend_work(&be, BACKEND_ALL_QUEUES);
}

/*
 * --- tests
 * ----------------------------------------------------------------------------------------
 */

static void serves(unsigned int nr)
{
	connect_with(nr);
	for (unsigned int q = 0; q < nr; q++)
		send_one(q);
	work(1);
	for (unsigned int q = 0; q < nr; q++) {
		assert_int_equal(came_out(q), 1);
		assert_int_equal(tx_ring(q)->rsp_prod, 1);
	}
	for (unsigned int q = 0; q < nr; q++) {
		uint8_t packet[VNET_LEN + LEN] = { 0 };

		packet[VNET_LEN] = (uint8_t)('a' + q);
		post_one(q);
		assert_int_equal(send(wire[q], packet, sizeof(packet), 0), sizeof(packet));
	}
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	work(1);
	for (unsigned int q = 0; q < nr; q++) {
		assert_int_equal(rx_ring(q)->rsp_prod, 1);
		assert_int_equal(rx_ring(q)->ring[0].rsp.status, LEN);
		assert_int_equal(fake.page[DATA + 10 + q][0], 'a' + q);
	}
}

static void test_each_number_of_queues_is_served(void **st)
{
	assert_string_equal(fake_store_get(BACK "/multi-queue-max-queues"), "4");
	for (unsigned int nr = 1; nr <= 4; nr++) {
		serves(nr);
		begin_again();
	}
	serves(2);
}

static void test_a_guest_of_one_cpu_is_offered_one(void **st)
{
	let_go();
	fake_store_set(BACK "/state", "1");
	new_process("1", "");
	assert_string_equal(fake_store_get(BACK "/multi-queue-max-queues"), "1");
	serves(1);
}

static void refused(void)
{
	state("3");
	assert_false(be.connected);
	assert_int_equal(fake.mapped, 0);
	assert_int_equal(fake.bound, 0);
	begin_again();
	serves(4);
	begin_again();
}

static void test_what_makes_no_sense_is_refused(void **st)
{
	say_queues(4);
	fake_store_set(FRONT "/multi-queue-num-queues", "5");
	refused();
	say_queues(4);
	fake_store_set(FRONT "/multi-queue-num-queues", "0");
	refused();
	say_queues(4);
	fake_store_rm(FRONT "/queue-3/rx-ring-ref");
	refused();
	say_queues(4);
	say("/queue-3", "rx-ring-ref", TX);
	refused();
	say_queues(4);
	say("/queue-2", "event-channel", PORT);
	refused();
}

static void test_a_killed_process_is_taken_over_with_all_its_queues(void **st)
{
	connect_with(4);
	fake_store_set(FRONT "/state", "4");
	for (unsigned int q = 0; q < 4; q++)
		send_one(q);
	let_go();
	fake.mapped = fake.bound = 0;
	new_process("4", "");
	state("4");
	assert_true(be.connected && be.resumed);
	work(1);
	for (unsigned int q = 0; q < 4; q++)
		assert_int_equal(came_out(q), 1);
}

/* A share of ten packets each time: whoever has many to send leaves the others theirs. */
static void test_one_rate_is_shared_by_all_queues(void **st)
{
	unsigned int sent[4] = { 0 }, all = 0;

	let_go();
	fake_store_set(BACK "/state", "1");
	new_process("4", "1000,10000000");
	connect_with(4);
	for (unsigned int q = 0; q < 4; q++)
		for (unsigned int i = 0; i < 200; i++)
			send_one(q);
	backend_work(&be, BACKEND_ALL_QUEUES);
	for (unsigned int i = 0; i < 40; i++) {
		for (unsigned int q = 0; q < 4; q++)
			sent[q] += came_out(q);
		/* The next interval, early. */
		assert_true(netback.waiting != 0);
		netback.pace.next_ns = now_ns();
		on_share(-1, 0, &be);
		backend_work(&be, 0);
	}
	for (unsigned int q = 0; q < 4; q++)
		all += sent[q];
	assert_in_range(all, 390, 420);
	for (unsigned int q = 0; q < 4; q++)
		assert_in_range(sent[q], all / 4 - 20, all / 4 + 20);
}

/* Without a rate a queue sends a batch, and the next has its turn. */
static void test_a_queue_that_sends_without_end_leaves_the_others_their_turn(void **st)
{
	connect_with(2);
	for (unsigned int i = 0; i < 200; i++)
		send_one(0);
	send_one(1);
	assert_int_equal(backend_work(&be, BACKEND_ALL_QUEUES), 1);
	assert_int_equal(came_out(0), NET_TX_BATCH);
	assert_int_equal(came_out(1), 1);
	/* And goes on by itself. */
	assert_int_equal(be.due, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_each_number_of_queues_is_served),
		T(test_a_guest_of_one_cpu_is_offered_one),
		T(test_what_makes_no_sense_is_refused),
		T(test_a_killed_process_is_taken_over_with_all_its_queues),
		T(test_one_rate_is_shared_by_all_queues),
		T(test_a_queue_that_sends_without_end_leaves_the_others_their_turn),
	};

	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
