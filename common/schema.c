/* SPDX-License-Identifier: MIT */
/*
 * schema.c - finding a path's row, and what its type lets pass. The rows themselves:
 * docs/store-paths.md, by way of schema_gen.py.
 */
#include "schema.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct schema_row rows[] = {
#include "schema_rows.h"
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct {
	const char *words;
	bool number;
	int64_t max; /* of numbers without a limit of their own */
} types[SCHEMA_NR] = {
	[SCHEMA_DIR] = { "directory" },
	[SCHEMA_LIST] = { "list" },
	[SCHEMA_TEXT] = { "text" },
	[SCHEMA_SECRET] = { "secret" },
	[SCHEMA_NUM] = { "number", true, INT64_MAX },
	[SCHEMA_KIB] = { "KiB", true, INT64_MAX },
	[SCHEMA_MIB] = { "MiB", true, INT64_MAX },
	[SCHEMA_NS] = { "nanoseconds", true, INT64_MAX },
	[SCHEMA_TIME] = { "seconds since 1970", true, INT64_MAX },
	[SCHEMA_DOMID] = { "domain id", true, 32767 },
	[SCHEMA_MFN] = { "machine frame number", true, INT64_MAX },
	[SCHEMA_PORT] = { "event channel", true, UINT32_MAX },
	[SCHEMA_GREF] = { "grant reference", true, UINT32_MAX },
	[SCHEMA_XENBUS] = { "device state", true, 6 },
	[SCHEMA_BOOL] = { "0 or 1", true, 1 },
	[SCHEMA_WORD] = { "word" },
	[SCHEMA_STATE] = { "domain state" },
	[SCHEMA_UUID] = { "UUID" },
	[SCHEMA_MAC] = { "MAC address" },
	[SCHEMA_PATH] = { "store path" },
	[SCHEMA_FILE] = { "file" },
	[SCHEMA_TARGET] = { "disk target" },
	[SCHEMA_DISK] = { "disk name" },
};

static const char states[] = "defined|starting|running|paused|stopping|shutdown|crashed|failed";

const struct schema_row *schema_at(size_t i)
{
	return i < NR_ROWS ? &rows[i] : NULL;
}

const char *schema_type_words(enum schema_type type)
{
	return types[type].words;
}

bool schema_is_number(enum schema_type type)
{
	return types[type].number;
}

int64_t schema_max(const struct schema_row *row)
{
	int64_t max = row->max ? row->max : types[row->type].max;

	return max == INT64_MAX ? 0 : max;
}

const char *schema_choices(const struct schema_row *row)
{
	return row->type == SCHEMA_STATE ? states : row->choices;
}

/* ---- finding ---- */

static bool all_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return len > 0;
}

bool schema_component_fits(const char *pattern, size_t pattern_len, const char *s, size_t len)
{
	if (pattern[0] != '$')
		return pattern_len == len && memcmp(pattern, s, len) == 0;
	if (strncmp(pattern, "$NAME", 5) == 0 || strncmp(pattern, "$REQ", 4) == 0)
		return len > 0;
	if (strncmp(pattern, "$UUID", 5) == 0)
		return len == 36;
	return all_digits(s, len);
}

static bool path_fits(const char *pattern, const char *path)
{
	while (*pattern == '/' && *path == '/') {
		size_t plen = strcspn(++pattern, "/"), len = strcspn(++path, "/");

		if (!schema_component_fits(pattern, plen, path, len))
			return false;
		pattern += plen;
		path += len;
	}
	return !*pattern && !*path;
}

const struct schema_row *schema_find(const char *path)
{
	const struct schema_row *hit = NULL;

	if (path[0] != '/')
		return NULL;
	for (size_t i = 0; i < NR_ROWS; i++) {
		/* most rows differ in the first letters already */
		if (rows[i].path[1] != path[1] || !path_fits(rows[i].path, path))
			continue;
		if (!strchr(rows[i].path, '$'))
			return &rows[i];
		hit = hit ? hit : &rows[i];
	}
	return hit;
}

/* ---- checking ---- */

static bool one_of(const char *words, const char *s)
{
	size_t len = strlen(s);

	for (const char *w = words;; w++) {
		size_t n = strcspn(w, "|");

		if (n == len && memcmp(w, s, n) == 0)
			return true;
		w += n;
		if (!*w)
			return false;
	}
}

static bool hex_groups(const char *s, const unsigned char *groups, char between)
{
	for (size_t i = 0; groups[i]; i++) {
		if (i && *s++ != between)
			return false;
		for (int n = 0; n < groups[i]; n++)
			if (!isxdigit((unsigned char)*s++))
				return false;
	}
	return !*s;
}

