/* SPDX-License-Identifier: MIT */
/* memchr.c - the one string function that libxs's codec needs and the hypervisor's lib/ has not. */
#include <stddef.h>

void *memchr(const void *area, int byte, size_t len);

void *memchr(const void *area, int byte, size_t len)
{
	const unsigned char *at = area;

	for (; len; at++, len--)
		if (*at == (unsigned char)byte)
			return (void *)at;
	return NULL;
}
