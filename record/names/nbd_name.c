/* SPDX-License-Identifier: MIT */
/* nbd_name.c - see nbd_name.h. */
#include "nbd_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT "10809" /* the protocol's own, by IANA */

bool nbd_name_is(const char *text)
{
	return !strncmp(text, "nbd:", 4) || !strncmp(text, "nbd+unix:", 9) ||
	       !strncmp(text, "nbds:", 5) || !strncmp(text, "nbds+unix:", 10);
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* @len bytes of @text to @out of @size; @uri: %XX is a byte. False: too long, or no text. */
static bool take(char *out, size_t size, const char *text, size_t len, bool uri)
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

/* A host at the start of @s, up to one of @ends; where it ends, or NULL. */
static const char *take_host(struct nbd_name *name, const char *s, const char *ends)
{
	size_t len;

	if (*s == '[') {
		/* An address of IPv6, with its link behind a %. */
		len = strspn(s + 1, IN_HOST ":%");
		if (!memchr(s + 1, ':', len) || s[1 + len] != ']' ||
		    !take(name->host, sizeof(name->host), s + 1, len, false))
			return NULL;
		s += len + 2;
	} else {
		len = strspn(s, IN_HOST);
		if (!len || *s == '-' || !take(name->host, sizeof(name->host), s, len, false))
			return NULL;
		s += len;
	}
	return !*s || strchr(ends, *s) ? s : NULL;
}

/* A port at the start of @s; where it ends, or NULL. */
static const char *take_port(struct nbd_name *name, const char *s)
{
	size_t len = strspn(s, "0123456789");
	long port = strtol(s, NULL, 10);

	if (!len || len > 5 || port < 1 || port > 65535)
		return NULL;
	snprintf(name->port, sizeof(name->port), "%ld", port);
	return s + len;
}

#define BAD_HOST "its host is to be a name, an address or an [address of IPv6]"
#define BAD_PORT "its port is to be a number from 1 to 65535"
#define BAD_EXPORT "its export is to be text of at most 255 bytes"
#define BAD_SOCKET "its socket is to be an absolute path of at most 107 bytes"

/* //HOST[:PORT][/EXPORT] */
static const char *parse_uri(const char *s, struct nbd_name *name)
{
	s = take_host(name, s + 2, ":/");
	if (!s)
		return BAD_HOST;
	if (*s == ':') {
		s = take_port(name, s + 1);
		if (!s || (*s && *s != '/'))
			return BAD_PORT;
	}
	s += *s == '/';
	if (strchr(s, '?'))
		return "a URI with ? names a socket: nbd+unix:///EXPORT?socket=PATH";
	return take(name->export, sizeof(name->export), s, strlen(s), true) ? NULL : BAD_EXPORT;
}

/* ///[EXPORT]?socket=SOCKET */
static const char *parse_unix_uri(const char *s, struct nbd_name *name)
{
	const char *query = strchr(s, '?');

	if (strncmp(s, "//", 2) || !query || strncmp(query, "?socket=", 8))
		return "write nbd+unix:///EXPORT?socket=PATH";
	s += 2;
	s += *s == '/';
	if (!take(name->export, sizeof(name->export), s, (size_t)(query - s), true))
		return BAD_EXPORT;
	if (!take(name->socket, sizeof(name->socket), query + 8, strlen(query + 8), true) ||
	    name->socket[0] != '/')
		return BAD_SOCKET;
	return NULL;
}

/* What follows a colon; QEMU has a word before it. */
static const char *take_export(struct nbd_name *name, const char *s)
{
	if (!*s)
		return NULL;
	s++;
	if (!strncmp(s, "exportname=", 11))
		s += 11;
	return take(name->export, sizeof(name->export), s, strlen(s), false) ? NULL : BAD_EXPORT;
}

/* HOST PORT, HOST:PORT[:EXPORT] or unix:SOCKET[:EXPORT] */
static const char *parse_plain(const char *s, struct nbd_name *name)
{
	if (!strncmp(s, "unix:", 5)) {
		size_t len = strcspn(s + 5, ":");

		if (s[5] != '/' || !take(name->socket, sizeof(name->socket), s + 5, len, false))
			return BAD_SOCKET;
		return take_export(name, s + 5 + len);
	}
	s = take_host(name, s, ": ");
	if (!s)
		return BAD_HOST;
	if (!*s)
		return "its port is missing: write nbd:HOST:PORT";
	s = take_port(name, s + strspn(s, " ") + (*s == ':'));
	if (!s || (*s && *s != ':'))
		return BAD_PORT;
	return take_export(name, s);
}

const char *nbd_name_parse(const char *text, struct nbd_name *name)
{
	memset(name, 0, sizeof(*name));
	if (!strncmp(text, "nbds", 4))
		return "encrypted connections (nbds) are not there: use a tunnel and nbd";
	if (!strncmp(text, "nbd+unix:", 9))
		return parse_unix_uri(text + 9, name);
	strcpy(name->port, PORT);
	if (!strncmp(text, "nbd://", 6))
		return parse_uri(text + 4, name);
	return parse_plain(text + 4, name);
}

static void put(FILE *to, const char *text)
{
	const char *plain = "-._~/+@=:";

	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr(plain, *text))
			fputc(*text, to);
		else
			fprintf(to, "%%%02X", (unsigned char)*text);
	}
}

bool nbd_name_format(const struct nbd_name *name, char *out, size_t len)
{
	char text[2048];
	FILE *to = fmemopen(text, sizeof(text), "w");
	bool v6 = strchr(name->host, ':');

	if (!to)
		return false;
	if (name->host[0]) {
		fprintf(to, "nbd://%s%s%s", v6 ? "[" : "", name->host, v6 ? "]" : "");
		if (strcmp(name->port, PORT))
			fprintf(to, ":%s", name->port);
		fputs(name->export[0] ? "/" : "", to);
		put(to, name->export);
	} else {
		fputs("nbd+unix:///", to);
		put(to, name->export);
		fputs("?socket=", to);
		put(to, name->socket);
	}
	if (fclose(to))
		return false;
	return snprintf(out, len, "%s", text) < (int)len;
}
