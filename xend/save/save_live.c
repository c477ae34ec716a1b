/* SPDX-License-Identifier: MIT */
/*
 * save_live.c - see save_live.h.
 *
 * What the rounds send may be torn, old, or of another kind by now: all that matters is that the
 * last round, with the guest suspended, finds every such page. It sends what the hypervisor noted,
 * and that counts a page of data which became a page table, or the other way, as written; what could
 * not be read; and what has another frame than it had, then with all page tables, which may name it.
 * Of the guest's list of frames it looks at what was written since it was read: how long that takes
 * does not depend on how large the guest is.
 */
#include "save_live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "save_priv.h"
#include "stream.h"

#define ROUNDS_MAX 30
#define NO_GAIN_MAX 3			/* rounds in a row that leave no less than the one before */
#define SHORT_MAX 6			/* rounds more, when what is left is within what was wished for */
#define SHORT_LEAST 32			/* pages; what does not depend on them takes longer than so few */
#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static bool is_set(const uint8_t *bits, uint64_t i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static void set(uint8_t *bits, uint64_t i)
{
	bits[i / 8] |= (uint8_t)(1u << i % 8);
}

/* What is as fast as was wished for waits until its time has come. */
static void hold_back(const struct save *s, uint64_t began_ns, uint64_t bytes)
{
	uint64_t due = began_ns, now = now_ns();
	struct timespec ts;

	if (!s->live.max_kib_s)
		return;
	due += bytes / 1024 * NS_PER_S / s->live.max_kib_s;
	if (due <= now)
		return;
	ts = (struct timespec){ (time_t)((due - now) / NS_PER_S), (long)((due - now) % NS_PER_S) };
	nanosleep(&ts, NULL);
}

/* Sends every page whose bit is set, in order. */
static int put_dirty(struct save *s, bool limited)
{
	uint64_t pfn[STREAM_BATCH], began = now_ns(), before = s->sum.nr_bytes, pages = s->page_bytes;
	size_t nr = 0;
	int err = 0;

	for (uint64_t i = 0; !err && i < s->nr_pfns; i++) {
		if (is_set(s->live.dirty, i))
			pfn[nr++] = i;
		if (nr < STREAM_BATCH && (!nr || i + 1 < s->nr_pfns))
			continue;
		err = s->worker.stop ? -EINTR : save_put_batch(s, pfn, nr);
		atomic_fetch_add(&s->done_kib, nr * (PAGE / 1024));
		nr = 0;
		if (limited)
			hold_back(s, began, s->sum.nr_bytes - before);
	}
	if (!err)
		err = save_flush(s);
	s->live.sent += s->page_bytes - pages;
	s->live.sent_ns += now_ns() - began;
	return err;
}

/* How long the guest would stand still for @nr pages; publishes it. */
static uint64_t expect(struct save *s, uint64_t nr)
{
	struct save_live *l = &s->live;
	uint64_t rate = l->sent * NS_PER_MS / 1024 * 1000 / (l->sent_ns + 1) + 1;
	uint64_t ms = nr * (PAGE / 1024) * 1000 / rate;

	atomic_store(&l->rate_kib_s, rate);
	atomic_store(&l->left_kib, nr * (PAGE / 1024));
	atomic_store(&l->stop_ms, ms);
	return ms;
}

static int make_room(struct save *s)
{
	s->live.kind = calloc(1, s->nr_pfns);
	s->live.dirty = calloc(1, (s->nr_pfns + 63) / 64 * 8);
	if (!s->live.kind || !s->live.dirty)
		return save_fail(s, -ENOMEM, "dom0 has not enough memory to move a domain");
	for (uint64_t i = 0; i < s->nr_pfns; i++) {
		if (save_mfn_of(s, i) != PV_NO_FRAME)
			set(s->live.dirty, i);
	}
	return save_make_batch(s);
}

/* What was written since it was asked last. */
static int take_dirty(struct save *s, uint64_t *nr)
{
	int err = hv_dirty_take(s->hv, s->domid, s->live.dirty, s->nr_pfns, nr);

	if (err)
		return save_fail(s, err, "the hypervisor does not tell what was written");
	save_note_p2m(s);
	return 0;
}

/*
 * One that writes faster than the link takes gets less of its CPUs, step by step, so that what it
 * stands still for can be as little as was asked for. Whether a step was left.
 */
static bool slow_down(struct save *s)
{
	static const uint16_t percent[] = { 50, 25, 10, 5 };
	struct save_live *l = &s->live;
	struct hv_credit c;
	uint32_t vcpus = s->head.nr_vcpus ? s->head.nr_vcpus : 1;

	if (l->nr_slowed >= sizeof(percent) / sizeof(percent[0]) ||
	    (!l->nr_slowed && hv_credit_get(s->hv, s->domid, &l->share)))
		return false;
	c = l->share;
	c.cap = (uint16_t)((l->share.cap ? l->share.cap : 100 * vcpus) * percent[l->nr_slowed] / 100);
	if (!c.cap || hv_credit_set(s->hv, s->domid, &c))
		return false;
	atomic_store(&l->slow_percent, percent[l->nr_slowed++]);
	return true;
}

