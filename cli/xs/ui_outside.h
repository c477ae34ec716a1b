/* SPDX-License-Identifier: MIT */
/*
 * ui_outside.h - `xs browse` lends its terminal to another program: $PAGER, $EDITOR. The store goes
 * on being listened to meanwhile.
 */
#ifndef STOREVISOR_XS_UI_OUTSIDE_H
#define STOREVISOR_XS_UI_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>

#define UI_OUTSIDE_NAME 4096

struct ui;

/* @text, @len bytes fit for a terminal, to $PAGER (else Debian's pager). Says what goes wrong. */
void ui_outside_page(struct ui *u, const char *text, size_t len);

/*
 * Has @text changed in $VISUAL or $EDITOR (else Debian's editor), in a file only its user can read.
 * True: *@out is what it is now, malloc'd, *@out_len bytes and a NUL. False after saying why not. A
 * newline at the end that only the editor put there is taken off.
 */
bool ui_outside_edit(struct ui *u, const char *text, size_t len, char **out, size_t *out_len);
/* Puts what an editor left, and was not written, into a file only its user can read: its @name. */
bool ui_outside_keep(const char *text, size_t len, char name[UI_OUTSIDE_NAME]);

#endif
