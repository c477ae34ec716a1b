/* SPDX-License-Identifier: MIT */
/*
 * restore_pv.c - reads the stream of stream.h into a new, empty domain.
 *
 * A worker reads all of it and gives frames as the stream names them; page tables are translated
 * as they come, every frame that they name being given first. What the new domain's hypervisor
 * decides (its rings, its shared page, the guest's list of frames) is written at the end, then the
 * tables are pinned and the vcpus set: from there the hypervisor checks everything itself.
 */
#include "restore_pv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/grant_table.h>

#include "build_pv.h"
#include "guest_ram.h"
#include "pv_tables.h"
#include "saved_head.h"
#include "stream.h"
#include "worker.h"
#include "xend.h"

#define PAGE GUEST_PAGE_SIZE
#define P2M_PER_PAGE (PAGE / 8)
#define RECORD_MAX (64u << 20)	/* bytes of one record: a p2m of 4 TiB */
#define MAX_PFN (1ull << 30)

struct saved_vcpu {
	bool has_context, has_callbacks;
	struct vcpu_guest_context ctx;
	uint8_t callbacks[HV_CALLBACKS_SIZE];
	uint8_t *fpu;
	size_t fpu_len;
};

struct restore {
	struct worker worker;		/* first */
	struct saved_head head;
	int fd;
	uint16_t domid;
	uint64_t shared_info_mfn;
	struct build_result made;
	/* below: the worker's */
	struct hv *hv;
	uint64_t nr_pfns;
	uint64_t *p2m;			/* PV_NO_FRAME: no frame given */
	uint8_t *type;
	uint64_t *p2m_frame;		/* pfns of the guest's list */
	uint64_t nr_p2m_frames;
	uint8_t *body;
	size_t body_room;
	uint8_t shared_info[PAGE];
	bool has_shared_info;
	struct saved_vcpu vcpu[RECORD_MAX_VCPUS];
};

static int fail(struct restore *r, int err, const char *what)
{
	return worker_fail(&r->worker, err, "%s: %s", what, strerror(-err));
}

static int damaged(struct restore *r, const char *what)
{
	return worker_fail(&r->worker, -EINVAL, "the saved memory is damaged: %s", what);
}

/* --- the file --- */

