/* SPDX-License-Identifier: MIT */
/*
 * cfg.c - the settings of a configuration: storage, places, errors. The grammar is in cfg_parse.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg.h"
#include "cfg_store.h"

static void say(struct cfg_report *rep, bool wrong, const char *text)
{
	rep->nr_wrong += wrong;
	if (!wrong || rep->nr_wrong <= CFG_WRONG_MAX)
		rep->say(rep->data, wrong, text);
}

static void say_at(struct cfg_report *rep, bool wrong, const struct cfg_pos *pos, const char *fmt,
		   va_list ap)
{
	char text[CFG_ERROR_LEN];
	int n;

	if (pos->line > 0)
		n = snprintf(text, sizeof(text), "%.400s:%d:%d: ", pos->source, pos->line,
			     pos->col);
	else
		n = snprintf(text, sizeof(text), "'%.400s' on the command line: ", pos->source);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	say(rep, wrong, text);
}

void cfg_error_at(struct cfg_report *rep, const struct cfg_pos *pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_at(rep, true, pos, fmt, ap);
	va_end(ap);
}

void cfg_remark_at(struct cfg_report *rep, const struct cfg_pos *pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_at(rep, false, pos, fmt, ap);
	va_end(ap);
}

void cfg_error(struct cfg_report *rep, const char *source, const char *text)
{
	char line[CFG_ERROR_LEN];

	snprintf(line, sizeof(line), "%.400s: %.500s", source, text);
	say(rep, true, line);
}

const char *cfg_store_source(struct cfg *cfg, const char *source)
{
	char **sources = realloc(cfg->sources, (cfg->nr_sources + 1) * sizeof(*sources));
	char *copy = strdup(source);

	if (sources)
		cfg->sources = sources;
	if (!sources || !copy) {
		free(copy);
		return NULL;
	}
	cfg->sources[cfg->nr_sources++] = copy;
	return copy;
}

void cfg_value_fini(struct cfg_value *value)
{
	for (size_t i = 0; i < value->nr_items; i++)
		cfg_value_fini(&value->items[i]);
	free(value->items);
	free(value->text);
	memset(value, 0, sizeof(*value));
}

int cfg_list_add(struct cfg_value *list, struct cfg_value *item)
{
	struct cfg_value *items = list->items;

	/* Room is doubled at each power of two. */
	if ((list->nr_items & (list->nr_items - 1)) == 0) {
		size_t room = list->nr_items ? list->nr_items * 2 : 1;

		items = realloc(items, room * sizeof(*items));
		if (!items)
			return -ENOMEM;
		list->items = items;
	}
	items[list->nr_items++] = *item;
	memset(item, 0, sizeof(*item));
	return 0;
}

static struct cfg_setting *setting_find(const struct cfg *cfg, const char *key)
{
	for (size_t i = 0; i < cfg->nr_settings; i++)
		if (strcmp(cfg->settings[i].key, key) == 0)
			return &cfg->settings[i];
	return NULL;
}

const struct cfg_setting *cfg_find(const struct cfg *cfg, const char *key)
{
	return setting_find(cfg, key);
}

static void setting_replace(struct cfg_setting *s, const struct cfg_pos *pos,
			    struct cfg_value *value)
{
	s->shadowed_line = s->pos.source == pos->source ? s->pos.line : 0;
	s->pos = *pos;
	s->wrong = false;
	cfg_value_fini(&s->value);
	s->value = *value;
	memset(value, 0, sizeof(*value));
}

static int setting_append(struct cfg_setting *s, struct cfg_value *value, struct cfg_report *rep)
{
	if (s->value.type == CFG_STRING && value->type == CFG_STRING) {
		char *joined;

		if (asprintf(&joined, "%s%s", s->value.text, value->text) < 0)
			return -ENOMEM;
		free(s->value.text);
		s->value.text = joined;
		cfg_value_fini(value);
		return 0;
	}
	if (s->value.type != CFG_LIST || value->type != CFG_LIST) {
		cfg_error_at(rep, &value->pos,
			     "%s: += joins a string to a string or a list to a list", s->key);
		return -EINVAL;
	}
	for (size_t i = 0; i < value->nr_items; i++)
		if (cfg_list_add(&s->value, &value->items[i]) < 0)
			return -ENOMEM;
	cfg_value_fini(value);
	return 0;
}

int cfg_store_set(struct cfg *cfg, const char *key, const struct cfg_pos *pos, bool append,
		  struct cfg_value *value, struct cfg_report *rep)
{
	struct cfg_setting *s = setting_find(cfg, key), *settings;

	if (s && append && !s->wrong)
		return setting_append(s, value, rep);
	if (s) {
		setting_replace(s, pos, value);
		return 0;
	}
	settings = realloc(cfg->settings, (cfg->nr_settings + 1) * sizeof(*settings));
	if (!settings)
		return -ENOMEM;
	cfg->settings = settings;
	s = &settings[cfg->nr_settings];
	memset(s, 0, sizeof(*s));
	s->key = strdup(key);
	if (!s->key)
		return -ENOMEM;
	cfg->nr_settings++;
	setting_replace(s, pos, value);
	s->shadowed_line = 0;
	return 0;
}

int cfg_store_wrong(struct cfg *cfg, const char *key, const struct cfg_pos *pos)
{
	struct cfg_value none = { 0 };
	int ret;

	if (setting_find(cfg, key))
		return 0;
	ret = cfg_store_set(cfg, key, pos, false, &none, NULL);
	if (ret == 0)
		setting_find(cfg, key)->wrong = true;
	return ret;
}

void cfg_fini(struct cfg *cfg)
{
	for (size_t i = 0; i < cfg->nr_settings; i++) {
		free(cfg->settings[i].key);
		cfg_value_fini(&cfg->settings[i].value);
	}
	for (size_t i = 0; i < cfg->nr_sources; i++)
		free(cfg->sources[i]);
	free(cfg->settings);
	free(cfg->sources);
	memset(cfg, 0, sizeof(*cfg));
}
