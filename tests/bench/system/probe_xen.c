/* SPDX-License-Identifier: MIT */
/*
 * probe_xen.c - what the hypervisor's own services cost a process: hypercall, event channel, grant.
 * Source of the device interfaces: Linux's <xen/privcmd.h>, <xen/evtchn.h>, <xen/gntalloc.h>,
 * <xen/gntdev.h>.
 */
#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/xen.h> /* before Linux's, which want its types */
#include <xen/evtchn.h>
#include <xen/grant_table.h>
#include <xen/gntalloc.h>
#include <xen/gntdev.h>
#include <xen/privcmd.h>
#include <xen/version.h>

static unsigned int own_domid;

static void turn_refused_ioctl(void *arg)
{
	ioctl(*(int *)arg, 0, 0);
}

static int hypercall(int fd)
{
	struct privcmd_hypercall call = {
		.op = __HYPERVISOR_xen_version,
		.arg = { XENVER_version, 0 },
	};

	return ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call);
}

static void turn_hypercall(void *arg)
{
	if (hypercall(*(int *)arg) < 0)
		fail("privcmd hypercall");
}

/*
 * The hypercall's own share: what the same way into the kernel costs without it is taken off.
 * Linux of late 2026 (6.1.192) lets no process of an unprivileged guest do hypercalls: there it has
 * no figure, on whatever hypervisor.
 */
static void hypercalls(void)
{
	int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	double refused;

	if (fd < 0)
		fail("/dev/xen/privcmd");
	if (hypercall(fd) < 0 && errno == EPERM && own_domid) {
		printf("null_hypercall: this kernel lets no guest's process do one\n");
		close(fd);
		return;
	}
	refused = measure(turn_refused_ioctl, &fd, 20000);
	report("null_hypercall", measure(turn_hypercall, &fd, 20000) - refused);
	close(fd);
}

static void event_send(struct pair *p)
{
	struct ioctl_evtchn_notify notify = { .port = p->in_port };

	if (ioctl(p->in, IOCTL_EVTCHN_NOTIFY, &notify) < 0)
		fail("evtchn notify");
}

static void event_take(struct pair *p)
{
	uint32_t port;

	if (read(p->in, &port, sizeof(port)) != sizeof(port) ||
	    write(p->in, &port, sizeof(port)) != sizeof(port))
		fail("evtchn");
}

static void turn_event(void *arg)
{
	event_send(arg);
	event_take(arg);
}


/* Two processes, joined by an interdomain channel of which the domain holds both ends. */
static void event_round_trip(void)
{
	struct pair mine = { .in = open("/dev/xen/evtchn", O_RDWR) };
	struct pair theirs = { .in = open("/dev/xen/evtchn", O_RDWR) };
	struct ioctl_evtchn_bind_unbound_port offer = { .remote_domain = own_domid };
	struct ioctl_evtchn_bind_interdomain bind = { .remote_domain = own_domid };
	pid_t child;
	int port;

	port = ioctl(mine.in, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &offer);
	if (mine.in < 0 || theirs.in < 0 || port < 0)
		fail("/dev/xen/evtchn");
	mine.in_port = port;
	bind.remote_port = port;
	port = ioctl(theirs.in, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
	if (port < 0)
		fail("bind interdomain");
	theirs.in_port = port;
	event_take(&theirs); /* binding raises the new port once */
	child = fork();
	if (child == 0) {
		for (;;) {
			event_take(&theirs);
			event_send(&theirs);
		}
	}
	close(theirs.in);
	report("event_round_trip", measure(turn_event, &mine, 3000));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

struct grant {
	int fd;
	struct ioctl_gntdev_map_grant_ref map;
};

static void turn_grant(void *arg)
{
	struct grant *g = arg;
	struct ioctl_gntdev_unmap_grant_ref unmap = { .count = 1 };
	volatile char *page;

	if (ioctl(g->fd, IOCTL_GNTDEV_MAP_GRANT_REF, &g->map) < 0)
		fail("gntdev map");
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, (off_t)g->map.index);
	if (page == MAP_FAILED)
		fail("gntdev mmap");
	page[0]++;
	if (munmap((void *)page, 4096) < 0)
		fail("gntdev munmap");
	unmap.index = g->map.index;
	if (ioctl(g->fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &unmap) < 0)
		fail("gntdev unmap");
}

/* A page of the domain's own, granted to itself. */
static void grants(void)
{
	int alloc = open("/dev/xen/gntalloc", O_RDWR | O_CLOEXEC);
	struct ioctl_gntalloc_alloc_gref gref = {
		.domid = (uint16_t)own_domid, .flags = GNTALLOC_FLAG_WRITABLE, .count = 1};
	struct grant g = { .fd = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC), .map.count = 1 };

	if (alloc < 0 || g.fd < 0)
		fail("/dev/xen/gntalloc, gntdev");
	if (ioctl(alloc, IOCTL_GNTALLOC_ALLOC_GREF, &gref) < 0)
		fail("gntalloc");
	g.map.refs[0].domid = own_domid;
	g.map.refs[0].ref = gref.gref_ids[0];
	report("grant_map_unmap", measure(turn_grant, &g, 2000));
	close(g.fd);
	close(alloc);
}

/* As who started us says; in dom0 nobody does. */
static unsigned int find_domid(void)
{
	const char *text = getenv("DOMID");

	return text ? (unsigned int)atoi(text) : 0;
}

void xen_costs(void)
{
	if (access("/dev/xen/privcmd", F_OK) < 0)
		return;
	own_domid = find_domid();
	hypercalls();
	event_round_trip();
	grants();
}
