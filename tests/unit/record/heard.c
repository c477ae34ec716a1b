/* SPDX-License-Identifier: MIT */
/* heard.c - see heard.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "heard.h"

char heard_wrong[8192], heard_remarks[8192];

static void say(void *data, bool wrong, const char *text)
{
	char *to = wrong ? heard_wrong : heard_remarks;

	(void)data;
	assert_true(strlen(to) + strlen(text) + 2 < sizeof(heard_wrong));
	strcat(to, text);
	strcat(to, "\n");
}

struct cfg_report heard_report = { .say = say };

void heard_reset(void)
{
	heard_report.nr_wrong = 0;
	heard_wrong[0] = heard_remarks[0] = '\0';
}

void heard_is_wrong(const char *for_what, const char *text)
{
	if (!strstr(heard_wrong, text))
		fail_msg("for %s: '%s' does not say '%s'", for_what, heard_wrong, text);
}

void heard_remark(const char *text)
{
	if (!strstr(heard_remarks, text))
		fail_msg("'%s' does not say '%s'", heard_remarks, text);
}
