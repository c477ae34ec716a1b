/* SPDX-License-Identifier: MIT */
/* tree_diff.h - how two trees differ: they are walked side by side, by name. Pure. */
#ifndef STOREVISOR_XS_TREE_DIFF_H
#define STOREVISOR_XS_TREE_DIFF_H

#include <jansson.h>
#include <xs_tree.h>

/* A node that differs; NULL: there is none. */
typedef void tree_diff_fn(void *arg, const struct xs_node *was, const struct xs_node *is);

/* The roots' paths may differ; one without a value stands for no node. */
void tree_diff(const struct xs_node *was, const struct xs_node *is, tree_diff_fn *fn, void *arg);
/* {"path", "was", "is"} of one that differs, null being no node. The caller owns it. */
json_t *tree_diff_json(const struct xs_node *was, const struct xs_node *is);

#endif
