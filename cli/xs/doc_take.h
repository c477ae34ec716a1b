/* SPDX-License-Identifier: MIT */
/*
 * doc_take.h - from values of JSON to the nodes that a document wants: doc_take.c has the natural
 * form, doc_exact.c the lines of the exact one. For them and doc_read.c only. @p->path is the
 * node's, of any text; every problem is told (doc_place.h).
 */
#ifndef STOREVISOR_XS_DOC_TAKE_H
#define STOREVISOR_XS_DOC_TAKE_H

#include "doc_place.h"

/* The value at @p and all in it; p->path is of doc_keep(), or a program's own word. */
void doc_take_node(struct doc *d, const struct place *p);
/* Its value, kind, permissions, as @v has them. */
void doc_take_value(struct doc *d, const struct place *p, struct want *w, const json_t *v);
void doc_take_kind(struct doc *d, const struct place *p, struct want *w, const json_t *v);
void doc_take_perms(struct doc *d, const struct place *p, struct want *w, const json_t *v);
/* Whether a message of the protocol has room for @w. */
void doc_check_limits(struct doc *d, const struct place *p, const struct want *w);
/* Whether the store may have a node at @path. */
bool doc_path_ok(const char *path);

/* Whether a text that begins with @v has the exact form; one of its lines. */
bool doc_is_exact(const json_t *v);
void doc_take_line(struct doc *d, const struct json_pos *pos);

#endif
