/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <xen/platform.h>

static long sleep_in(unsigned int state)
{
	struct xen_platform_op op = { .cmd = XENPF_enter_acpi_sleep,
				      .interface_version = XENPF_INTERFACE_VERSION,
				      .u.enter_acpi_sleep = { .sleep_state = state } };

	return hypercall(platform_op, &op);
}

static bool is_ours(void)
{
	static const char name[] = "-storevisor";
	xen_extraversion_t extra = "";
	unsigned int len = 0;

	need(hc_version(XENVER_extraversion, extra));
	while (len < sizeof(extra) && extra[len])
		len++;
	for (unsigned int i = 1; i < sizeof(name); i++)
		if (i > len || extra[len - i] != name[sizeof(name) - 1 - i])
			return false;
	return true;
}

/* From what the machine wakes up of, nobody brings the guests back. */
GUEST_TEST(sleep_refused, "dom0 cannot put the machine into a state to wake up from", ONLY_DOM0)
{
	if (!is_ours())
		test_skip("another hypervisor would do it");
	for (unsigned int state = 1; state < 5; state++)
		check_is(sleep_in(state), -EOPNOTSUPP);
	check_is(sleep_in(0), -EINVAL);
	check_is(sleep_in(6), -EINVAL);
}
