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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "move_more.h"
#include "save_priv.h"
#include "saved_record.h"
#include "saved_xl.h"
#include "store.h"
#include "stream.h"
#include "xend.h"

#define PUT_MAX 65536u

int save_fail(struct save *s, int err, const char *what)
{
	return worker_fail(&s->worker, err, "%s: %s", what, strerror(-err));
}

/* --- the file --- */

/* @err: why. */
static int not_written(struct save *s, int err)
{
	return s->is_channel ? move_lost(s) :
			       worker_fail(&s->worker, err, "%.900s cannot be written: %s",
					   s->partial, strerror(-err));
}

/* What was waited for may have taken hours: by then the number is perhaps another domain's. */
static int goes_on(struct save *s)
{
	return atomic_load(&s->worker.stop) ? worker_fail(&s->worker, -EINTR, "withdrawn") : 0;
}

/* @is_new: no checksum has seen it. */
static int write_out(struct save *s, const uint8_t *p, size_t len, bool is_new)
{
	while (len) {
		/* In parts, so that it can be seen whether they are taken. */
		ssize_t n = write(s->fd, p, len < PUT_MAX ? len : PUT_MAX);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return not_written(s, -errno);
		err = s->is_channel ? 0 : save_file_written(s, (size_t)n);
		if (err)
			return not_written(s, err);
		err = goes_on(s);
		if (err)
			return err;
		if (is_new)
			stream_sum_add(&s->sum, p, (size_t)n);
		atomic_fetch_add(&s->nr_taken, (uint64_t)n);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int save_flush(struct save *s)
{
	size_t len = s->small_len;

	s->small_len = 0;
	return write_out(s, s->small, len, false);
}

/*
 * Small parts go together: whoever passes them on to another host takes its turn on a CPU for each
 * that is written.
 */
static int put(struct save *s, const void *data, size_t len)
{
	int err = 0;

	if (len > sizeof(s->small) - s->small_len)
		err = save_flush(s);
	if (err || len > sizeof(s->small))
		return err ? err : write_out(s, data, len, true);
	stream_sum_add(&s->sum, data, len);
	/* A part of no length may be nowhere. */
	if (len)
		memcpy(s->small + s->small_len, data, len);
	s->small_len += len;
	return 0;
}

static int put_check(struct save *s)
{
	const struct {
		struct stream_record head;
		struct stream_check check;
	} rec = { { STREAM_CHECK, sizeof(rec.check) }, stream_sum_check(&s->sum) };
	int err = put(s, &rec, sizeof(rec));

	/* It vouches for others, the digest for it. */
	s->sum.crc = 0;
	return err;
}

/* Without what vouches for it. */
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

int save_put_record(struct save *s, enum stream_type type, const void *a, size_t a_len,
		    const void *b, size_t b_len)
{
	int err = put_record(s, type, a, a_len, b, b_len);

	return err ? err : put_check(s);
}

static int put_end(struct save *s)
{
	const struct stream_digest digest = stream_sum_digest(&s->sum);
	int err = save_put_record(s, STREAM_DIGEST, &digest, sizeof(digest), NULL, 0);

	/* libxl goes on reading right behind it. */
	if (!err)
		err = s->head.is_xl ? put_record(s, STREAM_END, NULL, 0, NULL, 0) :
				      save_put_record(s, STREAM_END, NULL, 0, NULL, 0);
	return err ? err : save_flush(s);
}

int save_put_headers(struct save *s)
{
	const struct stream_image image = { STREAM_MARKER, htonl(STREAM_ID),
					    htonl(STREAM_VERSION), 0, 0, 0 };
	const struct stream_domain dom = { STREAM_X86_PV, STREAM_PAGE_SHIFT, 0, 4, 17 };
	const struct stream_pv_info info = { .guest_width = 8, .pt_levels = LEVELS };
	int err = put(s, &image, sizeof(image));

	if (!err)
		err = put(s, &dom, sizeof(dom));
	if (!err)
		err = save_put_record(s, STREAM_STATIC_DATA_END, NULL, 0, NULL, 0);
	if (!err)
		err = save_put_record(s, STREAM_PV_INFO, &info, sizeof(info), NULL, 0);
	return err;
}

int save_put_p2m_frames(struct save *s)
{
	const struct stream_p2m head = { 0, (uint32_t)(s->nr_pfns - 1) };

	return save_put_record(s, STREAM_P2M_FRAMES, &head, sizeof(head), s->p2m_frame,
			       s->nr_p2m_frames * sizeof(*s->p2m_frame));
}

/* --- the whole --- */

static int write_body(struct save *s, const struct shared_info *si)
{
	int err = save_put_headers(s);

	if (!err)
		err = save_read_p2m(s, si);
	if (!err)
		err = save_put_p2m_frames(s);
	if (!err)
		err = save_put_pages(s);
	return err ? err : save_put_rest(s, si);
}

int save_put_rest(struct save *s, const struct shared_info *si)
{
	int err = save_put_clock(s);

	if (!err)
		err = save_put_record(s, STREAM_SHARED_INFO, si, PAGE, NULL, 0);
	if (!err)
		err = save_put_vcpus(s);
	/* A file is for this host, which has the log. */
	if (!err && s->is_channel)
		err = save_put_console(s);
	return err ? err : put_end(s);
}

int save_write_head(struct save *s)
{
	struct hv_vcpu vcpu;
	int err;

	atomic_store(&s->total_kib, s->info.tot_kib);
	s->head.nr_pages = s->info.tot_kib / (PAGE / 1024);
	for (unsigned int i = 0; i < RECORD_VCPUS_MAX; i++) {
		if (hv_vcpu_info(s->hv, s->domid, i, &vcpu) == 0 && vcpu.online)
			s->head.nr_vcpus = i + 1;
	}
	if (s->is_channel)
		err = move_more_write_head(s);
	else
		err = s->head.is_xl ? saved_xl_write(s->fd) : saved_head_write(s->fd, &s->head);
	return err ? not_written(s, err) : 0;
}

static int write_end(struct save *s)
{
	int err = s->head.is_xl ? saved_xl_write_end(s->fd) : 0;

	return err ? not_written(s, err) : 0;
}

int save_find_domain(struct save *s)
{
	int err = hv_open(&s->hv);

	if (err)
		return save_fail(s, err, "no hypercalls");
	err = hv_domain_info(s->hv, s->domid, &s->info);
	return err ? save_fail(s, err, "the hypervisor does not know it") : 0;
}

int save_write_memory(struct save *s)
{
	const struct shared_info *si;
	int err = goes_on(s);

	if (err)
		return err;
	si = hv_map_read(s->hv, s->domid, &s->info.shared_info_mfn, 1);
	if (!si)
		return save_fail(s, errno ? -errno : -EFAULT, "its shared page cannot be read");
	err = s->live.is_on ? save_put_last_round(s, si) : write_body(s, si);
	hv_unmap(s->hv, (void *)si, 1);
	return err;
}

static int run(struct worker *w)
{
	struct save *s = (struct save *)w;
	int err = save_find_domain(s);

	if (!err)
		err = save_write_head(s);
	if (!err)
		err = save_write_memory(s);
	if (!err)
		err = write_end(s);
	if (!err)
		err = save_file_place(s);
	/* Before it is told. */
	if (err)
		save_file_close(s);
	return err;
}

static int run_make(struct worker *w)
{
	struct save *s = (struct save *)w;
	int err = save_file_make(s);

	if (err && s->fd >= 0) {
		/* Another save's. */
		close(s->fd);
		s->fd = -1;
	}
	return err;
}

static int run_close(struct worker *w)
{
	save_file_close((struct save *)w);
	return 0;
}

static void destroy(struct worker *w)
{
	struct save *s = (struct save *)w;

	save_live_fini(s);
	if (s->hv)
		hv_close(s->hv);
	if (s->fd >= 0 && !s->is_channel)
		save_file_close(s);
	else if (s->fd >= 0)
		close(s->fd);
	saved_head_free(&s->head);
	saved_head_free(&s->more);
	free(s->p2m);
	free(s->p2m_frame);
	free(s->p2m_mfn);
	free(s->p2m_stale);
	free(s->pfn_of);
	free(s->batch);
	stream_pack_fini(&s->pack);
	free(s);
}

int save_alloc(struct xend *x, const struct domain *d, struct save **out, char *why)
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
	s->worker.destroy = destroy;
	s->fd = -1;
	s->domid = (uint16_t)d->domid;
	s->log_from = d->log_from;
	s->head.version = SAVED_VERSION;
	snprintf(s->head.name, sizeof(s->head.name), "%s", d->name);
	memcpy(s->head.uuid, d->uuid, sizeof(s->head.uuid));
	*out = s;
	return 0;
}

int save_take_record(struct save *s, struct xend *x, char *why)
{
	struct saved_head now = { .record = NULL };
	int err = saved_record_read(x->xs, s->head.name, &now);

	if (err) {
		snprintf(why, WORKER_WHY, "its record cannot be read: %s", strerror(-err));
		saved_head_free(&now);
		return err;
	}
	saved_head_free(&s->head);
	s->head.record = now.record;
	s->head.record_len = now.record_len;
	return 0;
}

int save_record_is(const struct save *s, struct txn *tx)
{
	return saved_record_is(tx->xs, tx->t, s->head.name, &s->head);
}

int save_open(struct xend *x, const struct domain *d, const char *path, bool as_xl,
	      struct save **out, char *why)
{
	struct save *s;
	int err = save_alloc(x, d, &s, why);

	if (err)
		return err;
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->partial, sizeof(s->partial), "%s.partial", path);
	s->head.is_xl = as_xl;
	s->wake_fd = x->wake_fd;
	s->worker.run = run_make;
	s->taken_ns = x->now_ns;
	err = worker_start(&s->worker, x->wake_fd);
	if (err)
		snprintf(why, WORKER_WHY, "dom0 has no thread to spare");
	else
		*out = s;
	return err;
}

