/* SPDX-License-Identifier: MIT */
/*
 * cmd_debug_keys.c - xm debug-keys: the hypervisor's debug keys, pressed by xend.
 */
#include "commands.h"
#include "request.h"

static int run_debug_keys(struct cli_args *args)
{
	struct xm *xm = args->with;
	const struct request_arg keys[] = { { "keys", args->argv[0] }, { NULL, NULL } };
	struct request req = { .op = "debug-keys", .args = keys };
	int ret;

	if (!xm_store(xm))
		return 1;
	ret = request_told(xm, &req, "not pressed");
	request_close(xm->xs, &req);
	return ret;
}

const struct cli_cmd cmd_debug_keys = {
	.name = "debug-keys",
	.args = "KEYS",
	.help = "Press debug keys of the hypervisor",
	.more = "Each letter of KEYS is one; h lists them. What they print is in xm dmesg.",
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = 1,
	.example = "xm debug-keys h && xm dmesg | tail",
	.run = run_debug_keys,
};
