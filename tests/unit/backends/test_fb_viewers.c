/* SPDX-License-Identifier: MIT */
/*
 * test_fb_viewers.c - a screen's viewers are strangers: who has no password, no manners or no time
 * ends nothing and holds up nobody.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fbback_kit.h"
#include "fb_vnc.h"

static void test_who_has_not_the_password_sees_nothing(void **state)
{
	run_device();
	strcpy(password, "another");
	assert_null(view());
	strcpy(password, "tRee8888");
	leave(view());
	kill_device();
}

static int dial(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void test_those_who_say_nothing_keep_nobody_out(void **state)
{
	int silent[3 * FB_VNC_VIEWERS];
	rfbClient *c;

	run_device();
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		silent[i] = dial();
	c = view();
	assert_non_null(c);
	draw(0, 0, WIDTH, 0x445566);
	sees(c, 5, 5, 0x445566);
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		close(silent[i]);
	leave(c);
	kill_device();
}

static void test_what_is_no_viewer_ends_nothing(void **state)
{
	static const char noise[4096] = "GET / HTTP/1.1\r\nHost: web\r\n\r\n";
	rfbClient *c;

	run_device();
	for (int i = 0; i < 20; i++) {
		int fd = dial();

		assert_true(send(fd, noise, (size_t)(1 + i * 200), MSG_NOSIGNAL) > 0);
		close(fd);
	}
	c = view();
	assert_non_null(c);
	leave(c);
	kill_device();
}

/*
 * A viewer without the library's manners, of a screen without a password, until it has shaken
 * hands.
 */
static int shake_hands(void)
{
	static const char hello[] = "RFB 003.008\n\001\001";
	char said[256];
	int fd = dial();

	assert_int_equal(recv(fd, said, 12, MSG_WAITALL), 12);
	assert_int_equal(send(fd, hello, 12, 0), 12);
	assert_int_equal(recv(fd, said, 2, MSG_WAITALL), 2); /* there is one way to say who one is */
	assert_int_equal(send(fd, hello + 12, 1, 0), 1);
	assert_int_equal(recv(fd, said, 4, MSG_WAITALL), 4);
	assert_int_equal(send(fd, hello + 13, 1, 0), 1);
	assert_int_equal(recv(fd, said, 24 + 3, MSG_WAITALL), 24 + 3);
	return fd;
}

/* A process that does something slow with @fd, a @step each second. */
static pid_t go_on_slowly(int fd, void (*step)(int fd))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		const struct timespec second = { 1, 0 };

		step(fd);
		nanosleep(&second, NULL);
	}
}

static void another_is_served(void)
{
	rfbClient *c = view();

	assert_non_null(c);
	draw(300, 300, (uint32_t)guest->page.fb.width, 0x335577);
	sees(c, 305, 305, 0x335577);
	leave(c);
}

static void while_one_is_slow(int fd, void (*step)(int fd))
{
	pid_t slow = go_on_slowly(fd, step);

	another_is_served();
	assert_int_equal(kill(slow, SIGKILL), 0);
	assert_int_equal(waitpid(slow, NULL, 0), slow);
	close(fd);
}

static void send_a_byte(int fd)
{
	send(fd, "a", 1, MSG_NOSIGNAL);
}

/* Enough that the kernel soon says that there is room again. */
static void read_little(int fd)
{
	static char some[1024 * 1024];

	recv(fd, some, sizeof(some), MSG_DONTWAIT);
}

static void test_a_message_that_never_ends_holds_up_nobody(void **state)
{
	static const uint8_t cut_text[] = { 6, 0, 0, 0, 0, 15, 0, 0 }, key[] = { 4, 1 };
	int fd;

	write_device("127.0.0.1", "");
	run_device();
	while_one_is_slow(dial(), send_a_byte);
	fd = shake_hands();
	assert_int_equal(send(fd, cut_text, sizeof(cut_text), 0), sizeof(cut_text));
	while_one_is_slow(fd, send_a_byte);
	fd = shake_hands();
	assert_int_equal(send(fd, key, sizeof(key), 0), sizeof(key));
	another_is_served();
	close(fd);
	kill_device();
}

static void ask_for_all(int fd, uint32_t width, uint32_t height)
{
	const uint8_t all[] = { 3, 0, 0, 0, 0, 0, (uint8_t)(width >> 8), (uint8_t)width,
				(uint8_t)(height >> 8), (uint8_t)height };

	assert_int_equal(send(fd, all, sizeof(all), MSG_NOSIGNAL), sizeof(all));
}

