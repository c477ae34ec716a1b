/* SPDX-License-Identifier: MIT */
/*
 * json_out.c - store values and permissions in JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_out.h"
#include "text.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *json_b64(const void *data, size_t len)
{
	const unsigned char *s = data;
	char *out = malloc((len + 2) / 3 * 4 + 1), *p = out;

	if (!out)
		cli_die(CLI_FAIL, "out of memory");
	for (size_t i = 0; i < len; i += 3) {
		unsigned int n = s[i] << 16;

		if (i + 1 < len)
			n |= s[i + 1] << 8;
		if (i + 2 < len)
			n |= s[i + 2];
		*p++ = digits[n >> 18];
		*p++ = digits[n >> 12 & 63];
		*p++ = i + 1 < len ? digits[n >> 6 & 63] : '=';
		*p++ = i + 2 < len ? digits[n & 63] : '=';
	}
	*p = '\0';
	return out;
}

static char *b64_decode(const char *s, size_t *len)
{
	size_t in = strlen(s), pad = 0, at = 0;
	char *out;
	unsigned int n = 0;

	while (pad < in && pad < 2 && s[in - 1 - pad] == '=')
		pad++;
	if (in % 4)
		return NULL;
	out = malloc(in / 4 * 3 + 1);
	for (size_t i = 0; out && i < in; i++) {
		const char *d = s[i] == '=' ? digits : strchr(digits, s[i]);

		if (!d || (s[i] == '=' && i < in - pad)) {
			free(out);
			return NULL;
		}
		n = n << 6 | (unsigned int)(d - digits);
		if (i % 4 == 3) {
			out[at++] = n >> 16;
			out[at++] = n >> 8;
			out[at++] = n;
		}
	}
	if (out)
		out[at - pad] = '\0';
	*len = at - pad;
	return out;
}

json_t *json_value(const void *data, size_t len)
{
	char *text;
	json_t *v;

	if (text_is_text(data, len))
		return json_stringn(data, len);
	text = json_b64(data, len);
	v = json_pack("{s:s}", "@b64", text);
	free(text);
	return v;
}

char *json_bytes(const json_t *v, size_t *len)
{
	const json_t *b64 = json_is_object(v) && json_object_size(v) == 1 ?
				    json_object_get(v, "@b64") : NULL;
	char *text;

	if (b64)
		return json_is_string(b64) ? b64_decode(json_string_value(b64), len) : NULL;
	if (json_is_string(v)) {
		*len = json_string_length(v);
		text = malloc(*len + 1);
		if (text)
			memcpy(text, json_string_value(v), *len + 1);
		return text;
	}
	if (json_is_boolean(v))
		text = strdup(json_is_true(v) ? "1" : "0");
	else if (json_is_number(v))
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	else
		return NULL;
	*len = text ? strlen(text) : 0;
	return text;
}

json_t *json_perms(const char *perms, size_t len)
{
	json_t *list = json_array();

	for (size_t i = 0; perms && i < len; i += strlen(perms + i) + 1)
		json_array_append_new(list, json_string(perms + i));
	return list;
}

json_t *json_words(const char *words)
{
	json_t *list = json_array();

	json_array_append_new(list, json_string(""));
	for (const char *w = words; w; w = *w ? w + 1 : NULL) {
		size_t n = strcspn(w, "|");

		if (n)
			json_array_append_new(list, json_stringn(w, n));
		w += n;
	}
	return list;
}
