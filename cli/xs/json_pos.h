/* SPDX-License-Identifier: MIT */
/*
 * json_pos.h - JSON together with where each value stands in its text, so that what is wrong with a
 * value can be told by line and column. The values themselves are jansson's.
 */
#ifndef STOREVISOR_XS_JSON_POS_H
#define STOREVISOR_XS_JSON_POS_H

#include <stddef.h>

#include <jansson.h>

struct json_pos {
	json_t *v;  /* valid as long as the whole; json_incref() does not keep it longer */
	int line;   /* from 1 */
	int column; /* in bytes, from 1 */
	const char *text; /* of a scalar: how it is written, in the text that was read; NULL: made */
	size_t len;
	size_t nr;  /* members or items */
	struct json_pos *kids; /* in the order of the text, which is that of iteration */
};

struct json_problem {
	int line, column;
	char text[JSON_ERROR_TEXT_LENGTH];
};

/*
 * Reads the first value of the @len bytes at @text (any bytes), which begin in line @line. Returns
 * it, and in *@used how far it reached; NULL with @why: no JSON, a member twice, nested deeper than
 * jansson's limit. Free with json_pos_free(). Exits when out of memory.
 */
struct json_pos *json_pos_read(const char *text, size_t len, int line, size_t *used,
			       struct json_problem *why);
/*
 * The same for who takes numbers as they are written: one that is beyond a double is no problem,
 * and its @v is 0.
 */
struct json_pos *json_pos_read_written(const char *text, size_t len, int line, size_t *used,
				       struct json_problem *why);
/* What a document made by a program is: values without a place (line 0). Takes @v over. */
struct json_pos *json_pos_made(json_t *v);
void json_pos_free(struct json_pos *p);

#endif
