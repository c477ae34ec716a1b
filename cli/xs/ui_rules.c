/* SPDX-License-Identifier: MIT */
/*
 * ui_rules.c - what schemas of one's own (rules.h) say to `xs browse`: of the node that it shows,
 * as they were read last, and of a value that is to be written, as they are.
 */
#include "ui_rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "name.h"
#include "ui.h"

static void read_anew(struct ui *u)
{
	rules_free(&u->rules);
	/* a daemon that does not answer has none either: the change itself will tell */
	if (rules_read(&u->rules, 0))
		rules_free(&u->rules);
	for (size_t i = 0; i < u->rules.nr; i++)
		u->rules.v[i].quiet = true;
	u->rules_known = true;
}

void ui_rules_refresh(struct ui *u)
{
	if (!u->rules_known)
		read_anew(u);
}

bool ui_rules_allow(struct ui *u, const char *path, const char *value, size_t len,
		    char why[RULES_WHY_LEN])
{
	const struct rule_value v = { value, len, RULE_ANY_KIND };

	read_anew(u);
	return rules_allow(&u->rules, path, &v, why);
}

bool ui_rules_whole(struct ui *u, const char *path, bool removed, char why[UI_RULES_WHY])
{
	const struct rules_sight s = { .gone = removed ? path : NULL, .made = removed ? NULL : path };
	struct rules_missing m;

	read_anew(u);
	/* what the daemon does not tell it will say when it is asked to change it */
	if (rules_whole(&u->rules, &s, path, NULL, &m) != -EINVAL || !*m.why)
		return true;
	snprintf(why, UI_RULES_WHY, "%s: %s", m.at, m.why);
	return false;
}

/* ---- what is shown ---- */

struct saying {
	void (*line)(void *arg, const char *text);
	void *arg;
};

static void say(const struct saying *s, const char *what, const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "%s%s", what, text);
	s->line(s->arg, line);
}

static void say_limits(const struct saying *s, const struct rule_bound *min,
		       const struct rule_bound *max)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%.50s to %s%.50s", min->beyond ? "above " : "",
		 min->set ? min->text : "any", max->beyond ? "below " : "", max->set ? max->text : "any");
	if (min->set || max->set)
		say(s, "from:  ", text);
}

static void say_json(const struct saying *s, const char *what, const json_t *v)
{
	char *text = v ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (text)
		say(s, what, text);
	free(text);
}

static void say_rule(void *arg, const struct rule *r, bool needed)
{
	const struct saying *s = arg;
	json_t *required = rule_required_json(r);
	char types[80];

	if (r->words)
		say(s, "", r->words);
	if (r->types)
		say(s, "type:  ", rule_types_text(r->types, types, sizeof(types)));
	say_limits(s, &r->minimum, &r->maximum);
	say_json(s, "words: ", r->choices);
	say_json(s, "else:  ", r->absent);
	say_json(s, "needs: ", required);
	if (needed)
		say(s, "needed", "");
	json_decref(required);
}

void ui_rules_each(const struct ui *u, const char *path,
		   void (*line)(void *arg, const char *text), void *arg)
{
	const struct saying s = { line, arg };

	for (size_t i = 0; i < u->rules.nr; i++) {
		struct rules_one *one = &u->rules.v[i];
		const char *tail = rules_tail(one->at, path);
		const struct rule *rule = tail ? rules_rule(one) : NULL;
		char *name;

		if (!tail)
			continue;
		name = name_shown(one->name);
		say(&s, rule ? "schema " : "(is no schema) ", name);
		free(name);
		if (rule)
			rule_each(rule, tail, say_rule, (void *)&s);
	}
}
