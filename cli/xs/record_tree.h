/* SPDX-License-Identifier: MIT */
/*
 * record_tree.h - a record as a subtree of the store (xs_tree.h), into its keys.
 */
#ifndef STOREVISOR_XS_RECORD_TREE_H
#define STOREVISOR_XS_RECORD_TREE_H

#include "record_keys.h"

struct xs_node;

/* Adds what is below @dir to @keys. Ends the program without memory. */
void record_keys_of_tree(struct record_keys *keys, const struct xs_node *dir);

#endif
