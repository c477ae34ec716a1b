/* SPDX-License-Identifier: MIT */
/* granted.c - see granted.h. Source: Linux's <xen/gntalloc.h>. */
#include "granted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/gntalloc.h>

#include "gcopy.h"

#define DEVICE "/dev/xen/gntalloc"
#define OWN_DOMAIN 0

/* Has Linux make and grant the first @nr pages of @g. Returns false when it does not. */
static bool grant(struct granted *g, size_t nr)
{
	struct ioctl_gntalloc_alloc_gref *ask = calloc(1, sizeof(*ask) + nr * sizeof(uint32_t));
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	bool done = false;

	if (ask && fd >= 0) {
		ask->domid = OWN_DOMAIN;
		ask->flags = GNTALLOC_FLAG_WRITABLE;
		ask->count = (uint32_t)nr;
		done = ioctl(fd, IOCTL_GNTALLOC_ALLOC_GREF, ask) == 0 &&
		       mmap(g->mem, nr * GCOPY_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    fd, (off_t)ask->index) == g->mem;
	}
	for (size_t i = 0; done && i < nr; i++)
		g->ref[i] = ask->gref_ids[i];
	/* The mapping keeps its pages. */
	if (fd >= 0)
		close(fd);
	free(ask);
	return done;
}

int granted_make(struct granted *g, size_t nr_pages, size_t nr_wanted)
{
	void *mem = mmap(NULL, nr_pages * GCOPY_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*g = (struct granted){ .nr_pages = nr_pages };
	if (mem == MAP_FAILED)
		return -ENOMEM;
	g->mem = mem;
	g->ref = calloc(nr_wanted, sizeof(*g->ref));
	if (g->ref && grant(g, nr_wanted))
		g->nr_granted = nr_wanted;
	return 0;
}

void granted_drop(struct granted *g)
{
	if (g->mem)
		munmap(g->mem, g->nr_pages * GCOPY_PAGE);
	free(g->ref);
	*g = (struct granted){ 0 };
}

bool granted_find(const struct granted *g, const void *mem, size_t len, uint32_t *ref,
		  uint32_t *offset)
{
	size_t at = (size_t)((const char *)mem - g->mem), page = at / GCOPY_PAGE;

	/* Below @g->mem the difference is larger than anything. */
	if (page >= g->nr_granted || at % GCOPY_PAGE + len > GCOPY_PAGE)
		return false;
	*ref = g->ref[page];
	*offset = at % GCOPY_PAGE;
	return true;
}
