/* SPDX-License-Identifier: MIT */
/* hv_names.h - the hypervisor's string functions under the names they have in host tests. */
#ifndef TEST_HV_NAMES_H
#define TEST_HV_NAMES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *hv_memcpy(void *dst, const void *src, size_t len);
void *hv_memmove(void *dst, const void *src, size_t len);
void *hv_memset(void *dst, int byte, size_t len);
int hv_memcmp(const void *a, const void *b, size_t len);
size_t hv_strlen(const char *s);
size_t hv_strnlen(const char *s, size_t max);
int hv_strcmp(const char *a, const char *b);
int hv_strncmp(const char *a, const char *b, size_t len);
char *hv_strchr(const char *s, int c);
size_t hv_strlcpy(char *dst, const char *src, size_t size);
int hv_snprintf(char *buf, size_t size, const char *fmt, ...);
uint64_t strtou64(const char *s, const char **end);

#endif
