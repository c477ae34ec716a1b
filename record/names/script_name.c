/* SPDX-License-Identifier: MIT */
/* script_name.c - see script_name.h. */
#include "script_name.h"

#include <stdio.h>
#include <string.h>

#include "card.h"

#define PREFIX "script:"

bool script_name_is(const char *text)
{
	return !strncmp(text, PREFIX, strlen(PREFIX));
}

/* A disk line can say all but blanks at its ends, a terminal shows all but control characters. */
static bool what_ok(const char *what)
{
	const char *s = what;

	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return s > what && *what != ' ' && s[-1] != ' ';
}

const char *script_name_parse(const char *text, struct script_name *name)
{
	const char *script = text + strlen(PREFIX), *colon = strchr(script, ':');
	int len = colon ? (int)(colon - script) : -1;

	if (len <= 0 || len > SCRIPT_NAME_MAX)
		return "write script:SCRIPT:WHAT, such as script:block-drbd:mail";
	snprintf(name->script, sizeof(name->script), "%.*s", len, script);
	if (!card_script_ok(name->script) || (*name->script != '/' && strchr(name->script, '/')))
		return "the script must be a file name, or a path, without blanks, quotes and shell "
		       "characters";
	name->what = colon + 1;
	return what_ok(name->what) ? NULL : "what the script is to make is missing, or begins or "
					    "ends with a blank";
}
