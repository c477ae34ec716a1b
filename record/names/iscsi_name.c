/* SPDX-License-Identifier: MIT */
/* iscsi_name.c - see iscsi_name.h. */
#include "iscsi_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT "3260" /* the protocol's own, by IANA */
#define LUN_MAX 16383
#define WRITE_IT "write iscsi://HOST[:PORT]/TARGET/LUN"

bool iscsi_name_is(const char *text)
{
	return !strncmp(text, "iscsi:", 6);
}

/* TARGET/LUN */
static const char *parse_unit(const char *s, struct iscsi_name *name)
{
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : 0, digits;

	if (!slash)
		return "its number is missing: " WRITE_IT;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-.:", s[i]))
			len = 0;
	if (!len || !net_take_text(name->target, sizeof(name->target), s, len, false))
		return "its target is to be a name such as iqn.2026-01.org.example:disk";
	digits = strspn(slash + 1, "0123456789");
	name->lun = (unsigned int)strtoul(slash + 1, NULL, 10);
	if (!digits || digits > 5 || slash[1 + digits] || name->lun > LUN_MAX)
		return "its number (LUN) is to be one from 0 to 16383";
	return NULL;
}

const char *iscsi_name_parse(const char *text, struct iscsi_name *name)
{
	const char *s, *why;

	memset(name, 0, sizeof(*name));
	strcpy(name->port, PORT);
	if (strncmp(text, "iscsi://", 8))
		return WRITE_IT;
	if (strchr(text, '@'))
		return "a user and a password are not possible in it: whoever sees processes sees it";
	s = text + 8;
	why = net_take_authority(&s, name->host, name->port);
	if (why)
		return why;
	return *s ? parse_unit(s + 1, name) : "its target is missing: " WRITE_IT;
}

bool iscsi_name_format(const struct iscsi_name *name, char *out, size_t len)
{
	char where[NET_AUTHORITY_MAX + 1];

	net_put_authority(where, name->host, name->port, PORT);
	return snprintf(out, len, "iscsi://%s/%s/%u", where, name->target, name->lun) < (int)len;
}
