/* SPDX-License-Identifier: MIT */
/*
 * nbd_lib.h - Debian's libnbd, loaded by the process whose disk needs it: with its own libraries it
 * is twenty times what a process of another disk is.
 */
#ifndef BACKENDS_NBD_LIB_H
#define BACKENDS_NBD_LIB_H

#include <libnbd.h>

#define NBD_LIB_FUNCTIONS(X) \
	X(nbd_create) \
	X(nbd_close) \
	X(nbd_get_error) \
	X(nbd_set_export_name) \
	X(nbd_set_tls) \
	X(nbd_aio_connect_tcp) \
	X(nbd_aio_connect_unix) \
	X(nbd_aio_connect_socket) \
	X(nbd_aio_is_ready) \
	X(nbd_aio_is_dead) \
	X(nbd_aio_is_closed) \
	X(nbd_poll) \
	X(nbd_get_size) \
	X(nbd_get_block_size) \
	X(nbd_is_read_only) \
	X(nbd_can_flush) \
	X(nbd_can_trim) \
	X(nbd_aio_get_fd) \
	X(nbd_aio_get_direction) \
	X(nbd_aio_pread) \
	X(nbd_aio_pwrite) \
	X(nbd_aio_flush) \
	X(nbd_aio_trim) \
	X(nbd_aio_disconnect)

#define NBD_LIB_MEMBER(fn) __typeof__(fn) *fn;
struct nbd_lib {
	NBD_LIB_FUNCTIONS(NBD_LIB_MEMBER)
};
#undef NBD_LIB_MEMBER

/* Loads it, for the life of the process; again: the same. NULL: it is not installed. */
const struct nbd_lib *nbd_lib_load(void);

/* Why its last function failed, without that one's name. Until the next call. */
const char *nbd_lib_error(const struct nbd_lib *lib);

#endif
