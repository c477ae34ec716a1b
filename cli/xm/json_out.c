/* SPDX-License-Identifier: MIT */
/*
 * json_out.c - see json_out.h.
 */
#include "json_out.h"

static int print(struct xm *xm, json_t *value, size_t flags)
{
	int ret;

	if (!value)
		return xm_fail(xm, "out of memory");
	ret = json_dumpf(value, xm->out, flags | JSON_ENCODE_ANY);
	fputc('\n', xm->out);
	json_decref(value);
	return ret ? 1 : 0;
}

int json_out(struct xm *xm, json_t *value)
{
	return print(xm, value, xm->out_tty ? JSON_INDENT(2) : JSON_COMPACT);
}

int json_out_indented(struct xm *xm, json_t *value)
{
	return print(xm, value, JSON_INDENT(4));
}
