/* SPDX-License-Identifier: MIT */
/*
 * cmd_sysrq.c - xm sysrq: a magic key for a Linux guest, by Xen's own key control/sysrq.
 */
#include <ctype.h>
#include <errno.h>

#include "args.h"
#include "commands.h"
#include "domains.h"

static int run_sysrq(struct xm *xm, const struct args *args)
{
	const char *key = args->at[1];
	struct domain dom;
	long long takes;
	int ret;

	if (!isalnum((unsigned char)key[0]) || key[1])
		return xm_fail(xm,
			       "'%s' is not one letter or digit (h: the guest's kernel lists them)",
			       key);
	if (domain_find_running(xm, args->at[0], &dom))
		return 1;
	if (dom.domid == 0)
		return xm_fail(xm, "for Domain-0 itself write to /proc/sysrq-trigger");
	if (!store_read_number(xm->xs, XBT_NULL, &takes, "/local/domain/%d/control/feature-sysrq",
			       dom.domid) ||
	    takes != 1)
		return xm_fail(xm, "%s's kernel does not take sysrq keys (control/feature-sysrq)",
			       dom.name);
	ret = store_write(xm->xs, XBT_NULL, key, "/local/domain/%d/control/sysrq", dom.domid);
	return ret ? xm_fail_store(xm, "writing control/sysrq", -ret) : 0;
}

const struct command cmd_sysrq = {
	.name = "sysrq",
	.usage = "DOMAIN LETTER",
	.summary = "Send a magic SysRq key to a Linux guest",
	.min_args = 2,
	.max_args = 2,
	.run = run_sysrq,
};
