/* SPDX-License-Identifier: MIT */
/*
 * card.h - what can be said of a network card: its bridge and interface, script, addresses. All of
 * it reaches scripts that run as root in dom0, so nothing a shell would act on passes. Pure.
 */
#ifndef STOREVISOR_CARD_H
#define STOREVISOR_CARD_H

#include <stdbool.h>

#define CARD_IFNAME_MAX 15 /* IFNAMSIZ - 1 */
#define CARD_TEXT_MAX 127

/* The name of an interface or bridge: 1 to 15 letters, digits, '-', '_', '.', '@'. */
bool card_ifname_ok(const char *name);

/* A hotplug script: a file name or path of 1 to 127 bytes without blanks or shell characters. */
bool card_script_ok(const char *script);

/*
 * IPv4 and IPv6 addresses, perhaps with a prefix length or netmask behind a slash, with blanks
 * between, at least one. @out gets them with one blank between; false if it is none, or too long.
 */
bool card_addresses(const char *text, char out[CARD_TEXT_MAX + 1]);

#endif
