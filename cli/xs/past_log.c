/* SPDX-License-Identifier: MIT */
/* past_log.c - see past_log.h. */
#include "past_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json_out.h"
#include "text.h"

void past_when(uint64_t time_ns, char *out, size_t size)
{
	time_t t = (time_t)(time_ns / 1000000000u);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, size, "%F %T", &tm);
}

void past_who(const struct xs_past *r, char *out, size_t size)
{
	char *name = text_escape(r->program, strlen(r->program));

	if (r->domid)
		snprintf(out, size, "d%u", r->domid);
	else
		snprintf(out, size, "%s (uid %u)", name[0] ? name : "?", r->uid);
	free(name);
}

json_t *past_log_json(const struct xs_past_view *v)
{
	bool gone = v->rec.kind == XS_PAST_DEL;
	char *path = text_escape(v->path, v->rec.path_len);
	char time_text[32], who_text[80];
	json_t *o;

	past_when(v->rec.time_ns, time_text, sizeof(time_text));
	past_who(&v->rec, who_text, sizeof(who_text));
	o = json_pack("{s:I, s:s, s:s, s:s, s:o}", "revision", (json_int_t)v->rec.rev, "when",
		      time_text, "who", who_text, "path", path, "value",
		      gone ? json_null() : json_value(v->value, v->rec.value_len));
	free(path);
	return o;
}
