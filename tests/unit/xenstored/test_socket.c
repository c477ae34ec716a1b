/* SPDX-License-Identifier: MIT */
/*
 * test_socket.c - real local sockets on the real event loop: what edge-triggered waiting could
 * lose must not be lost.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "again.h"
#include "conn_socket.h"

static struct server *srv;

static int setup(void **state)
{
	srv = t_start();
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

/* A connected client; its end does not block. @room: of the daemon's socket for output, bytes. */
static int client(int room)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	assert_int_equal(conn_socket_create(srv, pair[1], false), 0);
	return pair[0];
}

/* What server_run() does, until nothing is left to do. */
static void serve(void)
{
	for (int i = 0; i < 200; i++) {
		loop_turn(srv->loop, false);
		if (srv->wire.again_list) {
			conns_serve_again(srv);
			server_turn(srv);
		}
	}
}

static size_t put_request(char *to, uint32_t type, const char *payload, size_t len)
{
	xs_wire_put_hdr(to, type, 5, 0, (uint32_t)len);
	memcpy(to + XS_WIRE_HDR_LEN, payload, len);
	return XS_WIRE_HDR_LEN + len;
}

static void send_all(int fd, const char *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static size_t read_all(int fd, bool *ended)
{
	char data[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(fd, data, sizeof(data), 0)) > 0)
		total += (size_t)n;
	*ended = n == 0;
	return total;
}

static void write_node(int fd, const char *path, size_t value_len)
{
	char payload[4096], msg[4200];
	bool ended;

	memset(payload, 'v', sizeof(payload));
	memcpy(payload, path, strlen(path) + 1);
	send_all(fd, msg, put_request(msg, XS_WRITE, payload, strlen(path) + 1 + value_len));
	serve();
	assert_int_equal(read_all(fd, &ended), XS_WIRE_HDR_LEN + 3);
}

/* The output limit stops the client's requests; the socket then takes all the output at once. */
static void test_requests_go_on_when_the_socket_takes_all_output(void **state)
{
	enum { NR = 250, VALUE = 2000 };
	char msg[64 * NR];
	size_t len = 0;
	bool ended;
	int fd = client(4 * 1024 * 1024);

	write_node(fd, "/big", VALUE);
	for (int i = 0; i < NR; i++)
		len += put_request(msg + len, XS_READ, "/big", 5);
	send_all(fd, msg, len);
	for (size_t got = 0; got < NR * (XS_WIRE_HDR_LEN + VALUE);) {
		size_t n;

		serve();
		n = read_all(fd, &ended);
		assert_true(n > 0);
		got += n;
	}
	close(fd);
	serve();
	assert_int_equal(srv->wire.nr_conns, 0);
}

static void test_a_client_that_reads_late_gets_every_reply(void **state)
{
	enum { NR = 250, VALUE = 2000 };
	char msg[64 * NR];
	size_t len = 0, got = 0;
	bool ended;
	int fd = client(4096);

	write_node(fd, "/big", VALUE);
	for (int i = 0; i < NR; i++)
		len += put_request(msg + len, XS_READ, "/big", 5);
	send_all(fd, msg, len);
	for (int i = 0; i < 100000 && got < NR * (XS_WIRE_HDR_LEN + VALUE); i++) {
		loop_turn(srv->loop, false);
		if (srv->wire.again_list) {
			conns_serve_again(srv);
			server_turn(srv);
		}
		got += read_all(fd, &ended);
	}
	assert_int_equal(got, NR * (XS_WIRE_HDR_LEN + VALUE));
	close(fd);
	serve();
}

static void test_what_was_sent_before_hanging_up_is_carried_out(void **state)
{
	char msg[64];
	struct node n;
	int fd = client(65536);

	send_all(fd, msg, put_request(msg, XS_WRITE, "/last\0words", 11));
	close(fd);
	serve();
	assert_int_equal(srv->wire.nr_conns, 0);
	assert_true(tree_find(&srv->tree, "/last", 5, &n));
}

static void test_a_client_that_only_stops_sending_is_let_go(void **state)
{
	bool ended;
	int fd = client(65536);

	shutdown(fd, SHUT_WR);
	serve();
	read_all(fd, &ended);
	assert_true(ended);
	assert_int_equal(srv->wire.nr_conns, 0);
	close(fd);
}

static void test_a_request_in_single_bytes_is_put_together(void **state)
{
	char msg[64];
	struct node n;
	size_t len = put_request(msg, XS_WRITE, "/bytes\0one", 10);
	bool ended;
	int fd = client(65536);

	for (size_t i = 0; i < len; i++) {
		send_all(fd, msg + i, 1);
		serve();
		assert_int_equal(read_all(fd, &ended), i + 1 == len ? XS_WIRE_HDR_LEN + 3 : 0);
	}
	assert_true(tree_find(&srv->tree, "/bytes", 6, &n));
	close(fd);
	serve();
}

/* More than one recv() takes, and the last piece not announced again. */
static void test_more_than_one_read_takes_is_taken_to_its_end(void **state)
{
	enum { NR = 3000 };
	char *msg = malloc(64 * NR);
	size_t len = 0, sent = 0, got = 0;
	bool ended;
	int fd = client(4 * 1024 * 1024), room = 4 * 1024 * 1024;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	for (int i = 0; i < NR; i++)
		len += put_request(msg + len, XS_MKDIR, "/a/node/with/a/longer/name", 27);
	while (sent < len) {
		ssize_t n = send(fd, msg + sent, len - sent, MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else
			assert_int_equal(errno, EAGAIN);
		serve();
		got += read_all(fd, &ended);
	}
	serve();
	got += read_all(fd, &ended);
	assert_int_equal(got, NR * (XS_WIRE_HDR_LEN + 3));
	free(msg);
	close(fd);
	serve();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_requests_go_on_when_the_socket_takes_all_output),
		TEST(test_a_client_that_reads_late_gets_every_reply),
		TEST(test_what_was_sent_before_hanging_up_is_carried_out),
		TEST(test_a_client_that_only_stops_sending_is_let_go),
		TEST(test_a_request_in_single_bytes_is_put_together),
		TEST(test_more_than_one_read_takes_is_taken_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
