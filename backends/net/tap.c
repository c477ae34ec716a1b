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

static int set_name(int fd, const char *name)
{
	struct ifreq req;
	int n;

	memset(&req, 0, sizeof(req));
	req.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
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

int tap_open(const char *name)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = set_name(fd, name);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

int tap_set_offload(int fd, bool csum, bool tso4, bool tso6)
{
	unsigned long flags = 0;

	/* Joined segments always come with a blank checksum. */
	if (csum)
		flags |= TUN_F_CSUM | (tso4 ? TUN_F_TSO4 : 0) | (tso6 ? TUN_F_TSO6 : 0);
	return ioctl(fd, TUNSETOFFLOAD, flags) < 0 ? -errno : 0;
}

void tap_drain(int fd)
{
	char byte;

	for (int i = 0; i < DRAIN_MAX && read(fd, &byte, sizeof(byte)) > 0; i++)
		;
}
