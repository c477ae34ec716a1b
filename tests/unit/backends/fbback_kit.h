/* SPDX-License-Identifier: MIT */
/*
 * fbback_kit.h - a screen's process, confined as it is in use, and a viewer: libvncserver's own
 * client. The test plays the guest, whose page and pixels both processes share. Needs root.
 */
#ifndef TESTS_FBBACK_KIT_H
#define TESTS_FBBACK_KIT_H

#include <sys/types.h>
#include <time.h>

#include <rfb/rfbclient.h>

#include "backend.h"
#include "fb_ring.h"

#define BACK "/local/domain/0/backend/vfb/7/0"
#define FRONT "/local/domain/7/device/vfb/0"
#define WIDTH 640u
#define HEIGHT 480u
#define BYTES FB_MEMORY_MAX
#define WAIT_S 240

/* The guest's memory. */
struct guest {
	union {
		struct xenfb_page fb;
		uint8_t bytes[FB_PAGE];
	} page;
	uint32_t pixel[BYTES / 4];
};

extern struct guest *guest;
extern struct backend be; /* of a device in the test's own process */
extern char dir[64], password[16];
extern pid_t device;
extern unsigned int port;	 /* where the device listens */
extern unsigned int patience_ms; /* the device's with viewers; 0: as in use */
extern const struct confine_more *const device_more;

int set_up(void **state);
int tear_down(void **state);
/* In the store: a device that listens at @address, with a password or "". */
void write_device(const char *address, const char *with);

/*
 * In the test's own process, unconfined: up to what viewers and guest would do. -errno: it did not
 * start.
 */
int start_device(void);
/* Its port. */
unsigned int started_port(void);
void end_device(void);

/* A process of its own, until kill_device(). */
void run_device(void);
void kill_device(void);

/* Ten pixels by ten of a picture that is @stride pixels wide. */
void say(const union xenfb_out_event *e);
void draw(uint32_t x, uint32_t y, uint32_t stride, uint32_t colour);

time_t now(void);
/* A viewer with @password; NULL: it was not let in. Its end. */
rfbClient *view(void);
void leave(rfbClient *c);
/* Until the viewer sees @colour at (@x, @y). */
void sees(rfbClient *c, int x, int y, uint32_t colour);

#endif
