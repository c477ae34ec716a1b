/* SPDX-License-Identifier: MIT */
/* string.h - the freestanding string functions. Semantics as ISO C; strlcpy as BSD. */
#ifndef HV_LIB_STRING_H
#define HV_LIB_STRING_H

#include "lib/types.h"

void *memcpy(void *dst, const void *src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
char *strchr(const char *s, int c);
/* Copies at most @size - 1 bytes and always terminates. Returns strlen(@src). */
size_t strlcpy(char *dst, const char *src, size_t size);
/* Parses a decimal or 0x number; *@end is the first byte not used. */
u64 strtou64(const char *s, const char **end);

/* printf subset: %s %c %d %i %u %x %X %p %ld %lu %lx %lld %llu %llx %zu, width, 0, -, #,
 * .prec for %s.
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list ap);

#endif
