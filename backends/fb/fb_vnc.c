/* SPDX-License-Identifier: MIT */
/* fb_vnc.c - see fb_vnc.h. */
#include "fb_vnc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <event2/event.h>

#include <linux/sockios.h>

#include "fb_message.h"

#define PIXEL 4
#define MESSAGES_A_TURN 64
#define LOOK_US 20000 /* between looks at who has not taken what it was sent */
#define SEND_BUFFER (1024 * 1024)
#define ASIDE 63 /* a descriptor that nothing else has: confine.c allows 64 */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* One of ours in the library's clientData. */
struct viewer {
	struct fb_vnc *vnc;
	rfbClientPtr cl;
	struct event *readable;
	uint32_t passed; /* bytes still to come of a message that nobody wants */
	bool unheard;	 /* something of it waits until it has taken what it was sent */
	uint64_t since_ns; /* when it was first seen not to have; 0: it has */
};

/* --- where it listens ---------------------------------------------------------------------- */

static socklen_t parse_address(const char *text, union address *a)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		return sizeof(a->v4);
	}
	if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		return sizeof(a->v6);
	}
	return 0;
}

/* A viewer's socket has its buffer from this one: later the process may not ask for one. */
static int listen_at(union address *a, socklen_t len, unsigned int port)
{
	const int on = 1, room = SEND_BUFFER;
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

	if (fd < 0)
		return -errno;
	if (a->any.sa_family == AF_INET)
		a->v4.sin_port = htons((uint16_t)port);
	else
		a->v6.sin6_port = htons((uint16_t)port);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	/* A process that was killed leaves its viewers' connections behind. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (a->any.sa_family == AF_INET ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, &a->any, len) == 0 && listen(fd, FB_VNC_VIEWERS) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static int listen_somewhere(struct fb_vnc *v, const char *address, int display, int first,
			    unsigned int *port)
{
	union address a;
	socklen_t len = parse_address(address, &a);
	int fd = -EADDRINUSE;

	if (!len)
		return -EINVAL;
	if (display < 0 && first >= 0) {
		*port = SCREEN_PORT + (unsigned int)first;
		fd = listen_at(&a, len, *port);
	}
	for (unsigned int n = 0; fd == -EADDRINUSE && n < SCREEN_DISPLAYS; n++) {
		*port = SCREEN_PORT + (display < 0 ? n : (unsigned int)display);
		fd = listen_at(&a, len, *port);
		if (display >= 0)
			break;
	}
	v->listening = fd;
	return fd < 0 ? fd : 0;
}

/* --- what viewers do ------------------------------------------------------------------------ */

static void on_key(rfbBool down, rfbKeySym keysym, rfbClientPtr cl)
{
	struct fb_vnc *v = cl->screen->screenData;

	v->ops->key(v->arg, keysym, down);
}

static void on_pointer(int buttons, int x, int y, rfbClientPtr cl)
{
	struct fb_vnc *v = cl->screen->screenData;
	int right = v->screen->width - 1, bottom = v->screen->height - 1;

	x = x < 0 ? 0 : x > right ? right : x;
	y = y < 0 ? 0 : y > bottom ? bottom : y;
	v->ops->pointer(v->arg, (uint32_t)x, (uint32_t)y, (uint8_t)buttons);
}

static void on_gone(rfbClientPtr cl)
{
	struct viewer *viewer = cl->clientData;
	struct fb_vnc *v = viewer->vnc;

	for (unsigned int i = 0; i < FB_VNC_VIEWERS; i++)
		if (v->viewer[i] == viewer)
			v->viewer[i] = NULL;
	event_free(viewer->readable);
	free(viewer);
	v->viewers--;
	v->ops->left(v->arg);
}

/* --- patience ------------------------------------------------------------------------------- */

static volatile sig_atomic_t waited_for = -1;

/* Whatever the library does with that socket, it ends. */
static void on_alarm(int signo)
{
	int err = errno;

	shutdown(waited_for, SHUT_RDWR);
	errno = err;
}

/*
 * The library begins its patience anew with each byte that a viewer takes or sends: with a byte a
 * second all wait for one, for ever. Between this and end_patience() it has the socket @fd so long.
 */
static void begin_patience(const struct fb_vnc *v, int fd)
{
	const struct itimerval patience = {
		.it_value = { v->patience_ms / 1000, v->patience_ms % 1000 * 1000 }
	};

	waited_for = fd;
	setitimer(ITIMER_REAL, &patience, NULL);
}

static void end_patience(void)
{
	const struct itimerval none = { 0 };

	setitimer(ITIMER_REAL, &none, NULL);
	waited_for = -1;
}

/*
 * Has @viewer taken all that it was sent? Else it is looked at again, and closed when it has not
 * for too long. So all that is sent at a time finds room, and the library waits for nobody.
 */
static bool has_taken(struct viewer *viewer)
{
	const struct timeval soon = { 0, LOOK_US };
	struct fb_vnc *v = viewer->vnc;
	struct timespec ts;
	uint64_t now_ns;
	int left = 0;

	if (ioctl(viewer->cl->sock, SIOCOUTQ, &left) < 0 || left == 0) {
		viewer->since_ns = 0;
		return true;
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now_ns = (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
	if (!viewer->since_ns)
		viewer->since_ns = now_ns;
	if (now_ns - viewer->since_ns > v->patience_ms * 1000000ULL)
		rfbCloseClient(viewer->cl);
	else if (!event_pending(v->look, EV_TIMEOUT, NULL))
		event_add(v->look, &soon);
	return false;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct fb_vnc *v = arg;

	for (unsigned int i = 0; i < FB_VNC_VIEWERS; i++) {
		struct viewer *viewer = v->viewer[i];

		if (!viewer || viewer->cl->sock == RFB_INVALID_SOCKET || !has_taken(viewer) ||
		    !viewer->unheard)
			continue;
		viewer->unheard = false;
		event_active(viewer->readable, EV_READ, 0);
	}
	fb_vnc_send(v);
}

/* --- what viewers send ---------------------------------------------------------------------- */

/* As fb_message_next(), also for one that has not said yet who it is. */
static enum fb_message next_message(const rfbClientPtr cl, const uint8_t *bytes, size_t len,
				    uint32_t *size)
{
	if (cl->state == RFB_NORMAL)
		return fb_message_next(bytes, len, size);
	*size = cl->state == RFB_PROTOCOL_VERSION ? sz_rfbProtocolVersionMsg :
		cl->state == RFB_AUTHENTICATION	  ? CHALLENGESIZE :
						    1;
	return len < *size ? FB_MESSAGE_PART : FB_MESSAGE_WHOLE;
}

/* Nothing more comes: half a message stays half a message. */
static bool has_ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && p.revents;
}

static bool is_not_there(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Reads from what is passed over. False: nothing was there. */
static bool pass_over(struct viewer *viewer)
{
	char scrap[4096];
	ssize_t n = read(viewer->cl->sock, scrap,
			 viewer->passed < sizeof(scrap) ? viewer->passed : sizeof(scrap));

	if (n > 0)
		viewer->passed -= (uint32_t)n;
	else if (!is_not_there(n))
		rfbCloseClient(viewer->cl);
	return n > 0;
}

/* Takes a message that is there. False: none is, or the viewer is closed. */
static bool take_message(struct viewer *viewer)
{
	uint8_t bytes[FB_MESSAGE_MAX];
	rfbClientPtr cl = viewer->cl;
	enum fb_message what;
	uint32_t size = 0;
	ssize_t n;

	if (viewer->passed)
		return pass_over(viewer);
	n = recv(cl->sock, bytes, sizeof(bytes), MSG_PEEK);
	if (is_not_there(n))
		return false;
	what = n > 0 ? next_message(cl, bytes, (size_t)n, &size) : FB_MESSAGE_NEVER;
	if (what == FB_MESSAGE_NEVER || (what == FB_MESSAGE_PART && has_ended(cl->sock)))
		rfbCloseClient(cl);
	else if (what == FB_MESSAGE_PASSED)
		viewer->passed = size;
	else if (what == FB_MESSAGE_WHOLE)
		rfbProcessClientMessage(cl);
	return what != FB_MESSAGE_PART && cl->sock != RFB_INVALID_SOCKET;
}

/* Something came: by the edge, for half a message must not wake us until there is more of it. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct viewer *viewer = arg;
	unsigned int nr = 0;

	/* It may send without end what is to be answered, and take none of the answers. */
	viewer->unheard = !has_taken(viewer);
	if (!viewer->unheard) {
		begin_patience(viewer->vnc, (int)fd);
		while (nr < MESSAGES_A_TURN && take_message(viewer))
			nr++;
		end_patience();
	}
	if (nr == MESSAGES_A_TURN)
		event_active(viewer->readable, EV_READ, 0);
	fb_vnc_send(viewer->vnc);
}

/* --- who comes ------------------------------------------------------------------------------ */

/* Closes one that has not even said who it is: nobody is kept out by those who say nothing. */
static bool close_a_silent_one(struct fb_vnc *v)
{
	rfbClientIteratorPtr all = rfbGetClientIterator(v->screen);
	rfbClientPtr cl, silent = NULL;

	/* The newest stands first: the last one found has been silent for longest. */
	while ((cl = rfbClientIteratorNext(all)))
		if (cl->state != RFB_NORMAL && cl->sock != RFB_INVALID_SOCKET)
			silent = cl;
	rfbReleaseClientIterator(all);
	if (!silent)
		return false;
	rfbCloseClient(silent);
	fb_vnc_send(v);
	return true;
}

/*
 * The library first looks whether a connection speaks HTTP. Of one that sends a byte or three and
 * closes it waits for the fourth for ever (0.9.14), and of every other for a tenth of a second. So
 * it is shown a socket in which four bytes of RFB wait; what it says there, its greeting, is passed
 * on, and then the viewer's own socket takes that one's place.
 */
static int make_quiet(struct fb_vnc *v)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, v->quiet) < 0)
		return -errno;
	return write(v->quiet[1], "RFB ", 4) == 4 ? 0 : -EIO;
}

