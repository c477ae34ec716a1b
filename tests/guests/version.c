/* SPDX-License-Identifier: MIT */
#include "claim.h"

GUEST_TEST(version, "the hypervisor says who it is, and what a guest may rely on", ALSO_DOM0)
{
	static char text[1024];
	struct xen_feature_info features = { 0 };
	struct xen_platform_parameters platform = { 0 };
	struct xen_compile_info compile;
	xen_domain_handle_t handle;
	long version = hc_version(XENVER_version, NULL);

	check_is(version >> 16, 4);
	check_is(version & 0xffff, 17);
	check_is(hc_version(XENVER_extraversion, text), 0);
	check(text[0] == '.' && strnlen(text, 16) < 16);
	check_is(hc_version(XENVER_capabilities, text), 0);
	check(strncmp(text, "xen-3.0-x86_64 ", 15) == 0);
	check_is(hc_version(XENVER_changeset, text), 0);
	check_is(hc_version(XENVER_compile_info, &compile), 0);
	check_is(hc_version(XENVER_platform_parameters, &platform), 0);
	check_is(platform.virt_start, HYPERVISOR_VIRT_START);
	check_is(hc_version(XENVER_pagesize, NULL), PAGE_SIZE);
	check_is(hc_version(XENVER_guest_handle, handle), 0);
	check_is(hc_version(XENVER_get_features, &features), 0);
	check(features.submap & 1u << 5 /* XENFEAT_mmu_pt_update_preserve_ad */);
	features.submap_idx = 1000;
	check_is(hc_version(XENVER_get_features, &features), -EINVAL);
	check_is(hc_version(XENVER_capabilities, (void *)0xdead000), -EFAULT);
	check_is(hc_version(99, NULL), -ENOSYS);
}
