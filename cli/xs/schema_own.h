/* SPDX-License-Identifier: MIT */
/*
 * schema_own.h - `xs schema add`, `list`, `show`, `rm`: schemas of one's own in the store
 * (rules.h).
 */
#ifndef STOREVISOR_XS_SCHEMA_OWN_H
#define STOREVISOR_XS_SCHEMA_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct cli_args;
struct rules_one;

/* Each returns the exit status; argv[0] is its word, which has been looked at. */
int schema_own_add(struct cli_args *a);
int schema_own_list(struct cli_args *a);
int schema_own_show(struct cli_args *a);
int schema_own_remove(struct cli_args *a);

/* Name and place of @one as people type them. The caller owns it. */
json_t *schema_own_json(const struct rules_one *one);
/*
 * schema_explain.c. For `xs explain`: what all schemas say of @path, as lines or, with @json, as a
 * list; the caller owns it. *@nr says how many schemas do. No store is no schema.
 */
json_t *schema_own_explain(const char *path, bool json, size_t *nr);

#endif
