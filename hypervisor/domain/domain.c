/* SPDX-License-Identifier: MIT */
/*
 * domain.c - the list of domains, and a domain's life from creation to the last returned frame.
 * Owns domain_list and domids; vcpus are vcpu.c's, shutdown and crash shutdown.c's. Order of
 * teardown: security.md D9.
 */
#include "domain/domain.h"

#include "domain/evtchn.h"
#include "domain/frame_ref.h"
#include "domain/gnttab.h"
#include "domain/guest.h"
#include "domain/memory.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/clock.h"
#include "x86/irq.h"
#include "x86/layout.h"
#include "x86/tlb.h"

struct domain *domain_list;
struct domain *dom0;

/* Every returned frame asks for its owner: found without walking the list. */
#define HASH_BUCKETS 256
static struct domain *domain_hash[HASH_BUCKETS];

static u64 last_life; /* hypervisor lock */
static domid_t last_domid; /* the most recently created; numbers are reused as late as possible */

struct domain *domain_find(domid_t domid)
{
	struct domain *d = domain_hash[domid % HASH_BUCKETS];

	while (d && d->domain_id != domid)
		d = d->hash_next;
	return d;
}

int domain_find_remote(domid_t domid, struct domain **out)
{
	struct domain *cd = current->domain, *d;

	if (domid == DOMID_SELF || domid == cd->domain_id) {
		*out = cd;
		return 0;
	}
	d = domain_find(domid);
	if (!d)
		return -ESRCH;
	if (!cd->is_privileged && cd->target != d)
		return -EPERM;
	*out = d;
	return 0;
}

domid_t domain_next_free_domid(void)
{
	domid_t domid = last_domid;

	do {
		domid = domid >= HV_MAX_DOMID ? 1 : domid + 1;
		if (!domain_find(domid))
			return domid;
	} while (domid != last_domid && !(last_domid == 0 && domid == HV_MAX_DOMID));
	return DOMID_INVALID;
}

static void list_insert(struct domain *d)
{
	struct domain **link = &domain_list;

	while (*link && (*link)->domain_id < d->domain_id)
		link = &(*link)->next;
	d->next = *link;
	*link = d;
	d->hash_next = domain_hash[d->domain_id % HASH_BUCKETS];
	domain_hash[d->domain_id % HASH_BUCKETS] = d;
}

static void list_remove(struct domain *d)
{
	struct domain **link = &domain_list;

	while (*link != d)
		link = &(*link)->next;
	*link = d->next;
	link = &domain_hash[d->domain_id % HASH_BUCKETS];
	while (*link != d)
		link = &(*link)->hash_next;
	*link = d->hash_next;
}

static u32 limit_or_default(s32 wanted, u32 by_default, u32 limit)
{
	return wanted < 0 ? by_default : MIN((u32)wanted, limit);
}

static void config_take(struct domain *d, const struct xen_domctl_createdomain *config)
{
	memcpy(d->handle, config->handle, sizeof(d->handle));
	d->create_flags = config->flags;
	d->nr_vcpus_max = config->max_vcpus;
	d->max_evtchn_port = MIN(config->max_evtchn_port, (u32)EVTCHN_2L_NR_CHANNELS - 1);
	d->max_grant_frames = limit_or_default(config->max_grant_frames, GNTTAB_FRAMES_DEFAULT,
					       GNTTAB_FRAMES_LIMIT);
	d->max_maptrack_frames = limit_or_default(config->max_maptrack_frames,
						  MAPTRACK_FRAMES_DEFAULT, MAPTRACK_FRAMES_DEFAULT);
	d->grant_version_max = 1; /* architecture.md D11 */
	d->scheduler_weight = 256;
	d->controller_pause_count = 1;
	d->is_privileged = d->domain_id == 0;
	d->created_ns = now_ns();
	tlb_space_init(&d->tlb);
}

static int pirq_table_init(struct domain *d)
{
	if (!d->is_privileged)
		return 0;
	d->pirq_to_gsi = xzalloc_array(u8, GSI_LIMIT);
	if (!d->pirq_to_gsi)
		return -ENOMEM;
	memset(d->pirq_to_gsi, 0xff, GSI_LIMIT);
	return 0;
}

