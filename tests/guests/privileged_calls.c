/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <xen/domctl.h>
#include <xen/platform.h>
#include <xen/sysctl.h>

GUEST_TEST(privileged_calls,
	   "domctl, sysctl, platform_op and the machine's console are dom0's alone", 0)
{
	struct xen_domctl domctl = { .cmd = XEN_DOMCTL_destroydomain,
				     .interface_version = XEN_DOMCTL_INTERFACE_VERSION };
	struct xen_sysctl sysctl = { .cmd = XEN_SYSCTL_physinfo,
				     .interface_version = XEN_SYSCTL_INTERFACE_VERSION };
	struct xen_platform_op platform = { .cmd = XENPF_enter_acpi_sleep,
					    .interface_version = XENPF_INTERFACE_VERSION };
	char text[8];

	check_is(hypercall(domctl, &domctl), -EPERM);
	check_is(hypercall(sysctl, &sysctl), -EPERM);
	check_is(hypercall(platform_op, &platform), -EPERM);
	check_is(hypercall(console_io, CONSOLEIO_write, 4, "bad\n"), -EPERM);
	check_is(hypercall(console_io, CONSOLEIO_read, 8, text), -EPERM);
}