void save_progress(struct save *s, uint64_t *sent_kib, uint64_t *total_kib)
{
	*sent_kib = atomic_load(&s->done_kib);
	*total_kib = atomic_load(&s->total_kib);
}

bool save_is_stuck(struct save *s, uint64_t now_ns)
{
	uint64_t taken = atomic_load(&s->nr_taken);

	if (taken != s->taken_seen)
		s->taken_ns = now_ns;
	s->taken_seen = taken;
	return (taken || !s->is_channel) &&
	       now_ns - s->taken_ns >= (s->is_channel ? SAVE_STUCK_S : SAVE_FILE_STUCK_S) * NS_PER_S;
}

void save_rounds(struct save *s, struct save_rounds *now)
{
	*now = (struct save_rounds){ atomic_load(&s->live.round), atomic_load(&s->live.left_kib),
				     atomic_load(&s->live.rate_kib_s),
				     atomic_load(&s->live.stop_ms),
				     atomic_load(&s->live.slow_percent) };
}

int save_live_refused(const struct save *s)
{
	return s->live.is_refused;
}

int save_begin(struct save *s, struct xend *x)
{
	s->worker.run = run;
	s->taken_ns = x->now_ns;
	return worker_start(&s->worker, x->wake_fd);
}

int save_result(struct save *s, char *why)
{
	int err = worker_result(&s->worker);

	if (err && err != -EINPROGRESS)
		snprintf(why, WORKER_WHY, "%s", s->worker.why);
	s->is_taken = !err && s->is_placed;
	return err;
}

void save_release(struct save *s)
{
	/* A worker that waits for the other host ends. */
	if (s && s->is_channel && s->fd >= 0)
		shutdown(s->fd, SHUT_RDWR);
	/* Its file system may take as long as it likes to close and remove it. */
	if (s && !s->is_channel && atomic_load(&s->worker.owner) == WORKER_FINISHED && s->fd >= 0) {
		s->worker.run = run_close;
		if (worker_start(&s->worker, s->wake_fd))
			return;
	}
	worker_release(s ? &s->worker : NULL);
}
