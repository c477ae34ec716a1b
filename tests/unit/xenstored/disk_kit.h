/* SPDX-License-Identifier: MIT */
/*
 * disk_kit.h - the durable side in a test: directories in memory, changes in one line, and what is
 * there as text: "PATH=VALUE" lines in the order of creation.
 */
#ifndef DISK_KIT_H
#define DISK_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "storage/change_record.h"
#include "storage/disk.h"

struct kit {
	char state[100], run[100];
	struct disk *d;
	struct disk_found found;
	uint64_t told, map_size;	/* 0: 64 MiB */
};

/* New, empty directories. */
void kit_init(struct kit *k);
void kit_fini(struct kit *k);

/* Opens what is there; its answer. */
int kit_try(struct kit *k);
/* The same; it has to work. */
void kit_open(struct kit *k);
void kit_close(struct kit *k, bool orderly);

/* A change: "+PATH=VALUE" or "-PATH" or "*" (RESET). @c points into @text. */
void kit_change(const char *text, struct change *c);

/* Revision @rev, behind @prev: the changes, words of @text. One commit; its answer. */
int kit_try_rev(struct kit *k, uint64_t rev, uint64_t prev, const char *text);
/* The same without history. */
int kit_try_lean(struct kit *k, uint64_t rev, uint64_t prev, const char *text);
/* The next revision, which has to be taken. */
uint64_t kit_rev(struct kit *k, const char *text);

/* Directories with a store of several revisions, two starts and two generations, which is open. */
void kit_filled(struct kit *k);
#define KIT_FILLED "/config= /config/b=5 /config/c=3 /config/d=4 "
/* The same, closed, and damaged in more than one copy: something is lost. */
void kit_filled_and_lost(struct kit *k);
/* Junk over @len bytes of a file, at most 65536. */
void kit_scribble(const char *path, off_t at, size_t len);

/* All nodes as text; freed by the next call. */
const char *kit_nodes(struct kit *k);
/* The names of what was lost, "PATH?KIND@REV" each. */
const char *kit_lost(struct kit *k);

/* The path of the last file below STATE/store that fits the pattern. Fails the test: none. */
const char *kit_file(struct kit *k, const char *pattern);
unsigned int kit_count(struct kit *k, const char *pattern);

#endif