static int get(struct restore *r, void *data, size_t len)
{
	uint8_t *p = data;

	while (len) {
		ssize_t n = read(r->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(r, -errno, "the saved memory cannot be read");
		if (n == 0)
			return damaged(r, "it ends too early");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int get_headers(struct restore *r)
{
	struct stream_image image;
	struct stream_domain dom;
	int err = get(r, &image, sizeof(image));

	if (!err)
		err = get(r, &dom, sizeof(dom));
	if (err)
		return err;
	if (image.marker != STREAM_MARKER || image.id != htonl(STREAM_ID) ||
	    image.version != htonl(STREAM_VERSION) || image.options ||
	    dom.type != STREAM_X86_PV || dom.page_shift != STREAM_PAGE_SHIFT)
		return damaged(r, "it is no stream of a paravirtual domain");
	return 0;
}

/* --- frames --- */

/* Gives those of @pfn that have none yet. */
static int give_frames(struct restore *r, const uint64_t *pfn, size_t nr)
{
	uint64_t wanted[STREAM_BATCH], mfn[STREAM_BATCH];
	size_t n = 0;
	int err;

	for (size_t i = 0; i < nr; i++) {
		if (r->p2m[pfn[i]] != PV_NO_FRAME)
			continue;
		/* Named twice in one list: given once. */
		r->p2m[pfn[i]] = 0;
		wanted[n++] = pfn[i];
	}
	if (!n)
		return 0;
	err = hv_populate_frames(r->hv, r->domid, wanted, n, mfn);
	if (err)
		return fail(r, err, "the hypervisor gives no more memory");
	for (size_t i = 0; i < n; i++)
		r->p2m[wanted[i]] = mfn[i];
	return 0;
}

/* A table names at most 512 frames: all of them are given before it is translated. */
static int give_named(struct restore *r, const uint64_t *table)
{
	uint64_t pfn[PV_TABLE_ENTRIES];
	size_t n = 0;

	for (unsigned int i = 0; i < PV_TABLE_ENTRIES; i++) {
		uint64_t frame = pv_entry_frame(table[i]);

		if (frame == PV_NO_FRAME)
			continue;
		if (frame >= r->nr_pfns)
			return damaged(r, "a page table names a page beyond the last");
		pfn[n++] = frame;
	}
	return give_frames(r, pfn, n);
}

static uint64_t mfn_of(void *arg, uint64_t pfn)
{
	const struct restore *r = arg;

	return pfn < r->nr_pfns ? r->p2m[pfn] : PV_NO_FRAME;
}

static int take_page(struct restore *r, uint64_t pfn, uint8_t *page, uint8_t *to)
{
	unsigned int level = PAGE_LEVEL(r->type[pfn]);
	uint64_t unknown;
	int err;

	if (!level) {
		memcpy(to, page, PAGE);
		return 0;
	}
	err = level <= 4 ? give_named(r, (uint64_t *)page) :
			   damaged(r, "a page of an unknown kind");
	if (!err && pv_table_translate((uint64_t *)page, (uint64_t *)to, level, mfn_of, r,
				       &unknown))
		err = damaged(r, "a page table names a page that there is not");
	return err;
}

/* The pages of one record: @with of the @pfn have contents, at @data. */
static int take_pages(struct restore *r, const uint64_t *with, size_t nr, uint8_t *data)
{
	uint64_t mfn[STREAM_BATCH];
	uint8_t *window;
	int err = 0;

	for (size_t i = 0; i < nr; i++)
		mfn[i] = r->p2m[with[i]];
	window = hv_map(r->hv, r->domid, mfn, nr);
	if (!window)
		return fail(r, errno ? -errno : -EFAULT, "its memory cannot be written");
	for (size_t i = 0; !err && i < nr; i++)
		err = take_page(r, with[i], data + i * PAGE, window + i * PAGE);
	hv_unmap(r->hv, window, nr);
	return err;
}

static int on_pages(struct restore *r, uint32_t len)
{
	struct stream_pages *rec = (struct stream_pages *)r->body;
	uint64_t given[STREAM_BATCH], with[STREAM_BATCH];
	size_t nr_given = 0, nr_with = 0, list;
	int err;

	if (len < sizeof(*rec) || !rec->count || rec->count > STREAM_BATCH)
		return damaged(r, "a list of pages of no possible length");
	list = sizeof(*rec) + rec->count * sizeof(rec->pfn[0]);
	if (len < list)
		return damaged(r, "a list of pages is cut off");
	for (size_t i = 0; i < rec->count; i++) {
		uint64_t pfn = rec->pfn[i] & STREAM_PFN_MASK;
		uint8_t type = (uint8_t)(rec->pfn[i] >> STREAM_TYPE_SHIFT);

		if (pfn >= r->nr_pfns)
			return damaged(r, "a page beyond the last");
		r->type[pfn] = type;
		if (PAGE_HAS_DATA(type))
			with[nr_with++] = pfn;
		if (PAGE_HAS_DATA(type) || type == PAGE_ALLOC)
			given[nr_given++] = pfn;
	}
	if (len != list + nr_with * PAGE)
		return damaged(r, "a record of pages has another length than its list says");
	err = give_frames(r, given, nr_given);
	return err || !nr_with ? err : take_pages(r, with, nr_with, r->body + list);
}

static int on_p2m_frames(struct restore *r, uint32_t len)
{
	const struct stream_p2m *rec = (const struct stream_p2m *)r->body;

	if (r->p2m || len < sizeof(*rec) || rec->first_pfn || rec->last_pfn >= MAX_PFN)
		return damaged(r, "the list of frames");
	r->nr_pfns = rec->last_pfn + 1ull;
	r->nr_p2m_frames = (r->nr_pfns + P2M_PER_PAGE - 1) / P2M_PER_PAGE;
	if (len != sizeof(*rec) + r->nr_p2m_frames * sizeof(rec->pfn[0]))
		return damaged(r, "the list of frames has another length than it says");
	r->p2m = malloc(r->nr_pfns * sizeof(*r->p2m));
	r->type = malloc(r->nr_pfns);
	r->p2m_frame = malloc(len);
	if (!r->p2m || !r->type || !r->p2m_frame)
		return fail(r, -ENOMEM, "dom0 has not enough memory to restore a domain");
	memset(r->p2m, 0xff, r->nr_pfns * sizeof(*r->p2m));
	memset(r->type, PAGE_NONE, r->nr_pfns);
	memcpy(r->p2m_frame, rec->pfn, r->nr_p2m_frames * sizeof(rec->pfn[0]));
	return 0;
}

static int on_pv_info(struct restore *r, uint32_t len)
{
	const struct stream_pv_info *info = (const struct stream_pv_info *)r->body;

	if (len != sizeof(*info) || info->guest_width != 8 || info->pt_levels != 4)
		return damaged(r, "it is not of a 64-bit guest");
	return 0;
}

static int on_shared_info(struct restore *r, uint32_t len)
{
	if (len != PAGE)
		return damaged(r, "the shared page");
	memcpy(r->shared_info, r->body, PAGE);
	r->has_shared_info = true;
	return 0;
}

/* --- vcpus --- */

/* The vcpu a record is about, and what it says of it; NULL: no such vcpu. */
static struct saved_vcpu *vcpu_of(struct restore *r, uint32_t len, const uint8_t **data,
				  size_t *data_len)
{
	const struct stream_vcpu *id = (const struct stream_vcpu *)r->body;

	if (len < sizeof(*id) || id->id >= r->head.nr_vcpus)
		return NULL;
	*data = r->body + sizeof(*id);
	*data_len = len - sizeof(*id);
	return &r->vcpu[id->id];
}

static int on_vcpu_basic(struct restore *r, uint32_t len)
{
	const uint8_t *data;
	size_t n;
	struct saved_vcpu *v = vcpu_of(r, len, &data, &n);

	if (!v || n != sizeof(v->ctx))
		return damaged(r, "the registers of a virtual CPU");
	memcpy(&v->ctx, data, n);
	v->has_context = true;
	return 0;
}

static int on_vcpu_extended(struct restore *r, uint32_t len)
{
	const uint8_t *data;
	size_t n;
	struct saved_vcpu *v = vcpu_of(r, len, &data, &n);

	if (!v || n != sizeof(v->callbacks))
		return damaged(r, "the entries of a virtual CPU");
	memcpy(v->callbacks, data, n);
	v->has_callbacks = true;
	return 0;
}

static int on_vcpu_xsave(struct restore *r, uint32_t len)
{
	const uint8_t *data;
	size_t n;
	struct saved_vcpu *v = vcpu_of(r, len, &data, &n);

	if (!v || v->fpu || !n)
		return damaged(r, "the FPU of a virtual CPU");
	v->fpu = malloc(n);
	if (!v->fpu)
		return fail(r, -ENOMEM, "dom0 has not enough memory to restore a domain");
	memcpy(v->fpu, data, n);
	v->fpu_len = n;
	return 0;
}

/* What the new domain's hypervisor decides by itself, or says nothing to a restored one. */
static int on_nothing(struct restore *r, uint32_t len)
{
	return 0;
}

static int (*const on_record[])(struct restore *r, uint32_t len) = {
	[STREAM_PAGE_DATA] = on_pages,
	[STREAM_PV_INFO] = on_pv_info,
	[STREAM_P2M_FRAMES] = on_p2m_frames,
	[STREAM_VCPU_BASIC] = on_vcpu_basic,
	[STREAM_VCPU_EXTENDED] = on_vcpu_extended,
	[STREAM_VCPU_XSAVE] = on_vcpu_xsave,
	[STREAM_SHARED_INFO] = on_shared_info,
	[STREAM_TSC_INFO] = on_nothing,		/* the time stamp counter is the machine's */
	[STREAM_VCPU_MSRS] = on_nothing,
	[STREAM_VERIFY] = on_nothing,
	[STREAM_STATIC_DATA_END] = on_nothing,
};

/* 1: it was the end. */
static int take_record(struct restore *r)
{
	struct stream_record rec;
	size_t len;
	int err = get(r, &rec, sizeof(rec));

	if (err)
		return err;
	len = ((size_t)rec.length + 7) & ~(size_t)7;
	if (len > RECORD_MAX)
		return damaged(r, "a record of no possible length");
	if (len > r->body_room) {
		free(r->body);
		r->body = malloc(len);
		r->body_room = r->body ? len : 0;
		if (!r->body)
			return fail(r, -ENOMEM, "dom0 has not enough memory to restore a domain");
	}
	err = get(r, r->body, len);
	if (err)
		return err;
	if (rec.type == STREAM_END)
		return 1;
	if (rec.type < sizeof(on_record) / sizeof(on_record[0]) && on_record[rec.type]) {
		if (!r->p2m && rec.type != STREAM_PV_INFO && rec.type != STREAM_P2M_FRAMES &&
		    rec.type != STREAM_STATIC_DATA_END)
			return damaged(r, "pages before the list of frames");
		return on_record[rec.type](r, rec.length);
	}
	return rec.type & STREAM_OPTIONAL ? 0 : damaged(r, "a record of an unknown kind");
}

/* --- what the new domain is told --- */

/* One page of the guest's, by pfn, for writing; NULL after saying why. */
static void *map_page(struct restore *r, uint64_t pfn, const char *what)
{
	uint64_t mfn = mfn_of(r, pfn);
	void *page;

	if (mfn == PV_NO_FRAME || PAGE_LEVEL(r->type[pfn])) {
		damaged(r, what);
		return NULL;
	}
	page = hv_map(r->hv, r->domid, &mfn, 1);
	if (!page)
		fail(r, errno ? -errno : -EFAULT, "its memory cannot be written");
	return page;
}

static int write_start_info(struct restore *r)
{
	static const char what[] = "the start page";
	struct start_info *si;
	int err = 0;

	if (!r->vcpu[0].has_context)
		return damaged(r, "virtual CPU 0 is missing");
	si = map_page(r, r->vcpu[0].ctx.user_regs.rdx, what);
	if (!si)
		return -EINVAL;
	/* The guest left pfns in place of these two. */
	r->made.store_mfn = mfn_of(r, si->store_mfn);
	r->made.console_mfn = mfn_of(r, si->console.domU.mfn);
	if (r->made.store_mfn == PV_NO_FRAME || r->made.console_mfn == PV_NO_FRAME)
		err = damaged(r, what);
	si->shared_info = r->shared_info_mfn << 12;
	si->flags = SIF_VIRT_P2M_4TOOLS;
	si->store_mfn = r->made.store_mfn;
	si->store_evtchn = r->made.store_port;
	si->console.domU.mfn = r->made.console_mfn;
	si->console.domU.evtchn = r->made.console_port;
	hv_unmap(r->hv, si, 1);
	return err;
}

/* No event is pending, every channel is masked: the guest makes its channels anew. */
static int write_shared_info(struct restore *r)
{
	const struct shared_info *old = (const struct shared_info *)r->shared_info;
	struct shared_info *si;

	if (!r->has_shared_info)
		return damaged(r, "the shared page is missing");
	si = hv_map(r->hv, r->domid, &r->shared_info_mfn, 1);
	if (!si)
		return fail(r, errno ? -errno : -EFAULT, "its shared page cannot be written");
	memset(si, 0, sizeof(*si));
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
		si->vcpu_info[i].evtchn_upcall_mask = old->vcpu_info[i].evtchn_upcall_mask;
		si->vcpu_info[i].arch = old->vcpu_info[i].arch;
	}
	memset(si->evtchn_mask, 0xff, sizeof(si->evtchn_mask));
	si->arch.max_pfn = old->arch.max_pfn;
	hv_unmap(r->hv, si, 1);
	return 0;
}

static int write_p2m(struct restore *r)
{
	for (uint64_t n = 0; n < r->nr_p2m_frames; n++) {
		uint64_t *list = map_page(r, r->p2m_frame[n], "the guest's list of frames");

		if (!list)
			return -EINVAL;
		for (uint64_t i = 0; i < P2M_PER_PAGE; i++)
			list[i] = mfn_of(r, n * P2M_PER_PAGE + i);
		hv_unmap(r->hv, list, 1);
	}
	return 0;
}

static int pin_tables(struct restore *r)
{
	for (uint64_t pfn = 0; pfn < r->nr_pfns; pfn++) {
		unsigned int level = PAGE_LEVEL(r->type[pfn]);
		int err;

		if (!level || !(r->type[pfn] & PAGE_PINNED))
			continue;
		err = hv_pin(r->hv, r->domid, level, r->p2m[pfn]);
		if (err)
			return fail(r, err, "the hypervisor refuses its page tables");
	}
	return 0;
}

/* From pfns to mfns, all that a context names. */
static int translate_context(struct restore *r, struct vcpu_guest_context *c)
{
	uint64_t top = mfn_of(r, xen_cr3_to_pfn(c->ctrlreg[3]));
	uint64_t user = c->ctrlreg[1] & 1 ? mfn_of(r, c->ctrlreg[1] >> 12) : 0;

	if (top == PV_NO_FRAME || user == PV_NO_FRAME)
		return -EINVAL;
	c->ctrlreg[3] = xen_pfn_to_cr3(top);
	c->ctrlreg[1] = c->ctrlreg[1] & 1 ? xen_pfn_to_cr3(user) : 0;
	for (unsigned int i = 0; i * 512 < c->gdt_ents && i < 16; i++) {
		c->gdt_frames[i] = mfn_of(r, c->gdt_frames[i]);
		if (c->gdt_frames[i] == PV_NO_FRAME)
			return -EINVAL;
	}
	return 0;
}

static int set_vcpu(struct restore *r, unsigned int i)
{
	struct saved_vcpu *v = &r->vcpu[i];
	int err = translate_context(r, &v->ctx);

	if (err)
		return damaged(r, "a virtual CPU uses pages that there are not");
	v->ctx.flags |= VGCF_online;
	err = hv_domain_set_vcpu(r->hv, r->domid, i, &v->ctx);
	if (!err && v->has_callbacks)
		err = hv_vcpu_set_callbacks(r->hv, r->domid, i, v->callbacks);
	if (!err && v->fpu)
		err = hv_vcpu_set_fpu(r->hv, r->domid, i, v->fpu, v->fpu_len);
	return err ? fail(r, err, "the hypervisor refuses a virtual CPU of it") : 0;
}

static int finish(struct restore *r)
{
	int err = write_start_info(r);

	if (!err)
		err = write_shared_info(r);
	if (!err)
		err = write_p2m(r);
	if (!err)
		err = pin_tables(r);
	for (unsigned int i = 0; !err && i < r->head.nr_vcpus; i++) {
		if (r->vcpu[i].has_context)
			err = set_vcpu(r, i);
	}
	return err;
}

static int run(struct worker *w)
{
	struct restore *r = (struct restore *)w;
	int err = hv_open(&r->hv);

	if (err)
		return fail(r, err, "no hypercalls");
	err = get_headers(r);
	while (!err)
		err = w->stop ? -EINTR : take_record(r);
	return err == 1 ? finish(r) : err;
}

static void destroy(struct worker *w)
{
	struct restore *r = (struct restore *)w;

	if (r->hv)
		hv_close(r->hv);
	if (r->fd >= 0)
		close(r->fd);
	saved_head_free(&r->head);
	for (unsigned int i = 0; i < RECORD_MAX_VCPUS; i++)
		free(r->vcpu[i].fpu);
	free(r->p2m);
	free(r->type);
	free(r->p2m_frame);
	free(r->body);
	free(r);
}

/* --- the steps --- */

static int compare_head(struct domain *d, const struct saved_head *h)
{
	if (strcmp(h->uuid, d->rec.uuid_text)) {
		domain_error(d, "%s is the memory of another domain (%s, uuid %s): remove saved= "
			     "to boot this one", d->rec.saved, h->name, h->uuid);
		return -EINVAL;
	}
	if (!h->nr_vcpus || h->nr_vcpus > d->rec.maxvcpus) {
		domain_error(d, "%s has %u virtual CPUs: maxvcpus=%u is too few", d->rec.saved,
			     h->nr_vcpus, d->rec.maxvcpus);
		return -EINVAL;
	}
	return 0;
}

int restore_image(struct xend *x, struct domain *d)
{
	struct restore *r = calloc(1, sizeof(*r));
	int err;

	if (!r) {
		domain_error(d, "dom0 has not enough memory to restore a domain");
		return -ENOMEM;
	}
	r->worker.run = run;
	r->worker.destroy = destroy;
	r->fd = -1;
	d->restore = r;
	err = saved_head_read(d->rec.saved, &r->head, &r->fd);
	if (err == -EINVAL)
		domain_error(d, "%s is not a file that xm save made, or is damaged: remove saved= "
			     "to boot the domain anew", d->rec.saved);
	else if (err)
		domain_error(d, "the saved memory %s cannot be read: %s: remove saved= to boot the "
			     "domain anew", d->rec.saved, strerror(-err));
	if (!err)
		err = compare_head(d, &r->head);
	return err ? err : build_check_memory(x, d, r->head.nr_pages * (PAGE / 1024));
}

int restore_populate(struct xend *x, struct domain *d)
{
	struct restore *r = d->restore;
	uint64_t kib = r->head.nr_pages * (PAGE / 1024);
	struct hv_domain info;
	int err;

	r->domid = (uint16_t)d->domid;
	if (kib < d->rec.maxmem_mib << 10)
		kib = d->rec.maxmem_mib << 10;
	err = build_limits(x, d, kib, &r->made);
	if (err)
		return err;
	err = hv_domain_info(x->hv, r->domid, &info);
	r->shared_info_mfn = info.shared_info_mfn;
	if (!err)
		err = worker_start(&r->worker, x->wake_fd);
	if (err) {
		domain_error(d, "the domain cannot be restored: %s", strerror(-err));
		if (err == -EAGAIN)
			d->restore = NULL;
	}
	return err;
}

int restore_load(struct xend *x, struct domain *d)
{
	struct restore *r = d->restore;
	int err = worker_result(&r->worker);

	if (err && err != -EINPROGRESS)
		domain_error(d, "%s: %s", d->rec.saved, r->worker.why);
	return err;
}

void restore_load_late(struct xend *x, struct domain *d)
{
	domain_error(d, "%s could not be read in time", d->rec.saved);
}

int restore_tables(struct xend *x, struct domain *d)
{
	d->made = d->restore->made;
	return build_grant_rings(x, d);
}

void restore_free(struct restore *r)
{
	worker_release(r ? &r->worker : NULL);
}
