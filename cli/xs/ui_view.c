/* SPDX-License-Identifier: MIT */
/*
 * ui_view.c - t in `xs browse`: the tree, a flat list of paths, or only what is about one domain:
 * its home, record, status, history, and the other ends of its devices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "ui.h"

#define NAME_MAX_LEN 255

struct domain {
	int domid; /* -1: it does not run */
	char name[NAME_MAX_LEN + 1];
};

/* The domain that @path is about. */
static bool domain_of(const char *path, struct domain *d)
{
	static const char *const by_name[] = { "/config/domain/", "/status/domain/",
					       "/history/domain/" };

	*d = (struct domain){ .domid = -1 };
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (strncmp(path, by_name[i], strlen(by_name[i])) == 0) {
			snprintf(d->name, sizeof(d->name), "%.*s",
				 (int)strcspn(path + strlen(by_name[i]), "/"),
				 path + strlen(by_name[i]));
			d->domid = store_domid(d->name);
			return *d->name;
		}
	return sscanf(path, "/local/domain/0/backend/%*[^/]/%d", &d->domid) == 1 ||
	       sscanf(path, "/local/domain/%d", &d->domid) == 1;
}

static char *read_in_home(const struct domain *d, const char *name)
{
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%d/%s", d->domid, name);
	return store_read(0, path, NULL, &rc);
}

static void show(struct ui *u, const char *fmt, const char *name)
{
	char path[UI_PATH_MAX];

	snprintf(path, sizeof(path), fmt, name);
	model_show(&u->model, path);
}

static void show_running(struct ui *u, struct domain *d)
{
	char *name = *d->name ? NULL : read_in_home(d, "name"), *vm = read_in_home(d, "vm");
	char id[16];

	snprintf(id, sizeof(id), "%d", d->domid);
	show(u, "/local/domain/%s", id);
	show(u, "/local/domain/0/backend/*/%s", id);
	if (vm && *vm == '/')
		model_show(&u->model, vm);
	if (name)
		snprintf(d->name, sizeof(d->name), "%s", name);
	free(name);
	free(vm);
}

static void view_domain(struct ui *u)
{
	char path[UI_PATH_MAX];
	struct domain d;

	model_path(u->model.cursor, path, sizeof(path));
	if (!u->link_up || !domain_of(path, &d)) {
		model_set_view(&u->model, VIEW_TREE);
		ui_say(u, "the tree; on a domain's node t also shows what is about that domain");
		return;
	}
	model_set_view(&u->model, VIEW_SHOWN);
	if (d.domid >= 0)
		show_running(u, &d);
	if (*d.name) {
		show(u, "/config/domain/%s", d.name);
		show(u, "/status/domain/%s", d.name);
		show(u, "/history/domain/%s", d.name);
	}
	if (d.domid >= 0)
		ui_say(u, "only what is about domain %d %s", d.domid, d.name);
	else
		ui_say(u, "only what is about %s, which does not run", d.name);
}

void ui_view_next(struct ui *u)
{
	switch (u->model.view) {
	case VIEW_TREE:
		model_set_view(&u->model, VIEW_FLAT);
		ui_say(u, "xs ls -r %s", u->model.root->name);
		break;
	case VIEW_FLAT:
		view_domain(u);
		break;
	case VIEW_SHOWN:
	case VIEW_NR:
		model_set_view(&u->model, VIEW_TREE);
		ui_say(u, "xs tree %s", u->model.root->name);
		break;
	}
	for (struct ui_node *n = u->model.cursor->parent; n; n = n->parent)
		model_open(&u->model, n, true);
}
