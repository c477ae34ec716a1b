/* SPDX-License-Identifier: MIT */
/* nbd_name.c - see nbd_name.h. */
#include "nbd_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "net_name.h"

#define PORT "10809" /* the protocol's own, by IANA */

bool nbd_name_is(const char *text)
{
	return !strncmp(text, "nbd:", 4) || !strncmp(text, "nbd+unix:", 9) ||
	       !strncmp(text, "nbds:", 5) || !strncmp(text, "nbds+unix:", 10);
}

#define BAD_EXPORT "its export is to be text of at most 255 bytes"
#define BAD_SOCKET "its socket is to be an absolute path of at most 107 bytes"

/* //HOST[:PORT][/EXPORT] */
static const char *parse_uri(const char *s, struct nbd_name *name)
{
	const char *why;

	s += 2;
	why = net_take_authority(&s, name->host, name->port);
	if (why)
		return why;
	s += *s == '/';
	if (strchr(s, '?'))
		return "a URI with ? names a socket: nbd+unix:///EXPORT?socket=PATH";
	return net_take_text(name->export, sizeof(name->export), s, strlen(s), true) ? NULL : BAD_EXPORT;
}

/* ///[EXPORT]?socket=SOCKET */
static const char *parse_unix_uri(const char *s, struct nbd_name *name)
{
	const char *query = strchr(s, '?');

	if (strncmp(s, "//", 2) || !query || strncmp(query, "?socket=", 8))
		return "write nbd+unix:///EXPORT?socket=PATH";
	s += 2;
	s += *s == '/';
	if (!net_take_text(name->export, sizeof(name->export), s, (size_t)(query - s), true))
		return BAD_EXPORT;
	if (!net_take_text(name->socket, sizeof(name->socket), query + 8, strlen(query + 8), true) ||
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
	return net_take_text(name->export, sizeof(name->export), s, strlen(s), false) ? NULL : BAD_EXPORT;
}

/* HOST PORT, HOST:PORT[:EXPORT] or unix:SOCKET[:EXPORT] */
static const char *parse_plain(const char *s, struct nbd_name *name)
{
	if (!strncmp(s, "unix:", 5)) {
		size_t len = strcspn(s + 5, ":");

		if (s[5] != '/' || !net_take_text(name->socket, sizeof(name->socket), s + 5, len, false))
			return BAD_SOCKET;
		return take_export(name, s + 5 + len);
	}
	s = net_take_host(name->host, s, ": ");
	if (!s)
		return NET_BAD_HOST;
	if (!*s)
		return "its port is missing: write nbd:HOST:PORT";
	s = net_take_port(name->port, s + strspn(s, " ") + (*s == ':'));
	if (!s || (*s && *s != ':'))
		return NET_BAD_PORT;
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
	char text[2048], where[NET_AUTHORITY_MAX + 1];
	FILE *to = fmemopen(text, sizeof(text), "w");

	if (!to)
		return false;
	if (name->host[0]) {
		net_put_authority(where, name->host, name->port, PORT);
		fprintf(to, "nbd://%s%s", where, name->export[0] ? "/" : "");
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
