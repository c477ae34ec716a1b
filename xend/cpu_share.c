/* SPDX-License-Identifier: MIT */
/* cpu_share.c - see cpu_share.h. */
#include "cpu_share.h"

#include <errno.h>
#include <string.h>

#include "cpu_list.h"
#include "xend.h"

#define WEIGHT_DEFAULT 256	/* what a domain begins with: Xen's credit schedulers */

static int refused(struct domain *d, const char *what, int err)
{
	if (err == -EINVAL)
		domain_error(d, "%s: the machine has none of these CPUs", what);
	else if (err == -ENOSYS || err == -EOPNOTSUPP)
		domain_error(d, "%s: this hypervisor cannot do that", what);
	else
		domain_error(d, "the hypervisor refuses %s: %s", what, strerror(-err));
	return err;
}

static int pin(struct xend *x, struct domain *d)
{
	struct hv_affinity a = { 0 };
	struct hv_vcpu info;
	int err = 0;

	_Static_assert(sizeof(a.hard) == CPU_LIST_BYTES, "one size of CPU maps");
	for (unsigned int i = 0; i < d->rec.maxvcpus && !err; i++) {
		err = cpu_list_of(d->rec.cpus, i, a.hard);
		if (!err && !hv_vcpu_info(x->hv, (uint16_t)d->domid, i, &info))
			err = hv_vcpu_set_affinity(x->hv, (uint16_t)d->domid, i, true, false, &a);
	}
	return err ? refused(d, "cpus", err) : 0;
}

int sched_share(struct xend *x, struct domain *d)
{
	struct hv_credit c = { (uint16_t)d->rec.cpu_weight, (uint16_t)d->rec.cap };
	int err = hv_credit_set(x->hv, (uint16_t)d->domid, &c);

	return err ? refused(d, "cpu_weight and cap", err) : 0;
}

int sched_apply(struct xend *x, struct domain *d, bool again)
{
	int err = 0;

	if (again || strcmp(d->rec.cpus, "all"))
		err = pin(x, d);
	if (!err && (again || d->rec.cpu_weight != WEIGHT_DEFAULT || d->rec.cap))
		err = sched_share(x, d);
	return err;
}

bool sched_same(const struct record *a, const struct record *b)
{
	return !strcmp(a->cpus, b->cpus) && a->cpu_weight == b->cpu_weight && a->cap == b->cap;
}

void sched_keep(struct record *to, const struct record *from)
{
	memcpy(to->cpus, from->cpus, sizeof(to->cpus));
	to->cpu_weight = from->cpu_weight;
	to->cap = from->cap;
}
