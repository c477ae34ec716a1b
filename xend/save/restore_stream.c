/* SPDX-License-Identifier: MIT */
/*
 * restore_stream.c - the records of stream.h, one function each. Frames are given as the stream
 * names them; page tables are translated as they come, each frame that they name being given first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pv_tables.h"
#include "restore_priv.h"
#include "stream.h"
#include "stream_pack.h"

#define MAX_PFN (1ull << 30)
#define RECORD_MAX ((MAX_PFN / P2M_PER_PAGE + 8) * 8)	/* bytes of one record: such a p2m */

static int get(struct restore *r, void *data, size_t len)
{
	uint8_t *p = data;

	while (len) {
		ssize_t n = read(r->fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return restore_fail(r, -errno, "the saved memory cannot be read");
		if (n == 0)
			return restore_damaged(r, "it ends too early");
		stream_sum_add(&r->sum, p, (size_t)n);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* What was read since the last check is as it was written, and nothing is missing. */
static int get_check(struct restore *r)
{
	const struct stream_check want = stream_sum_check(&r->sum);
	struct {
		struct stream_record head;
		struct stream_check check;
	} rec;
	int err = get(r, &rec, sizeof(rec));

	if (err)
		return err;
	if (rec.head.type != STREAM_CHECK || rec.head.length != sizeof(rec.check) ||
	    rec.check.crc != want.crc || rec.check.number != want.number)
		return restore_damaged(r, "a record has another checksum than it was written with");
	r->sum.crc = 0;
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
		return restore_damaged(r, "it is no stream of a paravirtual domain");
	return 0;
}

/* --- frames --- */

static int no_memory(struct restore *r)
{
	return restore_fail(r, -ENOMEM, "it takes more of dom0's memory than a domain of its size");
}

/* Gives those of @pfn that have none yet. */
static int give_frames(struct restore *r, const uint64_t *pfn, size_t nr)
{
	uint64_t wanted[STREAM_BATCH], mfn[STREAM_BATCH];
	size_t n = 0;
	int err;

	for (size_t i = 0; i < nr; i++) {
		if (restore_frames_mfn(&r->frames, pfn[i]) != PV_NO_FRAME)
			continue;
		/* Named twice in one list: given once. */
		if (restore_frames_set_mfn(&r->frames, pfn[i], 0))
			return no_memory(r);
		wanted[n++] = pfn[i];
	}
	if (!n)
		return 0;
	err = restore_ask_populate(r, wanted, n, mfn);
	if (err)
		return restore_fail(r, err, "the hypervisor gives no more memory");
	for (size_t i = 0; i < n; i++)
		restore_frames_set_mfn(&r->frames, wanted[i], mfn[i]);
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
		if (frame >= r->frames.nr_pfns)
			return restore_damaged(r, "a page table names a page beyond the last");
		pfn[n++] = frame;
	}
	return give_frames(r, pfn, n);
}

static int take_page(struct restore *r, uint64_t pfn, uint8_t *page, uint8_t *to)
{
	unsigned int level = PAGE_LEVEL(restore_frames_kind(&r->frames, pfn));
	uint64_t unknown;
	int err;

	if (!level) {
		memcpy(to, page, PAGE);
		return 0;
	}
	err = level <= 4 ? give_named(r, (uint64_t *)page) :
			   restore_damaged(r, "a page of an unknown kind");
	if (!err && pv_table_translate((uint64_t *)page, (uint64_t *)to, level, restore_mfn_of, r,
				       &unknown))
		err = restore_damaged(r, "a page table names a page that there is not");
	return err;
}

/* What the window has becomes the contents of @pfn. */
static int write_pages(struct restore *r, const uint64_t *pfn, size_t nr)
{
	int err;

	for (size_t i = 0; i < nr; i++)
		r->window->frame[i] = restore_mfn_of(r, pfn[i]);
	err = restore_ask_write(r, nr);
	return err ? restore_fail(r, err, "its memory cannot be written") : 0;
}

/* Pages that had contents, and now are all zero. */
static int clear_pages(struct restore *r, const uint64_t *pfn, size_t nr)
{
	if (!nr)
		return 0;
	memset(r->window->page, 0, nr * PAGE);
	return write_pages(r, pfn, nr);
}

/* The pages of one record: @with of the @pfn have contents, at @data. */
static int take_pages(struct restore *r, const uint64_t *with, size_t nr, uint8_t *data)
{
	int err = 0;

	for (size_t i = 0; !err && i < nr; i++)
		err = take_page(r, with[i], data + i * PAGE, r->window->page[i]);
	return err ? err : write_pages(r, with, nr);
}

static int on_pages(struct restore *r, uint32_t len)
{
	struct stream_pages *rec = (struct stream_pages *)r->body;
	uint64_t given[STREAM_BATCH], with[STREAM_BATCH], zero[STREAM_BATCH];
	size_t nr_given = 0, nr_with = 0, nr_zero = 0, list;
	int err;

	if (len < sizeof(*rec) || !rec->count || rec->count > STREAM_BATCH)
		return restore_damaged(r, "a list of pages of no possible length");
	list = sizeof(*rec) + rec->count * sizeof(rec->pfn[0]);
	if (len < list)
		return restore_damaged(r, "a list of pages is cut off");
	for (size_t i = 0; i < rec->count; i++) {
		uint64_t pfn = rec->pfn[i] & STREAM_PFN_MASK;
		uint8_t type = (uint8_t)(rec->pfn[i] >> STREAM_TYPE_SHIFT);

		if (pfn >= r->frames.nr_pfns)
			return restore_damaged(r, "a page beyond the last");
		if (restore_frames_set_kind(&r->frames, pfn, type))
			return no_memory(r);
		if (PAGE_HAS_DATA(type))
			with[nr_with++] = pfn;
		if (PAGE_HAS_DATA(type) || type == PAGE_ALLOC)
			given[nr_given++] = pfn;
		/* One that is given is zero; a later round may find another page in its place. */
		else if (restore_mfn_of(r, pfn) != PV_NO_FRAME)
			restore_frames_set_mfn(&r->frames, pfn, PV_NO_FRAME);
		if (type == PAGE_ALLOC && restore_mfn_of(r, pfn) != PV_NO_FRAME)
			zero[nr_zero++] = pfn;
	}
	if (len != list + nr_with * PAGE)
		return restore_damaged(r, "a record of pages of another length than its list says");
	err = give_frames(r, given, nr_given);
	if (!err)
		err = clear_pages(r, zero, nr_zero);
	return err || !nr_with ? err : take_pages(r, with, nr_with, r->body + list);
}

/*
 * In the room that is kept for it: the window may be asked for meanwhile, the body is the packed
 * one's.
 */
static int on_packed(struct restore *r, uint32_t len)
{
	size_t whole = stream_unpacked_len(r->body, len, STREAM_PAGES_MAX);
	uint8_t *packed = r->body;
	int err;

	if (!r->unpacked)
		r->unpacked = malloc(STREAM_PAGES_MAX);
	if (!r->unpacked)
		return no_memory(r);
	if (!whole || !stream_unpack(packed, len, r->unpacked, whole))
		return restore_damaged(r, "packed pages that cannot be unpacked");
	r->body = r->unpacked;
	err = on_pages(r, (uint32_t)whole);
	r->body = packed;
	return err;
}

static int on_p2m_frames(struct restore *r, uint32_t len)
{
	const struct stream_p2m *rec = (const struct stream_p2m *)r->body;

	uint64_t nr_pfns;

	if (r->p2m_frame || len < sizeof(*rec) || rec->first_pfn || rec->last_pfn >= MAX_PFN)
		return restore_damaged(r, "the list of frames");
	nr_pfns = rec->last_pfn + 1ull;
	r->nr_p2m_frames = (nr_pfns + P2M_PER_PAGE - 1) / P2M_PER_PAGE;
	if (len != sizeof(*rec) + r->nr_p2m_frames * sizeof(rec->pfn[0]))
		return restore_damaged(r, "the list of frames has another length than it says");
	r->p2m_frame = malloc(len);
	if (!r->p2m_frame || restore_frames_init(&r->frames, nr_pfns))
		return no_memory(r);
	memcpy(r->p2m_frame, rec->pfn, r->nr_p2m_frames * sizeof(rec->pfn[0]));
	return 0;
}

static int on_pv_info(struct restore *r, uint32_t len)
{
	const struct stream_pv_info *info = (const struct stream_pv_info *)r->body;

	if (len != sizeof(*info) || info->guest_width != 8 || info->pt_levels != 4)
		return restore_damaged(r, "it is not of a 64-bit guest");
	return 0;
}

/* @before: what was read until here. */
static int on_digest(struct restore *r, uint32_t len, const struct stream_digest *before)
{
	if (r->has_digest || len != sizeof(*before) || memcmp(r->body, before, sizeof(*before)))
		return restore_damaged(r, "another checksum than it was written with");
	r->has_digest = true;
	return 0;
}

static int on_end(struct restore *r, uint32_t len)
{
	if (len || (r->head.version != SAVED_UNCHECKED && !r->has_digest))
		return restore_damaged(r, "it has no end");
	return 1;
}

static int on_shared_info(struct restore *r, uint32_t len)
{
	if (len != PAGE)
		return restore_damaged(r, "the shared page");
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
		return restore_damaged(r, "the registers of a virtual CPU");
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
		return restore_damaged(r, "the entries of a virtual CPU");
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
		return restore_damaged(r, "the FPU of a virtual CPU");
	v->fpu = malloc(n);
	if (!v->fpu)
		return no_memory(r);
	memcpy(v->fpu, data, n);
	v->fpu_len = n;
	return 0;
}

static int on_vcpu_msrs(struct restore *r, uint32_t len)
{
	const uint8_t *data;
	size_t n;
	struct saved_vcpu *v = vcpu_of(r, len, &data, &n);

	if (!v || n > sizeof(v->msrs) || n % HV_MSR_SIZE)
		return restore_damaged(r, "the MSRs of a virtual CPU");
	memcpy(v->msrs, data, n);
	v->msrs_len = n;
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
	[STREAM_VCPU_MSRS] = on_vcpu_msrs,
	[STREAM_VERIFY] = on_nothing,
	[STREAM_STATIC_DATA_END] = on_nothing,
	[STREAM_CPUID_POLICY] = on_nothing,	/* a guest sees the CPU it is on, as one that boots */
	[STREAM_MSR_POLICY] = on_nothing,
};

/* What says nothing of pages may come before anybody knows how many there are. */
static bool is_early(uint32_t type)
{
	return type == STREAM_PV_INFO || type == STREAM_P2M_FRAMES ||
	       type == STREAM_STATIC_DATA_END || type == STREAM_CPUID_POLICY ||
	       type == STREAM_MSR_POLICY;
}

/* The body of the record @rec, padded, to r->body. */
static int get_body(struct restore *r, const struct stream_record *rec)
{
	size_t len = ((size_t)rec->length + 7) & ~(size_t)7;

	if (len > RECORD_MAX)
		return restore_damaged(r, "a record of no possible length");
	if (len > r->body_room) {
		free(r->body);
		r->body = malloc(len);
		r->body_room = r->body ? len : 0;
		if (!r->body)
			return no_memory(r);
	}
	return get(r, r->body, len);
}

static int on_console(struct restore *r, uint32_t len)
{
	if (len > STREAM_CONSOLE_MAX)
		return restore_damaged(r, "more of a console than is kept");
	memcpy(r->window->console, r->body, len);
	r->window->console_len = len;
	return 0;
}

static int do_record(struct restore *r, const struct stream_record *rec)
{
	if (rec->type == STREAM_PACKED && r->p2m_frame)
		return on_packed(r, rec->length);
	if (rec->type < sizeof(on_record) / sizeof(on_record[0]) && on_record[rec->type]) {
		if (!r->p2m_frame && !is_early(rec->type))
			return restore_damaged(r, "pages before the list of frames");
		return on_record[rec->type](r, rec->length);
	}
	if (rec->type == STREAM_CONSOLE)
		return on_console(r, rec->length);
	/* One that was checked, in a file whose head says that there are none: the head lies. */
	if (rec->type == STREAM_CHECK)
		return restore_damaged(r, "checksums that its head does not tell of");
	return rec->type & STREAM_OPTIONAL ? 0 : restore_damaged(r, "a record of an unknown kind");
}

/* 1: it was the end. */
static int take_record(struct restore *r)
{
	const struct stream_digest before = stream_sum_digest(&r->sum);
	struct stream_record rec;
	int err = get(r, &rec, sizeof(rec));

	if (!err)
		err = get_body(r, &rec);
	/* In a file for xl nothing stands behind the end; the digest before it says that all is there. */
	if (!err && r->head.version != SAVED_UNCHECKED &&
	    !(r->head.is_xl && rec.type == STREAM_END))
		err = get_check(r);
	if (err)
		return err;
	if (rec.type == STREAM_END)
		return on_end(r, rec.length);
	if (rec.type == STREAM_DIGEST)
		return on_digest(r, rec.length, &before);
	return do_record(r, &rec);
}

int restore_read_stream(struct restore *r)
{
	int err = get_headers(r);

	while (!err)
		err = take_record(r);
	return err == 1 ? 0 : err;
}
