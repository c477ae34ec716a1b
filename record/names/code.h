/* SPDX-License-Identifier: MIT */
/*
 * code.h - the one spelling of bytes that a name in the store cannot have: '@' and two digits of
 * lower-case hexadecimal. Which bytes are written so is decided by domain_name.c (two of them) and
 * cli/xs/name.c (all). Pure.
 */
#ifndef STOREVISOR_CODE_H
#define STOREVISOR_CODE_H

#include <stdbool.h>
#include <stddef.h>

#define CODE_LEN 3

/* Whether a name of the store may have @byte: letters, digits and - _ @. */
bool code_is_plain(unsigned char byte);
/* Writes the code of @byte, CODE_LEN characters and no NUL, to @to; returns what is behind it. */
char *code_put(char *to, unsigned char byte);
/* The byte that the two characters at @hex (any, NUL-terminated) stand for behind an '@', or -1. */
int code_byte(const char *hex);

#endif
