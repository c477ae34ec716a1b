/* SPDX-License-Identifier: MIT */
/*
 * build_pv.c - runs the pure builder against a real domain.
 *
 * Owns: the order of hypercalls between creation and first run, and the words for what goes
 * wrong. Not: reading and unpacking the kernel (kernel_load.c), layout and contents (pv_*.c).
 * A page-table frame must not be mapped writable anywhere when it is pinned, so every window
 * is closed before build_tables() pins.
 */
#include "build_pv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/grant_table.h>

#include "kernel_load.h"
#include "pv_image.h"
#include "xend.h"

#define OVERHEAD_KIB 1024	/* the hypervisor's own needs for one domain, with room to spare */
#define PAGES_PER_MIB 256
#define INITRD_PIECE (1u << 20)

struct build {
	struct xend *x;
	uint16_t domid;
	struct kernel_load *kernel;
	const struct xen_image *image;	/* kernel's */
	struct pv_layout layout;
	uint64_t *p2m;
	struct guest_ram ram;
};

static int initrd_size(struct domain *d, uint64_t *len)
{
	struct stat st;

	*len = 0;
	if (!d->rec.ramdisk[0])
		return 0;
	if (stat(d->rec.ramdisk, &st)) {
		domain_error(d, "ramdisk file %s cannot be opened in dom0: %s: check ramdisk=",
			     d->rec.ramdisk, strerror(errno));
		return -ENOENT;
	}
	*len = (uint64_t)st.st_size;
	return 0;
}

/* What dom0 could give is named; it is the operator's to take. */
static void say_too_little(struct xend *x, struct domain *d, uint64_t need, uint64_t free_kib)
{
	struct hv_domain dom0;
	char share[128] = "";

	if (hv_domain_info(x->hv, 0, &dom0) == 0 && dom0.tot_kib > 0)
		snprintf(share, sizeof(share), ", or give some of Domain-0's %llu MiB (xm mem-set "
			 "Domain-0)", (unsigned long long)(dom0.tot_kib >> 10));
	domain_error(d, "not enough memory: need %llu MiB, %llu MiB free: shut down a domain, or "
		     "lower memory=%s", (unsigned long long)((need + 1023) >> 10),
		     (unsigned long long)(free_kib >> 10), share);
}

uint64_t build_need_kib(uint64_t kib)
{
	return kib + OVERHEAD_KIB;
}

int build_check_memory(struct xend *x, struct domain *d, uint64_t kib)
{
	uint64_t need = build_need_kib(kib);
	struct hv_host host;
	int err = hv_host_info(x->hv, &host);

	if (err) {
		domain_error(d, "the hypervisor does not say how much memory is free: %s",
			     strerror(-err));
		return err;
	}
	if (host.free_kib >= need)
		return 0;
	say_too_little(x, d, need, host.free_kib);
	return -ENOMEM;
}

static int plan(struct domain *d, struct build *b)
{
	struct pv_wish wish = { .nr_pages = d->rec.memory_mib * PAGES_PER_MIB, .has_rings = true };
	uint64_t needed = 0;
	int err = initrd_size(d, &wish.initrd_len);

	if (err)
		return err;
	err = pv_layout_plan(&b->layout, b->image, &wish, &needed);
	d->start_kib = needed * (1024 / PAGES_PER_MIB);
	if (err == -ENOMEM)
		domain_error(d, "memory=%llu is too little for kernel %s: it needs %llu MiB to "
			     "start: raise memory=", (unsigned long long)d->rec.memory_mib,
			     d->rec.kernel,
			     (unsigned long long)((needed + PAGES_PER_MIB - 1) / PAGES_PER_MIB));
	else if (err)
		domain_error(d, "kernel file %s asks for addresses that no guest can have",
			     d->rec.kernel);
	return err;
}