/* The viewer at @fd, greeted. NULL: @fd is closed. */
static rfbClientPtr greet(struct fb_vnc *v, int fd)
{
	char greeting[sz_rfbProtocolVersionMsg];
	rfbClientPtr cl;
	ssize_t n;

	if (dup3(fd, ASIDE, O_CLOEXEC) < 0 || dup3(v->quiet[0], fd, O_CLOEXEC) < 0) {
		close(fd);
		return NULL;
	}
	cl = rfbNewClient(v->screen, fd);
	n = read(v->quiet[1], greeting, sizeof(greeting));
	if (cl)
		dup3(ASIDE, fd, O_CLOEXEC);
	close(ASIDE);
	/* A new connection has room for it. */
	if (cl && (n <= 0 || write(fd, greeting, (size_t)n) != n)) {
		rfbCloseClient(cl);
		rfbClientConnectionGone(cl);
		return NULL;
	}
	return cl;
}

static void add_viewer(struct fb_vnc *v, int fd)
{
	const int on = 1;
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	rfbClientPtr cl;

	if (!viewer) {
		close(fd);
		return;
	}
	viewer->vnc = v;
	viewer->readable = event_new(v->base, fd, EV_READ | EV_PERSIST | EV_ET, on_readable,
				     viewer);
	/* From here on the library closes it. */
	cl = viewer->readable ? greet(v, fd) : NULL;
	if (!cl || event_add(viewer->readable, NULL) < 0) {
		if (viewer->readable)
			event_free(viewer->readable);
		else
			close(fd);
		free(viewer);
		if (cl) {
			rfbCloseClient(cl);
			rfbClientConnectionGone(cl);
		}
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	viewer->cl = cl;
	cl->clientData = viewer;
	cl->clientGoneHook = on_gone;
	for (unsigned int i = 0; i < FB_VNC_VIEWERS && viewer; i++)
		if (!v->viewer[i]) {
			v->viewer[i] = viewer;
			viewer = NULL;
		}
	v->viewers++;
	v->ops->came(v->arg);
}

static void on_connection(evutil_socket_t listening, short what, void *arg)
{
	struct fb_vnc *v = arg;
	int fd = accept4((int)listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (v->viewers >= FB_VNC_VIEWERS && !close_a_silent_one(v))
		close(fd);
	else
		add_viewer(v, fd);
}

/* --- life ----------------------------------------------------------------------------------- */

/*
 * The libraries' first call of a cipher looks for its configuration in files, which a confined
 * process could not.
 */
static void wake_ciphers(void)
{
	unsigned char challenge[CHALLENGESIZE] = { 0 };
	char password[] = "storevis";

	rfbRandomBytes(challenge);
	rfbEncryptBytes(challenge, password);
}

/* A guest's pixel: blue in the lowest byte. */
static void set_colours(rfbScreenInfoPtr s)
{
	s->serverFormat.redShift = 16;
	s->serverFormat.greenShift = 8;
	s->serverFormat.blueShift = 0;
}

/*
 * How many bytes of pixels a viewer is sent at a time: a quarter of what Linux gives its socket,
 * half of which is for Linux's own. Whatever the encoding, it is not more than a little longer than
 * the pixels.
 */
static void set_room(struct fb_vnc *v)
{
	int size = 0;
	socklen_t len = sizeof(size);

	getsockopt(v->listening, SOL_SOCKET, SO_SNDBUF, &size, &len);
	v->room = (uint32_t)size / 4;
}

static void set_slices(struct fb_vnc *v)
{
	const uint32_t rows = v->room / ((uint32_t)v->screen->width * PIXEL);

	v->screen->progressiveSliceHeight = rows ? (int)rows : 1;
}

static int make_screen(struct fb_vnc *v, const char *title)
{
	rfbScreenInfoPtr s = rfbGetScreen(NULL, NULL, 640, 480, 8, 3, PIXEL);

	if (!s)
		return -ENOMEM;
	v->screen = s;
	s->frameBuffer = calloc(640 * 480, PIXEL);
	if (!s->frameBuffer)
		return -ENOMEM;
	s->screenData = v;
	s->desktopName = title;
	s->port = s->ipv6port = 0;
	s->cursor = NULL; /* the guest draws its own */
	s->alwaysShared = TRUE;
	s->deferUpdateTime = 0;
	/* Else it keeps the pointer's last place until something else happens. */
	s->deferPtrUpdateTime = 0;
	s->maxClientWait = (int)v->patience_ms;
	set_room(v);
	set_slices(v);
	set_colours(s);
	s->kbdAddEvent = on_key;
	s->ptrAddEvent = on_pointer;
	if (v->password[0]) {
		s->authPasswdData = v->password;
		s->passwordCheck = rfbCheckPasswordByList;
	}
	rfbInitServer(s);
	return 0;
}

int fb_vnc_open(struct fb_vnc *v, const char *address, int display, int first, char *password,
		const char *title, unsigned int *port)
{
	const struct sigaction alarm = { .sa_handler = on_alarm };
	int rc = listen_somewhere(v, address, display, first, port);

	if (rc < 0)
		return rc;
	v->patience_ms = FB_VNC_PATIENCE_MS;
	sigaction(SIGALRM, &alarm, NULL);
	rfbLogEnable(0); /* lines that any viewer can cause */
	v->password[0] = password[0] ? password : NULL;
	wake_ciphers();
	rc = make_quiet(v);
	return rc < 0 ? rc : make_screen(v, title);
}

int fb_vnc_start(struct fb_vnc *v, struct event_base *base)
{
	v->base = base;
	v->accepting = event_new(base, v->listening, EV_READ | EV_PERSIST, on_connection, v);
	v->look = evtimer_new(base, on_look, v);
	return v->look && v->accepting && event_add(v->accepting, NULL) == 0 ? 0 : -ENOMEM;
}

int fb_vnc_resize(struct fb_vnc *v, uint32_t width, uint32_t height)
{
	char *old = v->screen->frameBuffer, *pixels = calloc((size_t)width * height, PIXEL);
	rfbClientIteratorPtr all;
	rfbClientPtr cl;

	if (!pixels)
		return -ENOMEM;
	rfbNewFramebuffer(v->screen, pixels, (int)width, (int)height, 8, 3, PIXEL);
	set_slices(v);
	/* The library chose its own order of colours again, and made its tables by that. */
	set_colours(v->screen);
	all = rfbGetClientIterator(v->screen);
	while ((cl = rfbClientIteratorNext(all)))
		v->screen->setTranslateFunction(cl);
	rfbReleaseClientIterator(all);
	free(old);
	return 0;
}

void fb_vnc_copy(struct fb_vnc *v, const uint8_t *from, const struct fb_shape *shape,
		 const struct fb_rect *rect)
{
	size_t to_stride = (size_t)v->screen->width * PIXEL;
	uint8_t *to = (uint8_t *)v->screen->frameBuffer + rect->y * to_stride +
		      (size_t)rect->x * PIXEL;

	from += shape->offset + (size_t)rect->y * shape->stride + (size_t)rect->x * PIXEL;
	for (uint32_t y = 0; y < rect->height; y++)
		memcpy(to + y * to_stride, from + (size_t)y * shape->stride,
		       (size_t)rect->width * PIXEL);
	rfbMarkRectAsModified(v->screen, (int)rect->x, (int)rect->y, (int)(rect->x + rect->width),
			      (int)(rect->y + rect->height));
}

void fb_vnc_send(struct fb_vnc *v)
{
	for (unsigned int i = 0; i < FB_VNC_VIEWERS; i++) {
		rfbClientPtr cl = v->viewer[i] ? v->viewer[i]->cl : NULL;

		if (cl && cl->sock != RFB_INVALID_SOCKET && has_taken(v->viewer[i])) {
			begin_patience(v, cl->sock);
			rfbUpdateClient(cl);
			end_patience();
		}
		if (cl && cl->sock == RFB_INVALID_SOCKET)
			rfbClientConnectionGone(cl);
	}
}

bool fb_vnc_watched(const struct fb_vnc *v)
{
	return v->viewers > 0;
}

void fb_vnc_close(struct fb_vnc *v)
{
	if (v->accepting)
		event_free(v->accepting);
	if (v->look)
		event_free(v->look);
	if (v->listening > 0)
		close(v->listening);
	if (v->quiet[0] > 0)
		close(v->quiet[0]);
	if (v->quiet[1] > 0)
		close(v->quiet[1]);
	if (!v->screen)
		return;
	rfbShutdownServer(v->screen, TRUE);
	free(v->screen->frameBuffer);
	rfbScreenCleanup(v->screen);
}
