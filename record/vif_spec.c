/* SPDX-License-Identifier: MIT */
/*
 * vif_spec.c - see vif_spec.h. One table of keys; every value is checked before it is copied.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "vdev.h"
#include "vif_spec.h"

/* Files write addresses with '-', too, and in capitals. */
static int set_mac(struct vif_spec *vif, const char *value, char *err)
{
	snprintf(vif->mac, sizeof(vif->mac), "%s", value);
	for (char *c = vif->mac; *c; c++)
		*c = *c == '-' ? ':' : (char)tolower((unsigned char)*c);
	if (strlen(value) == VIF_MAC_LEN && vdev_mac_ok(vif->mac))
		return 0;
	vif->mac[0] = '\0';
	return spec_error(err, -EINVAL,
			  "mac '%.64s' is not the address of one card: six pairs of hex "
			  "digits, the first even, such as 00:16:3e:01:02:03",
			  value);
}

static int set_bridge(struct vif_spec *vif, const char *value, char *err)
{
	if (!card_bridge_ok(value))
		return spec_error(err, -EINVAL,
				  "bridge '%.64s': a bridge's name has 1 to %d characters: letters, "
				  "digits, '-', '_', '.', '@'; a switch's may have VLANs behind it, "
				  "ovsbr0.10:20:30",
				  value, CARD_IFNAME_MAX);
	strcpy(vif->bridge, value);
	return 0;
}

static int set_vifname(struct vif_spec *vif, const char *value, char *err)
{
	if (!card_ifname_ok(value))
		return spec_error(err, -EINVAL,
				  "vifname '%.64s': an interface name has 1 to %d characters: "
				  "letters, digits, '-', '_', '.', '@'",
				  value, VIF_NAME_MAX);
	strcpy(vif->vifname, value);
	return 0;
}

static int set_gatewaydev(struct vif_spec *vif, const char *value, char *err)
{
	if (!card_ifname_ok(value))
		return spec_error(err, -EINVAL,
				  "gatewaydev '%.64s': an interface name has 1 to %d characters: "
				  "letters, digits, '-', '_', '.', '@'",
				  value, CARD_IFNAME_MAX);
	strcpy(vif->gatewaydev, value);
	return 0;
}

static int set_script(struct vif_spec *vif, const char *value, char *err)
{
	if (!card_script_ok(value))
		return spec_error(err, -EINVAL,
				  "script '%.64s' must be a file name, or a path, without "
				  "blanks or shell characters",
				  value);
	strcpy(vif->script, value);
	return 0;
}

static int set_ip(struct vif_spec *vif, const char *value, char *err)
{
	if (card_addresses(value, vif->ip))
		return 0;
	return spec_error(err, -EINVAL, "ip '%.128s' is not an IPv4 or IPv6 address, or several",
			  value);
}

static int set_type(struct vif_spec *vif, const char *value, char *err)
{
	(void)vif;
	if (strcmp(value, "vif") == 0 || strcmp(value, "netfront") == 0 ||
	    strcmp(value, "front") == 0)
		return 0;
	return spec_error(err, -ENOTSUP, "type '%s' is for fully virtualised guests: leave it out",
			  value);
}

static int set_backend(struct vif_spec *vif, const char *value, char *err)
{
	(void)vif;
	if (strcmp(value, "0") == 0 || strcmp(value, "Domain-0") == 0)
		return 0;
	return spec_error(err, -ENOTSUP, "backend '%s': cards are served by Domain-0 only", value);
}

static int set_rate(struct vif_spec *vif, const char *value, char *err)
{
	struct card_rate rate;

	if (!card_rate_parse(value, &rate))
		return spec_error(err, -EINVAL,
				  "rate '%.64s' is not a speed such as 10Mb/s or 250KB/s@20ms",
				  value);
	strcpy(vif->rate, value);
	return 0;
}

/* The keys of a card; or, without a function, why one has no effect: "" needs no word. */
static const struct {
	const char *name;
	int (*set)(struct vif_spec *vif, const char *value, char *err);
	const char *why;
} keys[] = {
	{ "mac", set_mac },
	{ "bridge", set_bridge },
	{ "script", set_script },
	{ "ip", set_ip },
	{ "vifname", set_vifname },
	{ "gatewaydev", set_gatewaydev },
	{ "netdev", set_gatewaydev },
	{ "type", set_type },
	{ "backend", set_backend },
	{ "rate", set_rate },
	/* In many files of guests that have no emulated card. */
	{ "model", NULL, "" },
	{ "mtu", NULL, "a card has its bridge's" },
	{ "devid", NULL, "cards are numbered in their order" },
	{ "trusted", NULL, "no card trusts its guest" },
	{ "accel", NULL, "there is one kind of card" },
	{ "policy", NULL, "security labels (XSM) are not supported" },
	{ "uuid", NULL, "a card is known by its number" },
};

static int set_named(void *data, const char *name, const char *value, char *err)
{
	struct vif_spec *vif = data;
	struct nearest near = { 0 };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(name, keys[i].name) == 0 && keys[i].set)
			return keys[i].set(vif, value, err);
		if (strcmp(name, keys[i].name) == 0)
			return *keys[i].why ? spec_error(err, 0, "%s has no effect: %s", name,
							 keys[i].why) :
					      0;
		nearest_offer(&near, name, keys[i].name);
	}
	if (near.word)
		return spec_error(err, -EINVAL, "unknown key '%s'; did you mean '%s'?", name,
				  near.word);
	return spec_error(err, -EINVAL,
			  "unknown key '%s': a vif has mac, bridge, script, ip, vifname, "
			  "gatewaydev, rate",
			  name);
}

int vif_spec_parse(const char *text, struct vif_spec *vif, char err[SPEC_ERROR_LEN])
{
	err[0] = '\0';
	memset(vif, 0, sizeof(*vif));
	return spec_each(text, "vif", "mac=00:16:3e:01:02:03, bridge=xenbr0", set_named, vif, err);
}
