/* SPDX-License-Identifier: MIT */
/*
 * meaning.c - see meaning.h.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xen/io/xenbus.h>

#include "meaning.h"

static const struct meaning table[] = {
#include "meanings.inc"
};

const struct meaning *meaning_at(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

/* One component of a row's path against one of a real path. */
static bool fits(const char *row, size_t row_len, const char *text, size_t len)
{
	if (row[0] != '$')
		return row_len == len && memcmp(row, text, len) == 0;
	if (strncmp(row, "$NAME", 5) == 0 || strncmp(row, "$REQ", 4) == 0)
		return len > 0;
	if (strncmp(row, "$UUID", 5) == 0)
		return len == 36;
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return len > 0;
}

static bool path_fits(const char *row, const char *path)
{
	while (*row == '/' && *path == '/') {
		size_t row_len = strcspn(++row, "/"), len = strcspn(++path, "/");

		if (!fits(row, row_len, path, len))
			return false;
		row += row_len;
		path += len;
	}
	return !*row && !*path;
}

const struct meaning *meaning_find(const char *path)
{
	const struct meaning *hit = NULL;

	for (size_t i = 0; meaning_at(i); i++)
		if (path_fits(table[i].path, path) && (!hit || !strchr(table[i].path, '$')))
			hit = &table[i];
	return hit;
}

/* ---- values ---- */

static const char *decode_state(long long v, char *buf, size_t size)
{
	static const char *const names[] = {
		[XenbusStateInitialising] = "Initialising", [XenbusStateInitWait] = "InitWait",
		[XenbusStateInitialised] = "Initialised",   [XenbusStateConnected] = "Connected",
		[XenbusStateClosing] = "Closing",           [XenbusStateClosed] = "Closed",
	};

	if (v < XenbusStateInitialising || v > XenbusStateClosed)
		return NULL;
	snprintf(buf, size, "%s", names[v]);
	return buf;
}

static const char *decode_mib(long long kib, char *buf, size_t size)
{
	if (kib < 1024)
		return NULL;
	if (kib % 1024)
		snprintf(buf, size, "%.1f MiB", kib / 1024.0);
	else
		snprintf(buf, size, "%lld MiB", kib / 1024);
	return buf;
}

static const char *decode_time(long long v, char *buf, size_t size)
{
	time_t t = v;
	struct tm tm;

	if (v <= 0 || !gmtime_r(&t, &tm))
		return NULL;
	return strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm) ? buf : NULL;
}

static const char *decode_seconds(long long v, char *buf, size_t size)
{
	snprintf(buf, size, "%.1f s", v / 1e9);
	return buf;
}

static const char *decode_switch(long long v, char *buf, size_t size)
{
	if (v != 0 && v != 1)
		return NULL;
	snprintf(buf, size, "%s", v ? "yes" : "no");
	return buf;
}

static const struct {
	const char *type;
	const char *(*decode)(long long v, char *buf, size_t size);
} decoders[] = {
	{ "XENBUS", decode_state }, { "KIB", decode_mib },        { "TIME", decode_time },
	{ "NS", decode_seconds },   { "BOOL", decode_switch },
};

/* Xen's numbering of virtual block devices: major 202, sixteen minors a disk. */
static const char *disk_name(long long id, char *buf, size_t size)
{
	if (id >> 8 != 202)
		return NULL;
	if (id & 15)
		snprintf(buf, size, "xvd%c%d", (int)('a' + (id & 0xff) / 16), (int)(id & 15));
	else
		snprintf(buf, size, "xvd%c", (int)('a' + (id & 0xff) / 16));
	return buf;
}

/* @text as a whole decimal number. */
static bool number(const char *text, size_t len, long long *v)
{
	char *end;

	if (!len || len > 18 || !isdigit((unsigned char)text[0]))
		return false;
	*v = strtoll(text, &end, 10);
	return end == text + len;
}

const char *meaning_decode(const char *path, const char *value, size_t len, char *buf, size_t size)
{
	const char *leaf = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const struct meaning *row;
	long long v;

	/* the device's directory itself: its number is its name */
	if (strstr(path, "/vbd/") && number(leaf, strlen(leaf), &v))
		return disk_name(v, buf, size);
	if (!value || !number(value, len, &v))
		return NULL;
	if (strcmp(leaf, "virtual-device") == 0)
		return disk_name(v, buf, size);
	row = meaning_find(path);
	for (size_t i = 0; row && i < sizeof(decoders) / sizeof(decoders[0]); i++)
		if (strcmp(row->type, decoders[i].type) == 0)
			return decoders[i].decode(v, buf, size);
	/* devices the registry does not list: a state is a state */
	return !row && strcmp(leaf, "state") == 0 ? decode_state(v, buf, size) : NULL;
}
