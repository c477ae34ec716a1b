/* SPDX-License-Identifier: MIT */
/*
 * recover.h - what a starting xend finds and makes of it.
 */
#ifndef XEND_RECOVER_H
#define XEND_RECOVER_H

struct xend;

/* First start after the host's boot: transient records go, autostart decides about power. */
void recover_boot(struct xend *x);

/* Later starts: running domains are adopted, half-built or half-undone ones undone. */
void recover_domains(struct xend *x);

#endif
