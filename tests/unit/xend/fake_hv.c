/* SPDX-License-Identifier: MIT */
/*
 * fake_hv.c - a machine in memory for xend's tests.
 */
#include "fake_hv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __XEN_TOOLS__ 1
#include <xen/xen.h>

#define MAX_DOMAINS 16
#define MAX_WINDOWS 64
#define PAGE 4096u

struct fake_domain {
	struct hv_domain info;
	uint64_t max_kib;
	uint64_t grant[64];
	uint32_t next_port;
	struct vcpu_guest_context ctx;
	bool pinned;
	struct hv_affinity affinity[4];
	struct hv_credit credit;
};

struct window {
	uint8_t *bounce;
	uint64_t *mfn;
	size_t nr;
};

struct hv {
	uint64_t nr_frames;
	uint8_t **frame;
	int *owner;			/* domid, or -1 when free */
	uint64_t next;			/* where the scattered search goes on */
	struct fake_domain *domain[MAX_DOMAINS];
	uint16_t last_domid;
	struct window window[MAX_WINDOWS];
	char fail_name[32];
	int fail_err;
	bool hold;
};

static struct hv *the_hv;

static int failing(const char *name)
{
	return !strcmp(the_hv->fail_name, name) ? the_hv->fail_err : 0;
}

static struct fake_domain *find(int domid)
{
	for (int i = 0; i < MAX_DOMAINS; i++) {
		if (the_hv->domain[i] && the_hv->domain[i]->info.domid == domid)
			return the_hv->domain[i];
	}
	return NULL;
}

static struct fake_domain *add(uint16_t domid)
{
	int i = 0;

	while (the_hv->domain[i])
		i++;
	the_hv->domain[i] = calloc(1, sizeof(struct fake_domain));
	the_hv->domain[i]->info.domid = domid;
	the_hv->domain[i]->next_port = 1;
	return the_hv->domain[i];
}

/* Every second frame of a stride that is prime to the machine's size: never contiguous. */
static int64_t take_frame(int domid)
{
	for (uint64_t i = 0; i < the_hv->nr_frames; i++) {
		uint64_t m = the_hv->next;

		the_hv->next = (the_hv->next + 7919) % the_hv->nr_frames;
		if (the_hv->owner[m] != -1)
			continue;
		the_hv->owner[m] = domid;
		the_hv->frame[m] = calloc(1, PAGE);
		return (int64_t)m;
	}
	return -1;
}

struct hv *fake_hv_new(unsigned int machine_mib)
{
	struct fake_domain *d;

	fake_hv_free();
	the_hv = calloc(1, sizeof(*the_hv));
	the_hv->nr_frames = machine_mib * 256u + 1;
	the_hv->frame = calloc(the_hv->nr_frames, sizeof(*the_hv->frame));
	the_hv->owner = malloc(the_hv->nr_frames * sizeof(*the_hv->owner));
	for (uint64_t i = 0; i < the_hv->nr_frames; i++)
		the_hv->owner[i] = -1;
	d = add(0);
	d->info.running = true;
	d->info.nr_vcpus = 1;
	return the_hv;
}

static void remove_domain(int i)
{
	struct fake_domain *d = the_hv->domain[i];

	for (uint64_t m = 0; m < the_hv->nr_frames; m++) {
		if (the_hv->owner[m] != d->info.domid)
			continue;
		free(the_hv->frame[m]);
		the_hv->frame[m] = NULL;
		the_hv->owner[m] = -1;
	}
	free(d);
	the_hv->domain[i] = NULL;
}

void fake_hv_free(void)
{
	if (!the_hv)
		return;
	for (int i = 0; i < MAX_DOMAINS; i++) {
		if (the_hv->domain[i])
			remove_domain(i);
	}
	free(the_hv->frame);
	free(the_hv->owner);
	free(the_hv);
	the_hv = NULL;
}

void fake_hv_fail(const char *name, int err)
{
	snprintf(the_hv->fail_name, sizeof(the_hv->fail_name), "%s", name ? name : "");
	the_hv->fail_err = err;
}

uint64_t fake_hv_free_kib(void)
{
	uint64_t n = 0;

	for (uint64_t m = 0; m < the_hv->nr_frames; m++)
		n += the_hv->owner[m] == -1;
	return n * 4;
}

unsigned int fake_hv_domains(void)
{
	unsigned int n = 0;

	for (int i = 0; i < MAX_DOMAINS; i++)
		n += the_hv->domain[i] && the_hv->domain[i]->info.domid;
	return n;
}

