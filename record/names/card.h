/* SPDX-License-Identifier: MIT */
/*
 * card.h - what can be said of a network card: its bridge and interface, script, addresses. All of
 * it reaches scripts that run as root in dom0, so nothing a shell would act on passes. Pure.
 */
#ifndef STOREVISOR_CARD_H
#define STOREVISOR_CARD_H

#include <stdbool.h>
#include <stdint.h>

#define CARD_IFNAME_MAX 15 /* IFNAMSIZ - 1 */
#define CARD_BRIDGE_MAX 63
#define CARD_TEXT_MAX 127

/* The name of an interface or bridge: 1 to 15 letters, digits, '-', '_', '.', '@'. */
bool card_ifname_ok(const char *name);

/*
 * What a card is plugged into: an interface's name; or, for vif-openvswitch, a switch's, with a
 * VLAN and the VLANs of a trunk behind it: ovsbr0.10, ovsbr0:20:30, ovsbr0.10:20. VLANs are 0 to
 * 4095; at most CARD_BRIDGE_MAX bytes. Source: xl-network-configuration(5) of Xen 4.17.
 */
bool card_bridge_ok(const char *bridge);

/* A hotplug script: a file name or path of 1 to 127 bytes without blanks or shell characters. */
bool card_script_ok(const char *script);

/*
 * IPv4 and IPv6 addresses, perhaps with a prefix length or netmask behind a slash, with blanks
 * between, at least one. @out gets them with one blank between; false if it is none, or too long.
 */
bool card_addresses(const char *text, char out[CARD_TEXT_MAX + 1]);

/* What a card may send: so many bytes in each interval. */
struct card_rate {
	uint64_t bytes;
	uint32_t interval_us;
};
#define CARD_RATE_MAX 31 /* characters */

/*
 * A rate as Xen's tools write it: 10Mb/s, 250KB/s@20ms. G, M and K are powers of 1000, b bits, B
 * bytes; the interval is in s, ms or us, 50ms when absent. False: another form, less than a byte
 * an interval, more than 1 TB/s, or an interval that is not 1us to 10s.
 */
bool card_rate_parse(const char *text, struct card_rate *rate);

#endif
