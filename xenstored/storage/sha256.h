/* SPDX-License-Identifier: MIT */
/*
 * sha256.h - SHA-256 of one piece of memory, by libmd. Pure. For keys of long paths: speed is no
 * aim.
 */
#ifndef XENSTORED_SHA256_H
#define XENSTORED_SHA256_H

#include <sha2.h>

#define SHA256_LEN SHA256_DIGEST_LENGTH

static inline void sha256(const void *data, size_t len, unsigned char out[SHA256_LEN])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, data, len);
	SHA256Final(out, &ctx);
}

#endif
