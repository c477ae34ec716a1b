/* SPDX-License-Identifier: MIT */
/* control_json.c - see control_json.h. */
#include "control_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "text.h"

#define WORD_MAX 64

/* Text of the daemon's, as JSON can hold it. */
static json_t *text_json(const char *text, size_t len)
{
	json_t *v = json_stringn(text, len);
	char *escaped;

	if (v)
		return v;
	escaped = text_escape(text, len);
	v = json_string(escaped);
	free(escaped);
	return must(v);
}

/* What no form fits. */
static void keep(json_t *o, const char *line)
{
	json_t *lines = json_object_get(o, "lines");

	if (!lines) {
		lines = json_array();
		json_object_set_new(o, "lines", lines);
	}
	json_array_append_new(lines, text_json(line, strlen(line)));
}

/* Calls @take for each line, which ends with NUL. */
static void each_line(const char *answer, void (*take)(json_t *o, const char *line), json_t *o)
{
	char *text = must(strdup(answer)), *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		take(o, line);
	free(text);
}

static json_t *by_line(const char *answer, void (*take)(json_t *o, const char *line))
{
	json_t *o = json_object();

	each_line(answer, take, o);
	return o;
}

/* The member @name of @o, an object, made when missing. Borrowed. */
static json_t *within(json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	if (!v) {
		v = json_object();
		json_object_set_new(o, name, v);
	}
	return v;
}

static json_t *number(unsigned long long n)
{
	return json_integer((json_int_t)n);
}

static void take_stat(json_t *o, const char *line)
{
	unsigned long long n, errors;
	char name[WORD_MAX];

	switch (sscanf(line, "%63s %llu errors %llu", name, &n, &errors)) {
	case 3:
		json_object_set_new(within(o, "requests"), name,
				    json_pack("{s:o, s:o}", "count", number(n), "errors",
					      number(errors)));
		break;
	case 2:
		json_object_set_new(o, name, number(n));
		break;
	default:
		keep(o, line);
	}
}

json_t *control_json_stats(const char *answer)
{
	return by_line(answer, take_stat);
}

static void take_metric(json_t *o, const char *line)
{
	char name[WORD_MAX], label[WORD_MAX];
	unsigned long long n;

	if (line[0] == '#')
		return;
	if (sscanf(line, "%63[^{ ]{%*[^=]=\"%63[^\"]\"} %llu", name, label, &n) == 3)
		json_object_set_new(within(o, name), label, number(n));
	else if (sscanf(line, "%63s %llu", name, &n) == 2)
		json_object_set_new(o, name, number(n));
	else
		keep(o, line);
}

json_t *control_json_metrics(const char *answer)
{
	return by_line(answer, take_metric);
}

static void take_quota(json_t *o, const char *line)
{
	unsigned long long n, limit;
	char name[WORD_MAX];
	int at = 0, rest = 0;
	json_t *q;

	if (sscanf(line, "%63[^ :] : %llu%n", name, &n, &at) != 2) {
		keep(o, line);
		return;
	}
	q = within(o, name);
	if (sscanf(line + at, " of %llu%n", &limit, &rest) == 1) {
		json_object_set_new(q, "used", number(n));
		n = limit;
		at += rest;
	}
	json_object_set_new(q, line[at] ? "limit" : "peak", number(n));
	if (line[at])
		json_object_set_new(q, "meaning", text_json(line + at + 1, strlen(line + at + 1)));
}

/* To set one is answered by OK. */
json_t *control_json_quota(const char *answer)
{
	return strcmp(answer, "OK") == 0 ? control_json_ok(answer) : by_line(answer, take_quota);
}

static void take_watch(json_t *list, const char *line)
{
	unsigned long long conn;
	unsigned int domid;
	int at = 0;

	if (sscanf(line, "d%u/%llu %n", &domid, &conn, &at) == 2 && at) {
		size_t len = strcspn(line + at, " ");

		json_array_append_new(list, json_pack("{s:i, s:o, s:o, s:b}", "domid", (int)domid,
						      "connection", number(conn), "path",
						      text_json(line + at, len), "feed",
						      line[at + len] != '\0'));
	} else {
		json_array_append_new(list, text_json(line, strlen(line)));
	}
}

json_t *control_json_watches(const char *answer)
{
	json_t *list = json_array();

	each_line(answer, take_watch, list);
	return list;
}

json_t *control_json_ok(const char *answer)
{
	bool ok = strcmp(answer, "OK") == 0;
	json_t *o = json_object();

	if (!ok)
		each_line(answer, keep, o);
	json_object_set_new(o, "ok", json_boolean(ok));
	return o;
}

json_t *control_json_any(const char *answer)
{
	return json_pack("{s:o}", "answer", text_json(answer, strlen(answer)));
}

/* Before the last blank of the first @len bytes: where the last word begins. */
static size_t last_word(const char *s, size_t len)
{
	while (len && s[len - 1] != ' ')
		len--;
	return len;
}

/* "SECONDS dDOMID/CONN tTX OP TEXT RESULT NNus": the text may have blanks. */
json_t *control_json_operation(const char *line)
{
	size_t len = strcspn(line, "\n"), took_at = last_word(line, len), result_at;
	unsigned long long conn, took;
	char op[WORD_MAX];
	unsigned int domid, tx;
	double when;
	int at = 0;

	result_at = took_at ? last_word(line, took_at - 1) : 0;
	if (sscanf(line, "%lf d%u/%llu t%u %63s %n", &when, &domid, &conn, &tx, op, &at) != 5 ||
	    !at || (size_t)at > result_at || sscanf(line + took_at, "%lluus", &took) != 1)
		return json_pack("{s:o}", "line", text_json(line, len));
	return json_pack("{s:f, s:i, s:o, s:I, s:s, s:o, s:o, s:o}", "time", when, "domid",
			 (int)domid, "connection", number(conn), "tx", (json_int_t)tx, "op", op,
			 "text", text_json(line + at, result_at > (size_t)at ?
							      result_at - 1 - (size_t)at : 0),
			 "result", text_json(line + result_at, took_at - 1 - result_at), "us",
			 number(took));
}
