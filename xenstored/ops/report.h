/* SPDX-License-Identifier: MIT */
/* report.h - the texts of CONTROL: what the state looks like. Appends to @out, changes nothing. */
#ifndef XENSTORED_REPORT_H
#define XENSTORED_REPORT_H

#include "buf.h"

struct domain;
struct server;

/* Where the memory is. 0 or -ENOMEM. */
int report_memory(struct server *srv, struct buf *out);
/* The limits, global (@d NULL) or of one domain with its use. */
void report_quotas(struct server *srv, const struct domain *d, struct buf *out);
void report_soft_quotas(struct server *srv, struct buf *out);
/* The highest uses by any unprivileged domain. */
void report_peaks(struct server *srv, struct buf *out);
/* Counters, one "name value" a line. */
void report_stats(struct server *srv, struct buf *out);
/* The same as OpenMetrics text. */
void report_metrics(struct server *srv, struct buf *out);
/* Watches of every client, or (not NO_DOMID) of those of domain @domid. */
void report_watches(struct server *srv, unsigned int domid, struct buf *out);

/* Appends the text to the file @path (outfile.h). 0 or -Exxx. */
int report_to_file(struct server *srv, const char *path, const struct buf *text);

#endif
