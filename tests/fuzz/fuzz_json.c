/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json.c - any bytes as a document of xs import: what is accepted is sorted, within the
 * limits, has its place in the text, and comes out of JSON again as the same nodes.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <xenstore.h>

#include "doc.h"
#include "fuzz.h"
#include "json_pos.h"
#include "kind.h"

static void check_wants(const struct doc *d, size_t size)
{
	for (size_t i = 0; i < d->nr; i++) {
		const struct want *w = &d->wants[i];

		FUZZ_CHECK(w->path[0] == '/' && strlen(w->path) <= XENSTORE_ABS_PATH_MAX);
		FUZZ_CHECK(!strstr(w->path, "//"));
		FUZZ_CHECK(w->line > 0 && w->column > 0 && (size_t)w->line <= size + 1);
		FUZZ_CHECK(!w->value || strlen(w->path) + 1 + w->len <= XENSTORE_PAYLOAD_MAX);
		FUZZ_CHECK(doc_find(d, w->path) != NULL);
		FUZZ_CHECK(!i || strcmp(d->wants[i - 1].path, w->path) != 0);
	}
	for (size_t i = 0; i < d->nr_roots; i++)
		FUZZ_CHECK(d->roots[i][0] == '/');
}

/* The place of a value is where it begins. */
static void check_places(const struct json_pos *p, const char *text)
{
	const char *at = text;

	for (int line = 1; line < p->line; line++)
		at = strchr(at, '\n') + 1;
	at += p->column - 1;
	if (json_is_object(p->v))
		FUZZ_CHECK(*at == '{');
	else if (json_is_array(p->v))
		FUZZ_CHECK(*at == '[');
	else if (json_is_string(p->v))
		FUZZ_CHECK(*at == '"');
	else
		FUZZ_CHECK(strchr("-0123456789tfn", *at) && *at);
	for (size_t i = 0; i < p->nr; i++) {
		const struct json_pos *kid = &p->kids[i];

		FUZZ_CHECK(!json_is_number(kid->v) || kind_fits(XS_KIND_NUMBER, kid->text, kid->len));
		check_places(kid, text);
	}
}

static void place(const char *text, size_t size)
{
	struct json_problem why;
	size_t used = 0, too = 0;
	struct json_pos *strict = json_pos_read(text, size, 1, &used, &why);
	struct json_pos *p = json_pos_read_written(text, size, 1, &too, &why);

	/* numbers of any size are all that is accepted beside */
	FUZZ_CHECK(!strict || (p && used == too));
	json_pos_free(strict);
	used = too;
	if (p) {
		FUZZ_CHECK(used <= size);
		/* a NUL inside would end the search for lines early */
		if (!memchr(text, '\0', used))
			check_places(p, text);
	} else {
		FUZZ_CHECK(why.line > 0 && why.text[0]);
	}
	json_pos_free(p);
}

/* A document whose members are documents. */
static void parts(const char *text, size_t size)
{
	struct doc when = { .allow_null = true, .any_value = true, .quiet = true };
	struct doc then = { .allow_null = true, .quiet = true };
	const struct doc_part list[] = { { "if", &when }, { "then", &then }, { NULL, NULL } };
	unsigned int nr_errors = 0;

	doc_read_parts("fuzz", text, size, list, &nr_errors);
	if (!nr_errors)
		check_wants(&then, size);
	doc_free(&when);
	doc_free(&then);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct doc d = { .name = "fuzz", .allow_null = true, .quiet = true };
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	doc_read(&d, text, size, "/");
	if (!d.nr_errors)
		check_wants(&d, size);
	doc_free(&d);
	parts(text, size);
	place(text, size);
	free(text);
	return 0;
}
