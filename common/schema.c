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

#include "card.h"
#include "cpu_list.h"
#include "screen.h"
#include "vdev.h"

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
	[SCHEMA_IFNAME] = { "interface name" },
	[SCHEMA_BRIDGE] = { "bridge" },
	[SCHEMA_SCRIPT] = { "script" },
	[SCHEMA_IPS] = { "IP addresses" },
	[SCHEMA_IP] = { "IP address" },
	[SCHEMA_RATE] = { "rate" },
	[SCHEMA_CPUS] = { "CPU list" },
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
	/* the rows' first letters: most differ there already, and a document asks for each key */
	static const char letters[] = SCHEMA_LETTERS;
	const struct schema_row *hit = NULL;

	_Static_assert(sizeof(letters) == NR_ROWS + 1, "a letter a row");
	if (path[0] != '/' || !path[1])
		return NULL;
	for (const char *at = letters; (at = strchr(at, path[1])); at++) {
		const struct schema_row *row = &rows[at - letters];

		if (!path_fits(row->path, path))
			continue;
		if (!strchr(row->path, '$'))
			return row;
		hit = hit ? hit : row;
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

static bool is_uuid(const char *s)
{
	uint8_t bytes[16];

	return vdev_uuid_parse(s, bytes) == 0;
}

static bool is_disk(const char *s)
{
	uint32_t number;

	return vdev_disk_number(s, &number) == 0;
}

static bool is_target(const char *s)
{
	enum vdev_backend backend;
	char path[VDEV_PATH_MAX + 1];

	return vdev_target(s, &backend, path) == 0;
}

static bool is_path(const char *s)
{
	return s[0] == '/';
}

static bool is_ips(const char *s)
{
	char out[CARD_TEXT_MAX + 1];

	return card_addresses(s, out);
}

static bool is_rate(const char *s)
{
	struct card_rate rate;

	return card_rate_parse(s, &rate);
}

static bool is_cpus(const char *s)
{
	uint8_t map[CPU_LIST_BYTES];

	return cpu_list_of(s, 0, map) == 0;
}

/* Types whose values have a form of their own. */
static const struct {
	bool (*fits)(const char *s);
	const char *wanted;
} forms[SCHEMA_NR] = {
	[SCHEMA_UUID] = { is_uuid, "a UUID such as 3f1c1e6e-2f0b-4a55-9a35-6d3b7d2c1a10" },
	[SCHEMA_MAC] = { vdev_mac_ok, "a MAC address of one card such as 00:16:3e:00:00:01" },
	[SCHEMA_PATH] = { is_path, "a full path of the store" },
	[SCHEMA_FILE] = { is_path, "an absolute path in dom0" },
	[SCHEMA_TARGET] = { is_target, "file:/path, phy:/dev/x, nbd://HOST:PORT/EXPORT or iscsi://HOST/TARGET/LUN" },
	[SCHEMA_DISK] = { is_disk, "a disk name such as xvda" },
	[SCHEMA_IFNAME] = { card_ifname_ok, "an interface name (1 to 15 letters, digits, -_.@)" },
	[SCHEMA_BRIDGE] = { card_bridge_ok,
			    "a bridge's name (1 to 15 letters, digits, -_.@), or a switch's with VLANs: "
			    "ovsbr0.10:20:30" },
	[SCHEMA_SCRIPT] = { card_script_ok, "a script's name without blanks or shell characters" },
	[SCHEMA_IPS] = { is_ips, "IPv4 or IPv6 addresses with blanks between" },
	[SCHEMA_IP] = { screen_address_ok, "an IPv4 or IPv6 address" },
	[SCHEMA_RATE] = { is_rate, "a speed such as 10Mb/s or 250KB/s@20ms" },
	[SCHEMA_CPUS] = { is_cpus, "a list of CPUs such as all or 0-3,^2" },
};

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
	at = (size_t)snprintf(why, SCHEMA_WHY_LEN, "%s", strchr(words, '|') ? "one of " : "");
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
	if (!forms[type].fits || forms[type].fits(s))
		return true;
	snprintf(why, SCHEMA_WHY_LEN, "%s", forms[type].wanted);
	return false;
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
	return check_text(row, len, why) && check_form(row->type, value, why);
}
