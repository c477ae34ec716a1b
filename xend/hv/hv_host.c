/* SPDX-License-Identifier: MIT */
/*
 * hv_host.c - facts about the machine and the hypervisor's own log.
 *
 * Source: xen/sysctl.h physinfo, readconsole and debug_keys; xen/version.h, xen/hypfs.h.
 */
#include "hv_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/hypfs.h>
#include <xen/version.h>

#define KIB_PER_PAGE 4

static void get_physinfo(struct hv_host *info, const struct xen_sysctl_physinfo *p)
{
	uint64_t free_pages = p->free_pages;

	info->nr_cpus = p->nr_cpus;
	info->nr_nodes = p->nr_nodes;
	info->cores_per_socket = p->cores_per_socket;
	info->threads_per_core = p->threads_per_core;
	info->cpu_khz = p->cpu_khz;
	info->total_kib = p->total_pages * KIB_PER_PAGE;
	if (free_pages > p->outstanding_pages)
		free_pages -= p->outstanding_pages;
	else if (p->outstanding_pages)
		free_pages = 0;
	info->free_kib = free_pages * KIB_PER_PAGE;
	memcpy(info->hw_cap, p->hw_cap, sizeof(info->hw_cap));
}

/* One text of xen_version; a hypervisor that does not tell leaves it empty. */
static void get_text(struct hv *hv, unsigned int what, char *out, size_t out_len, size_t abi_len)
{
	char *buf = hv_buf(hv, NULL, abi_len + 1);

	if (buf && hv_op(hv, __HYPERVISOR_xen_version, what, buf) == 0)
		snprintf(out, out_len, "%s", buf);
	else
		out[0] = '\0';
	hv_buf_free(hv, buf);
}

static void get_compile_info(struct hv *hv, struct hv_host *info)
{
	struct xen_compile_info *c = hv_buf(hv, NULL, sizeof(*c) + 1);

	if (c && hv_op(hv, __HYPERVISOR_xen_version, XENVER_compile_info, c) == 0) {
		snprintf(info->compiler, sizeof(info->compiler), "%.63s", c->compiler);
		snprintf(info->compile_by, sizeof(info->compile_by), "%.15s", c->compile_by);
		snprintf(info->compile_domain, sizeof(info->compile_domain), "%.31s",
			 c->compile_domain);
		snprintf(info->compile_date, sizeof(info->compile_date), "%.31s",
			 c->compile_date);
	}
	hv_buf_free(hv, c);
}

static void get_platform(struct hv *hv, struct hv_host *info)
{
	struct xen_platform_parameters *p = hv_buf(hv, NULL, sizeof(*p));

	if (p && hv_op(hv, __HYPERVISOR_xen_version, XENVER_platform_parameters, p) == 0)
		info->virt_start = p->virt_start;
	hv_buf_free(hv, p);
}

/* xen/domctl.h XEN_SCHEDULER_*. */
static const char *get_scheduler(struct hv *hv)
{
	static const char *const names[] = {
		[XEN_SCHEDULER_CREDIT] = "credit", [XEN_SCHEDULER_CREDIT2] = "credit2",
		[XEN_SCHEDULER_ARINC653] = "arinc653", [XEN_SCHEDULER_RTDS] = "rtds",
		[XEN_SCHEDULER_NULL] = "null",
	};
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_sched_id };
	uint32_t id;

	if (hv_sysctl(hv, &op))
		return NULL;
	id = op.u.sched_id.sched_id;
	return id < sizeof(names) / sizeof(names[0]) ? names[id] : NULL;
}

int hv_host_info(struct hv *hv, struct hv_host *info)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_physinfo };
	int err = hv_sysctl(hv, &op);
	long version;

	*info = (struct hv_host){ 0 };
	if (err)
		return err;
	get_physinfo(info, &op.u.physinfo);
	version = hv_op_result(hv, __HYPERVISOR_xen_version, XENVER_version, NULL);
	if (version < 0)
		return (int)version;
	info->major = (unsigned int)version >> 16;
	info->minor = version & 0xffff;
	version = hv_op_result(hv, __HYPERVISOR_xen_version, XENVER_pagesize, NULL);
	info->page_size = version > 0 ? (uint32_t)version : 0;
	get_text(hv, XENVER_extraversion, info->extra, sizeof(info->extra),
		 sizeof(xen_extraversion_t));
	get_text(hv, XENVER_capabilities, info->caps, sizeof(info->caps),
		 sizeof(xen_capabilities_info_t));
	get_text(hv, XENVER_changeset, info->changeset, sizeof(info->changeset),
		 sizeof(xen_changeset_info_t));
	get_text(hv, XENVER_commandline, info->commandline, sizeof(info->commandline),
		 sizeof(xen_commandline_t));
	info->scheduler = get_scheduler(hv);
	get_compile_info(hv, info);
	get_platform(hv, info);
	return 0;
}

