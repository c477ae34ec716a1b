/* SPDX-License-Identifier: MIT */
/* control_text.h - answers of CONTROL that come in parts, as one text. */
#ifndef STOREVISOR_XS_CONTROL_TEXT_H
#define STOREVISOR_XS_CONTROL_TEXT_H

/*
 * Asks with the @n words; of a daemon that cuts its answer and says so, again for the rest. *@out
 * is malloc'd, with all lines. 0 or -errno, as xs_sync().
 */
int control_text(int n, const char *const *words, char **out);

#endif
