/* SPDX-License-Identifier: MIT */
/* dom0_memory.c - see dom0_memory.h. */
#include "dom0_memory.h"

#include <errno.h>

#include "build_pv.h"
#include "log.h"
#include "restore_pv.h"
#include "store.h"
#include "xend.h"

/* The least that dom0 is left with, KiB; false: it gives nothing. */
static bool least(struct xend *x, uint64_t *kib)
{
	long mib = store_read_long(x->xs, path_config_host("dom0_min_mem"));

	*kib = (uint64_t)mib << 10;
	return mib > 0;
}

/*
 * Its balloon driver follows the key. What is free now and what dom0 has is always the same sum
 * until somebody takes of it: asked again, it is the same target, or a lower one for two.
 */
static int ask(struct xend *x, const struct domain *d, uint64_t target_kib)
{
	const struct path p = path_home(0, "memory/target");
	long now = store_read_long(x->xs, p);

	if (now > 0 && (uint64_t)now <= target_kib)
		return -EINPROGRESS;
	log_info("%s: dom0 is asked to go down to %llu MiB", d->name,
		 (unsigned long long)(target_kib >> 10));
	store_writef(x->xs, p, "%llu", (unsigned long long)target_kib);
	return -EINPROGRESS;
}

static int too_little(struct domain *d, uint64_t need_kib, uint64_t free_kib, uint64_t more_kib)
{
	domain_error(d, "not enough memory: need %llu MiB, %llu MiB free, and Domain-0 gives %llu: "
		     "shut down a domain, or lower memory=, or /config/host/dom0_min_mem",
		     (unsigned long long)((need_kib + 1023) >> 10),
		     (unsigned long long)(free_kib >> 10), (unsigned long long)(more_kib >> 10));
	return -ENOMEM;
}

int dom0_memory_make_room(struct xend *x, struct domain *d)
{
	uint64_t kib = d->restore ? restore_kib(d->restore) : d->rec.memory_mib << 10;
	uint64_t need = build_need_kib(kib), missing, least_kib, more;
	struct hv_domain dom0;
	struct hv_host host;

	if (hv_host_info(x->hv, &host) || host.free_kib >= need || !least(x, &least_kib) ||
	    hv_domain_info(x->hv, 0, &dom0))
		return build_check_memory(x, d, kib);
	missing = need - host.free_kib;
	more = dom0.tot_kib > least_kib ? dom0.tot_kib - least_kib : 0;
	if (more < missing)
		return too_little(d, need, host.free_kib, more);
	return ask(x, d, dom0.tot_kib - missing);
}

void dom0_memory_late(struct xend *x, struct domain *d)
{
	domain_error(d, "not enough memory: Domain-0 was asked for what is missing and did not give "
		     "it in time: its programs use it: give it more, or lower memory=");
}
