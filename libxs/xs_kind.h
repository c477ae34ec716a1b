/* SPDX-License-Identifier: MIT */
/*
 * xs_kind.h - what a value is in JSON: a mark that our daemon keeps beside a node's value. No part
 * of Xen's wire protocol: READ and WRITE know nothing of it, and WRITE leaves it as it is, so that
 * a reader has to look whether the value is still of that kind. Numbers are in stored data.
 */
#ifndef STOREVISOR_XS_KIND_H
#define STOREVISOR_XS_KIND_H

enum xs_kind {
	XS_KIND_TEXT,	/* nobody said anything else */
	XS_KIND_NUMBER,	/* the value is the number as it was written */
	XS_KIND_BOOL,	/* 0 or 1 */
	XS_KIND_NULL,	/* empty */
	XS_KIND_OBJECT,	/* of what has no children: empty, but no text */
	XS_KIND_LIST,	/* the children 0, 1, ... are items */
	XS_KIND_NR,
};

#endif
