/* SPDX-License-Identifier: MIT */
/*
 * test_fbback.c - a screen's process, confined as it is in use, and a viewer: libvncserver's own
 * client. The test plays the guest, whose page and pixels both processes share. Needs root.
 */
#define main fbback_main
int fbback_main(int argc, char **argv);
#include "fbback.c"
#undef main

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <linux/input-event-codes.h>
#include <rfb/keysym.h>
#include <rfb/rfbclient.h>

#include "fake_xen.h"
#include "kbd_ring.h"

#define BACK "/local/domain/0/backend/vfb/7/0"
#define FRONT "/local/domain/7/device/vfb/0"
#define WIDTH 640u
#define HEIGHT 480u
#define BYTES FB_MEMORY_MAX
#define WAIT_S 30

/* The guest's memory. */
static struct guest {
	union {
		struct xenfb_page fb;
		uint8_t bytes[FB_PAGE];
	} page;
	uint32_t pixel[BYTES / 4];
} *guest;

static struct backend be;
static char dir[64];
static int wake[2]; /* the guest's event channel */
static pid_t device;
static unsigned int port;

/* --- the device's process ------------------------------------------------------------------ */

struct fb_map *fb_map_open(uint32_t domid)
{
	return domid == 7 ? (struct fb_map *)guest : NULL;
}

struct xenfb_page *fb_map_page(struct fb_map *m, uint64_t gfn)
{
	return gfn == 99 ? &guest->page.fb : NULL;
}

void fb_map_page_end(struct fb_map *m, struct xenfb_page *page)
{
}

const uint8_t *fb_map_memory(struct fb_map *m, const struct xenfb_page *page, uint32_t bytes)
{
	return (const uint8_t *)guest->pixel;
}

void fb_map_memory_end(struct fb_map *m, const uint8_t *memory, uint32_t bytes)
{
}

void fb_map_close(struct fb_map *m)
{
}

void backend_kick(struct backend *b, unsigned int due)
{
}

void backend_hear(struct backend *b)
{
}

void backend_stop(struct backend *b, enum backend_exit code)
{
}

int backend_main(int argc, char **argv, const struct backend_ops *ops)
{
	return 0;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	char byte;

	if (read(fd, &byte, 1) == 1)
		backend_work(&be, BACKEND_ALL_QUEUES);
}

static int start_device(void)
{
	memset(&be, 0, sizeof(be));
	memset(&fbback, 0, sizeof(fbback));
	fbback.input = -1;
	be.xs = xs_open(0);
	be.gnt = xengnttab_open(NULL, 0);
	be.evt = xenevtchn_open(NULL, 0);
	if (backend_init(&be, &fb_ops, BACK) < 0)
		return -1;
	return backend_start(&be);
}

/* Serves until it is killed; what it says of its port goes to @tell. */
static void play_device(int tell)
{
	struct event_base *base = event_base_new();
	uint64_t again;
	struct event *ev;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (start_device() < 0)
		_exit(10);
	ev = event_new(base, wake[0], EV_READ | EV_PERSIST, on_wake, NULL);
	event_add(ev, NULL);
	if (fb_ops.start(&be, base) < 0 || confine_with("65534", fb_ops.more) < 0)
		_exit(11);
	fake_store_set(FRONT "/state", "3");
	if (backend_poll(&be, 1, &again) != 0 || !be.connected)
		_exit(12);
	if (write(tell, &fbback.port, sizeof(fbback.port)) != sizeof(fbback.port))
		_exit(13);
	event_base_dispatch(base);
	_exit(14);
}

static void run_device(void)
{
	int tell[2];

	assert_int_equal(pipe(tell), 0);
	device = fork();
	if (device == 0)
		play_device(tell[1]);
	close(tell[1]);
	assert_int_equal(read(tell[0], &port, sizeof(port)), sizeof(port));
	close(tell[0]);
}

