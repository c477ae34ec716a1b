/* SPDX-License-Identifier: MIT */
/*
 * xenstore.h - libxenstore's API for programs that are built where Xen's headers are not installed.
 *
 * The same declarations as the header of that name in Debian's libxen-dev, which tests/unit/libxs
 * compares; inside of this project that one is used. Functions return NULL or false with errno set
 * when they fail; what they return as a pointer is the caller's to free(), in one block, unless
 * said otherwise. One handle may be used by several threads. Facts: Xen's docs/misc/xenstore.txt.
 */
#ifndef XENSTORE_H
#define XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __has_include(<xen/io/xs_wire.h>)
#include <xen/io/xs_wire.h>
#else
enum xsd_sockmsg_type {
	XS_CONTROL, XS_DIRECTORY, XS_READ, XS_GET_PERMS, XS_WATCH, XS_UNWATCH,
	XS_TRANSACTION_START, XS_TRANSACTION_END, XS_INTRODUCE, XS_RELEASE, XS_GET_DOMAIN_PATH,
	XS_WRITE, XS_MKDIR, XS_RM, XS_SET_PERMS, XS_WATCH_EVENT, XS_ERROR, XS_IS_DOMAIN_INTRODUCED,
	XS_RESUME, XS_SET_TARGET, XS_RESET_WATCHES = 21, XS_DIRECTORY_PART,
};

/* Fields of what xs_read_watch() returns. */
enum xs_watch_type { XS_WATCH_PATH = 0, XS_WATCH_TOKEN };
#endif

#define XBT_NULL 0	/* no transaction */

#define XS_OPEN_READONLY   (1UL << 0)
#define XS_OPEN_SOCKETONLY (1UL << 1)	/* never the kernel's device */
#define XS_UNWATCH_FILTER  (1UL << 2)	/* no event comes after xs_unwatch() */

struct xs_handle;
typedef uint32_t xs_transaction_t;

/* Who may do what: of the first entry the id owns the node, and its perms are everybody's. */
struct xs_permissions {
	unsigned int id;
	unsigned int perms;
#define XS_PERM_NONE	  0x00
#define XS_PERM_READ	  0x01
#define XS_PERM_WRITE	  0x02
#define XS_PERM_ENOENT_OK 0x04
#define XS_PERM_OWNER	  0x08
#define XS_PERM_IGNORE	  0x10
};

/* Where the daemon is, by the environment or as built. Not to be freed. */
const char *xs_daemon_rundir(void);
const char *xs_daemon_socket(void);
const char *xs_daemon_socket_ro(void);

/* Connects; @flags: XS_OPEN_* and XS_UNWATCH_FILTER. A connection that is lost is made again. */
struct xs_handle *xs_open(unsigned long flags);
void xs_close(struct xs_handle *xsh);
struct xs_handle *xs_daemon_open(void);
struct xs_handle *xs_daemon_open_readonly(void);
struct xs_handle *xs_domain_open(void);
void xs_daemon_close(struct xs_handle *h);
/* In a child of fork(): lets go of the parent's handle. */
void xs_daemon_destroy_postfork(struct xs_handle *h);

/* Names of the children, *@num of them, in one block. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num);
/* The value, and a NUL behind its *@len bytes. */
void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len);
bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len);
bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path);
bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path);
bool xs_restrict(struct xs_handle *h, unsigned int domid);
struct xs_permissions *xs_get_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
					  unsigned int *num);
bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
			struct xs_permissions *perms, unsigned int num_perms);

/* Events of @path and below come with @token, the first at once. */
bool xs_watch(struct xs_handle *h, const char *path, const char *token);
bool xs_unwatch(struct xs_handle *h, const char *path, const char *token);
/* Polls readable while an event waits. */
int xs_fileno(struct xs_handle *h);
/* An event as { path, token }, if there is one (EAGAIN: none), or waiting for it. */
char **xs_check_watch(struct xs_handle *h);
char **xs_read_watch(struct xs_handle *h, unsigned int *num);

/* XBT_NULL when it fails. The end: false with EAGAIN when it is to be done anew. */
xs_transaction_t xs_transaction_start(struct xs_handle *h);
bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort);

/* Domains of a hypervisor. */
bool xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
			 unsigned int eventchn);
bool xs_set_target(struct xs_handle *h, unsigned int domid, unsigned int target);
bool xs_resume_domain(struct xs_handle *h, unsigned int domid);
bool xs_release_domain(struct xs_handle *h, unsigned int domid);
char *xs_get_domain_path(struct xs_handle *h, unsigned int domid);
bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid);
int xs_suspend_evtchn_port(int domid);

bool xs_path_is_subpath(const char *parent, const char *child);
/* The daemon's own commands. */
char *xs_control_command(struct xs_handle *h, const char *cmd, void *data, unsigned int len);
char *xs_debug_command(struct xs_handle *h, const char *cmd, void *data, unsigned int len);

bool xs_write_all(int fd, const void *data, unsigned int len);
bool xs_strings_to_perms(struct xs_permissions *perms, unsigned int num, const char *strings);

#endif
