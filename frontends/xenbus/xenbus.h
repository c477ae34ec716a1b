/* SPDX-License-Identifier: MIT */
/*
 * xenbus.h - a client of the store over the guest's ring, and the handshake of device frontends.
 *
 * One request at a time; watch events that arrive meanwhile are kept. Nothing the other side sends
 * is trusted: a message that breaks the protocol is -EIO, a longer value than asked for -E2BIG.
 * Paths may be relative to the guest's home. Transactions: @txn 0 is none.
 */
#ifndef KIT_XENBUS_H
#define KIT_XENBUS_H

#include "guest/guest.h"

#include <xen/io/xenbus.h>
#include <xen/io/xs_wire.h>

#define XENBUS_VALUE_MAX 128

/* Any request: @type of xs_wire.h; reply to @reply (NUL-terminated). Length, or -errno. */
int xenbus_call(u32 type, u32 txn, const void *body, size_t len, char *reply, size_t size);

/* The value's length, or -errno. */
int xenbus_read(u32 txn, const char *path, char *value, size_t size);
int xenbus_write(u32 txn, const char *path, const char *value);
int xenbus_rm(u32 txn, const char *path);
/* Reads a decimal number; -EINVAL: it is none. */
int xenbus_read_number(u32 txn, const char *path, u64 *out);
int xenbus_printf(u32 txn, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int xenbus_begin(u32 *txn);
/* -EAGAIN: somebody else was faster; all again. */
int xenbus_end(u32 txn, bool commit);
int xenbus_watch(const char *path, const char *token);
/* Waits for an event: its path and token. -ETIMEDOUT; -E2BIG: one is longer, the event is lost. */
int xenbus_event(char *path, size_t path_size, char *token, size_t token_size, u64 timeout_ns);

/* --- device.c --- */

/* A frontend's two directories. */
struct xenbus_device {
	char home[64];	     /* device/vbd/51712 */
	char backend[80];    /* absolute */
	domid_t backend_id;
};

/* Reads where the backend is. 0 or -errno. */
int device_open(struct xenbus_device *d, const char *kind, unsigned int id);
/* "home/key" and "backend/key" of numbers and strings. */
int device_read_backend(const struct xenbus_device *d, const char *key, u64 *out);
int device_set_state(const struct xenbus_device *d, enum xenbus_state state);
/* Waits until the backend is in @state or beyond; -ETIMEDOUT, -ENODEV when it went away. */
int device_wait(const struct xenbus_device *d, enum xenbus_state state, u64 timeout_ns);
/* A key of a frontend's directory: a text, or a number where there is none. */
struct device_key {
	const char *name;
	unsigned int number;
	const char *text;
};
/* Writes the @nr keys in one transaction, again when somebody else was faster. 0 or -errno. */
int device_publish(const struct xenbus_device *d, const struct device_key *keys, size_t nr);
/* A fresh channel for the backend to bind; 0 or -errno. */
int device_port(const struct xenbus_device *d, evtchn_port_t *port);

#endif
