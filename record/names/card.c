/* SPDX-License-Identifier: MIT */
/* card.c - see card.h. */
#include "card.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool card_ifname_ok(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.@", name[i]))
			return false;
	return len > 0 && len <= CARD_IFNAME_MAX;
}

/* Behind a '.' or ':' at *@text; it is behind the number then. */
static bool take_vlan(const char **text)
{
	const char *p = *text + 1;
	long vlan = 0;

	while (isdigit((unsigned char)*p) && vlan <= 4095)
		vlan = vlan * 10 + (*p++ - '0');
	if (p == *text + 1 || vlan > 4095 || ((*text)[1] == '0' && p > *text + 2))
		return false;
	*text = p;
	return true;
}

bool card_bridge_ok(const char *bridge)
{
	size_t len = strcspn(bridge, ".:");
	char name[CARD_IFNAME_MAX + 1];

	if (card_ifname_ok(bridge))
		return true;
	if (len > CARD_IFNAME_MAX || strlen(bridge) > CARD_BRIDGE_MAX)
		return false;
	memcpy(name, bridge, len);
	name[len] = '\0';
	if (!card_ifname_ok(name))
		return false;
	bridge += len;
	if (*bridge == '.' && !take_vlan(&bridge))
		return false;
	while (*bridge == ':')
		if (!take_vlan(&bridge))
			return false;
	return !*bridge;
}

bool card_script_ok(const char *script)
{
	for (const char *s = script; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr("'\"`$;&|<>()\\", *s))
			return false;
	return *script && strlen(script) <= CARD_TEXT_MAX;
}

static bool is_address(char *text)
{
	unsigned char buf[16];
	char *slash = strchr(text, '/'), *end;
	bool ok;

	if (slash)
		*slash = '\0';
	ok = inet_pton(AF_INET, text, buf) == 1 || inet_pton(AF_INET6, text, buf) == 1;
	if (slash) {
		long len = strtol(slash + 1, &end, 10);

		*slash = '/';
		ok = ok && isdigit((unsigned char)slash[1]) &&
		     ((!*end && len <= 128) || inet_pton(AF_INET, slash + 1, buf) == 1);
	}
	return ok;
}

bool card_addresses(const char *text, char out[CARD_TEXT_MAX + 1])
{
	char copy[CARD_TEXT_MAX + 1], *save = NULL;

	out[0] = '\0';
	if (strlen(text) > CARD_TEXT_MAX)
		return false;
	strcpy(copy, text);
	for (char *a = strtok_r(copy, " \t", &save); a; a = strtok_r(NULL, " \t", &save)) {
		if (!is_address(a))
			return false;
		if (out[0])
			strcat(out, " ");
		strcat(out, a);
	}
	return out[0];
}

/* Digits from *@text on, at most @max; *@text is behind them. */
static bool take_number(const char **text, uint64_t max, uint64_t *n)
{
	const char *p = *text;

	for (*n = 0; isdigit((unsigned char)*p) && *n <= max; p++)
		*n = *n * 10 + (uint64_t)(*p - '0');
	if (p == *text || *n > max)
		return false;
	*text = p;
	return true;
}

struct unit {
	const char *word;
	uint64_t factor;
};

/* The one of @units that *@text begins with. */
static bool take_unit(const char **text, const struct unit *units, size_t nr, uint64_t *factor)
{
	for (size_t i = 0; i < nr; i++) {
		size_t len = strlen(units[i].word);

		if (!strncmp(*text, units[i].word, len)) {
			*text += len;
			*factor = units[i].factor;
			return true;
		}
	}
	return false;
}

bool card_rate_parse(const char *text, struct card_rate *rate)
{
	/* In bits. */
	static const struct unit speeds[] = {
		{ "Gb/s", 1000000000 },	  { "Mb/s", 1000000 },	 { "Kb/s", 1000 },     { "b/s", 1 },
		{ "GB/s", 8 * 1000000000ULL }, { "MB/s", 8 * 1000000 }, { "KB/s", 8 * 1000 }, { "B/s", 8 },
	};
	static const struct unit times[] = { { "us", 1 }, { "ms", 1000 }, { "s", 1000000 } };
	uint64_t n, bits, time = 50, us = 1000;

	if (strlen(text) > CARD_RATE_MAX || !take_number(&text, 8000000000000ULL, &n) ||
	    !take_unit(&text, speeds, sizeof(speeds) / sizeof(speeds[0]), &bits) ||
	    n > 8000000000000ULL / bits)
		return false;
	if (*text == '@') {
		text++;
		if (!take_number(&text, 10000000, &time) ||
		    !take_unit(&text, times, sizeof(times) / sizeof(times[0]), &us))
			return false;
	}
	if (*text || time == 0 || time > 10000000 / us)
		return false;
	rate->interval_us = (uint32_t)(time * us);
	/* At most 1e12 bytes times 1e7 us. */
	rate->bytes = n * bits / 8 * rate->interval_us / 1000000;
	return rate->bytes > 0;
}
