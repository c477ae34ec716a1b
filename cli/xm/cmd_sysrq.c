/* SPDX-License-Identifier: MIT */
/*
 * cmd_sysrq.c - xm sysrq: a magic key for a Linux guest, by Xen's own key control/sysrq.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "domains.h"

#define TAKE_NS INT64_C(3000000000) /* for the guest to see it */

/* Linux empties the key when it takes it. 0, -ETIMEDOUT, or what store_wait() says. */
static int wait_taken(struct xs_handle *xs, int domid, const char *key)
{
	int64_t deadline = store_deadline(TAKE_NS);
	char path[64];
	int woken = 1;
	bool taken = false;

	snprintf(path, sizeof(path), "/local/domain/%d/control/sysrq", domid);
	if (!xs_watch(xs, path, "sysrq"))
		return -errno;
	while (woken > 0 && !taken) {
		char *now;

		woken = store_wait(xs, -1, deadline);
		now = store_read(xs, XBT_NULL, "%s", path);
		taken = !now || strcmp(now, key) != 0;
		free(now);
	}
	xs_unwatch(xs, path, "sysrq");
	return taken ? 0 : woken ? woken : -ETIMEDOUT;
}

struct press {
	const struct domain *dom;
	const char *key; /* "": withdrawn */
};

static int press(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct press *p = data;
	int ret = domain_has_home(xs, t, p->dom);

	return ret ? ret : store_write(xs, t, p->key, "/local/domain/%d/control/sysrq", p->dom->domid);
}

static int run_sysrq(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *key = args->argv[1];
	struct domain dom;
	struct press p = { &dom, key }, withdrawn = { &dom, "" };
	int ret;

	if (!isalnum((unsigned char)key[0]) || key[1])
		return cli_refuse(args,
				  "'%s' is not one letter or digit (h: the guest's kernel lists them)",
				  key);
	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	if (dom.domid == 0)
		return xm_fail(xm, "for Domain-0 itself write to /proc/sysrq-trigger");
	ret = store_transact(xm->xs, press, &p);
	if (ret == -ESRCH)
		return xm_fail(xm, "%s has ended meanwhile", dom.name);
	if (ret)
		return xm_fail_store(xm, "writing control/sysrq", -ret);
	ret = wait_taken(xm->xs, dom.domid, key);
	if (ret != -ETIMEDOUT)
		return ret ? xm_fail_store(xm, "waiting for the guest", -ret) : 0;
	store_transact(xm->xs, press, &withdrawn);
	return xm_fail(xm, "%s's kernel does not take sysrq keys; '%s' is withdrawn", dom.name,
		       key);
}

const struct cli_cmd cmd_sysrq = {
	.name = "sysrq",
	.args = "DOMAIN LETTER",
	.help = "Send a magic SysRq key to a Linux guest",
	.says = CLI_SAYS_NOTHING,
	.min_args = 2,
	.max_args = 2,
	.example = "xm sysrq web s",
	.run = run_sysrq,
};
