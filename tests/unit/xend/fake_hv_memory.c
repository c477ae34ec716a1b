/* SPDX-License-Identifier: MIT */
/*
 * fake_hv_memory.c - frames of the fake machine: given, mapped, pinned, and what a saved domain is
 * made of.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fake_hv_priv.h"

int hv_populate(struct hv *hv, uint16_t domid, uint64_t pfn, uint64_t nr, uint64_t *p2m)
{
	struct fake_domain *d = fake_hv_find(domid);
	int err = fake_hv_failing("populate");

	for (uint64_t i = 0; i < nr && !err; i++) {
		int64_t m = fake_hv_take_frame(domid);

		/* A populate that fails has given a part: it must come back too. */
		if (m < 0)
			return -ENOMEM;
		p2m[pfn + i] = (uint64_t)m;
		d->info.tot_kib += 4;
	}
	return d->info.tot_kib > d->max_kib ? -EINVAL : err;
}

int hv_set_memory_map(struct hv *hv, uint16_t domid, uint64_t kib)
{
	return fake_hv_failing("set_memory_map");
}

void *hv_map(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr)
{
	struct window w = { .nr = nr, .domid = domid };
	int i = 0;

	errno = fake_hv_failing("map") ? -fake_hv_failing("map") : 0;
	if (errno)
		return NULL;
	pthread_mutex_lock(&fake_hv_lock);
	/* As of a real machine: it may have ended since a worker was asked to read it. */
	if (!fake_hv_find(domid)) {
		pthread_mutex_unlock(&fake_hv_lock);
		errno = ESRCH;
		return NULL;
	}
	w.bounce = malloc(nr * PAGE);
	w.mfn = malloc(nr * sizeof(*mfn));
	memcpy(w.mfn, mfn, nr * sizeof(*mfn));
	for (size_t p = 0; p < nr; p++) {
		if (mfn[p] >= hv->nr_frames || hv->owner[mfn[p]] != domid)
			abort();	/* a frame that is not the domain's */
		memcpy(w.bounce + p * PAGE, hv->frame[mfn[p]], PAGE);
	}
	while (hv->window[i].bounce)
		i++;
	hv->window[i] = w;
	pthread_mutex_unlock(&fake_hv_lock);
	return w.bounce;
}

void hv_unmap(struct hv *hv, void *addr, size_t nr)
{
	struct window *w = hv->window;

	pthread_mutex_lock(&fake_hv_lock);
	while (w->bounce != addr)
		w++;
	for (size_t p = 0; p < nr; p++) {
		if (hv->owner[w->mfn[p]] == w->domid)
			memcpy(hv->frame[w->mfn[p]], w->bounce + p * PAGE, PAGE);
	}
	free(w->bounce);
	free(w->mfn);
	*w = (struct window){ 0 };
	pthread_mutex_unlock(&fake_hv_lock);
}

int hv_grant_seed(struct hv *hv, uint16_t domid, uint32_t ref, uint64_t mfn)
{
	fake_hv_find(domid)->grant[ref] = mfn;
	return fake_hv_failing("grant_seed");
}

unsigned int fake_hv_grant_rooms;

void hv_grant_room(struct hv *hv)
{
	fake_hv_grant_rooms++;
}

/* What pinning an L4 checks: every table is the domain's and nowhere mapped writable. */
struct pin {
	int domid;
	uint8_t *is_table;		/* a byte a frame */
	bool bad;
};

static void mark_tables(struct pin *p, uint64_t mfn, int level)
{
	const uint64_t *e;

	if (mfn >= the_hv->nr_frames || the_hv->owner[mfn] != p->domid) {
		p->bad = true;
		return;
	}
	p->is_table[mfn] = (uint8_t)level;
	e = (const uint64_t *)the_hv->frame[mfn];
	for (int i = 0; i < 512 && level > 1; i++) {
		if (e[i] & 1)
			mark_tables(p, e[i] >> 12, level - 1);
	}
}

static void check_leaves(struct pin *p, uint64_t mfn, int level)
{
	const uint64_t *e = (const uint64_t *)the_hv->frame[mfn];

	for (int i = 0; i < 512; i++) {
		uint64_t m = e[i] >> 12 & 0xffffffffff;

		if (!(e[i] & 1))
			continue;
		if (level > 1)
			check_leaves(p, m, level - 1);
		else if (m >= the_hv->nr_frames || the_hv->owner[m] != p->domid ||
			 (p->is_table[m] && e[i] & 2))
			p->bad = true;
	}
}

