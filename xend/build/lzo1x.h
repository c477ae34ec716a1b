/* SPDX-License-Identifier: MIT */
/*
 * lzo1x.h - one block packed with LZO1X. The library that Debian has for it is under the GPL, which
 * our programs are not.
 */
#ifndef XEND_LZO1X_H
#define XEND_LZO1X_H

#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks the @len untrusted bytes @in to exactly @out_len bytes at @out. 0; -EBADMSG: damaged, cut
 * off, or of another length. Source: Linux, Documentation/staging/lzo.rst.
 */
int lzo1x_unpack(const uint8_t *in, size_t len, uint8_t *out, size_t out_len);

#endif
