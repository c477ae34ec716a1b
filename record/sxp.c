/* SPDX-License-Identifier: MIT */
/*
 * sxp.c - see sxp.h. First the expression as a tree of lists, then the tree as settings.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cfg_store.h"
#include "sxp.h"

/* ---- the tree ---- */

static bool is_atom_byte(int c)
{
	return c != EOF && c > ' ' && c != 0x7f && !strchr("()'\"#", c);
}

/* A bare word; a number if it looks like one, so that (hap 0) asks for nothing as hap = 0 does. */
static int take_atom(struct parser *p, struct cfg_value *value)
{
	size_t start = p->at;
	char *end;

	while (is_atom_byte(scan_peek(p)))
		scan_advance(p);
	value->text = strndup(p->text + start, p->at - start);
	if (!value->text)
		return -ENOMEM;
	errno = 0;
	value->num = strtoll(value->text, &end, 0);
	value->type = *end || errno ? CFG_STRING : CFG_INT;
	return 0;
}

static int take_list(struct parser *p, int depth, struct cfg_value *list);

static int take_item(struct parser *p, int depth, struct cfg_value *item)
{
	int c = scan_peek(p);
	char buf[16];

	item->pos = scan_here(p);
	if (c == '(')
		return take_list(p, depth + 1, item);
	if (c == '\'' || c == '"')
		return scan_string(p, "(...)", item);
	if (is_atom_byte(c))
		return take_atom(p, item);
	cfg_error_at(p->rep, &item->pos, "%s cannot stand in an s-expression",
		     scan_describe(c, buf));
	return -EINVAL;
}

static int take_list(struct parser *p, int depth, struct cfg_value *list)
{
	struct cfg_pos open = scan_here(p);
	struct cfg_value item = { 0 };
	int ret = 0;

	list->type = CFG_LIST;
	list->pos = open;
	if (depth > CFG_DEPTH_MAX) {
		cfg_error_at(p->rep, &open, "s-expressions go %d deep at most", CFG_DEPTH_MAX);
		return -EINVAL;
	}
	scan_advance(p);
	while (!ret) {
		scan_skip(p, true);
		if (scan_peek(p) == ')') {
			scan_advance(p);
			return 0;
		}
		if (scan_peek(p) == EOF) {
			cfg_error_at(p->rep, &open, "the '(' here is not closed");
			return -EINVAL;
		}
		ret = take_item(p, depth, &item);
		if (!ret)
			ret = cfg_list_add(list, &item);
	}
	cfg_value_fini(&item);
	return ret;
}

/* ---- the tree as settings ---- */

/* The word a list begins with; "" when it does not. */
static const char *head(const struct cfg_value *list)
{
	bool named = list->type == CFG_LIST && list->nr_items && list->items[0].text;

	return named ? list->items[0].text : "";
}

/* The text of (KEY VALUE) inside @list; NULL when there is none. */
static const char *text_of(const struct cfg_value *list, const char *key)
{
	for (size_t i = 1; i < list->nr_items; i++) {
		const struct cfg_value *item = &list->items[i];

		if (strcmp(head(item), key) == 0 && item->nr_items == 2 && item->items[1].text)
			return item->items[1].text;
	}
	return NULL;
}

/* @pos: where the key stands. */
static int set(struct parser *p, const char *key, const struct cfg_pos *pos,
	       const struct cfg_value *atom)
{
	struct cfg_value value = {
		.type = atom->type, .pos = atom->pos, .num = atom->num, .text = strdup(atom->text)};
	int ret = value.text ? cfg_store_set(p->cfg, key, pos, false, &value, p->rep) : -ENOMEM;

	cfg_value_fini(&value);
	return ret;
}

/* Adds one string to the list setting @key. Takes @text over. */
static int append(struct parser *p, const char *key, const struct cfg_pos *pos, char *text)
{
	struct cfg_value list = { .type = CFG_LIST, .pos = *pos };
	struct cfg_value item = { .type = CFG_STRING, .pos = *pos, .text = text };
	int ret = text ? cfg_list_add(&list, &item) : -ENOMEM;

	if (!ret)
		ret = cfg_store_set(p->cfg, key, pos, true, &list, p->rep);
	cfg_value_fini(&item);
	cfg_value_fini(&list);
	return ret;
}

