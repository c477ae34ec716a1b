/* SPDX-License-Identifier: MIT */
/* tap.c - tap interface of a virtual network card: see tap.h. */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#define BUSY_TRIES 20
#define BUSY_WAIT_US 100000
#define DRAIN_MAX 4096 /* packets; the queue holds fewer */

static int set_name(int fd, const char *name, int flags)
{
	struct ifreq req;
	int n;

	memset(&req, 0, sizeof(req));
	req.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags);
	n = snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	if (n <= 0 || n >= (int)sizeof(req.ifr_name))
		return -ENAMETOOLONG;
	for (int i = 0; ioctl(fd, TUNSETIFF, &req) < 0; i++) {
		if (errno != EBUSY || i == BUSY_TRIES)
			return -errno;
		usleep(BUSY_WAIT_US);
	}
	return 0;
}

static int open_queue(struct tap *tap, const char *name, int flags)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = set_name(fd, name, flags);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	tap->fd[tap->nr++] = fd;
	return 0;
}

int tap_open(struct tap *tap, const char *name, unsigned int nr)
{
	const int many = nr > 1 ? IFF_MULTI_QUEUE : 0;
	/*
	 * The first makes the interface: with several queues, joining somebody else's would
	 * succeed, too.
	 */
	int rc = 0, first = many ? IFF_TUN_EXCL : 0;

	tap->nr = 0;
	while (rc == 0 && tap->nr < nr) {
		rc = open_queue(tap, name, many | first);
		first = 0;
	}
	if (rc < 0)
		tap_close(tap);
	tap->used = tap->nr;
	return rc;
}

void tap_close(struct tap *tap)
{
	while (tap->nr)
		close(tap->fd[--tap->nr]);
}

static int take_part(int fd, bool yes)
{
	struct ifreq req;

	memset(&req, 0, sizeof(req));
	req.ifr_flags = yes ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
	return ioctl(fd, TUNSETQUEUE, &req) < 0 ? -errno : 0;
}

int tap_use(struct tap *tap, unsigned int used)
{
	int rc = 0;

	while (rc == 0 && tap->used > used) {
		rc = take_part(tap->fd[tap->used - 1], false);
		tap->used -= rc == 0;
	}
	while (rc == 0 && tap->used < used) {
		rc = take_part(tap->fd[tap->used], true);
		tap->used += rc == 0;
	}
	return rc;
}

int tap_set_offload(struct tap *tap, bool csum, bool tso4, bool tso6)
{
	unsigned long flags = 0;

	/* Joined segments always come with a blank checksum. */
	if (csum)
		flags |= TUN_F_CSUM | (tso4 ? TUN_F_TSO4 : 0) | (tso6 ? TUN_F_TSO6 : 0);
	return ioctl(tap->fd[0], TUNSETOFFLOAD, flags) < 0 ? -errno : 0;
}

void tap_drain(struct tap *tap)
{
	char byte;

	for (unsigned int q = 0; q < tap->used; q++)
		for (int i = 0; i < DRAIN_MAX && read(tap->fd[q], &byte, sizeof(byte)) > 0; i++)
			;
}
