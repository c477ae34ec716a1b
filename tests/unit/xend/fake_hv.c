/* SPDX-License-Identifier: MIT */
/*
 * fake_hv.c - a machine in memory for xend's tests.
 */
#include "fake_hv_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct hv *the_hv;
pthread_mutex_t fake_hv_lock = PTHREAD_MUTEX_INITIALIZER;

int fake_hv_failing(const char *name)
{
	return !strcmp(the_hv->fail_name, name) ? the_hv->fail_err : 0;
}

struct fake_domain *fake_hv_find(int domid)
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
	the_hv->domain[i] = the_hv->region ? &the_hv->pool[i] : calloc(1, sizeof(struct fake_domain));
	memset(the_hv->domain[i], 0, sizeof(struct fake_domain));
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
		the_hv->frame[m] = the_hv->region ? the_hv->region + m * PAGE : calloc(1, PAGE);
		/* What nobody has had is zero, and costs nothing until it is written. */
		if (the_hv->region && the_hv->had[m])
			memset(the_hv->frame[m], 0, PAGE);
		else if (the_hv->region)
			the_hv->had[m] = true;
		return (int64_t)m;
	}
	return -1;
}

int64_t fake_hv_take_frame(int domid)
{
	int64_t mfn;

	pthread_mutex_lock(&fake_hv_lock);
	mfn = take_frame(domid);
	pthread_mutex_unlock(&fake_hv_lock);
	return mfn;
}

static struct hv *start_machine(void)
{
	struct fake_domain *d;

	for (uint64_t i = 0; i < the_hv->nr_frames; i++)
		the_hv->owner[i] = -1;
	d = add(0);
	d->info.running = true;
	d->info.nr_vcpus = 1;
	d->info.tot_kib = 512 << 10;
	return the_hv;
}

struct hv *fake_hv_new(unsigned int machine_mib)
{
	fake_hv_free();
	the_hv = calloc(1, sizeof(*the_hv));
	the_hv->nr_frames = machine_mib * 256u + 1;
	the_hv->frame = calloc(the_hv->nr_frames, sizeof(*the_hv->frame));
	the_hv->owner = malloc(the_hv->nr_frames * sizeof(*the_hv->owner));
	return start_machine();
}

static void *shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

struct hv *fake_hv_new_shared(unsigned int machine_mib)
{
	fake_hv_free();
	the_hv = shared(sizeof(*the_hv));
	the_hv->nr_frames = machine_mib * 256u + 1;
	the_hv->frame = shared(the_hv->nr_frames * sizeof(*the_hv->frame));
	the_hv->owner = shared(the_hv->nr_frames * sizeof(*the_hv->owner));
	the_hv->had = shared(the_hv->nr_frames * sizeof(*the_hv->had));
	the_hv->region = shared(the_hv->nr_frames * PAGE);
	return start_machine();
}

void fake_hv_unmap_all(void)
{
	memset(the_hv->window, 0, sizeof(the_hv->window));
}

static void remove_domain(int i)
{
	struct fake_domain *d = the_hv->domain[i];

	pthread_mutex_lock(&fake_hv_lock);
	for (uint64_t m = 0; m < the_hv->nr_frames; m++) {
		if (the_hv->owner[m] != d->info.domid)
			continue;
		if (!the_hv->region)
			free(the_hv->frame[m]);
		the_hv->frame[m] = NULL;
		the_hv->owner[m] = -1;
	}
	if (!the_hv->region)
		free(d);
	the_hv->domain[i] = NULL;
	pthread_mutex_unlock(&fake_hv_lock);
}

static void free_shared(void)
{
	munmap(the_hv->region, the_hv->nr_frames * PAGE);
	munmap(the_hv->had, the_hv->nr_frames * sizeof(*the_hv->had));
	munmap(the_hv->owner, the_hv->nr_frames * sizeof(*the_hv->owner));
	munmap(the_hv->frame, the_hv->nr_frames * sizeof(*the_hv->frame));
	munmap(the_hv, sizeof(*the_hv));
	the_hv = NULL;
}

