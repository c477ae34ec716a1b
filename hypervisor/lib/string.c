/* SPDX-License-Identifier: MIT */
/*
 * string.c - the freestanding string functions. Block moves use the string instructions: eight
 * bytes an instruction count on every emulator and the fast microcode on real CPUs.
 */
#include "lib/string.h"

/* Below this the start-up cost of the string instructions dominates. */
#define SMALL_COPY 128

typedef u64 __attribute__((may_alias, aligned(1))) u64_any;
typedef u32 __attribute__((may_alias, aligned(1))) u32_any;

/* Fewer than 8 bytes: two overlapping halves. */
static inline void copy_tiny(u8 *d, const u8 *s, size_t len)
{
	if (len >= 4) {
		u32 first = *(const u32_any *)s, last = *(const u32_any *)(s + len - 4);

		*(u32_any *)d = first;
		*(u32_any *)(d + len - 4) = last;
		return;
	}
	while (len--)
		*d++ = *s++;
}

void *memcpy(void *dst, const void *src, size_t len)
{
	u8 *d = dst;
	const u8 *s = src;
	size_t words = len / 8;

	if (len < 8) {
		copy_tiny(d, s, len);
		return dst;
	}
	if (len > SMALL_COPY) {
		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words)::"memory");
	} else {
		for (; words; words--, d += 8, s += 8)
			*(u64_any *)d = *(const u64_any *)s;
	}
	/* The last 8 bytes once more, ending exactly at the end. */
	len &= 7;
	if (len)
		*(u64_any *)(d + len - 8) = *(const u64_any *)(s + len - 8);
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	u8 *d = dst;
	const u8 *s = src;

	/*
	 * Forward is right whenever the destination does not start inside the source. By words,
	 * like memcpy(): not every CPU, and no emulator, moves single bytes as fast.
	 */
	if ((uintptr_t)d - (uintptr_t)s >= len) {
		size_t words = len / 8;

		len &= 7;
		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words)::"memory");
		if (len)
			__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(len)::"memory");
		return dst;
	}
	while (len--)
		d[len] = s[len];
	return dst;
}

void *memset(void *dst, int byte, size_t len)
{
	void *d = dst;
	size_t words = len / 8;
	u64 pattern = 0x0101010101010101ULL * (u8)byte;

	__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	len &= 7;
	if (len)
		__asm__ volatile("rep stosb" : "+D"(d), "+c"(len) : "a"(pattern) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;

	for (size_t i = 0; i < len; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t len)
{
	for (; len; len--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

size_t strlcpy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);

	if (size) {
		size_t n = MIN(len, size - 1);

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return len;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

u64 strtou64(const char *s, const char **end)
{
	int base = 10;
	u64 v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16) {
		base = 16;
		s += 2;
	}
	for (; digit_value(*s) < base; s++)
		v = v * (u64)base + (u64)digit_value(*s);
	if (end)
		*end = s;
	return v;
}
