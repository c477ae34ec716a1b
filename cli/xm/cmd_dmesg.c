/* SPDX-License-Identifier: MIT */
/*
 * cmd_dmesg.c - xm dmesg: the hypervisor's message buffer, fetched by xend. What dom0 writes to its
 * emergency console is in the same buffer, as lines that begin with (d0).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "request.h"

static const struct cli_opt options[] = {
	{ 'a', "all", NULL, "also what domains wrote to its console: lines that begin with (d0)" },
	{ 'c', "clear", NULL, "clear the buffer after reading it" },
	{ 0 },
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

/* A line of the hypervisor's own, not a domain's. */
static bool is_own(const char *line)
{
	unsigned int domid;
	int end = 0;

	return sscanf(line, "(d%u)%n", &domid, &end) != 1 || !end;
}

static void print_lines(FILE *to, char *text, bool all)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if ((!all && !is_own(line)) || (!text && !*line))
			continue;
		print_text(to, line);
		fputc('\n', to);
	}
}

/* The parts were cut anywhere: a line is whole only when they are one text again. */
static int print_output(struct xm *xm, const struct request *req, bool all)
{
	char *part, *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return -ENOMEM;
	for (int i = 0; (part = store_read(xm->xs, XBT_NULL, "/request/%s/output/%d", req->id, i));
	     i++) {
		fputs(part, f);
		free(part);
	}
	if (fclose(f)) {
		free(text);
		return -ENOMEM;
	}
	print_lines(xm->out, text, all);
	free(text);
	return 0;
}

static int run_dmesg(struct cli_args *args)
{
	struct xm *xm = args->with;
	static const struct request_arg clear[] = { { "clear", "1" }, { NULL, NULL } };
	struct request req = { .op = "dmesg", .args = cli_has(args, "clear") ? clear : NULL };
	int ret;

	if (!xm_store(xm))
		return 1;
	ret = request_run(xm->xs, &req);
	if (!ret)
		ret = print_output(xm, &req, cli_has(args, "all"));
	request_close(xm->xs, &req);
	if (ret == -EREMOTEIO)
		return xm_fail(xm, "dmesg: %s", req.error);
	if (ret == -ETIMEDOUT)
		return xm_fail(xm, "dmesg: xend does not answer; is it running?");
	if (ret == -ENOMEM)
		return xm_fail(xm, "dmesg: out of memory");
	return ret ? xm_fail(xm, "dmesg: interrupted, or the store went away") : 0;
}

const struct cli_cmd cmd_dmesg = {
	.name = "dmesg",
	.help = "Print the hypervisor's messages",
	.opts = options,
	.says = CLI_SAYS_NO_JSON,
	.example = "xm dmesg | tail",
	.run = run_dmesg,
};
