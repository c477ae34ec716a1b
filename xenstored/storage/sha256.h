/* SPDX-License-Identifier: MIT */
/* sha256.h - SHA-256 of one piece of memory. Pure. FIPS 180-4. */
#ifndef XENSTORED_SHA256_H
#define XENSTORED_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

void sha256(const void *data, size_t len, unsigned char out[SHA256_LEN]);

#endif
