/* SPDX-License-Identifier: MIT */
/*
 * heard.h - what reading a configuration said: one line each.
 */
#ifndef TEST_HEARD_H
#define TEST_HEARD_H

#include "cfg.h"

extern char heard_wrong[8192], heard_remarks[8192];
extern struct cfg_report heard_report;

/* Nothing was said yet. */
void heard_reset(void);
/* Fail the test unless @text is among what was wrong, or the remarks. */
void heard_is_wrong(const char *for_what, const char *text);
void heard_remark(const char *text);

#endif
