/* SPDX-License-Identifier: MIT */
/* outfile.h - files that CONTROL is told to write to: anywhere but over the store itself. */
#ifndef XENSTORED_OUTFILE_H
#define XENSTORED_OUTFILE_H

struct server_config;

/*
 * Opens @path to append to, made with mode 0600 if need be. Returns a descriptor; -EINVAL when it
 * is not absolute or lies in a directory whose files are the daemon's (but for its own trace file),
 * is a link or no regular file; other -Exxx of open().
 */
int outfile_open(const struct server_config *cfg, const char *path);

#endif
