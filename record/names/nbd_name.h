/* SPDX-License-Identifier: MIT */
/*
 * nbd_name.h - the name of a disk on another machine, served there by the Network Block Device
 * protocol.
 *
 *   nbd:HOST PORT    nbd:HOST:PORT[:EXPORT]    nbd://HOST[:PORT][/EXPORT]
 *   nbd:unix:SOCKET[:EXPORT]    nbd+unix:///[EXPORT]?socket=SOCKET
 * Pure. Source: the protocol's document uri.md; qemu(1), -drive; the first is Linux's block-nbd of
 * old. One spelling is written: the URI.
 */
#ifndef STOREVISOR_NBD_NAME_H
#define STOREVISOR_NBD_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "net_name.h"

#define NBD_EXPORT_MAX 255
#define NBD_SOCKET_MAX 107 /* of sockaddr_un */

struct nbd_name {
	char host[NET_HOST_MAX + 1]; /* a name or address; "": a socket of this machine */
	char port[NET_PORT_MAX + 1];
	char socket[NBD_SOCKET_MAX + 1]; /* absolute */
	char export[NBD_EXPORT_MAX + 1]; /* "": the server's default */
};

/* Whether @text means such a disk, right or wrong. */
bool nbd_name_is(const char *text);

/* NULL with @name filled in, or what is wrong with @text, of which nbd_name_is(). */
const char *nbd_name_parse(const char *text, struct nbd_name *name);

/* The URI of @name to @out, @len bytes with the NUL. False: it has no room. */
bool nbd_name_format(const struct nbd_name *name, char *out, size_t len);

#endif