int hv_pin(struct hv *hv, uint16_t domid, unsigned int level, uint64_t mfn)
{
	struct pin p = { domid, calloc(hv->nr_frames, 1), level != 4 || fake_hv_windows() != 0 };

	mark_tables(&p, mfn, 4);
	if (!p.bad)
		check_leaves(&p, mfn, 4);
	free(p.is_table);
	if (p.bad)
		return -EINVAL;
	fake_hv_find(domid)->pinned = true;
	return fake_hv_failing("pin");
}

/* ---- what saving and restoring ask ---- */

int hv_max_page(struct hv *hv, uint64_t *mfn)
{
	*mfn = hv->nr_frames - 1;
	return 0;
}

int hv_page_types(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr, uint32_t *types)
{
	uint64_t top = fake_hv_find(domid)->ctx.ctrlreg[3] >> 12;
	struct pin p = { domid, calloc(hv->nr_frames, 1), false };

	mark_tables(&p, top, 4);
	for (size_t i = 0; i < nr; i++) {
		bool own = mfn[i] < hv->nr_frames && hv->owner[mfn[i]] == domid;

		types[i] = own ? p.is_table[mfn[i]] | (mfn[i] == top ? 8u : 0) : 15;
	}
	free(p.is_table);
	return fake_hv_failing("page_types");
}

int hv_populate_frames(struct hv *hv, uint16_t domid, const uint64_t *pfn, size_t nr, uint64_t *mfn)
{
	struct fake_domain *d = fake_hv_find(domid);

	for (size_t i = 0; i < nr; i++) {
		int64_t m = fake_hv_take_frame(domid);

		if (m < 0)
			return -ENOMEM;
		mfn[i] = (uint64_t)m;
		d->info.tot_kib += 4;
	}
	return d->info.tot_kib > d->max_kib ? -EINVAL : fake_hv_failing("populate_frames");
}

const void *hv_map_read(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr)
{
	return hv_map(hv, domid, mfn, nr);
}

int hv_domain_get_vcpu(struct hv *hv, uint16_t domid, unsigned int vcpu,
		       struct vcpu_guest_context *ctx)
{
	*ctx = fake_hv_find(domid)->ctx;
	return fake_hv_failing("domain_get_vcpu");
}

int hv_vcpu_get_callbacks(struct hv *hv, uint16_t domid, unsigned int vcpu, uint8_t *ext)
{
	memset(ext, (int)vcpu + 1, HV_CALLBACKS_SIZE);
	return 0;
}

int hv_vcpu_set_callbacks(struct hv *hv, uint16_t domid, unsigned int vcpu, const uint8_t *ext)
{
	return ext[0] == vcpu + 1 ? 0 : -EINVAL;
}

int hv_vcpu_get_fpu(struct hv *hv, uint16_t domid, unsigned int vcpu, void *out, size_t *len)
{
	*len = 832;
	memset(out, (int)vcpu + 7, *len);
	return 0;
}

int hv_vcpu_set_fpu(struct hv *hv, uint16_t domid, unsigned int vcpu, const void *state, size_t len)
{
	return len == 832 && *(const uint8_t *)state == vcpu + 7 ? 0 : -EINVAL;
}

/* TSC_AUX is the only one it has. */
int hv_vcpu_get_msrs(struct hv *hv, uint16_t domid, unsigned int vcpu, void *out, size_t *len)
{
	const struct { uint32_t index, reserved; uint64_t value; } aux = { 0xc0000103, 0, vcpu + 9 };

	*len = sizeof(aux);
	memcpy(out, &aux, sizeof(aux));
	return fake_hv_failing("vcpu_get_msrs");
}

int hv_vcpu_set_msrs(struct hv *hv, uint16_t domid, unsigned int vcpu, const void *msrs, size_t len)
{
	uint8_t saved[HV_MSR_SIZE];
	size_t saved_len = sizeof(saved);

	hv_vcpu_get_msrs(hv, domid, vcpu, saved, &saved_len);
	if (len != saved_len || memcmp(msrs, saved, len))
		return -EINVAL;
	fake_hv_find(domid)->has_msrs = true;
	return 0;
}

int hv_domain_get_clock(struct hv *hv, uint16_t domid, struct hv_clock *clock)
{
	*clock = (struct hv_clock){ 2, 2500000, 1, 0 };
	return 0;
}
