/* SPDX-License-Identifier: MIT */
/*
 * cmd_browse.c - `xs browse`: the store on the whole terminal, kept up to date. Owns the terminal
 * and the loop; the parts are ui.h's.
 */
#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "store.h"
#include "ui.h"

#define PERIOD_MS 200
#define SLOW_PERIOD_MS 1000 /* on a serial line, which takes that long for a screen */
#define SLOW_BAUD 19200
#define ESCAPE_MS 50

/* What fades or is read again by itself needs a look although nothing comes from the store. */
static bool restless(const struct ui *u)
{
	for (size_t i = u->top; i < u->model.nr_lines && i < u->top + ui_tree_rows(u); i++) {
		const struct ui_node *n = u->model.moved ? NULL : u->model.line[i];

		if (n && n->changed_ms && ui_now_ms() - n->changed_ms < UI_FLASH_MS + PERIOD_MS)
			return true;
	}
	return false;
}

static void step(struct ui *u, bool at_once)
{
	if (!at_once && !pace_due(&u->pace, ui_now_ms()))
		return;
	ui_panes_refresh(u);
	ui_read(u, ui_tree_rows(u));
	ui_draw(u);
	if (restless(u))
		pace_want(&u->pace);
}

static void loop(struct ui *u)
{
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = xs_client_fd(store()), .events = POLLIN } };

	step(u, true);
	while (!u->quit) {
		bool typed = false;
		int key;

		/* sends what step() asked for, too */
		if (xs_client_dispatch(store()) != 0)
			break;
		poll(fds, 2, pace_wait(&u->pace, ui_now_ms()));
		if (fds[0].revents & (POLLHUP | POLLERR))
			break;
		xs_client_dispatch(store());
		while ((key = getch()) != ERR) {
			typed = true;
			ui_key(u, key);
		}
		step(u, typed);
	}
}

/* Whether the terminal can place text anywhere; curses would end the program. */
static bool can_draw(void)
{
	bool can;
	int why;

	if (setupterm(NULL, STDOUT_FILENO, &why) != OK)
		return false;
	can = tigetstr("cup") > (char *)0;
	del_curterm(cur_term);
	return can;
}

static void terminal_open(struct ui *u)
{
	initscr();
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	ui_draw_init();
	u->pace.period_ms = baudrate() <= SLOW_BAUD ? SLOW_PERIOD_MS : PERIOD_MS;
}

static int instead(struct cli_args *a, char *path)
{
	char *argv[] = { path, NULL };
	struct cli_args tree = { .tool = a->tool, .cmd = &cmd_tree, .voice = a->voice, .argc = 1,
				 .argv = argv, .json = a->json };

	cli_warn("this terminal cannot place text: here is xs tree %s", path);
	return cmd_tree.run(&tree);
}

static void ui_fini(struct ui *u)
{
	ui_edit_forget(u);
	model_fini(&u->model);
	log_fini(&u->log);
	log_fini(&u->pins);
	ui_lines_clear(&u->devices);
	ui_lines_clear(&u->diff);
	ui_lines_clear(&u->found);
	ui_lines_clear(&u->keys);
	xs_tree_free(u->snapshot);
	rules_free(&u->rules);
	free(u->detail.perms);
	ui_value_fini(&u->value);
	free(u->yanked);
	free(u);
}

static void take_color(struct cli_args *a)
{
	const char *when = cli_str(a, "color", "auto");

	if (strcmp(when, "never") == 0)
		setenv("NO_COLOR", "1", 1);
	else if (strcmp(when, "always") == 0)
		unsetenv("NO_COLOR");
	else if (strcmp(when, "auto") != 0)
		cli_usage(a, "--color %s: auto, always or never is wanted", when);
}

static int run_browse(struct cli_args *a)
{
	struct ui *u;
	char *path = store_path(a->argc ? a->argv[0] : "/");
	int rc;

	take_color(a);
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		cli_die(CLI_USAGE, "browse needs a terminal; xs tree %s prints the same", path);
	rc = xs_sync_str(store(), XS_READ, 0, path, NULL, NULL);
	if (rc)
		store_failed(path, rc);
	setlocale(LC_CTYPE, "");
	if (!can_draw())
		return instead(a, path);
	u = calloc(1, sizeof(*u));
	if (!u)
		cli_die(CLI_FAIL, "out of memory");
	u->writable = cli_has(a, "write");
	u->link_up = true;
	u->pane = PANE_EVENTS;
	model_init(&u->model, path);
	ui_keys_list(&u->keys);
	xs_client_set_patience(store(), -1);
	xs_client_on_link(store(), ui_on_link, u);
	xs_client_watch(store(), path, -1, ui_on_event, u, NULL, NULL);
	terminal_open(u);
	loop(u);
	endwin();
	xs_client_on_link(store(), NULL, NULL);
	store_hang_up(); /* a change on its way ends with it */
	ui_fini(u);
	free(path);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 0, "color", "WHEN", "colours: auto (default), always, never" },
	{ 'w', "write", NULL, "values may be changed, nodes added and removed" },
	{ 0 },
};

const struct cli_cmd cmd_browse = {
	.name = "browse",
	.alias = "ui",
	.args = "[PATH]",
	.help = "the store on the whole terminal, kept up to date (? shows keys)",
	.more =
		"The bottom line shows the command that does the same. Only looks, unless -w is\n"
		"given; then each change is a transaction that holds only if what was on the\n"
		"screen is still true.\n"
		"Space shows a value on the whole screen, from where v and e hand it to $PAGER and\n"
		"$EDITOR (else Debian's pager and editor); & leaves only what holds a text, = finds\n"
		"values, o sorts by size or last change.\n"
		"Works on any terminal that can place text, without colours too (NO_COLOR).",
	.opts = opts,
	.max_args = 1,
	.example = "xs browse -w /config",
	.says = CLI_SAYS_NO_JSON,
	.run = run_browse,
};
