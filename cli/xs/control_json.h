/* SPDX-License-Identifier: MIT */
/*
 * control_json.h - the daemon's answers to CONTROL, which are text for people and scrapers, as
 * JSON. A line that is of no known form is kept as it is, in "lines". Pure.
 */
#ifndef STOREVISOR_XS_CONTROL_JSON_H
#define STOREVISOR_XS_CONTROL_JSON_H

#include <jansson.h>

/* Makes JSON of an answer. The caller owns it. */
typedef json_t *control_json_fn(const char *answer);

/* {"nodes":7,...,"requests":{"READ":{"count":9,"errors":0},...}} */
json_t *control_json_stats(const char *answer);
/* {"xenstored_nodes":7,...,"xenstored_requests_total":{"READ":9,...}} */
json_t *control_json_metrics(const char *answer);
/* {"nodes":{"limit":1000,"used":7,"meaning":"..."},...}; of peaks {"nodes":{"peak":7},...} */
json_t *control_json_quota(const char *answer);
/* [{"domid":0,"connection":3,"path":"/a","feed":false},...] */
json_t *control_json_watches(const char *answer);
/* {"ok":true}, or {"ok":false,"lines":[...]} */
json_t *control_json_ok(const char *answer);
/* {"answer":"..."} */
json_t *control_json_any(const char *answer);
/* One line of CONTROL monitor, with or without its end. */
json_t *control_json_operation(const char *line);

#endif
