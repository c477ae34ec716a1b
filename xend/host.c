/* SPDX-License-Identifier: MIT */
/*
 * host.c - the only writer of /host.
 */
#include "host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "log.h"
#include "store.h"
#include "xend.h"

static void number(struct txn *tx, const char *key, uint64_t v)
{
	txn_writef(tx, path_host(key), "%" PRIu64, v);
}

static void text(struct txn *tx, const char *key, const char *v)
{
	txn_write(tx, path_host(key), v);
}

void host_features(const struct hv_host *h, char out[HOST_FEATURES_MAX])
{
	out[0] = '\0';
	for (unsigned int i = 0; i < 8; i++)
		snprintf(out + strlen(out), HOST_FEATURES_MAX - strlen(out), "%s%08x", i ? ":" : "",
			 h->hw_cap[i]);
}

static void write_hypervisor(struct txn *tx, const struct hv_host *h)
{
	char caps[HOST_FEATURES_MAX];

	host_features(h, caps);
	number(tx, "nr_cpus", h->nr_cpus);
	number(tx, "nr_nodes", h->nr_nodes);
	number(tx, "cores_per_socket", h->cores_per_socket);
	number(tx, "threads_per_core", h->threads_per_core);
	number(tx, "cpu_khz", h->cpu_khz);
	number(tx, "memory_kib", h->total_kib);
	number(tx, "free_kib", h->free_kib);
	number(tx, "xen_major", h->major);
	number(tx, "xen_minor", h->minor);
	number(tx, "xen_pagesize", h->page_size);
	text(tx, "hw_caps", caps);
	text(tx, "xen_extra", h->extra);
	text(tx, "xen_caps", h->caps);
	text(tx, "xen_changeset", h->changeset);
	text(tx, "xen_scheduler", h->scheduler ? h->scheduler : "");
	text(tx, "commandline", h->commandline);
	text(tx, "cc_compiler", h->compiler);
	text(tx, "cc_compile_by", h->compile_by);
	text(tx, "cc_compile_domain", h->compile_domain);
	text(tx, "cc_compile_date", h->compile_date);
	txn_writef(tx, path_host("version"), "%u.%u%s", h->major, h->minor, h->extra);
	txn_writef(tx, path_host("virt_start"), "0x%" PRIx64, h->virt_start);
}

struct facts {
	struct hv_host host;
	struct hv_fault fault[HV_FAULTS_MAX];
	size_t nr_faults;
};

static void write_faults(struct txn *tx, const struct facts *f)
{
	for (size_t i = 0; i < f->nr_faults; i++) {
		char key[64];

		snprintf(key, sizeof(key), "vulnerabilities/%s", f->fault[i].key);
		text(tx, key, f->fault[i].text);
	}
}

static int host_body(struct txn *tx, void *arg)
{
	const struct facts *f = arg;
	struct timespec up;
	struct utsname u;

	write_hypervisor(tx, &f->host);
	write_faults(tx, f);
	if (!uname(&u)) {
		text(tx, "machine", u.machine);
		text(tx, "release", u.release);
		text(tx, "kernel_version", u.version);
		text(tx, "hostname", u.nodename);
	}
	clock_gettime(CLOCK_BOOTTIME, &up);
	number(tx, "uptime_base", (uint64_t)(time(NULL) - up.tv_sec));
	return 0;
}

int host_write(struct xend *x)
{
	struct facts f;
	int err = hv_host_info(x->hv, &f.host);

	if (err)
		return err;
	f.nr_faults = hv_cpu_faults(x->hv, f.fault, HV_FAULTS_MAX);
	return store_transact(x->xs, host_body, &f);
}

void host_refresh(struct xend *x)
{
	struct hv_host h;

	if (!hv_host_info(x->hv, &h))
		store_writef(x->xs, path_host("free_kib"), "%" PRIu64, h.free_kib);
}

int host_first_start(struct xend *x)
{
	int has = store_has(x->xs, path_host("booted"));

	return has < 0 ? has : !has;
}

int host_booted(struct xend *x)
{
	return store_writef(x->xs, path_host("booted"), "%lld", (long long)time(NULL));
}

bool host_stopping(struct xend *x)
{
	return store_exists(x->xs, path_host("stopping"));
}
