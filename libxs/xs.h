/* SPDX-License-Identifier: MIT */
/*
 * xs.h - Storevisor's own client API, beside <xenstore.h>, which it includes.
 *
 * The asynchronous client is xs_client.h, a subtree in one go xs_tree.h, both included. Here are
 * the functions of libxenstore newer than Debian's header (VERS_4.1, VERS_4.2).
 */
#ifndef STOREVISOR_XS_H
#define STOREVISOR_XS_H

#include <xenstore.h>

#include "xs_client.h"
#include "xs_tree.h"

/* Operations after those of Debian's xs_wire.h; numbers as Xen 4.21 and later use them. */
enum xs_op_new {
	XS_OP_GET_FEATURE = 23,
	XS_OP_SET_FEATURE = 24,
	XS_OP_GET_QUOTA = 25,
	XS_OP_SET_QUOTA = 26,
};

#define XS_FEATURE_WATCHDEPTH 4 /* watches may be limited in depth */

/*
 * Reads the daemon's features, a domain's, or sets a domain's. All return false with errno:
 * ENOSYS from a daemon that does not know the question.
 */
bool xs_get_features_supported(struct xs_handle *h, unsigned int *features);
bool xs_get_features_domain(struct xs_handle *h, unsigned int domid, unsigned int *features);
bool xs_set_features_domain(struct xs_handle *h, unsigned int domid, unsigned int features);

/* Names of all quotas in one malloc'd block (free() it), or NULL with errno. */
const char **xs_get_quota_names(struct xs_handle *h, unsigned int *num);
bool xs_get_global_quota(struct xs_handle *h, const char *quota, unsigned int *value);
bool xs_set_global_quota(struct xs_handle *h, const char *quota, unsigned int value);
bool xs_get_domain_quota(struct xs_handle *h, unsigned int domid, const char *quota,
			 unsigned int *value);
bool xs_set_domain_quota(struct xs_handle *h, unsigned int domid, const char *quota,
			 unsigned int value);

/*
 * A handle whose connections come from somebody else: @fn returns a connected socket, which the
 * handle then owns, or -errno: -EAGAIN to be asked again soon. It runs in xs_open_with(), later,
 * whenever the connection was lost, in whichever thread waits for that, and for as long as it
 * takes: nobody gives up. It must not use the handle. For processes that may open nothing
 * themselves.
 * NULL: errno.
 */
typedef int xs_connect_fn(void *arg);
struct xs_handle *xs_open_with(xs_connect_fn *fn, void *arg);

/*
 * As xs_watch, for @path and its descendants down to @depth levels only (0: the node itself).
 * EOPNOTSUPP when the daemon cannot; the _try_ form then watches the whole subtree.
 */
bool xs_watch_depth(struct xs_handle *h, const char *path, const char *token, unsigned int depth);
bool xs_watch_try_depth(struct xs_handle *h, const char *path, const char *token,
			unsigned int depth);

#endif
