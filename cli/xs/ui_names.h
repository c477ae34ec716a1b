/* SPDX-License-Identifier: MIT */
/* ui_names.h - a node's children, as DIRECTORY_PART gives them: in parts. */
#ifndef STOREVISOR_XS_UI_NAMES_H
#define STOREVISOR_XS_UI_NAMES_H

#include <stddef.h>

struct ui_names {
	char *names; /* each with its NUL; NULL: nothing has come yet */
	size_t len;
	long long gen; /* the node's generation, once there are names */
};

enum ui_part { PART_MORE, PART_LAST, PART_CHANGED };

/*
 * Appends an answer of @len bytes. PART_MORE: ask from byte n->len on; PART_CHANGED: the node is
 * another one than that of the parts before, or the answer is none.
 */
enum ui_part ui_names_take(struct ui_names *n, const char *data, size_t len);
void ui_names_fini(struct ui_names *n);

#endif
