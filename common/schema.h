/* SPDX-License-Identifier: MIT */
/*
 * schema.h - what docs/store-paths.md says about each path of the store, as a table: type, limits,
 * who writes and reads. The table is made from that page at build time. No I/O, no state.
 */
#ifndef STOREVISOR_SCHEMA_H
#define STOREVISOR_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {
	SCHEMA_DIR,    /* no value of its own */
	SCHEMA_LIST,   /* children 0, 1, ... */
	SCHEMA_TEXT,   /* min..max bytes, if max is not 0 */
	SCHEMA_SECRET, /* text never to be shown */
	SCHEMA_NUM,    /* decimal, min..max if max is not 0; so all numbers */
	SCHEMA_KIB,
	SCHEMA_MIB,
	SCHEMA_NS,
	SCHEMA_TIME,   /* seconds since 1970 */
	SCHEMA_DOMID,
	SCHEMA_MFN,
	SCHEMA_PORT,
	SCHEMA_GREF,
	SCHEMA_XENBUS, /* state of a device, 1..6 */
	SCHEMA_BOOL,   /* 0 or 1 */
	SCHEMA_WORD,   /* one of choices */
	SCHEMA_STATE,  /* of a domain */
	SCHEMA_UUID,
	SCHEMA_MAC,
	SCHEMA_PATH,   /* a store path */
	SCHEMA_FILE,   /* an absolute path in dom0 */
	SCHEMA_TARGET, /* of a disk: file:/path, phy:/dev/x */
	SCHEMA_DISK,   /* a disk as the guest names it: xvda */
	SCHEMA_IFNAME, /* of an interface in dom0 */
	SCHEMA_BRIDGE, /* what a card is plugged into: an interface, a switch with VLANs */
	SCHEMA_SCRIPT, /* a hotplug script's name or path */
	SCHEMA_IPS,    /* addresses with blanks between */
	SCHEMA_IP,     /* one address */
	SCHEMA_RATE,   /* of a card: 10Mb/s, 250KB/s@20ms */
	SCHEMA_CPUS,   /* lists of the machine's CPUs: all, 0-3,^2 */
	SCHEMA_NR,
};

struct schema_row {
	const char *path;    /* components beginning with $ stand for a name or number */
	enum schema_type type;
	int64_t min, max;
	const char *choices; /* of a word: "a|b|c"; NULL: none */
	const char *absent;  /* what it counts as when it is not there; "$KEY": as that key is */
	const char *type_text; /* as the page says it */
	const char *tags;    /* p persistent, w guest may write, r guest may read, o optional */
	const char *writer, *readers;
	const char *words;   /* what it is for; "" when the page has none */
};

#define SCHEMA_WHY_LEN 160

/* All rows, in the order of the page; NULL after the last. */
const struct schema_row *schema_at(size_t i);
/* The row @path (absolute, canonical) falls under, one without variables first; NULL: none. */
const struct schema_row *schema_find(const char *path);
/* Whether text @s, @len bytes, fits component @pattern ("$DOMID", or itself). */
bool schema_component_fits(const char *pattern, size_t pattern_len, const char *s, size_t len);

/*
 * Whether the @len bytes at @value are a value of @row. If not, @why says what is wanted: "a number
 * from 4 to 16777216". An empty value is what a missing one is, and is always taken.
 */
bool schema_check(const struct schema_row *row, const char *value, size_t len,
		  char why[SCHEMA_WHY_LEN]);

/* The largest number (by its type, if the page says none), or length; 0: there is no limit. */
int64_t schema_max(const struct schema_row *row);
/* The words a value may be, "a|b|c"; NULL: any. */
const char *schema_choices(const struct schema_row *row);
/* The type in words: "number", "disk name". */
const char *schema_type_words(enum schema_type type);
/* Whether values of @type are numbers. */
bool schema_is_number(enum schema_type type);

#endif
