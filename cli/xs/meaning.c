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
#include "schema.h"

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
	enum schema_type type;
	const char *(*decode)(long long v, char *buf, size_t size);
} decoders[] = {
	{ SCHEMA_XENBUS, decode_state }, { SCHEMA_KIB, decode_mib }, { SCHEMA_TIME, decode_time },
	{ SCHEMA_NS, decode_seconds },	 { SCHEMA_BOOL, decode_switch },
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
	const struct schema_row *row;
	long long v;

	/* the device's directory itself: its number is its name */
	if (strstr(path, "/vbd/") && number(leaf, strlen(leaf), &v))
		return disk_name(v, buf, size);
	if (!value || !number(value, len, &v))
		return NULL;
	if (strcmp(leaf, "virtual-device") == 0)
		return disk_name(v, buf, size);
	row = schema_find(path);
	for (size_t i = 0; row && i < sizeof(decoders) / sizeof(decoders[0]); i++)
		if (row->type == decoders[i].type)
			return decoders[i].decode(v, buf, size);
	/* devices the registry does not list: a state is a state */
	return !row && strcmp(leaf, "state") == 0 ? decode_state(v, buf, size) : NULL;
}
