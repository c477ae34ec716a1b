/* SPDX-License-Identifier: MIT */
/*
 * test_fbback.c - a screen's process: what a viewer sees of its guest and the guest of a viewer,
 * whoever follows a killed one, and what it may not do.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/input-event-codes.h>
#include <rfb/keysym.h>

#include "confine.h"
#include "fake_xen.h"
#include "fbback_kit.h"
#include "input_pipe.h"
#include "kbd_ring.h"
#include "screen.h"

static void test_a_viewer_sees_what_the_guest_draws(void **state)
{
	rfbClient *c;

	run_device();
	c = view();
	assert_non_null(c);
	assert_int_equal(c->width, WIDTH);
	assert_string_equal(c->desktopName, "web");
	draw(100, 50, WIDTH, 0x123456);
	sees(c, 105, 55, 0x123456);
	draw(630, 470, WIDTH, 0xfedcba);
	sees(c, 639, 479, 0xfedcba);
	sees(c, 0, 0, 0);
	leave(c);
	/* One that comes later sees all of it. */
	c = view();
	assert_non_null(c);
	sees(c, 105, 55, 0x123456);
	leave(c);
	kill_device();
}

static void test_a_guest_makes_its_picture_larger(void **state)
{
	const union xenfb_out_event larger = { .resize = { XENFB_TYPE_RESIZE, 800, 600, 3200, 32,
							   0 } };
	rfbClient *c;

	run_device();
	c = view();
	assert_non_null(c);
	draw(630, 470, WIDTH, 0x111111);
	say(&larger);
	draw(780, 580, 800, 0x00ff00);
	sees(c, 785, 585, 0x00ff00);
	assert_int_equal(c->width, 800);
	/* Whoever follows a killed process knows the size that was said once. */
	kill_device();
	leave(c);
	fake_store_set(BACK "/state", "4");
	run_device();
	c = view();
	assert_non_null(c);
	assert_int_equal(c->width, 800);
	sees(c, 785, 585, 0x00ff00);
	leave(c);
	kill_device();
}

static void test_a_successor_listens_where_its_predecessor_did(void **state)
{
	unsigned int before;
	char text[16];

	run_device();
	before = port;
	kill_device();
	snprintf(text, sizeof(text), "%u", before);
	fake_store_set(BACK "/vnc-port", text);
	run_device();
	assert_int_equal(port, before);
	kill_device();
}

/* Else people are led, with this screen's password, to whoever has that port now. */
static void test_a_successor_says_where_it_listens_if_that_port_is_gone(void **state)
{
	char first[16], second[16];

	run_device();
	snprintf(first, sizeof(first), "%u", port);
	/* Another has it, and the guest is connected: nothing is offered anew. */
	fake_store_set(BACK "/vnc-port", first);
	fake_store_set(BACK "/state", "4");
	setenv("STOREVISOR_BACKEND_DIR", strcat(dir, "/2"), 1);
	assert_int_equal(start_device(), 0);
	dir[strlen(dir) - 2] = '\0';
	snprintf(second, sizeof(second), "%u", started_port());
	assert_string_not_equal(second, first);
	assert_string_equal(fake_store_get(BACK "/vnc-port"), second);
	end_device();
	kill_device();
}

static void test_keys_and_the_pointer_reach_the_keyboard(void **state)
{
	union xenkbd_in_event e;
	int keyboard;
	rfbClient *c;
	time_t end = now() + WAIT_S;

	run_device();
	keyboard = input_pipe_open(7, false);
	assert_true(keyboard >= 0);
	c = view();
	assert_non_null(c);
	assert_true(SendKeyEvent(c, XK_x, TRUE));
	while (!input_pipe_get(keyboard, &e))
		assert_true(now() < end);
	assert_int_equal(e.key.type, XENKBD_TYPE_KEY);
	assert_int_equal(e.key.keycode, KEY_X);
	assert_int_equal(e.key.pressed, 1);
	assert_true(SendPointerEvent(c, 639, 0, 0));
	while (!input_pipe_get(keyboard, &e))
		assert_true(now() < end);
	assert_int_equal(e.pos.type, XENKBD_TYPE_POS);
	assert_int_equal(e.pos.abs_x, KBD_RANGE - 1);
	assert_true(SendPointerEvent(c, 0, 0, 0));
	while (!input_pipe_get(keyboard, &e))
		assert_true(now() < end);
	assert_int_equal(e.pos.abs_x, 0);
	/* It leaves with the key down. */
	leave(c);
	while (!input_pipe_get(keyboard, &e))
		assert_true(now() < end);
	assert_int_equal(e.key.keycode, KEY_X);
	assert_int_equal(e.key.pressed, 0);
	close(keyboard);
	kill_device();
}