int domain_create(domid_t domid, const struct xen_domctl_createdomain *config, struct domain **out)
{
	struct domain *d;
	int rc = -ENOMEM;

	if (domid > HV_MAX_DOMID || config->max_vcpus == 0 || config->max_vcpus > DOMAIN_MAX_VCPUS)
		return -EINVAL;
	if (domain_find(domid))
		return -EEXIST;
	d = xzalloc_obj(struct domain);
	if (!d)
		return -ENOMEM;
	d->domain_id = domid;
	d->life = ++last_life;
	config_take(d, config);
	d->shared_info = xen_pages_alloc(0);
	if (!d->shared_info)
		goto out_free;
	rc = domain_mem_init(d);
	if (rc)
		goto out_shared_info;
	rc = pirq_table_init(d);
	if (rc)
		goto out_mem;
	rc = evtchn_init(d);
	if (rc)
		goto out_pirq;
	list_insert(d); /* frame owners are found by number: before the first page is shared */
	frame_share(d->shared_info, d, true);
	rc = gnttab_init(d);
	if (rc)
		goto out_evtchn;
	rc = pv_domain_init(d);
	if (rc)
		goto out_gnttab;
	wallclock_update(d);
	if (domid != 0)
		last_domid = domid;
	log_info("d%u: created, %u vcpus at most", domid, d->nr_vcpus_max);
	*out = d;
	return 0;

out_gnttab:
	gnttab_fini(d);
out_evtchn:
	BUG_ON(!frame_unshare(d->shared_info));
	list_remove(d);
	BUG_ON(evtchn_destroy(d)); /* no port is open yet */
out_pirq:
	xfree(d->pirq_to_gsi);
out_mem:
	domain_mem_fini(d);
out_shared_info:
	xen_pages_free(d->shared_info, 0);
out_free:
	xfree(d);
	return rc;
}

/* The steps of D9 in order; each may be repeated, and some return -ERESTART many times. */
enum kill_step {
	KILL_STOP,
	KILL_PORTS,
	KILL_UNMAP_GRANTS,
	KILL_RELINQUISH,
	KILL_TABLES,
	KILL_VCPUS,
	KILL_DONE,
};

static void kill_stop(struct domain *d)
{
	d->is_dying = true;
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i])
			vcpu_sleep(d->vcpu[i]);
	for (unsigned int i = 0; i < NR_WATCHDOGS; i++)
		timer_fini(&d->watchdog_timer[i]);
	virq_forget_domain(d);
	claim_set(d, 0);
}

static void kill_tables(struct domain *d)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i])
			vcpu_release_frames(d->vcpu[i]);
	if (d->pirq_eoi_frame) {
		d->pirq_eoi_map = NULL;
		frame_put_and_type(d->pirq_eoi_frame);
		d->pirq_eoi_frame = NULL;
	}
	for (struct domain *o = domain_list; o; o = o->next)
		if (o->target == d)
			o->target = NULL;
}

/* False: somebody (dom0's page tables) still maps it. */
static bool shared_info_free(struct domain *d)
{
	if (!d->shared_info)
		return true;
	if (!frame_unshare(d->shared_info))
		return false;
	xen_pages_free(d->shared_info, 0);
	d->shared_info = NULL;
	return true;
}

/*
 * What is of use to a domain that runs alone. One that somebody keeps by a mapping of its frame,
 * and that is started anew meanwhile, again and again, would hold all of it each time, on nobody's
 * account.
 */
static int kill_vcpus(struct domain *d)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		if (!d->vcpu[i])
			continue;
		vcpu_destroy(d->vcpu[i]);
		if (hypercall_should_preempt())
			return -ERESTART;
	}
	pv_domain_fini(d);
	xfree(d->memory_map);
	d->memory_map = NULL;
	shared_info_free(d); /* or later, when it is nobody's */
	return 0;
}

int domain_kill(struct domain *d)
{
	int rc = 0;

	BUG_ON(d == dom0 || d == current->domain);
	switch ((enum kill_step)d->relinquish_step) {
	case KILL_STOP:
		kill_stop(d);
		d->relinquish_step = KILL_PORTS;
		/* fallthrough */
	case KILL_PORTS:
		rc = evtchn_destroy(d);
		if (rc)
			return rc;
		d->relinquish_step = KILL_UNMAP_GRANTS;
		/* fallthrough */
	case KILL_UNMAP_GRANTS:
		rc = gnttab_release_mappings(d);
		if (rc)
			return rc;
		kill_tables(d);
		d->relinquish_step = KILL_RELINQUISH;
		/* fallthrough */
	case KILL_RELINQUISH:
		rc = pv_domain_relinquish(d);
		if (rc)
			return rc;
		d->relinquish_step = KILL_TABLES;
		/* fallthrough */
	case KILL_TABLES:
		rc = gnttab_release_frames(d);
		if (rc)
			return rc;
		d->relinquish_step = KILL_VCPUS;
		/* fallthrough */
	case KILL_VCPUS:
		rc = kill_vcpus(d);
		if (rc)
			return rc;
		d->relinquish_step = KILL_DONE;
		domain_try_free(d);
		virq_raise_global(VIRQ_DOM_EXC);
		/* fallthrough */
	case KILL_DONE:
		break;
	}
	return 0;
}

void domain_try_free(struct domain *d)
{
	domid_t domid = d->domain_id;

	if (!d->is_dying || d->relinquish_step != KILL_DONE || d->tot_pages || d->nr_holds)
		return;
	domain_hold(d); /* what follows drops references, and each may come back here */
	/* Both, so that neither waits for the other. */
	if (!gnttab_fini(d) | !shared_info_free(d)) {
		d->nr_holds--;
		return;
	}
	list_remove(d);
	xfree(d->memory_map);
	xfree(d->pirq_to_gsi);
	domain_mem_fini(d);
	xfree(d);
	log_info("d%u: gone", domid);
	virq_raise_global(VIRQ_DOM_EXC);
}
