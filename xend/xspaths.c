/* SPDX-License-Identifier: MIT */
/*
 * xspaths.c - the only file of xend that spells store paths.
 */
#include "xspaths.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "domain_name.h"

static const char *const kind_names[DEVICE_NR] = {
	[DEVICE_VBD] = "vbd",	[DEVICE_VIF] = "vif",	      [DEVICE_VFB] = "vfb",
	[DEVICE_VKBD] = "vkbd", [DEVICE_CONSOLE] = "console",
};

static struct path __attribute__((format(printf, 2, 3)))
join(const char *key, const char *fmt, ...)
{
	struct path p;
	char plain[PATH_LEN_MAX];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	vsnprintf(p.s, sizeof(p.s), fmt, ap);
	va_end(ap);
	n = strlen(p.s);
	if (key)
		snprintf(p.s + n, sizeof(p.s) - n, "/%s", key);
	memcpy(plain, p.s, sizeof(plain));
	domain_name_path(plain, p.s, sizeof(p.s));
	return p;
}

struct path path_config(const char *name, const char *key)
{
	return join(key, PATH_CONFIG_ROOT "/%s", name);
}

struct path path_status(const char *name, const char *key)
{
	return join(key, PATH_STATUS_ROOT "/%s", name);
}

struct path path_request(const char *id, const char *key)
{
	return join(key, PATH_REQUEST_ROOT "/%s", id);
}

struct path path_request_output(const char *id, unsigned int n)
{
	return join(NULL, PATH_REQUEST_ROOT "/%s/output/%u", id, n);
}

struct path path_history(const char *name, const char *seq)
{
	return join(seq, PATH_HISTORY_ROOT "/%s", name);
}

struct path path_move(const char *epoch)
{
	return join(epoch, "/config/move");
}

struct path path_host(const char *key)
{
	return join(key, "/host");
}

struct path path_home(unsigned int domid, const char *key)
{
	return join(key, "/local/domain/%u", domid);
}

struct path path_cpu(unsigned int domid, unsigned int vcpu)
{
	return join(NULL, "/local/domain/%u/cpu/%u/availability", domid, vcpu);
}

struct path path_vm(const char *uuid, const char *key)
{
	return join(key, "/vm/%s", uuid);
}

struct path path_config_host(const char *key)
{
	return join(key, "/config/host");
}

struct path path_libxl(unsigned int domid)
{
	return join(NULL, "/libxl/%u", domid);
}

struct path path_pool_name(unsigned int pool)
{
	return join("name", "/local/pool/%u", pool);
}

struct path path_backend(enum device_kind kind, unsigned int domid, const char *id, const char *key)
{
	return join(key, PATH_BACKEND_ROOT "/%s/%u/%s", kind_names[kind], domid, id);
}

struct path path_backend_dir(enum device_kind kind, unsigned int domid)
{
	return join(NULL, PATH_BACKEND_ROOT "/%s/%u", kind_names[kind], domid);
}

struct path path_backend_kind(enum device_kind kind)
{
	return join(NULL, PATH_BACKEND_ROOT "/%s", kind_names[kind]);
}

struct path path_frontend(enum device_kind kind, unsigned int domid, const char *id,
			  const char *key)
{
	if (kind == DEVICE_CONSOLE)
		return join(key, "/local/domain/%u/console", domid);
	return join(key, "/local/domain/%u/device/%s/%s", domid, kind_names[kind], id);
}

bool path_name_of(const char *entry, char *out)
{
	char name[DOMAIN_NAME_MAX + 1];

	if (!domain_name_of_key(entry, name))
		return false;
	memcpy(out, name, sizeof(name));
	return true;
}

bool path_component(const char *path, const char *root, char *out)
{
	size_t n = strlen(root), len;
	char entry[DOMAIN_KEY_MAX + 1];

	if (strncmp(path, root, n) || path[n] != '/')
		return false;
	path += n + 1;
	len = strcspn(path, "/");
	if (len == 0 || len >= sizeof(entry))
		return false;
	memcpy(entry, path, len);
	entry[len] = '\0';
	return path_name_of(entry, out);
}

bool path_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= PATH_NAME_MAX)
		return false;
	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_.+-", *p))
			return false;
	}
	return true;
}