unsigned int fake_hv_windows(void)
{
	unsigned int n = 0;

	for (int i = 0; i < MAX_WINDOWS; i++)
		n += the_hv->window[i].bounce != NULL;
	return n;
}

int fake_hv_guest(void)
{
	int id = -1;

	for (int i = 0; i < MAX_DOMAINS; i++) {
		if (!the_hv->domain[i] || !the_hv->domain[i]->info.domid)
			continue;
		if (id != -1)
			return -1;
		id = the_hv->domain[i]->info.domid;
	}
	return id;
}

bool fake_hv_paused(int domid)
{
	return find(domid)->info.paused;
}

void fake_hv_shutdown(int domid, enum hv_shutdown_reason reason)
{
	find(domid)->info.shutdown = true;
	find(domid)->info.reason = reason;
}

void fake_hv_vanish(int domid)
{
	for (int i = 0; i < MAX_DOMAINS; i++) {
		if (the_hv->domain[i] && the_hv->domain[i]->info.domid == domid)
			remove_domain(i);
	}
}

void fake_hv_hold(bool hold)
{
	the_hv->hold = hold;
	for (int i = 0; !hold && i < MAX_DOMAINS; i++) {
		if (the_hv->domain[i] && the_hv->domain[i]->info.dying)
			remove_domain(i);
	}
}

/* --- hv.h --- */

int hv_open(struct hv **out)
{
	*out = the_hv;
	return 0;
}

void hv_close(struct hv *hv)
{
}

int hv_host_info(struct hv *hv, struct hv_host *info)
{
	*info = (struct hv_host){ .nr_cpus = 2, .total_kib = hv->nr_frames * 4,
				  .free_kib = fake_hv_free_kib(), .major = 4, .minor = 17,
				  .extra = ".0", .page_size = PAGE };
	return failing("host_info");
}

int hv_console_read(struct hv *hv, bool clear, char **text)
{
	*text = malloc(5001);
	memset(*text, 'x', 5000);
	(*text)[5000] = '\0';
	return 0;
}

char fake_debug_keys[HV_DEBUG_KEYS_MAX + 1];

int hv_debug_keys(struct hv *hv, const char *keys)
{
	if (strlen(keys) > HV_DEBUG_KEYS_MAX)
		return -E2BIG;
	strcpy(fake_debug_keys, keys);
	return 0;
}

int hv_domain_info(struct hv *hv, uint16_t domid, struct hv_domain *info)
{
	struct fake_domain *d = find(domid);

	if (!d)
		return -ENOENT;
	*info = d->info;
	return failing("domain_info");
}

int hv_domain_list(struct hv *hv, struct hv_domain **list, size_t *nr)
{
	*list = calloc(MAX_DOMAINS, sizeof(**list));
	*nr = 0;
	for (int i = 0; i < MAX_DOMAINS; i++) {
		if (hv->domain[i])
			(*list)[(*nr)++] = hv->domain[i]->info;
	}
	return 0;
}

int hv_domain_create(struct hv *hv, const uint8_t uuid[16], unsigned int max_vcpus,
		     uint16_t *domid)
{
	int err = failing("domain_create");
	struct fake_domain *d;

	if (err)
		return err;
	d = add(++hv->last_domid);
	memcpy(d->info.uuid, uuid, 16);
	d->info.paused = true;
	d->info.nr_vcpus = max_vcpus;
	d->info.shared_info_mfn = (uint64_t)take_frame(d->info.domid);
	*domid = d->info.domid;
	return 0;
}

int hv_domain_max_mem(struct hv *hv, uint16_t domid, uint64_t kib)
{
	find(domid)->max_kib = kib;
	return failing("domain_max_mem");
}

int hv_domain_native_tsc(struct hv *hv, uint16_t domid)
{
	return failing("domain_native_tsc");
}

int hv_domain_hypercall_page(struct hv *hv, uint16_t domid, uint64_t mfn)
{
	return hv->owner[mfn] == domid ? failing("domain_hypercall_page") : -EINVAL;
}

int hv_domain_set_vcpu(struct hv *hv, uint16_t domid, unsigned int vcpu,
		       const struct vcpu_guest_context *ctx)
{
	find(domid)->ctx = *ctx;
	return failing("domain_set_vcpu");
}

int hv_domain_pause(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = find(domid);

	if (!d)
		return -ENOENT;
	d->info.paused = true;
	return 0;
}

int hv_domain_unpause(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = find(domid);
	int err = failing("domain_unpause");

	if (!d || err)
		return d ? err : -ENOENT;
	d->info.paused = false;
	return 0;
}

