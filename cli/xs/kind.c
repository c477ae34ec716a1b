/* SPDX-License-Identifier: MIT */
/* kind.c - see kind.h. */
#include "kind.h"

#include <ctype.h>
#include <string.h>

#include "json_out.h"

static const struct {
	const char *name, *words;
} kinds[XS_KIND_NR] = {
	[XS_KIND_TEXT] = { "text", "text" },
	[XS_KIND_NUMBER] = { "number", "a number" },
	[XS_KIND_BOOL] = { "boolean", "true or false" },
	[XS_KIND_NULL] = { "null", "null" },
	[XS_KIND_OBJECT] = { "object", "an object" },
	[XS_KIND_LIST] = { "list", "a list" },
};

const char *kind_name(enum xs_kind kind)
{
	return kind < XS_KIND_NR ? kinds[kind].name : "text";
}

const char *kind_words(enum xs_kind kind)
{
	return kind < XS_KIND_NR ? kinds[kind].words : "text";
}

bool kind_named(const char *name, enum xs_kind *out)
{
	for (unsigned int i = 0; i < XS_KIND_NR; i++) {
		*out = (enum xs_kind)i;
		if (strcmp(kinds[i].name, name) == 0)
			return true;
	}
	return false;
}

enum xs_kind kind_of(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_INTEGER:
	case JSON_REAL:
		return XS_KIND_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return XS_KIND_BOOL;
	case JSON_NULL:
		return XS_KIND_NULL;
	case JSON_ARRAY:
		return XS_KIND_LIST;
	case JSON_OBJECT:
		/* bytes that are no text are no object */
		return json_object_get(v, "@b64") ? XS_KIND_TEXT : XS_KIND_OBJECT;
	case JSON_STRING:
		break;
	}
	return XS_KIND_TEXT;
}

static size_t digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)s[n]))
		n++;
	return n;
}

/* RFC 8259, section 6. */
static bool is_number(const char *s, size_t len)
{
	size_t at = len && s[0] == '-', n = digits(s + at, len - at);

	if (!n || (n > 1 && s[at] == '0'))
		return false;
	at += n;
	if (at < len && s[at] == '.') {
		n = digits(s + at + 1, len - at - 1);
		if (!n)
			return false;
		at += 1 + n;
	}
	if (at < len && (s[at] == 'e' || s[at] == 'E')) {
		at++;
		at += at < len && (s[at] == '+' || s[at] == '-');
		n = digits(s + at, len - at);
		if (!n)
			return false;
		at += n;
	}
	return at == len;
}

bool kind_fits(enum xs_kind kind, const char *value, size_t len)
{
	switch (kind) {
	case XS_KIND_NUMBER:
		return is_number(value, len);
	case XS_KIND_BOOL:
		return len == 1 && (value[0] == '0' || value[0] == '1');
	case XS_KIND_NULL:
	case XS_KIND_OBJECT:
	case XS_KIND_LIST:
		return len == 0;
	case XS_KIND_TEXT:
	case XS_KIND_NR:
		break;
	}
	return true;
}

/* Every text that JSON can hold is one there. */
static json_t *text_json(const char *value, size_t len)
{
	json_t *v = json_stringn(value, len);

	return v ? v : json_value(value, len);
}

/* A number beyond an int64_t is near enough, where numbers are compared. */
static json_t *number_json(const char *value, size_t len)
{
	json_t *v = json_loadb(value, len, JSON_DECODE_ANY, NULL);

	return v ? v : json_loadb(value, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
}

json_t *kind_json(enum xs_kind kind, const char *value, size_t len)
{
	json_t *v = NULL;

	if (!kind_fits(kind, value, len))
		return text_json(value, len);
	if (kind == XS_KIND_NUMBER)
		v = number_json(value, len);
	else if (kind == XS_KIND_BOOL)
		v = json_boolean(value[0] == '1');
	else if (kind == XS_KIND_NULL)
		v = json_null();
	else if (kind == XS_KIND_OBJECT)
		v = json_object();
	else if (kind == XS_KIND_LIST)
		v = json_array();
	return v ? v : text_json(value, len);
}
