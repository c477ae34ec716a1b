/* SPDX-License-Identifier: MIT */
/*
 * compat_ls.c - the listing of xenstore-ls: depth as blanks, values cut to the width of the
 * terminal, permissions in a column. The whole subtree is read first, in one go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "compat.h"
#include "die.h"
#include "text.h"

#define NO_TTY_WIDTH 80
#define PERMS_COLUMN 60
#define FRAME_LEN ((int)strlen(" = \"...\"")) /* what a cut value needs around it */

/* Columns a line may take; 0: as many as it likes. */
static int line_width(const struct compat_opts *o)
{
	struct winsize ws;

	if (o->flat)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0)
		return ws.ws_col - 2;
	return NO_TTY_WIDTH;
}

static int print_name(const struct xs_node *n, const char *path, int depth, int width,
		      const struct compat_opts *o)
{
	if (o->flat) {
		fputs(path, stdout);
		return 0;
	}
	return printf("%*s", depth, "") + printf("%.*s", width - FRAME_LEN - depth, n->name);
}

/* Returns columns used after the value, or 0: no room left for dots. */
static int print_value(const struct xs_node *n, int used, int width, bool flat)
{
	char *text = text_escape_xenstore(n->value, n->value_len);

	if (!flat && used + (int)n->value_len + FRAME_LEN > width) {
		printf(" = \"%.*s\\...\"", width - FRAME_LEN - used, text);
		used = -1;
	} else {
		used += printf(" = \"%s\"", text);
	}
	free(text);
	return used;
}

static void print_perms(const struct xs_node *n, int used, int width, bool flat)
{
	char text[XENSTORE_PAYLOAD_MAX];
	int column = flat || width < PERMS_COLUMN ? width : PERMS_COLUMN;

	if (used >= 0) {
		putchar(' ');
		for (used++; used < column; used++)
			putchar(used & 1 ? '.' : ' ');
	}
	if (!n->perms) {
		cli_warn("\ncould not access permissions for %s", n->name);
		return;
	}
	store_perms_text(n->perms, n->perms_len, text, sizeof(text));
	printf("  (%s)", text);
}

static void print_node(const struct xs_node *root, const struct xs_node *n, int width,
		       const struct compat_opts *o)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	int depth = -1, used;

	for (const struct xs_node *up = n; up != root; up = up->parent)
		depth++;
	xs_tree_path(n, path, sizeof(path));
	used = print_name(n, path, depth, width, o);
	if (!n->value) {
		printf(":\n");
		used = -1;
	} else {
		used = print_value(n, used, width, o->flat);
	}
	if (o->prefix)
		print_perms(n, used, width, o->flat);
	putchar('\n');
}

void compat_ls(const char *path, const struct compat_opts *o)
{
	unsigned int flags = XS_TREE_VALUES | (o->prefix ? XS_TREE_PERMS : 0);
	int width = line_width(o);
	struct xs_node *root;
	int rc = xs_tree_read(store(), 0, path, -1, flags, &root);

	if (rc)
		cli_die(1, "xs_directory (%s): %s", path, strerror(-rc));
	for (struct xs_node *n = xs_tree_next(root, root); n; n = xs_tree_next(root, n))
		print_node(root, n, width, o);
	xs_tree_free(root);
}
