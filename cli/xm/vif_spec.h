/* SPDX-License-Identifier: MIT */
/*
 * vif_spec.h - one entry of vif = [ ... ]: "mac=..., bridge=..., script=..., ip=..., vifname=...".
 * Pure. Source: xl-network-configuration(5); xm's example configurations.
 */
#ifndef XM_VIF_SPEC_H
#define XM_VIF_SPEC_H

#include "spec_error.h"

#define VIF_MAC_LEN 17
#define VIF_NAME_MAX 15 /* IFNAMSIZ - 1 */
#define VIF_TEXT_MAX 127

struct vif_spec {
	char mac[VIF_MAC_LEN + 1];	/* lower case aa:bb:cc:dd:ee:ff, or "" = to be made up */
	char bridge[VIF_NAME_MAX + 1];	/* or "" = the host's default */
	char script[VIF_TEXT_MAX + 1];	/* or "" = vif-bridge */
	char ip[VIF_TEXT_MAX + 1];	/* addresses, separated by one space, or "" */
	char vifname[VIF_NAME_MAX + 1]; /* or "" = vifDOMID.DEVID */
};

/* Errors as disk_spec_parse(). An empty text is a card with every default. */
int vif_spec_parse(const char *text, struct vif_spec *vif, char err[SPEC_ERROR_LEN]);

/* Normalises @text to lower case with colons; -EINVAL when it is not one card's address. */
int vif_mac_parse(const char *text, char mac[VIF_MAC_LEN + 1]);

#endif
