/* SPDX-License-Identifier: MIT */
/*
 * request_cpu.c - what the hypervisor's own settings say of a running domain: virtual CPUs, where
 * they run, their share, the memory limit. Domain-0 is meant too.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_list.h"
#include "request_ops.h"
#include "store.h"
#include "xend.h"

#define CPU_LIST_MAX 256

/* Domain-0 has no record, so it is not among the domains. -1 after refusing. */
static int target_id(struct xend *x, struct request *r)
{
	char *name = store_read(x->xs, path_request(r->id, "domain"));
	bool dom0 = name && (!strcmp(name, "Domain-0") || !strcmp(name, "0"));
	const struct domain *d = dom0 ? NULL : running_target(x, r);

	free(name);
	if (d && d->domid < 0)
		refuse(r, -EBUSY, "%s is %s", d->name, domain_state_name(d->state));
	return dom0 ? 0 : d ? d->domid : -1;
}

static int refused(struct request *r, const char *what, int err)
{
	if (err == -ENOSYS || err == -EOPNOTSUPP)
		return refuse(r, err, "this hypervisor cannot do that (%s)", what);
	return refuse(r, err, "the hypervisor refuses %s: %s", what, strerror(-err));
}

/* ---- lists of CPUs ---- */

static bool get_bit(const uint8_t *map, unsigned int cpu)
{
	return map[cpu / 8] >> cpu % 8 & 1;
}

/* @nr_cpus: the machine's, HV_CPUS_MAX at most; all of them are "all". */
static void format_cpus(const uint8_t map[HV_CPUS_MAX / 8], unsigned int nr_cpus,
			char out[CPU_LIST_MAX])
{
	unsigned int set = 0, first;
	size_t n = 0;

	out[0] = '\0';
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		set += get_bit(map, cpu);
	if (set == nr_cpus) {
		strcpy(out, "all");
		return;
	}
	for (unsigned int cpu = 0; cpu < nr_cpus && n < CPU_LIST_MAX - 16; cpu++) {
		if (!get_bit(map, cpu))
			continue;
		for (first = cpu; cpu + 1 < nr_cpus && get_bit(map, cpu + 1); cpu++)
			;
		n += (size_t)snprintf(out + n, CPU_LIST_MAX - n, "%s%u", n ? "," : "", first);
		if (cpu > first)
			n += (size_t)snprintf(out + n, CPU_LIST_MAX - n, "-%u", cpu);
	}
	if (!n)
		strcpy(out, "none");
}

/* ---- operations ---- */

static int write_vcpu(struct xend *x, struct request *r, uint16_t domid, unsigned int i,
		      unsigned int nr_cpus)
{
	char hard[CPU_LIST_MAX] = "all", soft[CPU_LIST_MAX] = "all", cpu[16] = "-";
	struct hv_affinity a;
	struct hv_vcpu v;
	int err = hv_vcpu_info(x->hv, domid, i, &v);

	if (err)
		return err;
	if (!hv_vcpu_get_affinity(x->hv, domid, i, &a)) {
		format_cpus(a.hard, nr_cpus, hard);
		format_cpus(a.soft, nr_cpus, soft);
	}
	if (v.online)
		snprintf(cpu, sizeof(cpu), "%" PRIu32, v.cpu);
	return store_writef(x->xs, path_request_output(r->id, i),
			    "%u %s %s %llu.%llu %s %s", i, cpu,
			    !v.online ? "--p" : v.running ? "r--" : v.blocked ? "-b-" : "---",
			    (unsigned long long)(v.cpu_time_ns / NS_PER_S),
			    (unsigned long long)(v.cpu_time_ns % NS_PER_S / (100 * NS_PER_MS)),
			    hard, soft);
}

int op_vcpu_list(struct xend *x, struct request *r)
{
	int domid = target_id(x, r), err = 0;
	struct hv_host host;

	if (domid < 0)
		return -ESRCH;
	err = hv_host_info(x->hv, &host);
	for (unsigned int i = 0; !err; i++)
		err = write_vcpu(x, r, (uint16_t)domid, i,
				 host.nr_cpus < HV_CPUS_MAX ? host.nr_cpus : HV_CPUS_MAX);
	return err == -ENOENT ? 0 : refused(r, "vcpu-list", err);
}

int op_vcpu_pin(struct xend *x, struct request *r)
{
	char *vcpu = request_argument(x, r, "vcpu"), *hard = request_argument(x, r, "hard");
	char *soft = request_argument(x, r, "soft");
	int domid = target_id(x, r), err = 0;
	bool all = vcpu && !strcmp(vcpu, "all");
	unsigned long nr = vcpu ? strtoul(vcpu, NULL, 10) : 0;
	unsigned int i = nr < UINT32_MAX ? (unsigned int)nr : UINT32_MAX;
	struct hv_affinity a = { 0 };
	struct hv_vcpu v;

	if (domid < 0)
		err = -ESRCH;
	else if ((hard && cpu_list_parse(hard, a.hard)) || (soft && cpu_list_parse(soft, a.soft)))
		err = refuse(r, -EINVAL, "%.64s is no list of CPUs: 0-3,^2 and all,^0 are",
			     hard && cpu_list_parse(hard, a.hard) ? hard : soft);
	while (!err) {
		err = hv_vcpu_info(x->hv, (uint16_t)domid, i, &v);
		if (err == -ENOENT && all && i > 0) {
			err = 0;
			break;
		}
		if (err == -ENOENT)
			err = refuse(r, err, "it has no virtual CPU %u", i);
		else if (!err)
			err = hv_vcpu_set_affinity(x->hv, (uint16_t)domid, i, hard, soft, &a);
		if (!all)
			break;
		i++;
	}
	free(vcpu);
	free(hard);
	free(soft);
	if (err == -EINVAL && !r->error[0])
		return refuse(r, err, "the machine has none of these CPUs");
	return !err || r->error[0] ? err : refused(r, "to pin", err);
}

int op_sched_credit(struct xend *x, struct request *r)
{
	long weight = store_read_long(x->xs, path_request(r->id, "args/weight"));
	long cap = store_read_long(x->xs, path_request(r->id, "args/cap"));
	int domid = target_id(x, r), err;
	struct hv_credit c;

	if (domid < 0)
		return -ESRCH;
	if (weight == 0 || weight > 65535 || cap > 65535)
		return refuse(r, -EINVAL, "the weight is from 1 to 65535, the cap from 0 to 65535");
	err = hv_credit_get(x->hv, (uint16_t)domid, &c);
	if (!err && (weight > 0 || cap >= 0)) {
		c.weight = weight > 0 ? (uint16_t)weight : c.weight;
		c.cap = cap >= 0 ? (uint16_t)cap : c.cap;
		err = hv_credit_set(x->hv, (uint16_t)domid, &c);
		if (!err)
			err = hv_credit_get(x->hv, (uint16_t)domid, &c);
	}
	if (err)
		return refused(r, "weight and cap", err);
	return store_writef(x->xs, path_request_output(r->id, 0), "%u %u", c.weight, c.cap);
}

int op_mem_max(struct xend *x, struct request *r)
{
	long kib = store_read_long(x->xs, path_request(r->id, "args/kib"));
	int domid = target_id(x, r), err;

	if (domid < 0)
		return -ESRCH;
	if (kib < 2048)
		return refuse(r, -EINVAL, "2 MiB is the least");
	err = hv_domain_max_mem(x->hv, (uint16_t)domid, (uint64_t)kib);
	if (err)
		return refused(r, "the limit", err);
	return store_writef(x->xs, path_home((unsigned int)domid, "memory/static-max"), "%ld", kib);
}