/* In the form in which a path may have commas. As xend: what does not say so is not written to. */
static int add_disk(struct parser *p, const struct cfg_value *dev)
{
	const char *uname = text_of(dev, "uname"), *name = text_of(dev, "dev");
	const char *mode = text_of(dev, "mode");
	char *text;

	if (asprintf(&text, "vdev=%s,access=%s,target=%s", name ? name : "", mode ? mode : "r",
		     uname ? uname : "") < 0)
		text = NULL;
	return append(p, "disk", &dev->pos, text);
}

/* What is said by name, and means something here, as "KEY=VALUE,..." of list setting @list. */
static int add_named(struct parser *p, const struct cfg_value *dev, const char *list,
		     const char *const *keys)
{
	char *text = strdup("");

	for (; text && *keys; keys++) {
		const char *value = text_of(dev, *keys);
		char *longer;

		if (!value)
			continue;
		if (asprintf(&longer, "%s%s%s=%s", text, *text ? "," : "", *keys, value) < 0)
			longer = NULL;
		free(text);
		text = longer;
	}
	return append(p, list, &dev->pos, text);
}

static const char *const vif_keys[] = { "mac",	"bridge", "script", "ip", "vifname",
					"gatewaydev", "type", "rate", NULL };
static const char *const vfb_keys[] = { "type",	     "vnc",	  "vnclisten", "vncdisplay",
					"vncunused", "vncpasswd", NULL };

/* (device (KIND ...)): a kind without a meaning here becomes a key, for cfg_keys.c to judge. */
static int add_device(struct parser *p, const struct cfg_value *device)
{
	const struct cfg_value *dev = device->nr_items > 1 ? &device->items[1] : device;
	const char *kind = head(dev);

	if (strcmp(kind, "vbd") == 0 || strcmp(kind, "tap") == 0 || strcmp(kind, "tap2") == 0)
		return add_disk(p, dev);
	if (strcmp(kind, "vif") == 0)
		return add_named(p, dev, "vif", vif_keys);
	if (strcmp(kind, "vfb") == 0)
		return add_named(p, dev, "vfb", vfb_keys);
	if (strcmp(kind, "console") == 0 || strcmp(kind, "vkbd") == 0)
		return 0;
	if (dev == device || !*kind) {
		cfg_error_at(p->rep, &device->pos, "device: (vbd ...) or (vif ...) is missing");
		return -EINVAL;
	}
	return append(p, kind, &dev->pos, strdup("?"));
}

static int set_scalar(struct parser *p, const char *key, const struct cfg_value *list)
{
	const struct cfg_value *value = list->nr_items == 2 ? &list->items[1] : NULL;

	/* (features) and (cpus ()) say nothing. */
	if (list->nr_items < 2 || (value && value->type == CFG_LIST && !value->nr_items))
		return 0;
	if (!value || !value->text)
		return append(p, key, &list->pos, strdup("?"));
	return set(p, key, &list->pos, value);
}

/* The CPUs of one list as cpus = '...' has them, malloc'd; of an empty one any will do. */
static char *cpus_of(const struct cfg_value *list)
{
	char *text = strdup(list->nr_items ? "" : "all");

	for (size_t i = 0; text && i < list->nr_items; i++) {
		const char *cpu = list->items[i].text;
		char *longer;

		if (asprintf(&longer, "%s%s%s", text, *text ? "," : "", cpu ? cpu : "?") < 0)
			longer = NULL;
		free(text);
		text = longer;
	}
	return text;
}

/* Whether lists inside @list, or it itself, name a CPU. */
static bool names_cpus(const struct cfg_value *list)
{
	for (size_t i = 0; i < list->nr_items; i++)
		if (list->items[i].type != CFG_LIST || list->items[i].nr_items)
			return true;
	return false;
}

