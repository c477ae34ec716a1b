/* SPDX-License-Identifier: MIT */
/*
 * domctl_shadow.c - domctl shadow_op: log-dirty mode, of all that Xen's shadow paging can. ABI:
 * xen/domctl.h.
 */
#include "hypercall/domctl.h"
#include "lib/errno.h"
#include "pv/logdirty.h"
#include "x86/guest_access.h"

/* no guest has more than that, and bytes and addresses are computed of it */
#define PAGES_MAX (1ULL << 40)
#define PAGES_PER_MB 256

static long report(struct domain *d, struct xen_domctl_shadow_op *s, bool is_clean)
{
	struct logdirty_report r = { .bitmap = handle_va(s->dirty_bitmap), .nr_pages = s->pages };
	int rc;

	if (s->mode & ~XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL || s->pages > PAGES_MAX)
		return -EINVAL;
	rc = logdirty_report(d, &r, is_clean);
	if (!rc)
		s->stats = (struct xen_domctl_shadow_op_stats){
			.fault_count = r.fault_count,
			.dirty_count = r.dirty_count,
		};
	return rc;
}

long domctl_shadow_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_shadow_op *s = &op->u.shadow_op;

	switch (s->op) {
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return logdirty_disable(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		if (s->mode != XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY)
			return -EOPNOTSUPP;
		return logdirty_enable(d);
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return logdirty_enable(d);
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
		return report(d, s, true);
	case XEN_DOMCTL_SHADOW_OP_PEEK:
		return report(d, s, false);
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		s->mb = (logdirty_nr_pages(d) + PAGES_PER_MB - 1) / PAGES_PER_MB;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}
