/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - what xm doctor looks at: one line a finding, "ok", "NOTE" or "BAD", with the cure.
 * Nothing is changed. What is to be found on the host is read below doctor_root.
 */
#ifndef XM_DOCTOR_H
#define XM_DOCTOR_H

#include <stdbool.h>

#include "xm.h"

#define DOCTOR_PATH 1280

struct doctor {
	struct xm *xm;
	int nr_bad;
};

/* Where /proc, /sys, /dev and so on are below: "", but in tests. */
extern const char *doctor_root;

/* @path below it, in @out; returns @out. A path that is too long is cut, and then not there. */
const char *doctor_at(char out[DOCTOR_PATH], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One line: @ok, or what is wrong and what to do. */
void doctor_found(struct doctor *d, bool ok, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The operator's to judge: domains run all the same. */
void doctor_noted(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Whether the file system of @path has room. False: it is as good as full, with what is left in
 * *@mib. One without a size (the kernel makes it up) is never full; nor is one that is not there.
 */
bool doctor_has_space(const char *path, unsigned long long *mib);

/* Whether there is bridge @name in Domain-0, for a card with @script: its own, or "". */
bool doctor_bridge_exists(const char *name, const char *script);

/* The host: @d->xm->xs is open. */
void doctor_host(struct doctor *d);
/* Each domain's record and devices, and what several of them have. */
void doctor_domains(struct doctor *d);

#endif
