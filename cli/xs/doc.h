/* SPDX-License-Identifier: MIT */
/*
 * doc.h - a JSON document that describes nodes of the store, flattened to a list of them.
 *
 * Natural form: an object's members are children, a scalar is a value; "@value" beside children is
 * the node's own value, "@perms" its permissions, {"@b64": "..."} bytes that are no text; an array
 * is children 0..n-1 and nothing else below (RFC 7396); null means that the node shall not exist,
 * in an array or where allow_null is not set it is a value; {} is a node with an empty one; "@kind"
 * is the kind of a value that does not show it (kind.h). A child whose name begins with @ has one
 * more @, and names have any characters (name.h); "@wire:NAME" is the child that the store calls
 * so, but none that is a part of a long value of the document. At the top "@roots" lists the paths
 * below which --prune removes what is not in the document, and "@set" names the document as
 * owners.h has it. Exact form: one object a line, {"path","value"|"b64","perms","kind"}, and "gen",
 * which says what it was and is not written.
 *
 * Values of the natural form are checked against the schema (docs/store-paths.md); the exact form
 * is a backup and taken as it is.
 */
#ifndef STOREVISOR_XS_DOC_H
#define STOREVISOR_XS_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "arena.h"

struct xs_node;
struct schema_row;

#define WANT_ANY_KIND -1 /* the document does not say of what kind the value is */

struct want {
	const char *path;  /* in the document's memory, as the two others */
	const char *value; /* NULL: the node shall exist, whatever its value */
	size_t len;
	const char *perms; /* "n0 NUL r5 NUL"; NULL: as they are */
	size_t perms_len;
	int kind;    /* enum xs_kind, or WANT_ANY_KIND */
	bool unsaid;    /* text, because nothing is said: what xs write wrote may read like a number */
	bool says_kind; /* by a word of its own, which counts whatever the value looks like */
	bool list;   /* an array: what is below it and not in the document goes */
	int line, column; /* where the document says so; line 0: it is no text */
	uint64_t order; /* doc_sort()'s */
	bool gone;   /* shall not exist */
	bool only_holds; /* named only for its children */
};

struct doc {
	struct arena memory; /* of paths and values */
	struct want *wants; /* sorted by path: parents before children */
	size_t nr, max;
	char **roots;
	size_t nr_roots;
	char *set; /* "@set"; NULL: none */
	unsigned int nr_errors;
	const char *name; /* of the file, in messages */
	bool allow_null;
	bool any_value;   /* conditions may ask for what could not be written */
	bool any_kind;    /* made by a program: its values say nothing about their kind */
	bool part;        /* of another one, or of one place: no @roots and @set, no exact form */
	bool quiet;	  /* count problems, do not print them */
};

/*
 * Reads @file ("-": standard input) as nodes below @at. @allow_null: null is meant. Every problem
 * is reported on standard error as FILE:LINE:COLUMN: POINTER: what is wrong; then the program ends
 * (CLI_USAGE), so that nothing was changed yet.
 */
void doc_load(struct doc *d, const char *file, const char *at, bool allow_null);
/*
 * The text of @file, malloc'd, without what some editors begin one with; not checked. Ends the
 * program (CLI_USAGE) if it cannot be read.
 */
char *doc_text(const char *file, size_t *len);
/* What @file is called in messages. */
const char *doc_name(const char *file);
/*
 * The same from @len bytes at @text, any bytes; @d has its name and flags set. Problems are counted
 * in d->nr_errors; the program goes on.
 */
void doc_read(struct doc *d, const char *text, size_t len, const char *at);
/* A member of a document whose members are documents themselves. */
struct doc_part {
	const char *name;
	struct doc *d;	/* with allow_null and any_value set; filled in */
};
/*
 * Reads @file as an object with members @parts (NULL at the end) and no others. Ends the program
 * (CLI_USAGE) if something is wrong, as doc_load().
 */
void doc_load_parts(const char *file, const struct doc_part *parts);
/* The same from @len bytes at @text; problems are counted in *@nr_errors. */
void doc_read_parts(const char *name, const char *text, size_t len, const struct doc_part *parts,
		    unsigned int *nr_errors);
/*
 * Takes @v (NULL: nothing) as a document below "/" where null is meant; @name is for messages;
 * @any_value: see struct doc. Ends the program (CLI_USAGE) if something is wrong.
 */
void doc_from_json(struct doc *d, const char *name, const json_t *v, bool any_value);
/* Ends the program (CLI_USAGE) if anything was wrong. */
void doc_end_if_wrong(const struct doc *d);
void doc_free(struct doc *d);
/* The want of @path, or NULL. */
const struct want *doc_find(const struct doc *d, const char *path);

/* For doc_take.c, doc_exact.c and doc_read.c. Adds an empty want; @path is of doc_keep(). */
struct want *doc_want(struct doc *d, const char *path);
/* @len bytes and a NUL for as long as the document; @data NULL: to be filled in. */
char *doc_keep(struct doc *d, const void *data, size_t len);
/* Brings the wants in order. */
void doc_sort(struct doc *d);

#endif
