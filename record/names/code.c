/* SPDX-License-Identifier: MIT */
/* code.c - see code.h. */
#include "code.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

bool code_is_plain(unsigned char byte)
{
	unsigned char letter = byte | 0x20;

	return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
	       byte == '@';
}

char *code_put(char *to, unsigned char byte)
{
	to[0] = '@';
	to[1] = digits[byte >> 4];
	to[2] = digits[byte & 15];
	return to + CODE_LEN;
}

static int digit(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int code_byte(const char *hex)
{
	int high = digit(hex[0]), low = high < 0 ? -1 : digit(hex[1]);

	return low < 0 ? -1 : high << 4 | low;
}
