/* SPDX-License-Identifier: MIT */
/* iscsi_options.h - what qemu-nbd is told of an iSCSI disk. */
#ifndef BACKENDS_ISCSI_OPTIONS_H
#define BACKENDS_ISCSI_OPTIONS_H

#include <stddef.h>

#define ISCSI_OPTIONS_MAX 1024
#define ISCSI_SECRET "chap"		/* its id */

/* Who this host is to a target that asks (CHAP). */
struct iscsi_login {
	char user[128], password[128];	/* "": nobody */
};

/*
 * QEMU's options of the disk @name (iscsi_name.h) to @out: its host is looked up here, since the
 * server cannot, and this host's own name is told if open-iscsi has one. If its iscsid.conf has a
 * user and a password for sessions, those are @login, and the password is the server's secret
 * ISCSI_SECRET. 0, or -errno with a line for the user in @why.
 */
int iscsi_options(const char *name, char out[ISCSI_OPTIONS_MAX], struct iscsi_login *login, char *why,
		  size_t why_len);

#endif