/* It is asked to suspend itself next, or goes on: all of its CPUs are its own again. */
static void let_run(struct save *s)
{
	if (s->live.nr_slowed && hv_credit_set(s->hv, s->domid, &s->live.share))
		log_warnx("%s: it is held to a part of its CPUs, and the hypervisor refuses to let it go",
			  s->head.name);
	s->live.nr_slowed = 0;
}

/*
 * What was wished for is the most that it may stand still. A round that takes so little time leaves
 * what was written in that time: another one is worth it, as long as each leaves a quarter less.
 */
static bool is_least(uint64_t nr, uint64_t before, unsigned int *nr_short)
{
	return nr <= SHORT_LEAST || nr > before / 4 * 3 || ++*nr_short > SHORT_MAX;
}

static int rounds(struct save *s)
{
	uint64_t nr = 0, least = UINT64_MAX, before = s->nr_pfns;
	unsigned int no_gain = 0, nr_short = 0;
	bool is_short;
	int err = put_dirty(s, true);

	for (unsigned int n = 1; !err && n < ROUNDS_MAX && no_gain < NO_GAIN_MAX; n++) {
		atomic_store(&s->live.round, n);
		err = take_dirty(s, &nr);
		if (err)
			break;
		is_short = expect(s, nr) <= s->live.max_stop_ms;
		if (is_short && is_least(nr, before, &nr_short))
			break;
		before = nr;
		no_gain = nr < least ? 0 : no_gain + 1;
		least = nr < least ? nr : least;
		if (no_gain && !is_short && slow_down(s)) {
			no_gain = 0;
			least = UINT64_MAX;
		}
		err = put_dirty(s, true);
		memset(s->live.dirty, 0, (s->nr_pfns + 7) / 8);
	}
	return err;
}

static int begin(struct save *s)
{
	const struct shared_info *si = hv_map_read(s->hv, s->domid, &s->info.shared_info_mfn, 1);
	int err = si ? save_put_headers(s) : -EFAULT;

	if (!si)
		return save_fail(s, err, "its shared page cannot be read");
	if (!err)
		err = save_read_p2m(s, si);
	hv_unmap(s->hv, (void *)si, 1);
	if (!err)
		err = save_put_p2m_frames(s);
	return err ? err : make_room(s);
}

static int begin_noting(struct save *s)
{
	int err = hv_dirty_begin(s->hv, s->domid);

	if (err != -EINVAL)
		return err;
	/* Another save, or another tool, did not live to end it. */
	err = hv_dirty_end(s->hv, s->domid);
	return err ? err : hv_dirty_begin(s->hv, s->domid);
}

int save_put_rounds(struct save *s)
{
	int err = begin_noting(s);

	if (err == -EOPNOTSUPP || err == -ENOSYS) {
		s->live.is_refused = true;
		return 0;
	}
	if (err)
		return save_fail(s, err, "the hypervisor does not note what it writes");
	s->live.is_on = true;
	s->live.is_running = true;
	err = begin(s);
	if (!err)
		err = rounds(s);
	let_run(s);
	s->live.is_running = false;
	return err;
}

/* --- with the guest suspended --- */

/* What has another frame than it had, and all tables then, which may name it. */
static int compare_p2m(struct save *s, const struct shared_info *si)
{
	uint64_t *before;
	bool changed = false;
	int err = save_reread_p2m(s, si, &before);

	for (uint64_t i = 0; !err && before && i < s->nr_pfns; i++) {
		if (s->p2m[i] == before[i])
			continue;
		set(s->live.dirty, i);
		changed = true;
	}
	free(before);
	for (uint64_t i = 0; changed && i < s->nr_pfns; i++) {
		if (PAGE_LEVEL(save_sent_as(s, i)))
			set(s->live.dirty, i);
	}
	return err;
}

/* What could not be read while it ran. */
static void add_deferred(struct save *s)
{
	const uint8_t deferred = (uint8_t)~PAGE_DEFERRED, *at = s->live.kind, *end = at + s->nr_pfns;

	while ((at = memchr(at, deferred, (size_t)(end - at)))) {
		set(s->live.dirty, (uint64_t)(at - s->live.kind));
		at++;
	}
}

int save_put_last_round(struct save *s, const struct shared_info *si)
{
	uint8_t *old = malloc((s->nr_pfns + 7) / 8);
	uint64_t nr;
	int err = old ? 0 : save_fail(s, -ENOMEM, "dom0 has not enough memory to move a domain");

	/* What the last look told and no round sent. */
	if (!err) {
		memcpy(old, s->live.dirty, (s->nr_pfns + 7) / 8);
		err = take_dirty(s, &nr);
	}
	for (uint64_t i = 0; !err && i < (s->nr_pfns + 7) / 8; i++)
		s->live.dirty[i] |= old[i];
	free(old);
	if (!err) {
		add_deferred(s);
		err = compare_p2m(s, si);
	}
	if (!err)
		err = put_dirty(s, false);
	return err ? err : save_put_rest(s, si);
}

void save_live_fini(struct save *s)
{
	/* One that has ended has nothing to be noted. */
	if (s->live.is_on)
		hv_dirty_end(s->hv, s->domid);
	free(s->live.kind);
	free(s->live.dirty);
}