static void test_who_takes_a_little_now_and_then_holds_up_nobody(void **state)
{
	struct xenfb_page *page = &guest->page.fb;
	int fd;

	write_device("127.0.0.1", "");
	page->width = 2800;
	page->height = 2900;
	page->line_length = 2800 * 4;
	run_device();
	fd = shake_hands();
	for (int i = 0; i < 64; i++)
		ask_for_all(fd, 2800, 2900);
	while_one_is_slow(fd, read_little);
	kill_device();
}

/* In time: the patience with the one that takes nothing is longer than this test's. */
static void test_who_takes_nothing_holds_up_nobody(void **state)
{
	struct xenfb_page *page = &guest->page.fb;
	int fd;

	write_device("127.0.0.1", "");
	page->width = 2800;
	page->height = 2900;
	page->line_length = 2800 * 4;
	patience_ms = 600000;
	run_device();
	fd = shake_hands();
	for (int i = 0; i < 64; i++)
		ask_for_all(fd, 2800, 2900);
	for (int i = 0; i < 5; i++)
		another_is_served();
	close(fd);
	kill_device();
}

/* Each answer is small; enough of them would fill what the viewer does not read. */
static void test_who_asks_without_end_and_takes_nothing_holds_up_nobody(void **state)
{
	/*
	 * Encodings that the library says something about at once: its name, its messages, its
	 * encodings.
	 */
	static const uint8_t all[] = { 2, 0, 0, 3, 0xff, 0xfe, 0, 3, 0xff, 0xfe, 0, 1, 0xff, 0xfe, 0, 2 };
	int fd;

	write_device("127.0.0.1", "");
	patience_ms = 600000;
	run_device();
	fd = shake_hands();
	for (int i = 0; i < 20000; i++) {
		ssize_t n = send(fd, all, sizeof(all), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n != sizeof(all))
			break;
	}
	another_is_served();
	close(fd);
	kill_device();
}

static void test_who_takes_nothing_has_no_place_for_ever(void **state)
{
	rfbClient *c = NULL;
	int stuck[FB_VNC_VIEWERS];
	time_t end = now() + WAIT_S;

	write_device("127.0.0.1", "");
	guest->page.fb.width = 2800;
	guest->page.fb.height = 2900;
	guest->page.fb.line_length = 2800 * 4;
	patience_ms = 300;
	run_device();
	for (unsigned int i = 0; i < FB_VNC_VIEWERS; i++) {
		const int small = 4096;

		stuck[i] = shake_hands();
		setsockopt(stuck[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		for (int k = 0; k < 16; k++)
			ask_for_all(stuck[i], 2800, 2900);
	}
	while (!(c = view()))
		assert_true(now() < end);
	leave(c);
	for (unsigned int i = 0; i < FB_VNC_VIEWERS; i++)
		close(stuck[i]);
	kill_device();
}

/* The library would make a second picture, and say so. */
static void test_a_scale_is_not_taken(void **state)
{
	static const uint8_t half[] = { 8, 2, 0, 0 }, palms[] = { 15, 2, 0, 0 };
	uint8_t answer[16];
	int fd;

	write_device("127.0.0.1", "");
	run_device();
	fd = shake_hands();
	assert_int_equal(send(fd, half, sizeof(half), 0), sizeof(half));
	assert_int_equal(send(fd, palms, sizeof(palms), 0), sizeof(palms));
	ask_for_all(fd, WIDTH, HEIGHT);
	assert_int_equal(recv(fd, answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
	assert_int_equal(answer[0], 0); /* an update, and all of the picture */
	assert_int_equal(answer[8] << 8 | answer[9], WIDTH);
	close(fd);
	kill_device();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(test_who_has_not_the_password_sees_nothing),
		T(test_those_who_say_nothing_keep_nobody_out),
		T(test_what_is_no_viewer_ends_nothing),
		T(test_a_message_that_never_ends_holds_up_nobody),
		T(test_who_takes_a_little_now_and_then_holds_up_nobody),
		T(test_who_takes_nothing_holds_up_nobody),
		T(test_who_asks_without_end_and_takes_nothing_holds_up_nobody),
		T(test_who_takes_nothing_has_no_place_for_ever),
		T(test_a_scale_is_not_taken),
#undef T
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
