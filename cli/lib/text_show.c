/* SPDX-License-Identifier: MIT */
/* text_show.c - see text_show.h. */
#include "text_show.h"

#include <unistd.h>

#include "text.h"

/* A control character of two bytes in UTF-8: U+0080 to U+009F. */
static bool is_c1(const unsigned char *s, size_t len)
{
	return len > 1 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0;
}

bool text_is_harmless(const void *data, size_t len)
{
	const unsigned char *s = data;

	for (size_t i = 0; i < len; i++)
		if (is_c1(s + i, len - i))
			return false;
	return text_is_text(data, len);
}

static size_t put_escaped(FILE *f, unsigned char byte)
{
	fprintf(f, "\\x%02x", byte);
	return 1;
}

void text_show(FILE *f, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	if (!isatty(fileno(f))) {
		fwrite(text, 1, len, f);
		return;
	}
	for (size_t i = 0, n; i < len; i += n) {
		n = text_utf8_len(s + i, len - i);
		if (n == 1 && (s[i] == '\n' || s[i] == '\t' || (s[i] >= 0x20 && s[i] != 0x7f)))
			fputc(s[i], f);
		else if (n > 1 && !is_c1(s + i, len - i))
			fwrite(s + i, 1, n, f);
		else
			n = put_escaped(f, s[i]);
	}
}

void text_show_json(FILE *f, const char *json, size_t len)
{
	const unsigned char *s = (const unsigned char *)json;
	bool terminal = isatty(fileno(f));

	for (size_t i = 0, n; i < len; i += n) {
		for (n = 0; i + n < len && !(terminal && is_c1(s + i + n, len - i - n)); n++)
			;
		fwrite(s + i, 1, n, f);
		if (i + n < len) {
			fprintf(f, "\\u%04x", s[i + n + 1]);
			n += 2;
		}
	}
}
