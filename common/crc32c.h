/* SPDX-License-Identifier: MIT */
/* crc32c.h - CRC-32C (Castagnoli), eight bytes a step. Any thread may call. RFC 3720, B.4. */
#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of @len bytes at @data, going on from @crc (0 at the start). */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same on every processor, and slower. */
uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t len);

#endif
