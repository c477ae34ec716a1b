/* SPDX-License-Identifier: MIT */
/* fbback_kit.c - see fbback_kit.h. */
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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fake_xen.h"
#include "fbback_kit.h"

struct guest *guest;
struct backend be;
char dir[64], password[16];
static int wake[2]; /* the guest's event channel */
pid_t device;
unsigned int port, patience_ms;
const struct confine_more *const device_more = &more_of_screens;

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

int start_device(void)
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

unsigned int started_port(void)
{
	return fbback.port;
}

void end_device(void)
{
	fb_fini(&be);
	journal_close(&be.journal);
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
	if (patience_ms) {
		fbback.vnc.patience_ms = patience_ms;
		fbback.vnc.screen->maxClientWait = (int)patience_ms;
	}
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

void run_device(void)
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
void kill_device(void)
{
	int status;

	assert_int_equal(kill(device, SIGKILL), 0);
	assert_int_equal(waitpid(device, &status, 0), device);
	device = 0;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* --- the guest ----------------------------------------------------------------------------- */

void say(const union xenfb_out_event *e)
{
	struct xenfb_page *page = &guest->page.fb;

	XENFB_OUT_RING_REF(page, page->out_prod) = *e;
	__atomic_store_n(&page->out_prod, page->out_prod + 1, __ATOMIC_RELEASE);
	assert_int_equal(write(wake[1], "", 1), 1);
}

/* Ten pixels by ten of a picture that is @stride pixels wide. */
void draw(uint32_t x, uint32_t y, uint32_t stride, uint32_t colour)
{
	union xenfb_out_event e = { .update = { XENFB_TYPE_UPDATE, (int32_t)x, (int32_t)y, 10,
						10 } };

	for (uint32_t row = y; row < y + 10; row++)
		for (uint32_t column = x; column < x + 10; column++)
			guest->pixel[row * stride + column] = colour;
	say(&e);
}

/* --- the viewer ---------------------------------------------------------------------------- */

static char *give_password(rfbClient *client)
{
	return strdup(password);
}

rfbClient *view(void)
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
void leave(rfbClient *c)
{
	free(c->frameBuffer);
	c->frameBuffer = NULL;
	rfbClientCleanup(c);
}

time_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* Until the viewer sees @colour at (@x, @y). */
void sees(rfbClient *c, int x, int y, uint32_t colour)
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

void write_device(const char *address, const char *with)
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

int set_up(void **state)
{
	struct xenfb_page *page;

	strcpy(dir, "/tmp/test-fbback-XXXXXX");
	if (!mkdtemp(dir) || pipe(wake) < 0)
		return -1;
	setenv("STOREVISOR_BACKEND_DIR", dir, 1);
	fake_reset();
	patience_ms = 0;
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

int tear_down(void **state)
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