/* Nobody takes it for a while, as when the keyboard's process is being started again. */
static void test_a_key_let_go_while_the_pipe_is_full_is_let_go(void **state)
{
	time_t end = now() + WAIT_S;
	union xenkbd_in_event e;
	unsigned int nr = 0;
	int keyboard;
	rfbClient *c;

	run_device();
	c = view();
	assert_non_null(c);
	assert_true(SendKeyEvent(c, XK_x, TRUE));
	for (int i = 0; i < 3000; i++)
		assert_true(SendPointerEvent(c, i % 600, 7, 0));
	assert_true(SendKeyEvent(c, XK_x, FALSE));
	/* It has heard all of that once it shows what was drawn then. */
	draw(100, 50, WIDTH, 0x123456);
	sees(c, 105, 55, 0x123456);
	keyboard = input_pipe_open(7, false);
	for (;;) {
		if (!input_pipe_get(keyboard, &e)) {
			assert_true(now() < end);
			continue;
		}
		nr++;
		if (e.type == XENKBD_TYPE_KEY && e.key.keycode == KEY_X && !e.key.pressed)
			break;
	}
	assert_true(nr < 3000); /* it was full */
	close(keyboard);
	leave(c);
	kill_device();
}

static void test_a_killed_process_leaves_no_key_down(void **state)
{
	time_t end = now() + WAIT_S;
	union xenkbd_in_event e;
	int keyboard;
	rfbClient *c;

	run_device();
	keyboard = input_pipe_open(7, false);
	c = view();
	assert_non_null(c);
	assert_true(SendKeyEvent(c, XK_x, TRUE));
	while (!input_pipe_get(keyboard, &e))
		assert_true(now() < end);
	assert_int_equal(e.key.pressed, 1);
	kill_device();
	leave(c);
	fake_store_set(BACK "/state", "4");
	run_device();
	assert_true(input_pipe_get(keyboard, &e));
	assert_int_equal(e.key.keycode, KEY_X);
	assert_int_equal(e.key.pressed, 0);
	close(keyboard);
	kill_device();
}

/* Of a child that is confined as the device, and sets an option of a socket. */
static int ends_after(int level, int option)
{
	int status, on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid = fork();

	if (pid == 0) {
		if (confine_with("65534", device_more) < 0)
			_exit(10);
		setsockopt(fd, level, option, &on, sizeof(on));
		_exit(0);
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Others load programs into the kernel, or another protocol (SO_ATTACH_FILTER, TCP_ULP). */
static void test_a_taken_process_sets_one_option_of_sockets(void **state)
{
	static const int others[][2] = { { SOL_SOCKET, SO_ATTACH_FILTER },
					 { SOL_SOCKET, TCP_NODELAY },
					 { IPPROTO_TCP, TCP_ULP },
					 { IPPROTO_IP, IP_OPTIONS } };

	assert_int_equal(ends_after(IPPROTO_TCP, TCP_NODELAY), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_true(WIFSIGNALED(ends_after(others[i][0], others[i][1])));
}

static void fails_with(const char *words)
{
	const char *said;

	fake_store_set(BACK "/state", "1");
	assert_true(start_device() < 0);
	said = fake_store_get(BACK "/hotplug-error");
	if (!said || !strstr(said, words))
		fail_msg("it says '%s', not '%s'", said ? said : "nothing", words);
	end_device();
}

static void test_an_open_address_without_a_password_is_refused(void **state)
{
	write_device("0.0.0.0", "");
	fails_with("vncpasswd");
	write_device("elsewhere", "secret");
	fails_with("cannot listen");
}

static void test_a_display_that_is_taken_is_said(void **state)
{
	char display[16], other[] = "/tmp/test-fbback-XXXXXX", command[64];

	run_device();
	snprintf(display, sizeof(display), "%u", port - SCREEN_PORT);
	/* As another domain's process: its journal is not the first one's. */
	assert_non_null(mkdtemp(other));
	setenv("STOREVISOR_BACKEND_DIR", other, 1);
	fake_store_set(BACK "/vncdisplay", display);
	fails_with("in use");
	kill_device();
	snprintf(command, sizeof(command), "rm -r %s", other);
	assert_int_equal(system(command), 0);
}

static void test_a_picture_that_cannot_be_stops_the_device_only(void **state)
{
	uint64_t again;

	guest->page.fb.depth = 8;
	assert_int_equal(start_device(), 0);
	fake_store_set(FRONT "/state", "3");
	assert_int_equal(backend_poll(&be, 1, &again), 0);
	assert_false(be.connected);
	assert_string_equal(fake_store_get(BACK "/state"), "5");
	assert_non_null(strstr(fake_store_get(BACK "/error"), "frontend"));
	end_device();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(test_a_viewer_sees_what_the_guest_draws),
		T(test_a_guest_makes_its_picture_larger),
		T(test_a_successor_listens_where_its_predecessor_did),
		T(test_a_successor_says_where_it_listens_if_that_port_is_gone),
		T(test_keys_and_the_pointer_reach_the_keyboard),
		T(test_a_key_let_go_while_the_pipe_is_full_is_let_go),
		T(test_a_killed_process_leaves_no_key_down),
		T(test_a_taken_process_sets_one_option_of_sockets),
		T(test_an_open_address_without_a_password_is_refused),
		T(test_a_display_that_is_taken_is_said),
		T(test_a_picture_that_cannot_be_stops_the_device_only),
#undef T
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