void fake_hv_free(void)
{
	if (!the_hv)
		return;
	if (the_hv->region) {
		free_shared();
		return;
	}
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

void fake_hv_dom0_gets(int64_t kib)
{
	int from = kib > 0 ? -1 : 0, to = kib > 0 ? 0 : -1;
	int64_t nr = (kib > 0 ? kib : -kib) / 4;

	fake_hv_find(0)->info.tot_kib += (uint64_t)kib;
	for (uint64_t m = 0; m < the_hv->nr_frames && nr; m++) {
		if (the_hv->owner[m] == from) {
			the_hv->owner[m] = to;
			nr--;
		}
	}
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
	return fake_hv_find(domid)->info.paused;
}

void fake_hv_shutdown(int domid, enum hv_shutdown_reason reason)
{
	fake_hv_find(domid)->info.shutdown = true;
	fake_hv_find(domid)->info.reason = reason;
}

void fake_hv_ran(int domid, uint64_t ns)
{
	fake_hv_find(domid)->info.cpu_time_ns = ns;
}

void fake_hv_vanish(int domid)
{
	for (int i = 0; i < MAX_DOMAINS; i++) {
		if (the_hv->domain[i] && the_hv->domain[i]->info.domid == domid)
			remove_domain(i);
	}
}

void fake_hv_foreign(int domid, const uint8_t uuid[16])
{
	memcpy(add((uint16_t)domid)->info.uuid, uuid, 16);
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
	return fake_hv_failing("host_info");
}

size_t hv_cpu_faults(struct hv *hv, struct hv_fault *list, size_t max)
{
	list[0] = (struct hv_fault){ "meltdown", "Meltdown: open: turned off" };
	return 1;
}

const char *fake_hv_log;
bool fake_hv_log_cleared;

int hv_console_read(struct hv *hv, bool clear, char **text)
{
	fake_hv_log_cleared = clear;
	if (fake_hv_log) {
		*text = strdup(fake_hv_log);
		return 0;
	}
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
	struct fake_domain *d = fake_hv_find(domid);
	int err = d ? fake_hv_failing("domain_info") : -ENOENT;

	if (!err)
		*info = d->info;
	return err;
}

int hv_domain_list(struct hv *hv, struct hv_domain **list, size_t *nr)
{
	int err = fake_hv_failing("domain_list");

	if (err)
		return err;
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
	int err = fake_hv_failing("domain_create");
	struct fake_domain *d;

	if (err)
		return err;
	d = add(++hv->last_domid);
	memcpy(d->info.uuid, uuid, 16);
	d->info.paused = true;
	d->info.nr_vcpus = max_vcpus;
	d->info.shared_info_mfn = (uint64_t)fake_hv_take_frame(d->info.domid);
	*domid = d->info.domid;
	return 0;
}

int hv_domain_max_mem(struct hv *hv, uint16_t domid, uint64_t kib)
{
	fake_hv_find(domid)->max_kib = kib;
	return fake_hv_failing("domain_max_mem");
}

int hv_domain_native_tsc(struct hv *hv, uint16_t domid)
{
	return fake_hv_failing("domain_native_tsc");
}

int hv_domain_hypercall_page(struct hv *hv, uint16_t domid, uint64_t mfn)
{
	return hv->owner[mfn] == domid ? fake_hv_failing("domain_hypercall_page") : -EINVAL;
}

int hv_domain_set_vcpu(struct hv *hv, uint16_t domid, unsigned int vcpu,
		       const struct vcpu_guest_context *ctx)
{
	fake_hv_find(domid)->ctx = *ctx;
	return fake_hv_failing("domain_set_vcpu");
}

int hv_domain_pause(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = fake_hv_find(domid);

	if (!d)
		return -ENOENT;
	d->info.paused = true;
	return 0;
}

int hv_domain_unpause(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = fake_hv_find(domid);
	int err = fake_hv_failing("domain_unpause");

	if (!d || err)
		return d ? err : -ENOENT;
	d->info.paused = false;
	return 0;
}

int hv_domain_destroy(struct hv *hv, uint16_t domid)
{
	struct fake_domain *d = fake_hv_find(domid);

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
	*port = fake_hv_find(domid)->next_port++;
	return fake_hv_failing("evtchn_alloc");
}

/* ---- virtual CPUs: four at most; the machine has CPUs 0 and 1 ---- */

int hv_vcpu_info(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_vcpu *info)
{
	struct fake_domain *d = fake_hv_find(domid);

	if (!d || vcpu >= 4 || vcpu >= (d->info.nr_vcpus ? d->info.nr_vcpus : 1))
		return -ENOENT;
	*info = (struct hv_vcpu){ .online = true, .running = true, .cpu = vcpu % 2,
				  .cpu_time_ns = 1500000000 };
	return 0;
}

int hv_vcpu_get_affinity(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_affinity *a)
{
	struct fake_domain *d = fake_hv_find(domid);
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
	struct fake_domain *d = fake_hv_find(domid);

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

uint16_t fake_hv_least_cap;

int hv_credit_get(struct hv *hv, uint16_t domid, struct hv_credit *c)
{
	struct fake_domain *d = fake_hv_find(domid);

	if (!d)
		return -ESRCH;
	*c = d->credit.weight ? d->credit : (struct hv_credit){ 256, 0 };
	return 0;
}

int hv_credit_set(struct hv *hv, uint16_t domid, const struct hv_credit *c)
{
	struct fake_domain *d = fake_hv_find(domid);

	if (!d)
		return -ESRCH;
	d->credit = *c;
	if (c->cap && c->cap < fake_hv_least_cap)
		fake_hv_least_cap = c->cap;
	return 0;
}
