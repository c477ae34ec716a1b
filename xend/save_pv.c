/* SPDX-License-Identifier: MIT */
/*
 * save_pv.c - reads a suspended PV domain and writes the stream of stream.h.
 *
 * All that the guest says of itself is taken as a claim: names that lead nowhere end the save with
 * one message. The domain does not run meanwhile.
 */
#include "save_pv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "save_priv.h"
#include "saved_record.h"
#include "stream.h"
#include "xend.h"

#define FPU_MAX 16384u

int save_fail(struct save *s, int err, const char *what)
{
	return worker_fail(&s->worker, err, "%s: %s", what, strerror(-err));
}

/* --- the file --- */

static int put(struct save *s, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(s->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return worker_fail(&s->worker, -errno, "%.900s cannot be written: %s",
					   s->partial, strerror(errno));
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A record of up to two parts: a header of its own and data. */
static int put_record(struct save *s, enum stream_type type, const void *a, size_t a_len,
		      const void *b, size_t b_len)
{
	static const uint8_t zeros[8];
	const struct stream_record r = { type, (uint32_t)(a_len + b_len) };
	int err = put(s, &r, sizeof(r));

	if (!err)
		err = put(s, a, a_len);
	if (!err)
		err = put(s, b, b_len);
	if (!err)
		err = put(s, zeros, -(a_len + b_len) & 7);
	return err;
}

static int put_headers(struct save *s)
{
	const struct stream_image image = { STREAM_MARKER, htonl(STREAM_ID),
					    htonl(STREAM_VERSION), 0, 0, 0 };
	const struct stream_domain dom = { STREAM_X86_PV, STREAM_PAGE_SHIFT, 0, 4, 17 };
	const struct stream_pv_info info = { .guest_width = 8, .pt_levels = LEVELS };
	int err = put(s, &image, sizeof(image));

	if (!err)
		err = put(s, &dom, sizeof(dom));
	if (!err)
		err = put_record(s, STREAM_STATIC_DATA_END, NULL, 0, NULL, 0);
	if (!err)
		err = put_record(s, STREAM_PV_INFO, &info, sizeof(info), NULL, 0);
	return err;
}

static int put_p2m_frames(struct save *s)
{
	const struct stream_p2m head = { 0, (uint32_t)(s->nr_pfns - 1) };

	for (uint64_t n = 0; n < s->nr_p2m_frames; n++) {
		s->p2m_frame[n] = save_pfn_of(s, s->p2m_frame[n]);
		if (s->p2m_frame[n] == PV_NO_FRAME)
			return worker_fail(&s->worker, -EFAULT, "its list of frames is damaged");
	}
	return put_record(s, STREAM_P2M_FRAMES, &head, sizeof(head), s->p2m_frame,
			  s->nr_p2m_frames * sizeof(*s->p2m_frame));
}

/* --- its pages --- */

static int copy_page(struct save *s, uint32_t type, const uint8_t *page, uint8_t *out)
{
	unsigned int level = PAGE_LEVEL(type);
	uint64_t unknown;

	if (!level) {
		memcpy(out, page, PAGE);
		return 0;
	}
	if (pv_table_translate((const uint64_t *)page, (uint64_t *)out, level, save_pfn_of, s, &unknown))
		return worker_fail(&s->worker, -EFAULT,
				   "a page table of it names the frame %#llx, which is not its own",
				   (unsigned long long)unknown);
	return 0;
}

/* The pages of @nr frames that have contents, in order behind @out. */
static int copy_pages(struct save *s, const uint64_t *mfn, const uint32_t *type, size_t nr,
		      uint8_t *out, size_t *len)
{
	uint64_t with[STREAM_BATCH];
	const uint8_t *window;
	size_t nr_with = 0, at = 0;
	int err = 0;

	for (size_t i = 0; i < nr; i++) {
		if (PAGE_HAS_DATA(type[i]))
			with[nr_with++] = mfn[i];
	}
	*len = nr_with * PAGE;
	if (!nr_with)
		return 0;
	window = hv_map_read(s->hv, s->domid, with, nr_with);
	if (!window)
		return save_fail(s, errno ? -errno : -EFAULT, "its memory cannot be read");
	for (size_t i = 0; !err && i < nr; i++) {
		if (!PAGE_HAS_DATA(type[i]))
			continue;
		err = copy_page(s, type[i], window + at, out + at);
		at += PAGE;
	}
	hv_unmap(s->hv, (void *)window, nr_with);
	return err;
}

static int put_batch(struct save *s, const uint64_t *pfn, size_t nr)
{
	struct stream_pages *rec = (struct stream_pages *)s->batch;
	uint64_t mfn[STREAM_BATCH];
	uint32_t type[STREAM_BATCH];
	size_t list = sizeof(*rec) + nr * sizeof(rec->pfn[0]), len;
	int err;

	for (size_t i = 0; i < nr; i++)
		mfn[i] = s->p2m[pfn[i]];
	err = hv_page_types(s->hv, s->domid, mfn, nr, type);
	if (err)
		return save_fail(s, err, "the hypervisor does not tell kinds of frames");
	*rec = (struct stream_pages){ (uint32_t)nr, 0 };
	for (size_t i = 0; i < nr; i++)
		rec->pfn[i] = pfn[i] | (uint64_t)type[i] << STREAM_TYPE_SHIFT;
	err = copy_pages(s, mfn, type, nr, s->batch + list, &len);
	return err ? err : put_record(s, STREAM_PAGE_DATA, s->batch, list + len, NULL, 0);
}

static int put_pages(struct save *s)
{
	uint64_t pfn[STREAM_BATCH];
	size_t nr = 0;
	int err = 0;

	s->batch = malloc(sizeof(struct stream_pages) + STREAM_BATCH * (8 + PAGE));
	if (!s->batch)
		return save_fail(s, -ENOMEM, "dom0 has not enough memory to save a domain");
	for (uint64_t i = 0; !err && i < s->nr_pfns; i++) {
		if (s->p2m[i] != PV_NO_FRAME)
			pfn[nr++] = i;
		if (nr == STREAM_BATCH || (nr && i + 1 == s->nr_pfns)) {
			err = s->worker.stop ? -EINTR : put_batch(s, pfn, nr);
			nr = 0;
		}
	}
	return err;
}

/* --- its vcpus --- */

/* From mfns to pfns, all that a context names. */
static int translate_context(struct save *s, unsigned int vcpu, struct vcpu_guest_context *c)
{
	uint64_t top = save_pfn_of(s, xen_cr3_to_pfn(c->ctrlreg[3]));
	uint64_t user = c->ctrlreg[1] ? save_pfn_of(s, xen_cr3_to_pfn(c->ctrlreg[1])) : 0;
	/* SCHEDOP_shutdown's third argument: the frame of start_info */
	uint64_t start = vcpu ? 0 : save_pfn_of(s, c->user_regs.rdx);

	if (top == PV_NO_FRAME || user == PV_NO_FRAME || start == PV_NO_FRAME)
		return -EFAULT;
	c->ctrlreg[3] = xen_pfn_to_cr3(top);
	if (c->ctrlreg[1])
		c->ctrlreg[1] = user << 12 | 1;
	if (!vcpu)
		c->user_regs.rdx = start;
	for (unsigned int i = 0; i * 512 < c->gdt_ents && i < 16; i++) {
		c->gdt_frames[i] = save_pfn_of(s, c->gdt_frames[i]);
		if (c->gdt_frames[i] == PV_NO_FRAME)
			return -EFAULT;
	}
	return 0;
}

static int put_vcpu(struct save *s, unsigned int i)
{
	const struct stream_vcpu id = { i, 0 };
	static const char what[] = "the hypervisor does not give its virtual CPUs";
	struct vcpu_guest_context ctx;
	uint8_t ext[HV_CALLBACKS_SIZE], fpu[FPU_MAX];
	size_t fpu_len = sizeof(fpu);
	int err = hv_domain_get_vcpu(s->hv, s->domid, i, &ctx);

	if (!err)
		err = hv_vcpu_get_callbacks(s->hv, s->domid, i, ext);
	if (!err)
		err = hv_vcpu_get_fpu(s->hv, s->domid, i, fpu, &fpu_len);
	if (err)
		return save_fail(s, err, what);
	if (translate_context(s, i, &ctx))
		return worker_fail(&s->worker, -EFAULT,
				   "virtual CPU %u uses frames that are not the domain's", i);
	err = put_record(s, STREAM_VCPU_BASIC, &id, sizeof(id), &ctx, sizeof(ctx));
	if (!err)
		err = put_record(s, STREAM_VCPU_EXTENDED, &id, sizeof(id), ext, sizeof(ext));
	if (!err && fpu_len)
		err = put_record(s, STREAM_VCPU_XSAVE, &id, sizeof(id), fpu, fpu_len);
	return err;
}

static int put_vcpus(struct save *s)
{
	struct hv_vcpu info;
	int err = 0;

	for (unsigned int i = 0; !err && i < RECORD_VCPUS_MAX; i++) {
		if (hv_vcpu_info(s->hv, s->domid, i, &info) == 0 && info.online)
			err = put_vcpu(s, i);
	}
	return err;
}

static int put_clock(struct save *s)
{
	struct hv_clock clock;
	int err = hv_domain_get_clock(s->hv, s->domid, &clock);
	struct stream_tsc tsc;

	if (err)
		return save_fail(s, err, "the hypervisor does not give its clock");
	tsc = (struct stream_tsc){ clock.mode, clock.khz, clock.elapsed_ns, clock.incarnation, 0 };
	return put_record(s, STREAM_TSC_INFO, &tsc, sizeof(tsc), NULL, 0);
}

/* --- the whole --- */

static int write_body(struct save *s, const struct shared_info *si)
{
	int err = put_headers(s);

	if (!err)
		err = save_read_p2m(s, si);
	if (!err)
		err = put_p2m_frames(s);
	if (!err)
		err = put_pages(s);
	if (!err)
		err = put_clock(s);
	if (!err)
		err = put_record(s, STREAM_SHARED_INFO, si, PAGE, NULL, 0);
	if (!err)
		err = put_vcpus(s);
	return err ? err : put_record(s, STREAM_END, NULL, 0, NULL, 0);
}

static int write_head(struct save *s)
{
	struct hv_vcpu vcpu;
	int err;

	s->head.nr_pages = s->info.tot_kib / (PAGE / 1024);
	for (unsigned int i = 0; i < RECORD_VCPUS_MAX; i++) {
		if (hv_vcpu_info(s->hv, s->domid, i, &vcpu) == 0 && vcpu.online)
			s->head.nr_vcpus = i + 1;
	}
	err = saved_head_write(s->fd, &s->head);
	return err ? worker_fail(&s->worker, err, "%.900s cannot be written: %s", s->partial,
				 strerror(-err)) : 0;
}

static int run(struct worker *w)
{
	struct save *s = (struct save *)w;
	const struct shared_info *si;
	int err = hv_open(&s->hv);

	if (err)
		return save_fail(s, err, "no hypercalls");
	err = hv_domain_info(s->hv, s->domid, &s->info);
	if (err)
		return save_fail(s, err, "the hypervisor does not know it");
	si = hv_map_read(s->hv, s->domid, &s->info.shared_info_mfn, 1);
	if (!si)
		return save_fail(s, errno ? -errno : -EFAULT, "its shared page cannot be read");
	err = write_head(s);
	if (!err)
		err = write_body(s, si);
	hv_unmap(s->hv, (void *)si, 1);
	if (!err && fsync(s->fd))
		err = save_fail(s, -errno, "the disk does not take it");
	if (!err && rename(s->partial, s->path))
		err = worker_fail(w, -errno, "%.900s cannot be made: %s", s->path, strerror(errno));
	s->is_whole = !err;
	return err;
}

static void destroy(struct worker *w)
{
	struct save *s = (struct save *)w;

	if (s->hv)
		hv_close(s->hv);
	if (s->fd >= 0) {
		close(s->fd);
		if (!s->is_whole)
			unlink(s->partial);
	}
	saved_head_free(&s->head);
	free(s->p2m);
	free(s->p2m_frame);
	free(s->pfn_of);
	free(s->batch);
	free(s);
}

int save_open(struct xend *x, const struct domain *d, const char *path, struct save **out,
	      char *why)
{
	struct save *s = calloc(1, sizeof(*s));
	int err = s ? saved_record_read(x->xs, d->name, &s->head) : -ENOMEM;

	if (!err && strlen(d->name) > SAVED_NAME_MAX)
		err = -ENAMETOOLONG;
	if (err) {
		snprintf(why, WORKER_WHY, "its record cannot be read: %s", strerror(-err));
		if (s)
			saved_head_free(&s->head);
		free(s);
		return err;
	}
	s->worker.run = run;
	s->worker.destroy = destroy;
	s->domid = (uint16_t)d->domid;
	snprintf(s->head.name, sizeof(s->head.name), "%s", d->name);
	memcpy(s->head.uuid, d->uuid, sizeof(s->head.uuid));
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->partial, sizeof(s->partial), "%s.partial", path);
	s->fd = open(s->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (s->fd < 0) {
		err = -errno;
		snprintf(why, WORKER_WHY, "%.400s cannot be written in dom0: %s", s->partial,
			 strerror(-err));
		destroy(&s->worker);
		return err;
	}
	*out = s;
	return 0;
}

int save_begin(struct save *s, struct xend *x)
{
	return worker_start(&s->worker, x->wake_fd);
}

int save_result(struct save *s, char *why)
{
	int err = worker_result(&s->worker);

	if (err && err != -EINPROGRESS)
		snprintf(why, WORKER_WHY, "%s", s->worker.why);
	return err;
}

void save_release(struct save *s)
{
	worker_release(s ? &s->worker : NULL);
}
