/* SPDX-License-Identifier: MIT */
/* view_priv.h - what view.c and view_change.c share. */
#ifndef XENSTORED_VIEW_PRIV_H
#define XENSTORED_VIEW_PRIV_H

#include <stddef.h>

#include "view.h"

/* Finds @path without asking who wants to know. 0; -ENOENT, with out->tn set; -ENOSPC, -ENOMEM. */
int view_lookup(struct view *v, const char *path, size_t len, unsigned int seen,
		struct vnode *out);

/*
 * Finds the nearest existing ancestor of the path whose length is *@len, which becomes its
 * length. 0; -ENOENT when there is not even a root; -ENOSPC, -ENOMEM.
 */
int view_nearest(struct view *v, const char *path, size_t *len, struct vnode *out);

#endif
