/* SPDX-License-Identifier: MIT */
/* save_pages.c - a domain's pages, as records of stream.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "save_priv.h"
#include "stream.h"

static int copy_page(struct save *s, uint32_t type, const uint8_t *page, uint8_t *out)
{
	unsigned int level = PAGE_LEVEL(type);
	uint64_t unknown;

	if (!level) {
		memcpy(out, page, PAGE);
		return 0;
	}
	if (pv_table_translate((const uint64_t *)page, (uint64_t *)out, level, save_pfn_of, s,
			       &unknown))
		return worker_fail(&s->worker, -EFAULT,
				   "a page table of it names the frame %#llx, which is not its own",
				   (unsigned long long)unknown);
	return 0;
}

/*
 * While the guest runs, what cannot be read now, or names frames that have other places by now, is
 * read when it stands still: save_live.c sees that its kind is not what it was sent as.
 */
static bool live_defers(const struct save *s, uint32_t *type)
{
	if (!s->live.is_running)
		return false;
	*type = PAGE_DEFERRED;
	return true;
}

static bool live_defers_all(const struct save *s, uint32_t *type, size_t nr)
{
	for (size_t i = 0; s->live.is_running && i < nr; i++) {
		if (PAGE_HAS_DATA(type[i]))
			type[i] = PAGE_DEFERRED;
	}
	return s->live.is_running;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE - 1);
}

/*
 * The pages of @nr frames that have contents, in order behind @out; data that is all zero becomes
 * of a kind without.
 */
static int copy_pages(struct save *s, const uint64_t *mfn, uint32_t *type, size_t nr,
		      uint8_t *out, size_t *len)
{
	uint64_t with[STREAM_BATCH];
	const uint8_t *window;
	size_t nr_with = 0, at = 0;
	int err = 0;

	*len = 0;
	for (size_t i = 0; i < nr; i++) {
		if (PAGE_HAS_DATA(type[i]))
			with[nr_with++] = mfn[i];
	}
	if (!nr_with)
		return 0;
	window = hv_map_read(s->hv, s->domid, with, nr_with);
	if (!window && live_defers_all(s, type, nr))
		return 0;
	if (!window)
		return save_fail(s, errno ? -errno : -EFAULT, "its memory cannot be read");
	for (size_t i = 0; !err && i < nr; i++) {
		if (!PAGE_HAS_DATA(type[i]))
			continue;
		if (type[i] == PAGE_DATA && is_zero(window + at)) {
			type[i] = PAGE_ALLOC;
		} else {
			err = copy_page(s, type[i], window + at, out + *len);
			if (err && live_defers(s, &type[i]))
				err = 0;
			else
				*len += PAGE;
		}
		at += PAGE;
	}
	hv_unmap(s->hv, (void *)window, nr_with);
	return err;
}

int save_kinds(struct save *s, const uint64_t *pfn, size_t nr, uint64_t *mfn, uint32_t *type)
{
	int err;

	for (size_t i = 0; i < nr; i++)
		mfn[i] = save_mfn_of(s, pfn[i]);
	err = hv_page_types(s->hv, s->domid, mfn, nr, type);
	if (err)
		return save_fail(s, err, "the hypervisor does not tell kinds of frames");
	for (size_t i = 0; i < nr; i++) {
		if (mfn[i] == PV_NO_FRAME)
			type[i] = PAGE_NONE;
	}
	return 0;
}

/* The first @len bytes of the batch, as they are or packed. */
static int put_pages(struct save *s, size_t len)
{
	uint64_t began;
	size_t packed;
	int err;

	s->page_bytes += len;
	stream_pack_limit(&s->pack, s->live.is_running ? s->live.max_kib_s : 0);
	packed = stream_pack(&s->pack, s->batch, len);
	began = move_clock_ns();
	err = packed ? save_put_record(s, STREAM_PACKED, s->pack.to, packed, NULL, 0) :
		       save_put_record(s, STREAM_PAGE_DATA, s->batch, len, NULL, 0);
	stream_pack_measure(&s->pack, packed ? packed : len, move_clock_ns() - began);
	return err;
}

int save_put_batch(struct save *s, const uint64_t *pfn, size_t nr)
{
	struct stream_pages *rec = (struct stream_pages *)s->batch;
	uint64_t mfn[STREAM_BATCH];
	uint32_t type[STREAM_BATCH];
	size_t list = sizeof(*rec) + nr * sizeof(rec->pfn[0]), len;
	int err;

	err = save_kinds(s, pfn, nr, mfn, type);
	if (err)
		return err;
	/* What was sent, as the hypervisor calls it. */
	for (size_t i = 0; s->live.kind && i < nr; i++)
		s->live.kind[pfn[i]] = (uint8_t)~type[i];
	err = copy_pages(s, mfn, type, nr, s->batch + list, &len);
	for (size_t i = 0; i < nr; i++) {
		if (type[i] != PAGE_DEFERRED)
			continue;
		s->live.kind[pfn[i]] = (uint8_t)~PAGE_DEFERRED;
		type[i] = PAGE_ALLOC;
	}
	*rec = (struct stream_pages){ (uint32_t)nr, 0 };
	for (size_t i = 0; i < nr; i++)
		rec->pfn[i] = pfn[i] | (uint64_t)type[i] << STREAM_TYPE_SHIFT;
	return err ? err : put_pages(s, list + len);
}

int save_make_batch(struct save *s)
{
	s->batch = malloc(STREAM_PAGES_MAX);
	return s->batch ? 0 : save_fail(s, -ENOMEM, "dom0 has not enough memory to save a domain");
}

int save_put_pages(struct save *s)
{
	uint64_t pfn[STREAM_BATCH];
	size_t nr = 0;
	int err = save_make_batch(s);

	for (uint64_t i = 0; !err && i < s->nr_pfns; i++) {
		if (save_mfn_of(s, i) != PV_NO_FRAME)
			pfn[nr++] = i;
		if (nr == STREAM_BATCH || (nr && i + 1 == s->nr_pfns)) {
			err = s->worker.stop ? -EINTR : save_put_batch(s, pfn, nr);
			atomic_fetch_add(&s->done_kib, nr * (PAGE / 1024));
			nr = 0;
		}
	}
	return err;
}
