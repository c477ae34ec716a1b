/* SPDX-License-Identifier: MIT */
/* vif_script.c - network hot-plug scripts: see vif_script.h. */
#include "vif_script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store.h"

#define HOME "/local/domain/0/"

/* A missing key is an empty string; only a value that does not fit is an error. */
static int read_optional(struct xs_handle *xs, const char *dir, const char *key, char *buf,
			 size_t len)
{
	int rc = store_read_str(xs, dir, key, buf, len);

	if (rc == -ENOENT) {
		buf[0] = '\0';
		return 0;
	}
	return rc;
}

int vif_script_read(struct vif_script *s, struct xs_handle *xs, const char *dir)
{
	char script[200] = "vif-bridge";
	unsigned int domid, devid;
	int rc;

	memset(s, 0, sizeof(*s));
	rc = read_optional(xs, dir, "script", script, sizeof(script));
	if (rc == 0)
		rc = read_optional(xs, dir, "bridge", s->bridge, sizeof(s->bridge));
	if (rc == 0)
		rc = read_optional(xs, dir, "ip", s->ip, sizeof(s->ip));
	if (rc == 0)
		rc = read_optional(xs, dir, "gatewaydev", s->gatewaydev, sizeof(s->gatewaydev));
	if (rc == 0)
		rc = read_optional(xs, dir, "vifname", s->vif, sizeof(s->vif));
	if (rc < 0)
		return rc;
	if (!script[0])
		strcpy(script, "vif-bridge");
	script_find(script, s->script);
	if (sscanf(dir, HOME "backend/vif/%u/%u", &domid, &devid) != 2)
		return -EINVAL;
	if (!s->vif[0] &&
	    snprintf(s->vif, sizeof(s->vif), "vif%u.%u", domid, devid) >= (int)sizeof(s->vif))
		return -EINVAL;
	snprintf(s->path, sizeof(s->path), "%s", dir + strlen(HOME));
	return 0;
}

int vif_script_run(const struct vif_script *s, const char *action, char said[VIF_SCRIPT_SAID])
{
	const struct script_word env[] = {
		{ "vif", s->vif },
		{ "bridge", s->bridge },
		{ "ip", s->ip },
		/* Without one a script has its own default, eth0 as a rule. */
		{ "netdev", s->gatewaydev[0] ? s->gatewaydev : NULL },
		{ "XENBUS_PATH", s->path },
		{ "XENBUS_TYPE", "vif" },
		{ "XENBUS_BASE_PATH", "backend" },
		{ NULL, NULL },
	};
	const struct script script = { .path = s->script, .action = action, .word = "type_if=vif",
				       .env = env, .seconds = VIF_SCRIPT_SECONDS };

	return script_run(&script, said);
}