int build_image(struct xend *x, struct domain *d)
{
	const char *why;
	struct build *b;
	int err;

	if (!d->build) {
		d->build = calloc(1, sizeof(*b));
		err = d->build ? kernel_load_start(d->rec.kernel, d->rec.memory_mib << 20, x->wake_fd, &d->build->kernel) :
				 -ENOMEM;
		if (err) {
			domain_error(d, "dom0 has not enough memory to build a domain");
			return err;
		}
		d->build->x = x;
	}
	b = d->build;
	err = kernel_load_result(b->kernel, &b->image, &why);
	if (err == -EINPROGRESS)
		return err;
	if (err)
		domain_error(d, "%s", why);
	return err ? err : plan(d, b);
}

void build_image_late(struct xend *x, struct domain *d)
{
	domain_error(d, "kernel file %s could not be read and unpacked in time", d->rec.kernel);
}

static void *ram_map(struct guest_ram *ram, uint64_t pfn, size_t nr)
{
	struct build *b = (struct build *)((char *)ram - offsetof(struct build, ram));

	errno = 0;
	return hv_map(b->x->hv, b->domid, ram->p2m + pfn, nr);
}

static void ram_unmap(struct guest_ram *ram, void *window, size_t nr)
{
	struct build *b = (struct build *)((char *)ram - offsetof(struct build, ram));

	hv_unmap(b->x->hv, window, nr);
}

/* A hypercall that has no reason to fail in the user's words: name it and its answer. */
static int hypercall(struct domain *d, const char *what, int err)
{
	if (err == -ENOMEM)
		domain_error(d, "not enough memory in the hypervisor (%s): shut down a domain, or "
			     "lower memory=", what);
	else if (err)
		domain_error(d, "the hypervisor refuses to %s: %s", what, strerror(-err));
	return err;
}

int build_limits(struct xend *x, struct domain *d, struct build_result *made)
{
	uint64_t max_kib = (d->rec.maxmem_mib << 10) + OVERHEAD_KIB;
	uint16_t domid = (uint16_t)d->domid;
	int err = hypercall(d, "set the memory limit", hv_domain_max_mem(x->hv, domid, max_kib));

	if (!err)
		err = hypercall(d, "set the clock mode", hv_domain_native_tsc(x->hv, domid));
	if (!err) {
		err = hv_set_memory_map(x->hv, domid, max_kib);
		/* A PV kernel makes do without a map. */
		err = err == -ENOSYS ? 0 : hypercall(d, "set the memory map", err);
	}
	if (!err)
		err = hypercall(d, "make an event channel",
				hv_evtchn_alloc(x->hv, domid, &made->store_port));
	if (!err)
		err = hypercall(d, "make an event channel",
				hv_evtchn_alloc(x->hv, domid, &made->console_port));
	return err;
}

int build_populate(struct xend *x, struct domain *d)
{
	struct build *b = d->build;
	uint64_t nr = b->layout.wish.nr_pages;
	int err;

	b->domid = (uint16_t)d->domid;
	b->p2m = calloc(nr, sizeof(*b->p2m));
	if (!b->p2m) {
		domain_error(d, "dom0 has not enough memory to build a domain");
		return -ENOMEM;
	}
	b->ram = (struct guest_ram){ b->p2m, nr, ram_map, ram_unmap };
	err = build_limits(x, d, &d->made);
	if (!err)
		err = hypercall(d, "give memory", hv_populate(x->hv, b->domid, 0, nr, b->p2m));
	d->made.store_mfn = b->p2m[b->layout.store.pfn];
	d->made.console_mfn = b->p2m[b->layout.console.pfn];
	return err;
}

