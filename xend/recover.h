/* SPDX-License-Identifier: MIT */
/*
 * recover.h - what a starting xend finds and makes of it.
 */
#ifndef XEND_RECOVER_H
#define XEND_RECOVER_H

struct xend;

/*
 * Both: 0 or -errno: store or hypervisor did not tell all. Then nothing may be done by what they
 * told: a domain would be ended, or built a second time, because a question was not answered.
 */

/* First start after the host's boot: transient records go, autostart decides about power. */
int recover_boot(struct xend *x);

/* Later starts: running domains are adopted, half-built or half-undone ones undone. */
int recover_domains(struct xend *x);

#endif
