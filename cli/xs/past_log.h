/* SPDX-License-Identifier: MIT */
/* past_log.h - one record of CONTROL log, for people and as JSON. */
#ifndef STOREVISOR_XS_PAST_LOG_H
#define STOREVISOR_XS_PAST_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <xs_past_reader.h>

/* "2026-11-30 01:02:03", of this machine's clock and zone. */
void past_when(uint64_t time_ns, char *out, size_t size);
/* "xm (uid 0)", "d3": the program's name is what it says of itself. */
void past_who(const struct xs_past *r, char *out, size_t size);
/* {"revision", "when", "who", "path", "value"}, null being what was removed. The caller owns it. */
json_t *past_log_json(const struct xs_past_view *v);

#endif
