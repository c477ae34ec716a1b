/* SPDX-License-Identifier: MIT */
/*
 * host_cfg.h - what configuration files of Xen's tools say about the host (xl.conf,
 * xend-config.sxp), and what becomes of it here. One table row a name.
 *
 * Pure. Source of the names: xl.conf(5) of Xen 4.17; xend-config.sxp of 3.4 and 4.1.
 */
#ifndef STOREVISOR_HOST_CFG_H
#define STOREVISOR_HOST_CFG_H

#include "cfg.h"

enum host_fate {
	HOST_TAKEN,	/* written to the store: says is the path */
	HOST_ELSEWHERE, /* is said in another place here: says names it */
	HOST_NO_EFFECT, /* has no use here: says why */
};

struct host_setting {
	const struct cfg_setting *from;
	char value[64]; /* what is written, of HOST_TAKEN */
	enum host_fate fate;
	const char *says;
};

struct host_cfg {
	struct cfg cfg;
	struct host_setting *settings; /* in the files' order */
	size_t nr;
};

/*
 * Adds what @len bytes (untrusted) of a file say; one that begins with "(" is xend's. A later
 * setting of the same name wins. 0; -EINVAL after telling @rep all that is wrong; -E2BIG, told too;
 * -ENOMEM. In any case @h, zeroed before the first, is given to host_cfg_fini().
 */
int host_cfg_read(struct host_cfg *h, const char *source, const char *text, size_t len,
		  struct cfg_report *rep);

/*
 * After the last file: what becomes of each. 0; -EINVAL, told too: a name that no such file has, a
 * value that is not possible here; -ENOMEM.
 */
int host_cfg_judge(struct host_cfg *h, struct cfg_report *rep);

void host_cfg_fini(struct host_cfg *h);

#endif
