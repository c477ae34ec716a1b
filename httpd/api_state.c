/* SPDX-License-Identifier: MIT */
/* api_state.c - /metrics and /v1/watches: what the daemon tells of itself. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "api.h"
#include "conn.h"
#include "control_json.h"
#include "control_text.h"
#include "die.h"
#include "side.h"

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

void api_metrics(struct conn *c, const char *rest)
{
	static const char *const words[] = { "metrics" };
	char *text;
	int rc = control_text(1, words, &text);

	(void)rest;
	if (rc)
		side_error(c, "/metrics", rc);
	else
		conn_answer_own(c, 200, OPENMETRICS, NULL, text, strlen(text));
}

void api_watches(struct conn *c, const char *rest)
{
	static const char *const words[] = { "watches" };
	char *text, *body;
	json_t *list;
	int rc = control_text(1, words, &text);

	(void)rest;
	if (rc) {
		side_error(c, "/v1/watches", rc);
		return;
	}
	list = control_json_watches(text);
	body = must(json_dumps(list, JSON_COMPACT));
	json_decref(list);
	free(text);
	conn_answer_own(c, 200, CONN_TYPE_JSON, NULL, body, strlen(body));
}