/* (cpus ((0 1) ())), a list for each virtual CPU; (cpus (0 1)), one for all; (cpus (())), none. */
static int add_cpus(struct parser *p, const struct cfg_value *list)
{
	const struct cfg_value *value = list->nr_items == 2 ? &list->items[1] : NULL;
	struct cfg_value all = { .type = CFG_STRING, .pos = list->pos };
	int ret = 0;

	if (!value || value->type != CFG_LIST)
		return set_scalar(p, "cpus", list);
	if (!names_cpus(value))
		return 0;
	for (size_t i = 0; i < value->nr_items && value->items[0].type == CFG_LIST && !ret; i++)
		ret = append(p, "cpus", &list->pos, cpus_of(&value->items[i]));
	if (ret || value->items[0].type == CFG_LIST)
		return ret;
	all.text = cpus_of(value);
	ret = all.text ? set(p, "cpus", &list->pos, &all) : -ENOMEM;
	free(all.text);
	return ret;
}

/* (image (linux (kernel ..) (ramdisk ..) (root ..) (args ..))) */
static int add_image(struct parser *p, const struct cfg_value *list)
{
	const struct cfg_value *image = list->nr_items > 1 ? &list->items[1] : list;
	int ret = 0;

	if (image == list || !*head(image)) {
		cfg_error_at(p->rep, &list->pos, "image: (linux (kernel ...)) is missing");
		return -EINVAL;
	}
	ret = set(p, "builder", &image->pos, &image->items[0]);
	for (size_t i = 1; i < image->nr_items && !ret; i++) {
		const struct cfg_value *item = &image->items[i];
		const char *key = head(item);

		if (strcmp(key, "args") == 0)
			key = "extra";
		/* What xend added to every image it printed. */
		if (strcmp(key, "device_model") == 0 || strcmp(key, "notes") == 0 ||
		    strcmp(key, "videoram") == 0)
			continue;
		ret = set_scalar(p, key, item);
	}
	return ret;
}

/* What a running domain was, not what it shall be. */
static bool is_observation(const char *key)
{
	static const char *const keys[] = { "domid",	"status",      "state",
					    "cpu_time",	"start_time",  "online_vcpus",
					    "store_mfn", "console_mfn", "shutdown_reason",
					    "cpuid",	"vcpu_avail",  "pool_name" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static int add_top(struct parser *p, const struct cfg_value *item)
{
	const char *key = head(item);

	if (!*key) {
		cfg_error_at(p->rep, &item->pos, "(KEY VALUE) is expected here");
		return -EINVAL;
	}
	if (strcmp(key, "image") == 0)
		return add_image(p, item);
	if (strcmp(key, "device") == 0)
		return add_device(p, item);
	if (strcmp(key, "cpus") == 0)
		return add_cpus(p, item);
	return is_observation(key) ? 0 : set_scalar(p, key, item);
}

int sxp_read(struct parser *p)
{
	struct cfg_value top = { 0 };
	char buf[16];
	int ret = take_list(p, 1, &top);

	if (!ret && strcmp(head(&top), "vm") != 0 && strcmp(head(&top), "domain") != 0) {
		cfg_error_at(p->rep, &top.pos, "an s-expression must be (vm ...) or (domain ...)");
		ret = -EINVAL;
	}
	for (size_t i = 1; i < top.nr_items && !ret; i++)
		ret = add_top(p, &top.items[i]);
	if (!ret) {
		struct cfg_pos pos;

		scan_skip(p, true);
		pos = scan_here(p);
		if (scan_peek(p) != EOF) {
			cfg_error_at(p->rep, &pos, "%s after the end of the s-expression",
				     scan_describe(scan_peek(p), buf));
			ret = -EINVAL;
		}
	}
	cfg_value_fini(&top);
	return ret;
}

static int read_setting(struct parser *p)
{
	struct cfg_value item = { 0 };
	char buf[16];
	int ret;

	if (scan_peek(p) == '(') {
		ret = take_list(p, 1, &item);
		if (!ret && !*head(&item)) {
			cfg_error_at(p->rep, &item.pos, "(KEY VALUE) is expected here");
			ret = -EINVAL;
		}
		if (!ret)
			ret = set_scalar(p, head(&item), &item);
	} else {
		item.pos = scan_here(p);
		cfg_error_at(p->rep, &item.pos, "%s where (KEY VALUE) is expected",
			     scan_describe(scan_peek(p), buf));
		ret = -EINVAL;
	}
	cfg_value_fini(&item);
	return ret;
}

int sxp_read_settings(struct parser *p)
{
	int ret = 0;

	for (scan_skip(p, true); scan_peek(p) != EOF && !ret; scan_skip(p, true))
		ret = read_setting(p);
	return ret;
}
