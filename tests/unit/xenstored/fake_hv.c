/* SPDX-License-Identifier: MIT */
/* fake_hv.c - see fake_hv.h. */
#include "fake_hv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xen/xen.h>

struct fake_domain_state {
	uint32_t state;
	uint32_t life;
};

struct fake_hv {
	struct hv hv;
	char dir[200];
	struct fake_domain_state *doms;
	int events;
	unsigned int notified[DOMID_FIRST_RESERVED];
};

static struct fake_hv *self(struct hv *hv)
{
	return (struct fake_hv *)hv;
}

static void *map_file(struct fake_hv *f, const char *name, size_t len)
{
	char path[300];
	void *mem;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* The daemon may be another user by now; only the maker can change the mode. */
	fchmod(fd, 0666);
	if (fd < 0 || ftruncate(fd, (off_t)len) < 0)
		abort();
	mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return mem == MAP_FAILED ? NULL : mem;
}

static int fake_domain_info(struct hv *hv, unsigned int domid, struct hv_domain *out)
{
	const struct fake_domain_state *d = &self(hv)->doms[domid];

	if (!(d->state & FAKE_EXISTS))
		return -ENOENT;
	*out = (struct hv_domain){ .identity = d->life + 1ull,
				   .shutdown = d->state & FAKE_SHUTDOWN,
				   .dying = d->state & FAKE_DYING };
	return 0;
}

struct xenstore_domain_interface *fake_ring(struct hv *hv, unsigned int domid)
{
	char name[32];

	snprintf(name, sizeof(name), "ring.%u", domid);
	return map_file(self(hv), name, 4096);
}

static int fake_ring_map(struct hv *hv, unsigned int domid, uint64_t gfn, uint32_t remote_port,
			 struct hv_ring *out)
{
	if (remote_port == 666)
		return -EINVAL;
	out->page = fake_ring(hv, domid);
	out->port = FAKE_PORT(domid);
	return out->page ? 0 : -EINVAL;
}

static int fake_ring_rebind(struct hv *hv, unsigned int domid, uint32_t remote_port,
			    struct hv_ring *ring)
{
	/* The port of before is somebody else's soon. */
	ring->port = remote_port == 666 ? 0 : FAKE_PORT(domid);
	return ring->port ? 0 : -EINVAL;
}

static void fake_ring_unmap(struct hv *hv, struct hv_ring *ring)
{
	if (ring->page)
		munmap(ring->page, 4096);
	ring->page = NULL;
}

static void fake_notify(struct hv *hv, uint32_t port)
{
	self(hv)->notified[port - 1000]++;
}

static int fake_own_ring(struct hv *hv, uint64_t *gfn, uint32_t *port)
{
	*gfn = 0;
	*port = 1;
	return self(hv)->doms[0].state & FAKE_OWN_RING ? 0 : -ENOENT;
}

static int fake_event_fd(struct hv *hv)
{
	return self(hv)->events;
}

static int fake_next_event(struct hv *hv, uint32_t *port, bool *domains_changed)
{
	if (read(self(hv)->events, port, sizeof(*port)) != sizeof(*port))
		return -EAGAIN;
	*domains_changed = *port == FAKE_DOM_EXC;
	return 0;
}

static void fake_close(struct hv *hv)
{
	munmap(self(hv)->doms, DOMID_FIRST_RESERVED * sizeof(struct fake_domain_state));
	close(self(hv)->events);
	free(hv);
}

struct hv *fake_hv_open(const char *dir)
{
	struct fake_hv *f = calloc(1, sizeof(*f));
	char path[300];

	if (!f)
		return NULL;
	f->hv = (struct hv){
		.domain_info = fake_domain_info, .ring_map = fake_ring_map,
		.ring_rebind = fake_ring_rebind, .ring_unmap = fake_ring_unmap,
		.notify = fake_notify, .own_ring = fake_own_ring, .event_fd = fake_event_fd,
		.next_event = fake_next_event, .close = fake_close,
	};
	mkdir(dir, 0700);
	chmod(dir, 0777);
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	f->doms = map_file(f, "doms", DOMID_FIRST_RESERVED * sizeof(*f->doms));
	snprintf(path, sizeof(path), "%s/events", dir);
	mkfifo(path, 0600);
	f->events = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	f->doms[0].state |= FAKE_EXISTS;
	return &f->hv;
}

void fake_domain(struct hv *hv, unsigned int domid, unsigned int state)
{
	struct fake_domain_state *d = &self(hv)->doms[domid];

	if (state & FAKE_EXISTS && !(d->state & FAKE_EXISTS))
		d->life++;
	d->state = state;
}

void fake_event(struct hv *hv, uint32_t port)
{
	/* A pending bit is set only once: thousands of unread events are as good as one more. */
	if (write(self(hv)->events, &port, sizeof(port)) != sizeof(port) && errno != EAGAIN)
		abort();
}

unsigned int fake_notified(struct hv *hv, unsigned int domid)
{
	return self(hv)->notified[domid];
}
