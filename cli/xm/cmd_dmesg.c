/* SPDX-License-Identifier: MIT */
/*
 * cmd_dmesg.c - xm dmesg: the hypervisor's message buffer, fetched by xend.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "args.h"
#include "commands.h"
#include "request.h"

static const struct opt options[] = {
	{'c', "clear", NULL, "clear the buffer after reading it"},
	{0},
};

/* Guests can make the hypervisor print: control bytes do not reach the terminal raw. */
static void print_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f) || c >= 0xa0)
			fputc(c, to);
		else if (c != '\r')
			fprintf(to, "\\x%02x", c);
	}
}

static void print_output(struct xm *xm, const struct request *req)
{
	char *part;

	for (int i = 0; (part = store_read(xm->xs, XBT_NULL, "/request/%s/output/%d", req->id, i));
	     i++) {
		print_text(xm->out, part);
		free(part);
	}
}

static int run_dmesg(struct xm *xm, const struct args *args)
{
	static const struct request_arg clear[] = {{"clear", "1"}, {NULL, NULL}};
	struct request req = {.op = "dmesg", .args = args_has(args, 'c') ? clear : NULL};
	int ret;

	if (!xm_store(xm))
		return 1;
	ret = request_run(xm->xs, &req);
	if (!ret)
		print_output(xm, &req);
	request_close(xm->xs, &req);
	if (ret == -EREMOTEIO)
		return xm_fail(xm, "dmesg: %s", req.error);
	if (ret == -ETIMEDOUT)
		return xm_fail(xm, "dmesg: xend does not answer; is it running?");
	return ret ? xm_fail(xm, "dmesg: interrupted, or the store went away") : 0;
}

const struct command cmd_dmesg = {
	.name = "dmesg",
	.usage = "[-c]",
	.summary = "Print the hypervisor's messages",
	.options = options,
	.example = "xm dmesg | tail",
	.run = run_dmesg,
};
