/* SPDX-License-Identifier: MIT */
/*
 * document.h - part of the store as the text of a document, with its tag: the same store gives the
 * same text, and the same text the same tag, so that a tag says what somebody has seen.
 */
#ifndef STOREVISOR_HTTPD_DOCUMENT_H
#define STOREVISOR_HTTPD_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCUMENT_TAG_BUF 40
#define DOCUMENT_MAX (64u << 20)
#define DOCUMENT_NOW UINT64_MAX

struct document {
	char *text;	/* malloc'd */
	size_t len;
	char tag[DOCUMENT_TAG_BUF]; /* as in ETag, with its quotes; "" when there is none */
};

/* What is asked for. */
struct document_query {
	const char *path;
	int depth;	/* < 0: all; else the tag is a weak one: something is left out */
	uint64_t rev;	/* as it was then, or DOCUMENT_NOW */
	bool perms, nodes; /* nodes: a list of nodes, with kinds and what cannot be read */
};

/*
 * Reads it, of one moment, or in transaction @tx. 0 or -errno: -E2BIG: more than DOCUMENT_MAX;
 * -ESTALE: not known of that revision.
 */
int document_read(const struct document_query *q, uint32_t tx, struct document *out);
void document_free(struct document *d);

/*
 * What If-Match and If-None-Match say (RFC 9110, 13.1): whether one of the tags in @list, or "*",
 * is @tag; NULL as @tag: there is nothing. @weak: a weak tag is as good.
 */
bool document_tag_in(const char *list, const char *tag, bool weak);

#endif
