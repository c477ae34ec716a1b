/* SPDX-License-Identifier: MIT */
/* net_name.h - hosts and ports in the names of disks on other machines. Pure. */
#ifndef STOREVISOR_NET_NAME_H
#define STOREVISOR_NET_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NET_HOST_MAX 255
#define NET_PORT_MAX 5

#define NET_BAD_HOST "its host is to be a name, an address or an [address of IPv6]"
#define NET_BAD_PORT "its port is to be a number from 1 to 65535"

/* @len bytes of @text to @out of @size; @uri: %XX is a byte. False: too long, or no text. */
bool net_take_text(char *out, size_t size, const char *text, size_t len, bool uri);

/*
 * A host, an address, or one of IPv6 in brackets, at the start of @s, up to its end or one of
 * @ends, to @host without the brackets, in small letters. Where it ends, or NULL.
 */
const char *net_take_host(char host[NET_HOST_MAX + 1], const char *s, const char *ends);

/* A port at the start of @s. Where it ends, or NULL. */
const char *net_take_port(char port[NET_PORT_MAX + 1], const char *s);

/*
 * HOST[:PORT] of a URI, which ends with it or at a '/': *@s is moved behind it. NULL, or what is
 * wrong; @port stays as it was where none is said.
 */
const char *net_take_authority(const char **s, char host[NET_HOST_MAX + 1], char port[NET_PORT_MAX + 1]);

#define NET_AUTHORITY_MAX (NET_HOST_MAX + NET_PORT_MAX + 3)
/* The same written: an address of IPv6 in brackets, no port that is the @usual one. */
void net_put_authority(char out[NET_AUTHORITY_MAX + 1], const char *host, const char *port, const char *usual);

#endif
