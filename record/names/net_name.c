/* SPDX-License-Identifier: MIT */
/* net_name.c - see net_name.h. */
#include "net_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

bool net_take_text(char *out, size_t size, const char *text, size_t len, bool uri)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (uri && c == '%') {
			if (len - i < 3 || !isxdigit((unsigned char)text[i + 1]) ||
			    !isxdigit((unsigned char)text[i + 2]))
				return false;
			c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
			i += 2;
		}
		if (n + 1 >= size || (unsigned char)c < ' ' || c == 0x7f)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

#define IN_HOST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

const char *net_take_host(char host[NET_HOST_MAX + 1], const char *s, const char *ends)
{
	size_t len;

	if (*s == '[') {
		/* An address of IPv6, with its link behind a %. */
		len = strspn(s + 1, IN_HOST ":%");
		if (!memchr(s + 1, ':', len) || s[1 + len] != ']' ||
		    !net_take_text(host, NET_HOST_MAX + 1, s + 1, len, false))
			return NULL;
		s += len + 2;
	} else {
		len = strspn(s, IN_HOST);
		if (!len || *s == '-' || !net_take_text(host, NET_HOST_MAX + 1, s, len, false))
			return NULL;
		s += len;
	}
	/*
	 * Two ways to write one host are one, to its disks' locks. An interface's name is as it is.
	 */
	for (char *c = host; *c && *c != '%'; c++)
		*c = (char)tolower((unsigned char)*c);
	return !*s || strchr(ends, *s) ? s : NULL;
}

const char *net_take_port(char port[NET_PORT_MAX + 1], const char *s)
{
	size_t len = strspn(s, "0123456789");
	long number = strtol(s, NULL, 10);

	if (!len || len > 5 || number < 1 || number > 65535)
		return NULL;
	snprintf(port, NET_PORT_MAX + 1, "%ld", number);
	return s + len;
}

const char *net_take_authority(const char **s, char host[NET_HOST_MAX + 1], char port[NET_PORT_MAX + 1])
{
	*s = net_take_host(host, *s, ":/");
	if (!*s)
		return NET_BAD_HOST;
	if (**s == ':') {
		*s = net_take_port(port, *s + 1);
		if (!*s || (**s && **s != '/'))
			return NET_BAD_PORT;
	}
	return NULL;
}

void net_put_authority(char out[NET_AUTHORITY_MAX + 1], const char *host, const char *port, const char *usual)
{
	const bool v6 = strchr(host, ':'), said = strcmp(port, usual);

	snprintf(out, NET_AUTHORITY_MAX + 1, "%s%s%s%s%s", v6 ? "[" : "", host, v6 ? "]" : "", said ? ":" : "",
		 said ? port : "");
}
