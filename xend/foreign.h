/* SPDX-License-Identifier: MIT */
/*
 * foreign.h - domains that other tools built (xl, libvirt): in the hypervisor, without a record.
 *
 * They are listed in /status/domain like others, with the key foreign, can be asked to shut down,
 * as all are when the host goes down, and can be ended. Nothing else is done with them: whoever
 * built one knows what it is.
 */
#ifndef XEND_FOREIGN_H
#define XEND_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

struct xend;
struct hv_domain;
struct domain;

/* Brings /status/domain in step with @list, all @nr domains of the hypervisor. */
void foreign_refresh(struct xend *x, const struct hv_domain *list, size_t nr);

/* Whether /status/domain/@name tells of such a domain. */
bool foreign_is(struct xend *x, const char *name);

/*
 * Asks the one called @name (or, when that is a number, with that domid) to shut down; what comes
 * then is the affair of who built it. 0; -ENOENT: there is none, or the name is ours; an error of
 * the store.
 */
int foreign_ask_shutdown(struct xend *x, const char *name);

/*
 * Takes over the one called @name (or, when that is a number, with that domid), to end it: from now
 * on it is a domain of ours that runs and has no record. NULL: there is none, or the name is ours.
 */
struct domain *foreign_adopt(struct xend *x, const char *name);

#endif
