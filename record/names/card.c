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
