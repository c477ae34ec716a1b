/* SPDX-License-Identifier: MIT */
/*
 * home.h - a running domain's own keys: /local/domain/N and /vm/UUID.
 *
 * Source: Xen's xenstore-paths document.
 */
#ifndef XEND_HOME_H
#define XEND_HOME_H

struct xend;
struct domain;

/* Writes both trees with their permissions in one transaction. 0 or -errno. */
int home_write(struct xend *x, struct domain *d);
/* Only where its rings are, of one that had none when its home was written. 0 or -errno. */
int home_write_rings(struct xend *x, struct domain *d);
/* Removes both; nothing there is no error. */
int home_remove(struct xend *x, struct domain *d);
/* Asks the guest by control/shutdown: "poweroff", "reboot", "suspend". */
int home_ask_shutdown(struct xend *x, struct domain *d, const char *how);
/* Takes that back. -EALREADY: the guest has taken it. */
int home_withdraw_shutdown(struct xend *x, struct domain *d);
/* dom0's own: name, domid, memory, and the roots that backends live under. */
int home_write_dom0(struct xend *x);

#endif
