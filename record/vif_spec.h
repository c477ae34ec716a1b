/* SPDX-License-Identifier: MIT */
/*
 * vif_spec.h - one entry of vif = [ ... ]: "mac=..., bridge=..., script=..., ip=..., vifname=...,
 * gatewaydev=..., rate=...".
 * Pure. Source: xl-network-configuration(5); xm's example configurations.
 */
#ifndef STOREVISOR_VIF_SPEC_H
#define STOREVISOR_VIF_SPEC_H

#include <stdbool.h>

#include "card.h"
#include "spec_error.h"

#define VIF_MAC_LEN 17
#define VIF_NAME_MAX CARD_IFNAME_MAX
#define VIF_TEXT_MAX CARD_TEXT_MAX

struct vif_spec {
	char mac[VIF_MAC_LEN + 1];	/* lower case aa:bb:cc:dd:ee:ff, or "" = to be made up */
	char bridge[CARD_BRIDGE_MAX + 1]; /* or "" = the host's default */
	char script[VIF_TEXT_MAX + 1];	/* or "" = vif-bridge */
	char ip[VIF_TEXT_MAX + 1];	/* addresses, separated by one space, or "" */
	char vifname[VIF_NAME_MAX + 1]; /* or "" = vifDOMID.DEVID */
	char gatewaydev[CARD_IFNAME_MAX + 1]; /* for the script: dom0's interface towards the net; or "" */
	char rate[CARD_RATE_MAX + 1];	/* what it may send: card_rate_parse(), or "" = no limit */
	unsigned int item;		/* vif/@item in the record; also the device's number */
	bool mac_is_new;		/* made up by record_complete() */
};

/* Returns and errors as disk_spec_parse(). An empty text is a card with every default. */
int vif_spec_parse(const char *text, struct vif_spec *vif, char err[SPEC_ERROR_LEN]);

#endif
