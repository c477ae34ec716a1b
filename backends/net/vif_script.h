/* SPDX-License-Identifier: MIT */
/*
 * vif_script.h - runs /etc/xen/scripts/vif-* by Xen's contract: `SCRIPT ACTION type_if=vif` with
 * vif, bridge, ip, script, netdev (of gatewaydev), XENBUS_PATH, XENBUS_TYPE in the environment; the
 * script writes hotplug-status, or hotplug-error and hotplug-status=error.
 */
#ifndef BACKENDS_VIF_SCRIPT_H
#define BACKENDS_VIF_SCRIPT_H

#include <xenstore.h>

#include "script.h"

#define VIF_SCRIPT_SECONDS 10

struct vif_script {
	char script[SCRIPT_PATH]; /* absolute */
	char vif[16];	  /* interface name in dom0 */
	char bridge[64];
	char ip[256];
	char gatewaydev[16]; /* "": the script's own default */
	char path[256]; /* backend directory relative to /local/domain/0 */
};

/* Reads the keys of backend directory @dir. Returns 0, or -EINVAL for a name too long. */
int vif_script_read(struct vif_script *s, struct xs_handle *xs, const char *dir);

#define VIF_SCRIPT_SAID SCRIPT_SAID

/*
 * Runs it with @action ("online", "offline"): script_run(), for VIF_SCRIPT_SECONDS at most.
 */
int vif_script_run(const struct vif_script *s, const char *action, char said[VIF_SCRIPT_SAID]);

#endif