static bool is_disk(const char *s)
{
	static const char *const kinds[] = { "xvd", "sd", "hd" };
	size_t letters;

	if (all_digits(s, strlen(s)))
		return true;
	if (s[0] == 'd' && isdigit((unsigned char)s[1])) {
		size_t n = 1 + strspn(s + 1, "0123456789");

		return !s[n] || (s[n] == 'p' && all_digits(s + n + 1, strlen(s + n + 1)));
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i]);

		letters = strncmp(s, kinds[i], n) == 0 ?
				  strspn(s + n, "abcdefghijklmnopqrstuvwxyz") : 0;
		if (letters)
			return !s[n + letters] ||
			       all_digits(s + n + letters, strlen(s + n + letters));
	}
	return false;
}

static bool is_target(const char *s)
{
	if (strncmp(s, "phy:", 4) == 0)
		return s[4];
	return strncmp(s, "file:", 5) == 0 ? s[5] == '/' : s[0] == '/';
}

static bool check_number(const struct schema_row *row, const char *s, char why[SCHEMA_WHY_LEN])
{
	int64_t max = schema_max(row);
	unsigned long long n = strtoull(s, NULL, 10);

	if (all_digits(s, strlen(s)) && strlen(s) < 20 && n >= (unsigned long long)row->min &&
	    n <= (unsigned long long)(max ? max : INT64_MAX))
		return true;
	if (row->type == SCHEMA_BOOL)
		snprintf(why, SCHEMA_WHY_LEN, "0 or 1 (true or false)");
	else if (!max)
		snprintf(why, SCHEMA_WHY_LEN, "a number (%s)", types[row->type].words);
	else
		snprintf(why, SCHEMA_WHY_LEN, "a number from %lld to %lld (%s)",
			 (long long)row->min, (long long)max, types[row->type].words);
	return false;
}

static bool check_words(const char *words, const char *s, char why[SCHEMA_WHY_LEN])
{
	size_t at;

	if (one_of(words, s))
		return true;
	at = (size_t)snprintf(why, SCHEMA_WHY_LEN, "one of ");
	for (const char *w = words; *w && at < SCHEMA_WHY_LEN - 3; w++) {
		if (*w == '|') {
			why[at++] = ',';
			why[at++] = ' ';
		} else {
			why[at++] = *w;
		}
	}
	why[at] = '\0';
	return false;
}

static bool check_text(const struct schema_row *row, size_t len, char why[SCHEMA_WHY_LEN])
{
	if (!row->max || (len >= (size_t)row->min && len <= (size_t)row->max))
		return true;
	snprintf(why, SCHEMA_WHY_LEN, "text of %lld to %lld bytes", (long long)row->min,
		 (long long)row->max);
	return false;
}

static bool check_form(enum schema_type type, const char *s, char why[SCHEMA_WHY_LEN])
{
	static const unsigned char uuid[] = { 8, 4, 4, 4, 12, 0 }, mac[] = { 2, 2, 2, 2, 2, 2, 0 };
	const char *wanted = NULL;

	if (type == SCHEMA_UUID && !hex_groups(s, uuid, '-'))
		wanted = "a UUID such as 3f1c1e6e-2f0b-4a55-9a35-6d3b7d2c1a10";
	if (type == SCHEMA_MAC && !hex_groups(s, mac, ':'))
		wanted = "a MAC address such as 00:16:3e:00:00:01";
	if ((type == SCHEMA_FILE || type == SCHEMA_PATH) && s[0] != '/')
		wanted = type == SCHEMA_FILE ? "an absolute path in dom0" :
					       "a full path of the store";
	if (type == SCHEMA_TARGET && !is_target(s))
		wanted = "file:/path or phy:/dev/x";
	if (type == SCHEMA_DISK && !is_disk(s))
		wanted = "a disk name such as xvda";
	if (wanted)
		snprintf(why, SCHEMA_WHY_LEN, "%s", wanted);
	return !wanted;
}

bool schema_check(const struct schema_row *row, const char *value, size_t len,
		  char why[SCHEMA_WHY_LEN])
{
	if (len == 0)
		return true;
	if (strnlen(value, len) != len) {
		snprintf(why, SCHEMA_WHY_LEN, "text without NUL bytes");
		return false;
	}
	if (types[row->type].number)
		return check_number(row, value, why);
	if (schema_choices(row))
		return check_words(schema_choices(row), value, why);
	if (row->type == SCHEMA_TEXT || row->type == SCHEMA_SECRET)
		return check_text(row, len, why);
	return check_form(row->type, value, why);
}
