/* SPDX-License-Identifier: MIT */
/*
 * ui_yank.c - y and Y in `xs browse`: text to the terminal's clipboard, by the sequence (OSC 52)
 * that its description has under "Ms"; a terminal without one keeps it for Ctrl-Y only.
 */
#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

#include "die.h"
#include "doc_write.h"
#include "json_out.h"
#include "long_value.h"
#include "store.h"
#include "ui.h"

#define CLIPBOARD_MAX 50000 /* terminals take some 74 KB of base64 */

/* Keeps @text, which is taken over, and offers it to the terminal. */
static void yank(struct ui *u, char *text, const char *command)
{
	const char *set = tigetstr("Ms");
	size_t len = strlen(text);
	char *code;

	free(u->yanked);
	u->yanked = text;
	if (!set || set == (char *)-1 || len > CLIPBOARD_MAX) {
		ui_say(u, "Ctrl-Y types it; the clipboard cannot take it: %s", command);
		return;
	}
	code = json_b64(text, len);
	putp(tparm(set, "c", code));
	fflush(stdout);
	free(code);
	ui_say(u, "copied: %s", command);
}

void ui_yank_path(struct ui *u)
{
	char path[UI_PATH_MAX];

	model_path(u->model.cursor, path, sizeof(path));
	yank(u, must(strdup(path)), path);
}

void ui_yank_json(struct ui *u)
{
	char path[UI_PATH_MAX], command[UI_PATH_MAX + 32];
	const struct doc_style style = { .compact = true };
	struct xs_node *tree;
	char *text = NULL;
	size_t len;
	FILE *f;
	int rc;

	model_path(u->model.cursor, path, sizeof(path));
	rc = u->link_up ? long_tree_read(0, path, -1, XS_TREE_VALUES | XS_TREE_KINDS |
					 XS_TREE_SORT, &tree) :
			  -EIO;
	if (rc) {
		ui_say(u, "%s: %s", path, cli_words(rc));
		return;
	}
	f = must(open_memstream(&text, &len));
	doc_write(f, tree, path, &style);
	fclose(f);
	xs_tree_free(tree);
	snprintf(command, sizeof(command), "xs export --relative %s", path);
	yank(u, must(text), command);
}