/* --- what the CPU is vulnerable to: our hypervisor's /vulnerabilities --- */

#define HYPFS_ROOM 4096
#define FAULTS "/vulnerabilities"

/*
 * An entry of @type with its contents, then a NUL; freed with hv_buf_free(). NULL: there is none.
 */
static struct xen_hypfs_direntry *hypfs_read(struct hv *hv, const char *path, uint8_t type)
{
	char *name = hv_buf(hv, path, strlen(path) + 1);
	struct xen_hypfs_direntry *e = hv_buf(hv, NULL, HYPFS_ROOM + 1);
	bool ok = name && e &&
		  !xencall5(hv->call, __HYPERVISOR_hypfs_op, XEN_HYPFS_OP_read, (uintptr_t)name,
			    strlen(path) + 1, (uintptr_t)e, HYPFS_ROOM) &&
		  e->type == type && e->encoding == XEN_HYPFS_ENC_PLAIN &&
		  e->content_len <= HYPFS_ROOM - sizeof(*e);

	hv_buf_free(hv, name);
	if (ok)
		return e;
	hv_buf_free(hv, e);
	return NULL;
}

static void read_fault(struct hv *hv, struct hv_fault *f)
{
	char path[sizeof(FAULTS) + sizeof(f->key)];
	struct xen_hypfs_direntry *e;

	snprintf(path, sizeof(path), FAULTS "/%s", f->key);
	e = hypfs_read(hv, path, XEN_HYPFS_TYPE_STRING);
	snprintf(f->text, sizeof(f->text), "%s", e ? (const char *)(e + 1) : "");
	hv_buf_free(hv, e);
}

size_t hv_cpu_faults(struct hv *hv, struct hv_fault *list, size_t max)
{
	struct xen_hypfs_direntry *dir = hypfs_read(hv, FAULTS, XEN_HYPFS_TYPE_DIR);
	const uint8_t *at = (const uint8_t *)(dir + 1);
	size_t nr = 0, left = dir ? dir->content_len : 0;

	while (nr < max && left > offsetof(struct xen_hypfs_dirlistentry, name)) {
		const struct xen_hypfs_dirlistentry *d = (const void *)at;

		snprintf(list[nr].key, sizeof(list[nr].key), "%s", d->name);
		read_fault(hv, &list[nr++]);
		if (!d->off_next || d->off_next > left)
			break;
		at += d->off_next;
		left -= d->off_next;
	}
	hv_buf_free(hv, dir);
	return nr;
}

int hv_console_read(struct hv *hv, bool clear, char **text)
{
	enum { CHUNK = 16384, LIMIT = 4 << 20 };
	char *all = NULL, *buf = hv_buf(hv, NULL, CHUNK);
	size_t len = 0;
	uint32_t index = 0, got;
	int err = buf ? 0 : -ENOMEM;

	do {
		struct xen_sysctl op = { .cmd = XEN_SYSCTL_readconsole };
		char *more;

		if (err)
			break;
		op.u.readconsole.incremental = 1;
		op.u.readconsole.index = index;
		op.u.readconsole.count = CHUNK;
		set_xen_guest_handle(op.u.readconsole.buffer, buf);
		err = hv_sysctl(hv, &op);
		if (err)
			break;
		got = op.u.readconsole.count <= CHUNK ? op.u.readconsole.count : CHUNK;
		index = op.u.readconsole.index;
		more = realloc(all, len + got + 1);
		if (!more) {
			err = -ENOMEM;
			break;
		}
		all = more;
		memcpy(all + len, buf, got);
		len += got;
		all[len] = '\0';
	} while (got && len < LIMIT);

	if (!err && clear) {
		struct xen_sysctl op = { .cmd = XEN_SYSCTL_readconsole };

		op.u.readconsole.clear = 1;
		op.u.readconsole.count = CHUNK;
		set_xen_guest_handle(op.u.readconsole.buffer, buf);
		err = hv_sysctl(hv, &op);
	}
	hv_buf_free(hv, buf);
	if (err) {
		free(all);
		return err;
	}
	*text = all;
	return 0;
}

int hv_debug_keys(struct hv *hv, const char *keys)
{
	struct xen_sysctl op = { .cmd = XEN_SYSCTL_debug_keys };
	size_t nr = strlen(keys);
	char *buf;
	int err;

	if (nr > HV_DEBUG_KEYS_MAX)
		return -E2BIG;
	buf = hv_buf(hv, keys, nr + 1);
	if (!buf)
		return -ENOMEM;
	op.u.debug_keys.nr_keys = (uint32_t)nr;
	set_xen_guest_handle(op.u.debug_keys.keys, buf);
	err = hv_sysctl(hv, &op);
	hv_buf_free(hv, buf);
	return err;
}
