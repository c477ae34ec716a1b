/* SPDX-License-Identifier: MIT */
/*
 * json_out.h - how xm prints JSON: indented for a person, one line for a program.
 */
#ifndef XM_JSON_OUT_H
#define XM_JSON_OUT_H

#include <jansson.h>

#include "xm.h"

/* Prints and frees @value (NULL: out of memory). Returns the exit status. */
int json_out(struct xm *xm, json_t *value);

/* The same, always indented: xl list --long is read by grep. */
int json_out_indented(struct xm *xm, json_t *value);

#endif
