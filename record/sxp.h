/* SPDX-License-Identifier: MIT */
/*
 * sxp.h - the older of xm's two configuration syntaxes, s-expressions: (vm (name web) (memory 64)
 * ...).
 *
 * They become the same settings as KEY = VALUE lines, so every key's meaning stays in cfg_keys.c.
 * For cfg_parse.c, which sees by the first byte which syntax a file has. Pure. Source: what `xm
 * create --dryrun` and `xm list --long` print.
 */
#ifndef STOREVISOR_SXP_H
#define STOREVISOR_SXP_H

#include "cfg_scan.h"

/*
 * Reads from "(" to the end of the text into p->cfg. 0; -EINVAL with p->rep; -ENOMEM. What
 * `xm list --long` says about a running domain (domid, state, cpu_time, ...) is passed over.
 */
int sxp_read(struct parser *p);
/* The same of any number of (KEY VALUE), one after the other, as xend-config.sxp has them. */
int sxp_read_settings(struct parser *p);

#endif
