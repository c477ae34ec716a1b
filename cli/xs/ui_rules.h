/* SPDX-License-Identifier: MIT */
/* ui_rules.h - schemas of one's own in `xs browse`. */
#ifndef STOREVISOR_XS_UI_RULES_H
#define STOREVISOR_XS_UI_RULES_H

#include "rules_whole.h"

#define UI_RULES_WHY (XENSTORE_ABS_PATH_MAX + RULES_WHY_LEN + 3)

struct ui;

/*
 * Reads them, once, and anew after a change that was seen and where everything is. Waits for the
 * daemon, which has to be there.
 */
void ui_rules_refresh(struct ui *u);
/*
 * Whether they let @value be at @path, as they are now; if not, @why is a sentence. Waits as the
 * above. They are not read again by the transaction that writes: one added since is not asked.
 */
bool ui_rules_allow(struct ui *u, const char *path, const char *value, size_t len,
		    char why[RULES_WHY_LEN]);
/*
 * The same of what has to be there, as if @path had been written, or been @removed. What is missing
 * otherwise is told, too.
 */
bool ui_rules_whole(struct ui *u, const char *path, bool removed, char why[UI_RULES_WHY]);
/* Calls @line for each line that they have to say of @path, as they were read last. */
void ui_rules_each(const struct ui *u, const char *path,
		   void (*line)(void *arg, const char *text), void *arg);

#endif