/* Killed it died of that, and of nothing else: the filter would have ended it by another signal. */
static void kill_device(void)
{
	int status;

	assert_int_equal(kill(device, SIGKILL), 0);
	assert_int_equal(waitpid(device, &status, 0), device);
	device = 0;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* --- the guest ----------------------------------------------------------------------------- */

static void say(const union xenfb_out_event *e)
{
	struct xenfb_page *page = &guest->page.fb;

	XENFB_OUT_RING_REF(page, page->out_prod) = *e;
	__atomic_store_n(&page->out_prod, page->out_prod + 1, __ATOMIC_RELEASE);
	assert_int_equal(write(wake[1], "", 1), 1);
}

/* Ten pixels by ten of a picture that is @stride pixels wide. */
static void draw(uint32_t x, uint32_t y, uint32_t stride, uint32_t colour)
{
	union xenfb_out_event e = { .update = { XENFB_TYPE_UPDATE, (int32_t)x, (int32_t)y, 10,
						10 } };

	for (uint32_t row = y; row < y + 10; row++)
		for (uint32_t column = x; column < x + 10; column++)
			guest->pixel[row * stride + column] = colour;
	say(&e);
}

/* --- the viewer ---------------------------------------------------------------------------- */

static char password[16];

static char *give_password(rfbClient *client)
{
	return strdup(password);
}

static rfbClient *view(void)
{
	rfbClient *c = rfbGetClient(8, 3, 4);

	c->GetPassword = give_password;
	c->canHandleNewFBSize = TRUE;
	free(c->serverHost);
	c->serverHost = strdup("127.0.0.1");
	c->serverPort = (int)port;
	c->appData.encodingsString = "zrle hextile raw";
	c->format.redShift = 16;
	c->format.greenShift = 8;
	c->format.blueShift = 0;
	return rfbInitClient(c, NULL, NULL) ? c : NULL;
}

/* Its picture is the caller's. */
static void leave(rfbClient *c)
{
	free(c->frameBuffer);
	c->frameBuffer = NULL;
	rfbClientCleanup(c);
}

static time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Until the viewer sees @colour at (@x, @y). */
static void sees(rfbClient *c, int x, int y, uint32_t colour)
{
	time_t end = now() + WAIT_S;
	uint32_t pixel;

	for (;;) {
		if (x < c->width && y < c->height) {
			memcpy(&pixel, c->frameBuffer + ((size_t)y * (size_t)c->width + (size_t)x) * 4,
			       4);
			if ((pixel & 0xffffff) == colour)
				return;
		}
		if (now() > end)
			fail_msg("it never saw %06x at %d,%d", colour, x, y);
		SendIncrementalFramebufferUpdateRequest(c);
		/* What it has read already wakes nobody. */
		if (c->buffered > 0 || WaitForMessage(c, 100000) > 0)
			assert_true(HandleRFBServerMessage(c));
	}
}

/* --- the tests ----------------------------------------------------------------------------- */

static void write_device(const char *address, const char *with)
{
	fake_store_set(BACK "/frontend", FRONT);
	fake_store_set(BACK "/frontend-id", "7");
	fake_store_set(BACK "/online", "1");
	fake_store_set(BACK "/state", "1");
	fake_store_set(BACK "/vnclisten", address);
	if (with[0])
		fake_store_set(BACK "/vncpasswd", with);
	else
		fake_store_rm(BACK "/vncpasswd");
	fake_store_rm(BACK "/vncdisplay");
	fake_store_rm(BACK "/vnc-port");
	fake_store_set("/local/domain/7/name", "web");
	fake_store_set(FRONT "/state", "1");
	fake_store_set(FRONT "/page-ref", "99");
	fake_store_set(FRONT "/event-channel", "5");
	fake_store_set(FRONT "/feature-update", "1");
}

static int set_up(void **state)
{
	struct xenfb_page *page;

	strcpy(dir, "/tmp/test-fbback-XXXXXX");
	if (!mkdtemp(dir) || pipe(wake) < 0)
		return -1;
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	fake_reset();
	strcpy(password, "tRee8888");
	write_device("127.0.0.1", password);
	guest = mmap(NULL, sizeof(*guest), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	page = &guest->page.fb;
	page->width = WIDTH;
	page->height = HEIGHT;
	page->line_length = WIDTH * 4;
	page->mem_length = BYTES;
	page->depth = 32;
	rfbEnableClientLogging = FALSE;
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	if (device) {
		kill(device, SIGKILL);
		waitpid(device, NULL, 0);
		device = 0;
	}
	close(wake[0]);
	close(wake[1]);
	munmap(guest, sizeof(*guest));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

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
	snprintf(second, sizeof(second), "%u", fbback.port);
	assert_string_not_equal(second, first);
	assert_string_equal(fake_store_get(BACK "/vnc-port"), second);
	fb_fini(&be);
	journal_close(&be.journal);
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
		if (confine_with("65534", fb_ops.more) < 0)
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

/* A viewer without the library's manners, of a screen without a password, until it has shaken hands. */
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

static void fails_with(const char *words)
{
	const char *said;

	fake_store_set(BACK "/state", "1");
	assert_true(start_device() < 0);
	said = fake_store_get(BACK "/hotplug-error");
	if (!said || !strstr(said, words))
		fail_msg("it says '%s', not '%s'", said ? said : "nothing", words);
	fb_fini(&be);
	journal_close(&be.journal);
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
	fb_fini(&be);
	journal_close(&be.journal);
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
		T(test_a_killed_process_leaves_no_key_down),
		T(test_a_taken_process_sets_one_option_of_sockets),
		T(test_who_has_not_the_password_sees_nothing),
		T(test_those_who_say_nothing_keep_nobody_out),
		T(test_what_is_no_viewer_ends_nothing),
		T(test_a_message_that_never_ends_holds_up_nobody),
		T(test_who_takes_a_little_now_and_then_holds_up_nobody),
		T(test_a_scale_is_not_taken),
		T(test_an_open_address_without_a_password_is_refused),
		T(test_a_display_that_is_taken_is_said),
		T(test_a_picture_that_cannot_be_stops_the_device_only),
#undef T
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