int hv_domain_destroy(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = find(domid);

	if (!d || !domid)
		return -ENOENT;
	if (hv->hold)
		d->info.dying = true;
	else
		fake_hv_vanish(domid);
	return 0;
}

int hv_evtchn_alloc(struct hv *hv, uint16_t domid, uint32_t *port)
{
	*port = find(domid)->next_port++;
	return failing("evtchn_alloc");
}

int hv_populate(struct hv *hv, uint16_t domid, uint64_t pfn, uint64_t nr, uint64_t *p2m)
{
	struct fake_domain *d = find(domid);
	int err = failing("populate");

	for (uint64_t i = 0; i < nr && !err; i++) {
		int64_t m = take_frame(domid);

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
	return failing("set_memory_map");
}

void *hv_map(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr)
{
	int i = 0;

	errno = failing("map") ? -failing("map") : 0;
	if (errno)
		return NULL;
	while (hv->window[i].bounce)
		i++;
	hv->window[i] = (struct window){ malloc(nr * PAGE), malloc(nr * sizeof(*mfn)), nr };
	memcpy(hv->window[i].mfn, mfn, nr * sizeof(*mfn));
	for (size_t p = 0; p < nr; p++) {
		if (mfn[p] >= hv->nr_frames || hv->owner[mfn[p]] != domid)
			abort();	/* a frame that is not the domain's */
		memcpy(hv->window[i].bounce + p * PAGE, hv->frame[mfn[p]], PAGE);
	}
	return hv->window[i].bounce;
}

void hv_unmap(struct hv *hv, void *addr, size_t nr)
{
	struct window *w = hv->window;

	while (w->bounce != addr)
		w++;
	for (size_t p = 0; p < nr; p++)
		memcpy(hv->frame[w->mfn[p]], w->bounce + p * PAGE, PAGE);
	free(w->bounce);
	free(w->mfn);
	*w = (struct window){ 0 };
}

int hv_grant_seed(struct hv *hv, uint16_t domid, uint32_t ref, uint64_t mfn)
{
	find(domid)->grant[ref] = mfn;
	return failing("grant_seed");
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
	find(domid)->pinned = true;
	return failing("pin");
}

/* ---- what saving and restoring ask ---- */

int hv_max_page(struct hv *hv, uint64_t *mfn)
{
	*mfn = hv->nr_frames - 1;
	return 0;
}

int hv_page_types(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr, uint32_t *types)
{
	uint64_t top = find(domid)->ctx.ctrlreg[3] >> 12;
	struct pin p = { domid, calloc(hv->nr_frames, 1), false };

	mark_tables(&p, top, 4);
	for (size_t i = 0; i < nr; i++) {
		bool own = mfn[i] < hv->nr_frames && hv->owner[mfn[i]] == domid;

		types[i] = own ? p.is_table[mfn[i]] | (mfn[i] == top ? 8u : 0) : 15;
	}
	free(p.is_table);
	return failing("page_types");
}

int hv_populate_frames(struct hv *hv, uint16_t domid, const uint64_t *pfn, size_t nr, uint64_t *mfn)
{
	struct fake_domain *d = find(domid);

	for (size_t i = 0; i < nr; i++) {
		int64_t m = take_frame(domid);

		if (m < 0)
			return -ENOMEM;
		mfn[i] = (uint64_t)m;
		d->info.tot_kib += 4;
	}
	return d->info.tot_kib > d->max_kib ? -EINVAL : failing("populate_frames");
}

const void *hv_map_read(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr)
{
	return hv_map(hv, domid, mfn, nr);
}

int hv_vcpu_get_context(struct hv *hv, uint16_t domid, unsigned int vcpu,
			struct vcpu_guest_context *ctx)
{
	*ctx = find(domid)->ctx;
	return failing("vcpu_get_context");
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

int hv_domain_get_clock(struct hv *hv, uint16_t domid, struct hv_clock *clock)
{
	*clock = (struct hv_clock){ 2, 2500000, 1, 0 };
	return 0;
}

int hv_domain_resume(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = find(domid);

	d->ctx.user_regs.rax = 1;
	d->info.shutdown = false;
	return failing("domain_resume");
}

/* The mfn behind a guest's virtual address; 0: not mapped. */
static uint64_t mfn_at(int domid, uint64_t vaddr)
{
	uint64_t mfn = find(domid)->ctx.ctrlreg[3] >> 12;

	for (int level = 4; level >= 1; level--) {
		uint64_t e = ((uint64_t *)the_hv->frame[mfn])[vaddr >> (3 + 9 * level) & 511];

		if (!(e & 1))
			return 0;
		mfn = e >> 12 & 0xffffffffff;
	}
	return mfn;
}

static uint64_t pfn_of_mfn(int domid, const struct start_info *si, uint64_t mfn)
{
	for (uint64_t pfn = 0; pfn < si->nr_pages; pfn++) {
		if (*(uint64_t *)fake_hv_guest_memory(domid, si->mfn_list + pfn * 8) == mfn)
			return pfn;
	}
	abort();
}

void fake_hv_suspend(int domid)
{
	struct fake_domain *d = find(domid);
	uint64_t start = d->ctx.user_regs.rsi;
	struct start_info *si = (void *)fake_hv_guest_memory(domid, start);
	struct shared_info *shared = (void *)the_hv->frame[d->info.shared_info_mfn];

	shared->arch.max_pfn = si->nr_pages;
	shared->arch.p2m_vaddr = si->mfn_list;
	shared->arch.p2m_cr3 = d->ctx.ctrlreg[3];
	shared->evtchn_pending[0] = 6;
	si->store_mfn = pfn_of_mfn(domid, si, si->store_mfn);
	si->console.domU.mfn = pfn_of_mfn(domid, si, si->console.domU.mfn);
	d->ctx.user_regs.rdx = mfn_at(domid, start);
	fake_hv_shutdown(domid, HV_SHUTDOWN_SUSPEND);
}

/* --- looking into a guest --- */

uint8_t *fake_hv_guest_memory(int domid, uint64_t vaddr)
{
	uint64_t mfn = mfn_at(domid, vaddr);

	return mfn ? the_hv->frame[mfn] + vaddr % PAGE : NULL;
}

const struct shared_info *fake_hv_shared_info(int domid)
{
	return (const void *)the_hv->frame[find(domid)->info.shared_info_mfn];
}

uint64_t fake_hv_guest_reg(int domid, const char *name)
{
	const struct vcpu_guest_context *c = &find(domid)->ctx;

	if (!strcmp(name, "rip"))
		return c->user_regs.rip;
	if (!strcmp(name, "rsp"))
		return c->user_regs.rsp;
	if (!strcmp(name, "rax"))
		return c->user_regs.rax;
	return !strcmp(name, "rsi") ? c->user_regs.rsi : c->ctrlreg[3];
}

bool fake_hv_granted(int domid, uint32_t ref, uint64_t mfn)
{
	return find(domid)->grant[ref] == mfn;
}

bool fake_hv_pinned(int domid)
{
	return find(domid)->pinned;
}

/* ---- virtual CPUs: four at most; the machine has CPUs 0 and 1 ---- */

int hv_vcpu_info(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_vcpu *info)
{
	struct fake_domain *d = find(domid);

	if (!d || vcpu >= 4 || vcpu >= (d->info.nr_vcpus ? d->info.nr_vcpus : 1))
		return -ENOENT;
	*info = (struct hv_vcpu){ .online = true, .running = true, .cpu = vcpu % 2,
				  .cpu_time_ns = 1500000000 };
	return 0;
}

int hv_vcpu_get_affinity(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_affinity *a)
{
	struct fake_domain *d = find(domid);
	static const uint8_t unset[HV_CPUS_MAX / 8];

	if (!d)
		return -ESRCH;
	*a = d->affinity[vcpu];
	if (!memcmp(a->hard, unset, sizeof(unset)))
		memset(a->hard, 0xff, sizeof(a->hard));
	if (!memcmp(a->soft, unset, sizeof(unset)))
		memset(a->soft, 0xff, sizeof(a->soft));
	return 0;
}

int hv_vcpu_set_affinity(struct hv *hv, uint16_t domid, unsigned int vcpu, bool hard, bool soft,
			 const struct hv_affinity *a)
{
	struct fake_domain *d = find(domid);

	if (!d)
		return -ESRCH;
	if ((hard && !(a->hard[0] & 3)) || (soft && !(a->soft[0] & 3)))
		return -EINVAL;
	if (hard)
		memcpy(d->affinity[vcpu].hard, a->hard, sizeof(a->hard));
	if (soft)
		memcpy(d->affinity[vcpu].soft, a->soft, sizeof(a->soft));
	return 0;
}

int hv_credit_get(struct hv *hv, uint16_t domid, struct hv_credit *c)
{
	struct fake_domain *d = find(domid);

	if (!d)
		return -ESRCH;
	*c = d->credit.weight ? d->credit : (struct hv_credit){ 256, 0 };
	return 0;
}

int hv_credit_set(struct hv *hv, uint16_t domid, const struct hv_credit *c)
{
	struct fake_domain *d = find(domid);

	if (!d)
		return -ESRCH;
	d->credit = *c;
	return 0;
}
