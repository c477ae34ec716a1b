/* SPDX-License-Identifier: MIT */
/*
 * past.h - PATH@REV: what the persistent part of the store was like at a revision.
 */
#ifndef STOREVISOR_XS_PAST_CLI_H
#define STOREVISOR_XS_PAST_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include <xs_past_reader.h>

/* As REV: what is there now. */
#define PAST_NOW UINT64_MAX

/*
 * Whether @typed is PATH@REV; then PATH, as store_path(), malloc'd, in *@path. A node that has all
 * of it as its path goes first. Ends the program when there is no store.
 */
bool past_named(const char *typed, char **path, uint64_t *rev);
/* The revision that the word names. Ends the program when it is none. */
uint64_t past_revision(const char *word);

/* The tree at @rev, or now; at a revision that has no such node one without children or value. */
struct xs_node *past_tree(const char *path, uint64_t rev);
/* The same, of a node that has to be there. */
struct xs_node *past_tree_there(const char *path, uint64_t rev);

/* xs_past_log() of all; an error ends the program, 1 of @fn the log. */
void past_log(const char *path, xs_past_fn *fn, void *arg);
/* Ends the program with words for what was answered about @path. */
_Noreturn void past_failed(const char *path, int rc);

#endif
