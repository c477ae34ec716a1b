/* SPDX-License-Identifier: MIT */
/*
 * op_domain.c - INTRODUCE, RELEASE, RESUME, SET_TARGET, features, quotas and what may be asked
 * about domains. Source: docs/misc/xenstore.txt of Xen.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include "conn.h"
#include "conn_ring.h"
#include "domain.h"
#include "ops.h"
#include "saved.h"
#include "server.h"

static int domid_arg(const char *s, unsigned int *out)
{
	uint64_t value;
	int ret = xs_wire_get_number(s, DOMID_FIRST_RESERVED - 1, &value);

	*out = (unsigned int)value;
	return ret;
}

static int known_domain(struct req *r, const char *s, struct domain **out)
{
	unsigned int domid;
	int ret = domid_arg(s, &domid);

	if (ret < 0)
		return ret;
	*out = domain_find(&r->srv->domains, domid);
	return *out && (*out)->introduced ? 0 : -ENOENT;
}

int op_introduce(struct req *r)
{
	unsigned int domid;
	uint64_t gfn, port;
	int ret;

	ret = domid_arg(r->arg[0], &domid);
	if (ret == 0)
		ret = xs_wire_get_number(r->arg[1], UINT64_MAX, &gfn);
	if (ret == 0)
		ret = xs_wire_get_number(r->arg[2], UINT32_MAX, &port);
	if (ret == 0 && port == 0)
		ret = -EINVAL;
	if (ret == 0)
		ret = domain_introduce(r->srv, domid, gfn, (uint32_t)port);
	return ret < 0 ? ret : reply_ok(r);
}

/* The argument of RELEASE and RESUME: not domain 0, which neither ends nor is resumed. */
static int guest_arg(struct req *r, struct domain **out)
{
	unsigned int domid;
	int ret = domid_arg(r->arg[0], &domid);

	if (ret == 0 && domid == 0)
		ret = -EINVAL;
	return ret < 0 ? ret : known_domain(r, r->arg[0], out);
}

int op_release(struct req *r)
{
	struct domain *d;
	int ret = guest_arg(r, &d);

	if (ret < 0)
		return ret;
	domain_release(r->srv, d);
	/* Where the disk never hears of it a start forgets what names the domain, all the same. */
	r->at_once = true;
	return reply_ok(r);
}

int op_resume(struct req *r)
{
	struct domain *d;
	int ret = guest_arg(r, &d);

	if (ret < 0)
		return ret;
	if (saved_room_for(r->srv, 1, false) < 0)
		return -ENOSPC;
	d->shutdown = false;
	saved_domain(r->srv, d);
	return reply_ok(r);
}

int op_is_introduced(struct req *r)
{
	struct domain *d;
	unsigned int domid;
	int ret = domid_arg(r->arg[0], &domid);

	/* The reserved id of the caller itself counts as introduced. */
	if (ret < 0)
		return strcmp(r->arg[0], "32752") == 0 ? reply_string(r, "T") : ret;
	/* Which other domains there are is none of a guest's business. */
	if (!r->conn->privileged && domid != r->conn->domid)
		return -EACCES;
	d = domain_find(&r->srv->domains, domid);
	return reply_string(r, d && d->introduced ? "T" : "F");
}

int op_domain_path(struct req *r)
{
	unsigned int domid;
	char path[32];
	int ret = domid_arg(r->arg[0], &domid);

	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	return reply_string(r, path);
}

int op_set_target(struct req *r)
{
	struct domain *d, *target;
	int ret;

	ret = known_domain(r, r->arg[0], &d);
	if (ret == 0)
		ret = known_domain(r, r->arg[1], &target);
	if (ret < 0)
		return ret;
	if (saved_room_for(r->srv, 1, false) < 0)
		return -ENOSPC;
	d->target = target->domid;
	saved_domain(r->srv, d);
	return reply_ok(r);
}

/* What this daemon can do, as the ring page's server_features field says it. */
#define FEATURES (XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR)

static int reply_number(struct req *r, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return reply_string(r, text);
}

int op_get_feature(struct req *r)
{
	struct domain *d;
	int ret;

	if (r->nr_args == 0)
		return reply_number(r, FEATURES);
	if (!r->conn->privileged)
		return -EACCES;
	ret = known_domain(r, r->arg[0], &d);
	return ret < 0 ? ret : reply_number(r, d->features);
}

int op_set_feature(struct req *r)
{
	struct domain *d;
	uint64_t bits;
	int ret;

	ret = known_domain(r, r->arg[0], &d);
	if (ret == 0)
		ret = xs_wire_get_number(r->arg[1], UINT32_MAX, &bits);
	if (ret == 0 && bits & ~(uint64_t)FEATURES)
		ret = -EINVAL;
	if (ret < 0)
		return ret;
	if (saved_room_for(r->srv, 1, false) < 0)
		return -ENOSPC;
	d->features = (uint32_t)bits;
	saved_domain(r->srv, d);
	return reply_ok(r);
}

static int reply_quota_names(struct req *r)
{
	char names[512];
	size_t len = 0;

	for (int i = 0; i < QUOTA_NR; i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? " " : "",
					quota_table[i].name);
	return reply_string(r, names);
}

int op_get_quota(struct req *r)
{
	unsigned int nr = r->nr_args;
	struct quota_overrides *own = NULL;
	enum quota_kind kind;

	if (nr == 0)
		return reply_quota_names(r);
	if (nr == 2) {
		struct domain *d;
		int ret = r->conn->privileged ? known_domain(r, r->arg[0], &d) : -EACCES;

		if (ret < 0)
			return ret;
		own = &d->quota;
	}
	kind = quota_by_name(r->arg[nr - 1]);
	if (kind == QUOTA_NR)
		return -EINVAL;
	return reply_number(r, quota_limit(&r->srv->quotas, own, kind));
}

int op_set_quota(struct req *r)
{
	unsigned int nr = r->nr_args;
	struct domain *d = NULL;
	enum quota_kind kind = quota_by_name(r->arg[nr - 2]);
	uint64_t value;
	int ret = xs_wire_get_number(r->arg[nr - 1], UINT32_MAX, &value);

	if (ret == 0 && kind == QUOTA_NR)
		ret = -EINVAL;
	if (ret == 0 && nr == 3)
		ret = known_domain(r, r->arg[0], &d);
	if (ret < 0)
		return ret;
	return server_set_quota(r->srv, d, kind, value) < 0 ? -ENOSPC : reply_ok(r);
}
