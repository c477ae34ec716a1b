/* SPDX-License-Identifier: MIT */
/*
 * hc_version.c - xen_version: who we say we are. Behaves as Xen 4.17; the extra version names us.
 * ABI: xen/version.h, xen/features.h.
 */
#include "domain/domain.h"

#include <xen/features.h>
#include <xen/version.h>

#include "hypercall/handlers.h"
#include "lib/boot_options.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/guest_access.h"

#define VERSION_MAJOR 4
#define VERSION_MINOR 17
#define VERSION_EXTRA ".7-storevisor"

/* What a 64-bit PV guest can rely on; see docs/hypercalls.md for each bit. */
#define FEATURES                                                                                   \
	(1u << XENFEAT_pae_pgdir_above_4gb | 1u << XENFEAT_mmu_pt_update_preserve_ad |             \
	 1u << XENFEAT_gnttab_map_avail_bits | 1u << XENFEAT_memory_op_vnode_supported |           \
	 1u << XENFEAT_not_direct_mapped)

static long put_string(u64 va, const char *text, size_t size)
{
	char buf[1024] = "";

	strlcpy(buf, text, MIN(size, sizeof(buf)));
	return copy_to_guest(va, buf, size);
}

static long put_compile_info(u64 va)
{
	struct xen_compile_info info = { 0 };

	strlcpy(info.compiler, "gcc " __VERSION__, sizeof(info.compiler));
	strlcpy(info.compile_by, "storevisor", sizeof(info.compile_by));
	strlcpy(info.compile_domain, "debian", sizeof(info.compile_domain));
	strlcpy(info.compile_date, "reproducible", sizeof(info.compile_date));
	return copy_to_guest(va, &info, sizeof(info));
}

static long get_features(u64 va)
{
	xen_feature_info_t info;

	if (copy_from_guest(&info, va, sizeof(info)))
		return -EFAULT;
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;
	info.submap = FEATURES;
	if (current->domain->is_privileged)
		info.submap |= 1u << XENFEAT_dom0;
	return copy_to_guest(va, &info, sizeof(info));
}

long hc_xen_version(struct hc_args *a)
{
	u64 va = a->a[1];

	switch ((u32)a->a[0]) {
	case XENVER_version: /* also the no-op by which a guest lets pending events in */
		a->value = VERSION_MAJOR << 16 | VERSION_MINOR;
		return 0;
	case XENVER_extraversion:
		return put_string(va, VERSION_EXTRA, sizeof(xen_extraversion_t));
	case XENVER_compile_info:
		return put_compile_info(va);
	case XENVER_capabilities:
		return put_string(va, "xen-3.0-x86_64 ", sizeof(xen_capabilities_info_t));
	case XENVER_changeset:
		return put_string(va, "storevisor", sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters: {
		xen_platform_parameters_t p = { .virt_start = HYPERVISOR_VIRT_START };

		return copy_to_guest(va, &p, sizeof(p));
	}
	case XENVER_get_features:
		return get_features(va);
	case XENVER_pagesize:
		a->value = PAGE_SIZE;
		return va ? -EINVAL : 0;
	case XENVER_guest_handle:
		return copy_to_guest(va, current->domain->handle, sizeof(xen_domain_handle_t));
	case XENVER_commandline:
		return put_string(va, current->domain->is_privileged ? boot_options.cmdline :
								       "<denied>",
				  sizeof(xen_commandline_t));
	case XENVER_build_id:
		return -ENODATA;
	default:
		return -ENOSYS;
	}
}