/* Piece by piece: it may be as large as the guest. */
static int write_initrd(struct domain *d, struct build *b, int fd, size_t len)
{
	uint8_t *piece = malloc(INITRD_PIECE);
	size_t done = 0;
	ssize_t n = 1;
	int err = piece ? 0 : -ENOMEM;

	while (!err && done < len) {
		n = read(fd, piece, len - done < INITRD_PIECE ? len - done : INITRD_PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		err = pv_image_load_initrd(&b->layout, done, piece, (size_t)n, &b->ram);
		done += (size_t)n;
	}
	free(piece);
	if (!err && done < len) {
		err = n < 0 ? -errno : -EAGAIN;
		domain_error(d, n < 0 ? "ramdisk file %s cannot be read" :
			     "ramdisk file %s changed while it was read", d->rec.ramdisk);
	}
	return hypercall(d, "map memory", err);
}

static int load_initrd(struct domain *d, struct build *b)
{
	char why[KERNEL_LOAD_WHY];
	size_t len = 0;
	int fd = kernel_load_open("ramdisk", d->rec.ramdisk, UINT64_MAX, &len, why), err;

	if (fd < 0) {
		domain_error(d, "%s", why);
		return fd;
	}
	if (len != b->layout.wish.initrd_len) {
		domain_error(d, "ramdisk file %s changed while it was read", d->rec.ramdisk);
		err = -EAGAIN;
	} else {
		err = write_initrd(d, b, fd, len);
	}
	close(fd);
	return err;
}

int build_load(struct xend *x, struct domain *d)
{
	struct build *b = d->build;
	int err = hypercall(d, "map memory", pv_image_load_kernel(&b->layout, &b->image->elf, &b->ram));

	if (!err && b->layout.wish.initrd_len)
		err = load_initrd(d, b);
	kernel_load_release(b->kernel);
	b->kernel = NULL;
	return err;
}

/* Event delivery starts masked on every vcpu, as the kernel's first instructions expect. */
static int init_shared_info(struct build *b, uint64_t mfn)
{
	struct shared_info *si = hv_map(b->x->hv, b->domid, &mfn, 1);

	if (!si)
		return errno ? -errno : -EFAULT;
	memset(si, 0, sizeof(*si));
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		si->vcpu_info[i].evtchn_upcall_mask = 1;
	hv_unmap(b->x->hv, si, 1);
	return 0;
}

static int write_start(struct domain *d, struct build *b)
{
	struct pv_start start = { .store_port = d->made.store_port,
				  .console_port = d->made.console_port,
				  .cmdline = d->rec.cmdline };
	struct hv_domain info;
	int err = hv_domain_info(b->x->hv, b->domid, &info);

	if (err)
		return err;
	start.shared_info_mfn = info.shared_info_mfn;
	err = init_shared_info(b, info.shared_info_mfn);
	if (!err)
		err = pv_image_write_p2m(&b->layout, &b->ram);
	if (!err)
		err = pv_image_write_start_info(&b->layout, &start, &b->ram);
	if (!err)
		err = pv_image_write_tables(&b->layout, &b->ram);
	return err;
}

int build_grant_rings(struct xend *x, struct domain *d)
{
	uint16_t domid = (uint16_t)d->domid;
	int err = hypercall(d, "grant the store page",
			    hv_grant_seed(x->hv, domid, GNTTAB_RESERVED_XENSTORE,
					  d->made.store_mfn));

	return err ? err : hypercall(d, "grant the console page",
				     hv_grant_seed(x->hv, domid, GNTTAB_RESERVED_CONSOLE,
						   d->made.console_mfn));
}

int build_tables(struct xend *x, struct domain *d)
{
	struct build *b = d->build;
	struct pv_layout *l = &b->layout;
	struct vcpu_guest_context ctx;
	int err = hypercall(d, "map memory", write_start(d, b));

	if (!err)
		err = hypercall(d, "take the page tables",
				hv_pin(x->hv, b->domid, PV_LEVELS, b->p2m[l->tables.pfn]));
	if (!err && l->has_hypercall_page)
		err = hypercall(d, "make the hypercall page",
				hv_domain_hypercall_page(x->hv, b->domid,
							 b->p2m[l->hypercall_pfn]));
	if (!err)
		err = build_grant_rings(x, d);
	if (!err) {
		pv_image_vcpu(l, b->p2m, &ctx);
		err = hypercall(d, "set the first vcpu",
				hv_domain_set_vcpu(x->hv, b->domid, 0, &ctx));
	}
	return err;
}

void build_free(struct build *b)
{
	if (!b)
		return;
	kernel_load_release(b->kernel);
	free(b->p2m);
	free(b);
}
