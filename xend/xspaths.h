/* SPDX-License-Identifier: MIT */
/*
 * xspaths.h - every store path xend reads or writes, spelled once.
 *
 * The registry for people is docs/store-paths.md. A NULL @key names the directory itself.
 * Names and ids reach these functions validated (record.c, request.c): a path never overflows.
 */
#ifndef XEND_XSPATHS_H
#define XEND_XSPATHS_H

#include <stdbool.h>

#define PATH_NAME_MAX 128		/* longest domain name and request id, with NUL */
#define PATH_LEN_MAX 384

struct path {
	char s[PATH_LEN_MAX];
};

#define PATH_CONFIG_ROOT "/config/domain"
#define PATH_STATUS_ROOT "/status/domain"
#define PATH_STATUS_STORE "/status/store"
#define PATH_REQUEST_ROOT "/request"
#define PATH_HISTORY_ROOT "/history/domain"
#define PATH_HOST_STOPPING "/host/stopping"
#define PATH_BACKEND_ROOT "/local/domain/0/backend"

/* The kinds of backend directories xend makes, in the order they are closed. */
enum device_kind { DEVICE_VBD, DEVICE_VIF, DEVICE_VFB, DEVICE_VKBD, DEVICE_CONSOLE, DEVICE_NR };

struct path path_config(const char *name, const char *key);
struct path path_status(const char *name, const char *key);
struct path path_request(const char *id, const char *key);
struct path path_request_output(const char *id, unsigned int n);
struct path path_history(const char *name, const char *seq);
struct path path_move(const char *epoch);
struct path path_host(const char *key);
struct path path_home(unsigned int domid, const char *key);
struct path path_cpu(unsigned int domid, unsigned int vcpu);
struct path path_vm(const char *uuid, const char *key);
/* What people say of the machine as a whole. */
struct path path_config_host(const char *key);
/* What libxl notes of a domain that it built. */
struct path path_libxl(unsigned int domid);
/* Name of a CPU pool; Xen's tools refuse a pool without one. */
struct path path_pool_name(unsigned int pool);
struct path path_backend(enum device_kind kind, unsigned int domid, const char *id,
			 const char *key);
struct path path_backend_dir(enum device_kind kind, unsigned int domid);
struct path path_backend_kind(enum device_kind kind);
/* The console's frontend is the home's console directory, whatever its id. */
struct path path_frontend(enum device_kind kind, unsigned int domid, const char *id,
			  const char *key);

/*
 * The name that entry @entry of a directory stands for, to @out (PATH_NAME_MAX); false if it is
 * none. In paths a name's '.' and '+' are escaped (domain_name.h), everywhere else it is as people
 * say it.
 */
bool path_name_of(const char *entry, char *out);

/*
 * The name in the path component right after @root, copied to @out (PATH_NAME_MAX); false if none.
 */
bool path_component(const char *path, const char *root, char *out);

/* A domain name or id that may become a path component: [A-Za-z0-9_.+-]+, bounded. */
bool path_name_ok(const char *name);

#endif
