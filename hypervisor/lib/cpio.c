/* SPDX-License-Identifier: MIT */
/* cpio.c - see cpio.h. Source: Linux' driver-api/early-userspace/buffer-format.rst. */
#include "lib/cpio.h"

#include "lib/string.h"

#define MAGIC "070701"
#define MAGIC_CRC "070702"
#define MAGIC_LEN 6
#define FIELD_LEN 8 /* hexadecimal digits */
#define HEADER_LEN (MAGIC_LEN + 13 * FIELD_LEN)
#define FIELD_FILESIZE 6
#define FIELD_NAMESIZE 11

static u64 field(const char *header, unsigned int nr)
{
	const char *digit = header + MAGIC_LEN + nr * FIELD_LEN;
	u64 value = 0;

	for (unsigned int i = 0; i < FIELD_LEN; i++) {
		unsigned int c = (u8)digit[i], letter = (c | 0x20) - 'a';

		value = value << 4 | (letter < 6 ? letter + 10 : (c - '0') & 0xf);
	}
	return value;
}

const void *cpio_find(const void *data, u64 len, const char *name, u64 *size)
{
	const char *at = data;
	u64 wanted = strlen(name) + 1;

	while (len >= HEADER_LEN) {
		u64 file_len, name_len, file, end;

		if (*at == 0) { /* between one archive and the next */
			at += 4;
			len -= 4;
			continue;
		}
		if (memcmp(at, MAGIC, MAGIC_LEN) && memcmp(at, MAGIC_CRC, MAGIC_LEN))
			break;
		file_len = field(at, FIELD_FILESIZE);
		name_len = field(at, FIELD_NAMESIZE);
		file = ALIGN_UP(HEADER_LEN + name_len, 4);
		end = ALIGN_UP(file + file_len, 4);
		if (file + file_len > len)
			break;
		if (name_len == wanted && !memcmp(at + HEADER_LEN, name, wanted)) {
			*size = file_len;
			return at + file;
		}
		if (end > len)
			break;
		at += end;
		len -= end;
	}
	return NULL;
}
