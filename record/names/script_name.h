/* SPDX-License-Identifier: MIT */
/*
 * script_name.h - the name of a disk that a script makes: script:SCRIPT:WHAT, the script's file
 * name or path, and what it is told to make, in its own words. Pure.
 */
#ifndef STOREVISOR_SCRIPT_NAME_H
#define STOREVISOR_SCRIPT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define SCRIPT_NAME_MAX 127

struct script_name {
	char script[SCRIPT_NAME_MAX + 1];
	const char *what; /* in the text that was read */
};

/* Whether @text means such a disk, right or wrong. */
bool script_name_is(const char *text);

/* NULL with @text in @name, or what is wrong with it. */
const char *script_name_parse(const char *text, struct script_name *name);

#endif
