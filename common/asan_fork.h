/* SPDX-License-Identifier: MIT */
/* asan_fork.h - a process made by fork() can allocate memory, in a program with AddressSanitizer, too. */
#ifndef COMMON_ASAN_FORK_H
#define COMMON_ASAN_FORK_H

/* From here on. In other programs nothing is to be done. */
#ifdef __SANITIZE_ADDRESS__
void asan_fork_safe(void);
#else
static inline void asan_fork_safe(void)
{
}
#endif

#endif
